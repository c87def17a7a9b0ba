// SPDX-License-Identifier: BSD-3-Clause
// The programs around a transform that a library computes, for all lengths that the fused kernel
// does not have: windowed frames before it, rows or bands behind it.
//
// A call is cut into ranges of groups that fit a workspace; frame f of group g lies at slot
// (g - first_group) * group_frames + f. Slots without a frame hold zeros.
#pragma once

#include "cuda/kernels/bands.inl"
#include "cuda/kernels/bins.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename T>
struct SlotCall {
  DeviceCall<T> call;
  int64_t first_group;
  T* frames;            // [slot][dft_length]; the powers [slot][num_bins] lie there later
  Complex<T>* spectra;  // [slot][dft_length / 2 + 1]
};

// A frame by the slot that it has.
template <typename T>
struct Slot {
  Group group;
  int32_t frame;  // of the group

  SPECFAST_INLINE Slot(const SlotCall<T>& slots, int64_t slot)
      : group(slots.call, slots.first_group + slot / slots.call.plan.group_frames),
        frame(int32_t(slot % slots.call.plan.group_frames)) {}
};

// Writes the windowed frames, a block for each slot.
template <typename T>
struct FrameProgram {
  using Arguments = SlotCall<T>;
  struct Registers {};
  static constexpr int kThreads = 128, kMinBlocks = 1;

  static int64_t shared_bytes(const Arguments&) { return 0; }

  template <typename Block>
  static SPECFAST_INLINE void run(Block& block, const Arguments& slots) {
    const TilePlan<T>& plan = slots.call.plan.tile;
    const Slot<T> slot(slots, block.index());
    T* const frame = slots.frames + block.index() * plan.dft_length;
    const FrameReader<T> samples(slots.call, slot.group, slot.frame);
    const int64_t length = slot.frame < slot.group.num_frames ? plan.frame_length : 0;
    block.phase([&](int thread, auto&) {
      for (int64_t n = thread; n < plan.dft_length; n += kThreads) {
        T sum = n < length ? samples[n] * plan.window[n] : T(0);
        // The samples beyond a transform that is shorter than the frame wrap.
        for (int64_t m = n + plan.dft_length; m < length; m += plan.dft_length)
          sum = madd(samples[m], plan.window[m], sum);
        frame[n] = sum;
      }
    });
  }
};

// Applies the spectrum operation, a block for each slot: rows go to the output, powers to where the
// frames were.
template <bool kHasBands, typename T>
struct RowProgram {
  using Arguments = SlotCall<T>;
  struct Registers {};
  static constexpr int kThreads = 128, kMinBlocks = 1;

  static int64_t shared_bytes(const Arguments&) { return 0; }

  template <typename Block>
  static SPECFAST_INLINE void run(Block& block, const Arguments& slots) {
    const Slot<T> slot(slots, block.index());
    if (slot.frame >= slot.group.num_frames) return;
    block.phase([&](int thread, auto&) { write(slots, slot, block.index(), thread); });
  }

 private:
  static SPECFAST_INLINE void write(const Arguments& slots, const Slot<T>& slot, int64_t index,
                                    int thread) {
    const TilePlan<T>& plan = slots.call.plan.tile;
    const BackendCall& arrays = slots.call.arrays;
    const Complex<T>* const spectrum = slots.spectra + index * (plan.dft_length / 2 + 1);
    with_spectrum_operation<kHasBands>(plan, [&](auto operation) {
      using Op = decltype(operation);
      if constexpr (kHasBands) {
        write_all(PowerWriter<Op, T* const, T>{plan, slots.frames, index * plan.num_bins}, spectrum,
                  thread);
      } else {
        const int64_t begin = slot.group.output_of(arrays, slot.frame);
        write_all(OutputWriter<Op, T>{plan, arrays, begin}, spectrum, thread);
      }
    });
  }

  template <typename Writer>
  static SPECFAST_INLINE void write_all(Writer writer, const Complex<T>* spectrum, int thread) {
    const int64_t dft_length = writer.plan.dft_length, nyquist = dft_length / 2;
    writer.poison_from(spectrum[0].re, spectrum[dft_length % 2 ? 0 : nyquist].re);
    for (int64_t k = thread; k < writer.plan.num_bins; k += kThreads) {
      const bool is_edge = k == 0 || 2 * k == dft_length;
      writer.write(k, spectrum[k].re, is_edge ? T(0) : spectrum[k].im, is_edge);
    }
  }
};

// Sums powers into bands, a block for each group.
template <typename T>
struct BandProgram {
  using Arguments = SlotCall<T>;
  struct Registers {
    ThreadExtrema<T> extrema;
  };
  static constexpr int kThreads = 128, kMinBlocks = 1;

  static int64_t shared_bytes(const Arguments&) {
    return SharedBytes().add<ThreadExtrema<T>>(kThreads).total();
  }

  template <typename Block>
  static SPECFAST_INLINE void run(Block& block, const Arguments& slots) {
    const int64_t index = slots.first_group + block.index();
    const int64_t num_bins = slots.call.plan.tile.num_bins;
    const Group group(slots.call, index);
    const T* const powers = slots.frames + block.index() * slots.call.plan.group_frames * num_bins;
    block.phase([&](int thread, auto& registers) {
      registers.extrema = ThreadExtrema<T>();
      write_levels(slots.call, group, powers, num_bins, thread, kThreads, registers.extrema);
    });
    if (slots.call.plan.tile.track_extrema) keep_extrema(block, slots.call, index);
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
