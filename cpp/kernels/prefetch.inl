// SPDX-License-Identifier: BSD-3-Clause
// Lines of memory that the tile, or the next one, will need, asked for while it computes. Included
// inside the namespace of one ISA.

// Asks for a few lines between any two butterflies: all at once they would fill the core's queue of
// cache misses, and its loads would wait behind them.
template <typename T>
class Prefetcher {
 public:
  Prefetcher(const TilePlan<T>& plan, const TileArgs<T>& args, int64_t num_steps)
      : samples_{static_cast<const char*>(args.next_input), kLineBytes,
                 (args.next_input_bytes + kLineBytes - 1) / kLineBytes} {
    if (output_is_far(plan, args))
      output_ = {bytes(args.out + args.num_frames - 1), args.row_stride * kSize,
                 plan.num_output_rows};
    lines_per_step_ = num_steps ? (samples_.count + output_.count) / num_steps + 1 : 0;
  }

  SPECFAST_INLINE void step() { ask(lines_per_step_); }
  void finish() { ask(samples_.count + output_.count); }

 private:
  static constexpr int64_t kSize = sizeof(T), kLineBytes = 64;

  struct Lines {
    const char* at = nullptr;
    int64_t stride = 0, count = 0;

    // As many as there are, up to `wanted`; how many more were wanted.
    SPECFAST_INLINE int64_t ask(int64_t wanted) {
      const int64_t asked = wanted < count ? wanted : count;
      const char* line = at;
      for (int64_t i = 0; i < asked; ++i, line += stride) __builtin_prefetch(line, 0, 2);
      at = line;
      count -= asked;
      return wanted - asked;
    }
  };

  static const char* bytes(const T* at) { return reinterpret_cast<const char*>(at); }

  // Whether the tile's frames are neighbours in an output so large that its lines are not in the
  // caches next to the core.
  static bool output_is_far(const TilePlan<T>& plan, const TileArgs<T>& args) {
    constexpr int64_t kNearBytes = int64_t(256) << 10;
    return args.frame_stride == 1 && args.row_stride > kNearBytes / kSize / plan.num_output_rows;
  }

  SPECFAST_INLINE void ask(int64_t num_lines) { output_.ask(samples_.ask(num_lines)); }

  Lines samples_, output_;
  int64_t lines_per_step_;
};
