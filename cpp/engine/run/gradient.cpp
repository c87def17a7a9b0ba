// SPDX-License-Identifier: BSD-3-Clause
//
// The frames of a signal are cut into segments of whole tiles; overlap_add.h adds what these give
// back to the signal.
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
#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/plan/dispatch.h"
#include "engine/run/batch.h"
#include "engine/run/job.h"
#include "engine/run/overlap_add.h"
#include "engine/run/scope.h"

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
        row_samples_(tile_.hop_rows),
        overlap_add_(config_, job, segments_, row_samples_, gradient) {
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

  // Takes the place of the caller's cotangent: [signal][row][frame].
  void set_cotangent(std::vector<T> cotangent) { cotangent_ = std::move(cotangent); }

  void run() {
    prepare();
    const int64_t num_segments = job_.num_signals * segments_.count;
    for (int64_t begin = 0; begin < num_segments; begin += segments_per_chunk_) {
      const int64_t count = std::min(segments_per_chunk_, num_segments - begin);
      for_each_segment(count, [&](int thread, int64_t i) { run_segment(thread, begin + i, i); });
      if (kernels_wanted_) sum_kernels(begin, count);
    }
    if (signals_wanted_) {
      overlap_add_.finish(
          [this](int64_t count, const auto& body) { this->for_each_segment(count, body); });
      if (config_.filters_signal()) undo_filter();
    }
    if (kernels_wanted_) store_kernels();
  }

 private:
  void prepare() {
    const auto adjoint_bytes = [](const TileVariant<T>& variant) {
      return int64_t(variant.kernel->adjoint_bytes(variant.tile));
    };
    workspace_ = ThreadBuffers<std::byte>(
        std::max(adjoint_bytes(plan_.wide()), adjoint_bytes(plan_.narrow())), num_threads_);
    if (tile_.trained_weights && signals_wanted_) transpose_product();
    if (signals_wanted_) {
      hops_ = ThreadBuffers<T>(checked_multiply(tile_hops_, row_samples_), num_threads_);
      overlap_add_.prepare();
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
    transposed_ =
        AlignedBuffer<T>(checked_multiply(round_up(config_.frame_length, rows), num_kernel_rows_));
    std::fill_n(transposed_.get(), round_up(config_.frame_length, rows) * num_kernel_rows_, T(0));
    for (int64_t n = 0; n < config_.frame_length; ++n) {
      T* const to = transposed_.get() + n / rows * rows * num_kernel_rows_ + n % rows;
      for (int64_t row = 0; row < num_kernel_rows_; ++row) {
        const int64_t packed = row % tile_.num_bins * num_planes + row / tile_.num_bins;
        const int64_t from = (packed / rows * config_.frame_length + n) * rows + packed % rows;
        to[row * rows] = tile_.trained_weights[from];
      }
    }
  }

  template <typename Visit>
  void for_each_segment(int64_t count, const Visit& visit) const {
    constexpr int64_t kMinWorkPerThread = 1 << 16;
    parallel_for(count, kMinWorkPerThread / (segments_.frames * plan_.frame_work()) + 1,
                 num_threads_, [&](int thread, int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) visit(thread, i);
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
    if (signals_wanted_) overlap_add_.clear_own_samples(signal, segment);
    const int64_t lanes = plan_.wide().kernel->lanes;
    for (int64_t frame = 0; frame < num_frames; frame += lanes) {
      AdjointArgs<T> args{};
      args.num_frames = std::min(lanes, num_frames - frame);
      const TileVariant<T>& variant = plan_.variant_for(args.num_frames);
      args.samples = samples + frame * row_samples_;
      args.hop_stride = row_samples_;
      args.workspace = workspace_.of_thread(thread);
      locate_cotangent(signal, first + frame, args);
      args.transposed = transposed_.get();
      if (gradient_.kept) {
        args.kept_spectrum =
            static_cast<const T*>(gradient_.kept) +
            (signal * job_.num_tiles + (first + frame) / lanes) * spectrum_values(plan_.wide());
      }
      args.num_hops = args.num_frames + segments_.overlap;
      if (signals_wanted_) args.hops = hops_.of_thread(thread);
      if (kernels_wanted_) {
        args.spectrum_stride = segments_.frames * kernels_.outer_columns;
        args.spectrum = spectra_of(slot) + frame * kernels_.outer_columns;
      }
      variant.kernel->run_adjoint(variant.tile, args);
      if (signals_wanted_)
        overlap_add_.add_hops(signal, segment, first + frame, args.num_hops, args.hops);
    }
  }

  // Copies the samples of a segment's frames, hop by hop, and zeros behind.
  void stage(int64_t signal, int64_t first, int64_t num_frames, T* to) const {
    const int64_t begin = first * config_.hop - job_.left_padding_of(signal);
    int64_t count;
    if (row_samples_ == config_.hop) {
      count = (num_frames - 1) * config_.hop + config_.frame_length;
      stage_samples<In>(job_, signal, begin, count, to);
    } else {
      count = num_frames * row_samples_;
      for (int64_t frame = 0; frame < num_frames; ++frame) {
        stage_samples<In>(job_, signal, begin + frame * config_.hop, row_samples_,
                          to + frame * row_samples_);
      }
    }
    std::fill(to + count, to + segment_samples_, T(0));
  }

  void locate_cotangent(int64_t signal, int64_t frame, AdjointArgs<T>& args) const {
    if (!cotangent_.empty()) {
      args.cotangent = cotangent_.data() + signal * tile_.num_output_rows * job_.num_frames + frame;
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

  // Turns the gradient of filtered signals into that of the samples.
  void undo_filter() const {
    const T coefficient = T(config_.preemphasis);
    for_each_segment(job_.num_signals, [&](int, int64_t signal) {
      T* const to =
          job_.signal_address(static_cast<T*>(gradient_.signal), signal,
                              gradient_.signal_batch_stride, gradient_.signal_channel_stride);
      const int64_t stride = gradient_.signal_sample_stride;
      for (int64_t i = 0; i + 1 < job_.batch.num_samples; ++i)
        to[i * stride] -= coefficient * to[(i + 1) * stride];
    });
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
  const int64_t row_samples_;  // samples of a hop that frames reach: min(hop, frame_length)
  OverlapAdd<T> overlap_add_;
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
  std::vector<T> cotangent_;         // [signal][row][frame], with a scope operation
  std::vector<T> sums_;              // [group][frame_length][column]
};

void check_kernel(const char* name, const void* kernel, bool exists, std::size_t bytes) {
  if (!kernel) return;
  if (!exists) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                std::string(name) + " must be NULL: this mode has no such kernel");
  }
  require_pointer(name, kernel, bytes);
}

// Refuses what has no gradient here.
void check_has_gradient(const Plan& plan, const specfast_batch& batch) {
  const Config& config = plan.config();
  const auto require_none = [](bool ok, const char* name, int64_t received,
                               const char* condition = "") {
    if (ok) return;
    throw Error(SPECFAST_E_INVALID_ARGUMENT, std::string(name) + " must be 0 for a gradient" +
                                                 condition + ", received " + name + "=" +
                                                 std::to_string(received));
  };
  const auto require_null = [](const void* array, const char* name) {
    if (!array) return;
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                std::string(name) + " must be NULL for a gradient, received an array");
  };
  const bool clamps = config.top_db_scope != TopDbScope::kNone;
  const bool defers = with_precision(config.precision, [&plan](auto zero) {
    return plan.precision<decltype(zero)>().defers_rows();
  });
  require_none(!defers, "top_db_scope", int64_t(config.top_db_scope),
               " where cepstra, an energy, or gains or offsets that differ follow the levels");
  require_none(!clamps || config.normalization == Normalization::kNone, "normalization",
               int64_t(config.normalization), " with top_db_scope");
  require_none(!config.pcen, "pcen", config.pcen);
  require_none(config.delta_order == 0, "delta_order", config.delta_order);
  require_none(batch.num_frames == 0, "num_frames", batch.num_frames);
  require_null(batch.lengths, "lengths");
  require_null(batch.starts, "starts");
}

Job check_gradient(const Plan& plan, const specfast_batch& batch, const specfast_gradient& gradient,
                   int64_t lanes) {
  Job job = check_input(plan, batch, lanes);
  if (scale_of<double>(batch.in_scale) != 1) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "in_scale must be 0 for a gradient, which is that of the samples as they are "
                "computed with, received in_scale=" +
                    std::to_string(batch.in_scale));
  }
  const Config& config = plan.config();
  check_has_gradient(plan, batch);
  const std::size_t bytes = element_bytes(config.precision);
  check_kernel("real_kernel", gradient.real_kernel,
               !config.mel && has_real_kernel(config.spectrum_op), bytes);
  check_kernel("imag_kernel", gradient.imag_kernel,
               !config.mel && has_imag_kernel(config.spectrum_op), bytes);
  if ((gradient.real_kernel || gradient.imag_kernel) && config.input_gain != 1) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "input_gain must be 1 for a gradient of kernels, received input_gain=" +
                    std::to_string(config.input_gain));
  }
  if (gradient.signal && job.num_signals > 0 && batch.num_samples > 0) {
    require_pointer("signal", gradient.signal, bytes);
    check_extent({{batch.num_batches, gradient.signal_batch_stride},
                  {batch.num_channels, gradient.signal_channel_stride},
                  {batch.num_samples, gradient.signal_sample_stride}},
                 bytes);
  }
  if (job.is_empty()) return job;
  check_frames("cotangent", gradient.cotangent, plan, job,
               {gradient.cotangent_batch_stride, gradient.cotangent_channel_stride,
                gradient.cotangent_frame_stride, gradient.cotangent_row_stride});
  if (gradient.kept) check_kept(plan, batch.num_samples, gradient.kept);
  // Those behind do not depend on the signal. Kept spectra are placed by the tiles of all.
  job.num_frames = job.valid_frames_of(0);
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

// Returns the gradient of the output before the scope operation, [signal][row][frame].
template <typename T>
std::vector<T> gradient_before_scope(const ScopeOperation<T>& scope, const Plan& plan,
                                     int num_threads, const Job& job,
                                     const specfast_gradient& gradient) {
  const int64_t signal_values = plan.num_rows() * job.num_frames;
  std::vector<T> values(std::size_t(job.num_signals * signal_values));
  specfast_batch batch = job.batch;
  batch.output = values.data();
  batch.out_batch_stride = batch.num_channels * signal_values;
  batch.out_channel_stride = signal_values;
  batch.out_row_stride = job.num_frames;
  batch.out_frame_stride = 1;
  batch.num_frames = job.num_frames;
  Workspace workspace(plan, num_threads);
  execute(plan, workspace, batch, {false, nullptr});
  scope.pull_back(plan, job, gradient, num_threads, values);
  return values;
}

template <typename T>
void pull_back_as(const Plan& plan, int num_threads, const specfast_batch& batch,
                  const specfast_gradient& gradient) {
  const Job job = check_gradient(plan, batch, gradient, plan.precision<T>().wide().kernel->lanes);
  if (!gradient.signal && !gradient.real_kernel && !gradient.imag_kernel) return;
  if (job.is_empty()) return clear<T>(plan, job, gradient);
  with_input_type(batch.in_dtype, [&](const auto* null) {
    using In = std::remove_cv_t<std::remove_pointer_t<decltype(null)>>;
    PullBack<In, T> pull_back(plan, num_threads, job, gradient);
    const auto scopes = scope_operations<T>(plan.config());
    if (!scopes.empty()) {
      pull_back.set_cotangent(
          gradient_before_scope(*scopes.back(), plan, num_threads, job, gradient));
    }
    pull_back.run();
  });
}

}  // namespace

void pull_back(const Plan& plan, int num_threads, const specfast_batch& batch,
               const specfast_gradient& gradient) {
  with_precision(plan.config().precision, [&](auto zero) {
    pull_back_as<decltype(zero)>(plan, num_threads, batch, gradient);
  });
}

}  // namespace specfast::engine
