// SPDX-License-Identifier: BSD-3-Clause
//
// The frames of a signal are cut into segments of whole tiles. One thread runs the tiles of a
// segment in order and adds what they give back to the signal. The hops of a segment are its own;
// what its last frames add to the next segment's hops waits in a buffer (`tails_`), and so does
// what falls on reflected samples (`margins_`), until all segments are done. Every sum so has an
// order of its own, whatever the threads do.
//
// The gradient of the kernels is a product of samples and the gradient of the spectrum over all
// frames. Some segments at a time leave both in a buffer, then every thread sums a group of kernel
// rows over their frames.
#include "engine/run/gradient.h"

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/parallel.h"
#include "engine/plan/dispatch.h"
#include "engine/run/batch.h"
#include "engine/run/job.h"
#include "engine/run/overlap_add.h"
#include "engine/run/top_db.h"

namespace specfast::engine {
namespace {

constexpr int64_t kChunkFrames = 512;  // frames whose samples and spectra wait for the product

template <typename In, typename T>
class PullBack {
 public:
  PullBack(const Plan& plan, int num_threads, const Job& job, const specfast_gradient& gradient)
      : config_(plan.config()),
        plan_(plan.precision<T>()),
        kernels_(kernels_of<T>(kernels())),
        tile_(plan_.wide().tile),
        num_threads_(num_threads),
        job_(job),
        gradient_(gradient),
        segments_(config_, job, plan_.wide()),
        row_samples_(tile_.hop_rows) {
    const int64_t lanes = plan_.wide().kernel->lanes;
    tile_hops_ = lanes + segments_.overlap;
    segment_hops_ = segments_.frames + std::max(segments_.overlap, tile_.hop_columns - lanes);
    segment_samples_ = checked_multiply(segment_hops_, row_samples_) + kernels_.product_rows;
    signals_wanted_ = gradient.signal != nullptr;
    kernels_wanted_ = gradient.real_kernel || gradient.imag_kernel;
    num_kernel_rows_ = tile_.num_bins * num_kernels(tile_.spectrum_op);
    num_groups_ = ceil_div(num_kernel_rows_, kernels_.outer_columns);
    segments_per_chunk_ = kernels_wanted_ ? std::max<int64_t>(kChunkFrames / segments_.frames, 1)
                                          : job.num_signals * segments_.count;
  }

  // The levels of a call with top_db before the clamp, replaced by their gradient.
  void set_levels(std::vector<T> levels) { levels_ = std::move(levels); }

  void run() {
    prepare();
    const int64_t num_segments = job_.num_signals * segments_.count;
    for (int64_t begin = 0; begin < num_segments; begin += segments_per_chunk_) {
      const int64_t count = std::min(segments_per_chunk_, num_segments - begin);
      for_each_segment(count, [&](int thread, int64_t i) { run_segment(thread, begin + i, i); });
      if (kernels_wanted_) sum_kernels(begin, count);
    }
    if (signals_wanted_) finish_signals();
    if (kernels_wanted_) store_kernels();
  }

 private:
  void prepare() {
    const auto adjoint_bytes = [](const Width<T>& width) {
      return int64_t(width.kernel->adjoint_bytes(width.tile));
    };
    workspace_ = ThreadBuffers<std::byte>(
        std::max(adjoint_bytes(plan_.wide()), adjoint_bytes(plan_.narrow())), num_threads_);
    if (tile_.product && signals_wanted_) transpose_product();
    const int64_t num_segments = job_.num_signals * segments_.count;
    if (signals_wanted_) {
      hops_ = ThreadBuffers<T>(checked_multiply(tile_hops_, row_samples_), num_threads_);
      tails_.assign(std::size_t(checked_multiply(num_segments, segments_.overlap * row_samples_)),
                    T(0));
      margins_.assign(std::size_t(checked_multiply(job_.num_signals,
                                                   segments_.margin_left + segments_.margin_right)),
                      T(0));
    }
    if (!kernels_wanted_) {
      thread_samples_ = ThreadBuffers<T>(segment_samples_, num_threads_);
      return;
    }
    chunk_samples_ = AlignedBuffer<T>(checked_multiply(segment_samples_, segments_per_chunk_));
    const int64_t columns = num_groups_ * kernels_.outer_columns;
    spectra_ = AlignedBuffer<T>(
        checked_multiply(checked_multiply(segments_per_chunk_, segments_.frames), columns));
    sums_.assign(std::size_t(checked_multiply(config_.frame_length, columns)), T(0));
  }

  // Kernels of the plan, [block][sample][row], to blocks of samples with rows in planes.
  void transpose_product() {
    const int64_t rows = kernels_.product_rows;
    const int64_t num_planes = num_kernel_rows_ / tile_.num_bins;
    transposed_ = AlignedBuffer<T>(
        checked_multiply(ceil_div(config_.frame_length, rows) * rows, num_kernel_rows_));
    std::fill_n(transposed_.get(), ceil_div(config_.frame_length, rows) * rows * num_kernel_rows_,
                T(0));
    for (int64_t n = 0; n < config_.frame_length; ++n) {
      T* const to = transposed_.get() + n / rows * rows * num_kernel_rows_ + n % rows;
      for (int64_t row = 0; row < num_kernel_rows_; ++row) {
        const int64_t packed = row % tile_.num_bins * num_planes + row / tile_.num_bins;
        to[row * rows] =
            tile_.product[(packed / rows * config_.frame_length + n) * rows + packed % rows];
      }
    }
  }

  template <typename Body>
  void for_each_segment(int64_t count, const Body& body) const {
    constexpr int64_t kMinSamplesPerThread = 1 << 16;
    const int64_t work = segments_.frames * (tile_.dft_length + tile_.num_output_rows);
    parallel_for(count, kMinSamplesPerThread / work + 1, num_threads_,
                 [&](int thread, int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) body(thread, i);
                 });
  }

  int64_t frames_of(int64_t segment) const {
    return std::min(segments_.frames,
                    job_.num_frames - segment % segments_.count * segments_.frames);
  }

  T* samples_of(int thread, int64_t slot) const {
    return kernels_wanted_ ? chunk_samples_.get() + slot * segment_samples_
                           : thread_samples_.of_thread(thread);
  }

  // `index` counts over all signals; `slot` is its place in the buffers of the chunk.
  void run_segment(int thread, int64_t index, int64_t slot) {
    const int64_t signal = index / segments_.count, segment = index % segments_.count;
    const int64_t first = segment * segments_.frames, num_frames = frames_of(index);
    T* const samples = samples_of(thread, slot);
    stage(signal, first, num_frames, samples);
    if (signals_wanted_) clear_own_samples(signal, segment);
    const int64_t lanes = plan_.wide().kernel->lanes;
    for (int64_t frame = 0; frame < num_frames; frame += lanes) {
      AdjointArgs<T> args{};
      args.num_frames = std::min(lanes, num_frames - frame);
      const Width<T>& width =
          args.num_frames <= plan_.narrow().kernel->lanes ? plan_.narrow() : plan_.wide();
      args.samples = samples + frame * row_samples_;
      args.hop_stride = row_samples_;
      args.workspace = workspace_.of_thread(thread);
      locate_cotangent(signal, first + frame, args);
      args.transposed = transposed_.get();
      if (gradient_.kept) {
        args.kept =
            static_cast<const T*>(gradient_.kept) +
            (signal * job_.num_tiles + (first + frame) / lanes) * spectrum_values(plan_.wide());
      }
      args.num_hops = args.num_frames + segments_.overlap;
      if (signals_wanted_) args.hops = hops_.of_thread(thread);
      if (kernels_wanted_) {
        args.spectrum_stride = segments_.frames * kernels_.outer_columns;
        args.spectrum = spectra_of(slot) + frame * kernels_.outer_columns;
      }
      width.kernel->run_adjoint(width.tile, args);
      if (signals_wanted_) add_hops(signal, segment, first + frame, args.num_hops, args.hops);
    }
  }

  // Samples of a segment's frames, hop by hop, and zeros behind.
  void stage(int64_t signal, int64_t first, int64_t num_frames, T* to) const {
    const In* const from =
        job_.signal_address(static_cast<const In*>(job_.batch.input), signal,
                            job_.batch.in_batch_stride, job_.batch.in_channel_stride);
    const int64_t begin = first * config_.hop - job_.left_padding;
    int64_t count;
    if (row_samples_ == config_.hop) {
      count = (num_frames - 1) * config_.hop + config_.frame_length;
      stage_samples(from, job_.batch, config_.padding, begin, count, to);
    } else {
      count = num_frames * row_samples_;
      for (int64_t frame = 0; frame < num_frames; ++frame) {
        stage_samples(from, job_.batch, config_.padding, begin + frame * config_.hop, row_samples_,
                      to + frame * row_samples_);
      }
    }
    std::fill(to + count, to + segment_samples_, T(0));
  }

  void locate_cotangent(int64_t signal, int64_t frame, AdjointArgs<T>& args) const {
    if (!levels_.empty()) {
      args.cotangent = levels_.data() + signal * tile_.num_output_rows * job_.num_frames + frame;
      args.frame_stride = 1;
      args.row_stride = job_.num_frames;
      return;
    }
    args.cotangent =
        job_.signal_address(static_cast<const T*>(gradient_.cotangent), signal,
                            gradient_.cotangent_batch_stride, gradient_.cotangent_channel_stride) +
        frame * gradient_.cotangent_frame_stride;
    args.frame_stride = gradient_.cotangent_frame_stride;
    args.row_stride = gradient_.cotangent_row_stride;
  }

  T* spectra_of(int64_t slot) const {
    return spectra_.get() + slot * segments_.frames * num_groups_ * kernels_.outer_columns;
  }

  // ---- The gradient of the signals -------------------------------------------------------------

  T* signal_gradient(int64_t signal) const {
    return job_.signal_address(static_cast<T*>(gradient_.signal), signal,
                               gradient_.signal_batch_stride, gradient_.signal_channel_stride);
  }

  // The samples that the hops of a segment begin at; the last segment has all to the end.
  void clear_own_samples(int64_t signal, int64_t segment) const {
    const auto begin_of = [this](int64_t s) {
      const int64_t begin = s * segments_.frames * config_.hop - job_.left_padding;
      return std::clamp<int64_t>(begin, 0, job_.batch.num_samples);
    };
    const int64_t end =
        segment + 1 == segments_.count ? job_.batch.num_samples : begin_of(segment + 1);
    T* const to = signal_gradient(signal);
    for (int64_t i = begin_of(segment); i < end; ++i) to[i * gradient_.signal_sample_stride] = T(0);
  }

  // Adds to samples [begin, begin + count) of the padded signal; where there are zeros, nothing.
  void add_samples(int64_t signal, int64_t begin, int64_t count, const T* from) {
    const int64_t num_samples = job_.batch.num_samples, stride = gradient_.signal_sample_stride;
    T* const margin = margins_.data() + signal * (segments_.margin_left + segments_.margin_right);
    const int64_t inside_begin = std::clamp<int64_t>(-begin, 0, count);
    const int64_t inside_end = std::clamp<int64_t>(num_samples - begin, inside_begin, count);
    if (segments_.margin_left > 0) {
      for (int64_t i = 0; i < inside_begin; ++i)
        margin[segments_.margin_left + begin + i] += from[i];
    }
    T* const to = signal_gradient(signal);
    if (stride == 1) {
      for (int64_t i = inside_begin; i < inside_end; ++i) to[begin + i] += from[i];
    } else {
      for (int64_t i = inside_begin; i < inside_end; ++i) to[(begin + i) * stride] += from[i];
    }
    if (segments_.margin_right > 0) {
      T* const right = margin + segments_.margin_left;
      for (int64_t i = inside_end; i < count; ++i) right[begin + i - num_samples] += from[i];
    }
  }

  // Hops [first, first + count) of a signal, hop_rows samples each.
  void add_hops_to_signal(int64_t signal, int64_t first, int64_t count, const T* from) {
    const int64_t begin = first * config_.hop - job_.left_padding;
    if (row_samples_ == config_.hop) {
      const int64_t end =
          (job_.num_frames - 1) * config_.hop + config_.frame_length - job_.left_padding;
      return add_samples(signal, begin, std::min(count * row_samples_, end - begin), from);
    }
    for (int64_t hop = 0; hop < count; ++hop)
      add_samples(signal, begin + hop * config_.hop, row_samples_, from + hop * row_samples_);
  }

  void add_hops(int64_t signal, int64_t segment, int64_t first, int64_t count, const T* from) {
    const int64_t end =
        segment + 1 == segments_.count ? first + count : (segment + 1) * segments_.frames;
    const int64_t own = std::min(count, end - first);
    add_hops_to_signal(signal, first, own, from);
    T* const tail = tail_of(signal, segment);
    for (int64_t i = own * row_samples_; i < count * row_samples_; ++i)
      tail[i - (end - first) * row_samples_] += from[i];
  }

  T* tail_of(int64_t signal, int64_t segment) {
    return tails_.data() + (signal * segments_.count + segment) * segments_.overlap * row_samples_;
  }

  void finish_signals() {
    if (segments_.overlap > 0) {
      for_each_segment(job_.num_signals * segments_.count, [this](int, int64_t index) {
        const int64_t signal = index / segments_.count, segment = index % segments_.count;
        if (segment + 1 == segments_.count) return;
        const int64_t first = (segment + 1) * segments_.frames;
        const int64_t hops = job_.num_frames + segments_.overlap - first;
        add_hops_to_signal(signal, first, std::min(segments_.overlap, hops),
                           tail_of(signal, segment));
      });
    }
    if (margins_.empty()) return;
    for_each_segment(job_.num_signals, [this](int, int64_t signal) { fold_margins(signal); });
  }

  void fold_margins(int64_t signal) {
    const int64_t num_samples = job_.batch.num_samples;
    T* const to = signal_gradient(signal);
    const T* margin = margins_.data() + signal * (segments_.margin_left + segments_.margin_right);
    const auto add = [&](int64_t, const ReflectedRun& run) {
      T* at = to + run.first * gradient_.signal_sample_stride;
      const int64_t step = run.step * gradient_.signal_sample_stride;
      for (int64_t i = 0; i < run.count; ++i) at[i * step] += *margin++;
    };
    for_each_reflected_run(-segments_.margin_left, 0, num_samples, add);
    for_each_reflected_run(num_samples, num_samples + segments_.margin_right, num_samples, add);
  }

  // ---- The gradient of the kernels -------------------------------------------------------------

  void sum_kernels(int64_t begin, int64_t count) {
    const int64_t columns = kernels_.outer_columns;
    parallel_for(num_groups_, 1, num_threads_, [&](int, int64_t first, int64_t last) {
      for (int64_t group = first; group < last; ++group) {
        for (int64_t slot = 0; slot < count; ++slot) {
          kernels_.add_outer(samples_of(0, slot), row_samples_, config_.frame_length,
                             spectra_of(slot) + group * segments_.frames * columns,
                             frames_of(begin + slot),
                             sums_.data() + group * config_.frame_length * columns);
        }
      }
    });
  }

  void store_kernels() const {
    T* planes[] = {static_cast<T*>(gradient_.real_kernel), static_cast<T*>(gradient_.imag_kernel)};
    if (!has_real_kernel(tile_.spectrum_op)) planes[0] = planes[1];
    const int64_t columns = kernels_.outer_columns;
    for (int64_t n = 0; n < config_.frame_length; ++n) {
      const T* from = sums_.data() + n * columns;  // of the first group
      int64_t column = 0;
      for (int64_t row = 0; row < num_kernel_rows_; ++row, ++column) {
        if (column == columns) {
          column = 0;
          from += config_.frame_length * columns;
        }
        const bool second = row >= tile_.num_bins;
        T* const plane = planes[second];
        if (plane) plane[n * tile_.num_bins + row - (second ? tile_.num_bins : 0)] = from[column];
      }
    }
  }

  const Config& config_;
  const PrecisionPlan<T>& plan_;
  const PrecisionKernels<T>& kernels_;
  const TilePlan<T>& tile_;
  int num_threads_;
  const Job& job_;
  const specfast_gradient& gradient_;
  const Segments segments_;
  int64_t row_samples_;      // samples of a hop that frames reach: min(hop, frame_length)
  int64_t tile_hops_;        // that the frames of a tile reach
  int64_t segment_hops_;     // that the tiles of a segment may touch
  int64_t segment_samples_;  // and the samples of these, with what add_outer reads behind
  bool signals_wanted_, kernels_wanted_;
  int64_t num_kernel_rows_, num_groups_, segments_per_chunk_;

  ThreadBuffers<std::byte> workspace_;
  ThreadBuffers<T> hops_;
  AlignedBuffer<T> transposed_;
  ThreadBuffers<T> thread_samples_;  // without gradients of kernels
  AlignedBuffer<T> chunk_samples_;   // [segment of the chunk], with them
  AlignedBuffer<T> spectra_;         // [segment of the chunk][group][frame][column]
  std::vector<T> levels_;            // [signal][row][frame], with top_db
  std::vector<T> tails_, margins_;   // [signal][segment], [signal]
  std::vector<T> sums_;              // [group][frame_length][column]
};

void check_kernel(const char* name, const void* kernel, bool exists, std::size_t bytes) {
  if (!kernel) return;
  if (!exists) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                std::string(name) + " must be NULL: this mode has no such kernel");
  }
  check_pointer(name, kernel, bytes);
}

Job check_gradient(const Plan& plan, const specfast_batch& batch, const specfast_gradient& gradient,
                   int64_t lanes) {
  const Job job = check_input(plan, batch, lanes);
  if (scale_of<double>(batch.in_scale) != 1) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "in_scale must be 0 for a gradient, which is that of the samples as they are "
                "computed with, received in_scale=" +
                    std::to_string(batch.in_scale));
  }
  const Config& config = plan.config();
  const std::size_t bytes = element_bytes(config.precision);
  check_kernel("real_kernel", gradient.real_kernel,
               !config.mel && has_real_kernel(config.spectrum_op), bytes);
  check_kernel("imag_kernel", gradient.imag_kernel,
               !config.mel && has_imag_kernel(config.spectrum_op), bytes);
  if (gradient.signal && job.num_signals > 0 && batch.num_samples > 0) {
    check_pointer("signal", gradient.signal, bytes);
    check_extent({{batch.num_batches, gradient.signal_batch_stride},
                  {batch.num_channels, gradient.signal_channel_stride},
                  {batch.num_samples, gradient.signal_sample_stride}},
                 bytes);
  }
  if (job.num_signals == 0 || job.num_frames == 0) return job;
  check_pointer("cotangent", gradient.cotangent, bytes);
  if (gradient.kept) check_kept(plan, batch.num_samples, gradient.kept);
  check_extent({{batch.num_batches, gradient.cotangent_batch_stride},
                {batch.num_channels, gradient.cotangent_channel_stride},
                {job.num_frames, gradient.cotangent_frame_stride},
                {plan.num_rows(), gradient.cotangent_row_stride}},
               bytes);
  return job;
}

// Without frames every gradient is zero.
template <typename T>
void clear(const Plan& plan, const Job& job, const specfast_gradient& gradient) {
  if (gradient.signal) {
    for (int64_t signal = 0; signal < job.num_signals; ++signal) {
      T* const to =
          job.signal_address(static_cast<T*>(gradient.signal), signal, gradient.signal_batch_stride,
                             gradient.signal_channel_stride);
      for (int64_t i = 0; i < job.batch.num_samples; ++i)
        to[i * gradient.signal_sample_stride] = T(0);
    }
  }
  const int64_t count = plan.config().frame_length * plan.config().num_bins;
  for (void* kernel : {gradient.real_kernel, gradient.imag_kernel})
    if (kernel) std::fill_n(static_cast<T*>(kernel), count, T(0));
}

// The gradient of the levels before the top_db clamp, [signal][row][frame].
template <typename T>
std::vector<T> gradient_of_levels(const Plan& plan, int num_threads, const Job& job,
                                  const specfast_gradient& gradient) {
  const int64_t num_rows = plan.num_rows(), signal_levels = num_rows * job.num_frames;
  std::vector<T> levels(std::size_t(job.num_signals * signal_levels));
  specfast_batch batch = job.batch;
  batch.output = levels.data();
  batch.out_batch_stride = batch.num_channels * signal_levels;
  batch.out_channel_stride = signal_levels;
  batch.out_row_stride = job.num_frames;
  batch.out_frame_stride = 1;
  Workspace workspace(plan, num_threads);
  execute(plan, workspace, batch, {false, nullptr});
  top_db_gradient(plan.config(), job, num_rows, gradient, num_threads, levels);
  return levels;
}

template <typename In, typename T>
void run(const Plan& plan, int num_threads, const Job& job, const specfast_gradient& gradient) {
  PullBack<In, T> pull_back(plan, num_threads, job, gradient);
  if (plan.precision<T>().wide().tile.track_extrema)
    pull_back.set_levels(gradient_of_levels<T>(plan, num_threads, job, gradient));
  pull_back.run();
}

template <typename T>
void pull_back_as(const Plan& plan, int num_threads, const specfast_batch& batch,
                  const specfast_gradient& gradient) {
  const Job job = check_gradient(plan, batch, gradient, plan.precision<T>().wide().kernel->lanes);
  if (!gradient.signal && !gradient.real_kernel && !gradient.imag_kernel) return;
  if (job.num_signals == 0 || job.num_frames == 0) return clear<T>(plan, job, gradient);
  switch (batch.in_dtype) {
    case SPECFAST_FLOAT32:
      return run<float, T>(plan, num_threads, job, gradient);
    case SPECFAST_FLOAT64:
      return run<double, T>(plan, num_threads, job, gradient);
    default:
      return run<int16_t, T>(plan, num_threads, job, gradient);
  }
}

}  // namespace

void pull_back(const Plan& plan, int num_threads, const specfast_batch& batch,
               const specfast_gradient& gradient) {
  if (plan.config().precision == Precision::kFloat32) {
    pull_back_as<float>(plan, num_threads, batch, gradient);
  } else {
    pull_back_as<double>(plan, num_threads, batch, gradient);
  }
}

}  // namespace specfast::engine
