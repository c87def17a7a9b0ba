// SPDX-License-Identifier: BSD-3-Clause
// The seam between engine and kernels: plain arguments and function pointers.
//
// A tile is `lanes` consecutive frames. Inside a tile everything is stored as rows: row i holds
// element i of every frame, one lane a frame. Counts and strides are in elements of T unless a name
// says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "seam/types.h"

namespace specfast::engine {

constexpr int kMaxPasses = 16;

// One radix pass of the in-place, decimation-in-frequency complex transform. `twiddles`, a table of
// factors (PrecisionKernels::factor_copies), holds, for j = 1 .. length/radix - 1, the radix-1
// pairs (cos, -sin) of 2 pi j q / length.
template <typename T>
struct FftPass {
  int64_t radix;
  int64_t length;
  const T* twiddles;
};

// Everything that a tile needs and that is the same for all tiles of a plan.
template <typename T>
struct TilePlan {
  int64_t frame_length;
  int64_t dft_length;
  int64_t num_bins;
  int64_t num_output_rows;  // rows that leave the tile: bins, twice the bins, or bands

  // Hop matrix: row r, column h holds sample r of hop h, so that sample q*hop + r of `lanes`
  // consecutive frames is one unaligned load at column q of row r.
  int64_t hop_rows;               // min(hop, frame_length)
  int64_t hop_columns;            // lanes + overlapping hops, rounded up to kColumnGroupBytes
  const uint32_t* sample_offset;  // [frame_length + 1]: place of sample n of the first lane in the
                                  // hop matrix; the last one serves all samples beyond the frame

  const T* window;  // [max(dft_length, frame_length)], scaling folded in, zero from frame_length on

  // Own transform (num_passes > 1, the last of radix 4) of dft_length / 2 complex points. The
  // window then carries an extra factor of one half.
  int64_t num_passes;
  FftPass<T> passes[kMaxPasses];
  // What butterfly j of the first pass reads, in its order: the window at its samples
  // 2 (j + q length/radix) and the next, q = 0 .. radix - 1, then its twiddles (for j = 0, which
  // needs none, zeros).
  const T* first_factors;        // table of factors, [length/radix][4 * radix - 2]
  const uint32_t* first_offset;  // [length/radix][2 * radix]: sample_offset of these samples
  const uint32_t* bin_place;     // [dft_length / 2]: where the transform leaves complex point k
  const T* real_twiddles;        // [dft_length / 4 + 1] pairs (cos, sin) of 2 pi k / dft_length
  const void* fallback_rfft;     // else: a plan made by KernelTable::rfft_create

  // Trained kernels, which take the place of window and transform; null for none. Blocks of
  // PrecisionKernels::product_rows rows, sample by sample: [block][frame_length][row]. Rows are the
  // bins of the one kernel that the modes real and imag have, else the real and the imaginary row
  // of each bin in turn. The last block is filled up with zeros.
  const T* product;

  SpectrumOp spectrum_op;
  T power_floor;  // smallest power that enters magnitude and log

  // Mel filterbank; num_bands == 0 for a plain spectrogram. Interval i lies between band edges i
  // and i + 1 and holds the bins [interval_begin[i], interval_begin[i + 1]); a bin feeds the band
  // that rises there and the band that falls there.
  int64_t num_bands;
  const int32_t* interval_begin;  // [num_bands + 2]
  const T* mel_weights;           // [num_bins][2]: rising, falling; not negative
  PowerLaw power_law;             // kSquare for operations without a filterbank
  double half_exponent;           // kGeneral: power ** half_exponent
  LevelOp level_op;
  T min_power;
  T reference_db;
  bool track_extrema;
};

template <typename T>
struct TileExtrema {
  T max;
  T min;
  bool has_nan;
};

// Where a tile's time goes; counted only in the stage benchmark's build (SPECFAST_STAGE_CLOCK).
enum Stage {
  kStageGather,
  kStageFirstPass,  // window and first pass; the whole transform where it is pocketfft's
  kStagePasses,     // all others but the last
  kStageRows,       // the last pass, untangling and the spectrum operation
  kStageSums,
  kStageLevel,  // also the logarithms of the mode log
  kStageStore,
  kNumStages
};
struct StageClock {
  uint64_t ticks[kNumStages];
};

template <typename T>
struct TileArgs {
  // Hops [staged_front, hop_columns - staged_back) of the tile are read in place: the first of them
  // starts at `samples`, and each hop_stride behind the one before. Those at the ends lie in a
  // copy: hop h starts at staging + h * hop_rows. Both counts are multiples of a column group.
  // Every hop has hop_rows readable samples.
  const T* samples;
  int64_t hop_stride;
  int64_t staged_front = 0, staged_back = 0;
  const T* staging = nullptr;
  // Memory that the next tile of this thread will probably read for the first time, which may be
  // fetched meanwhile.
  const void* next_input = nullptr;
  int64_t next_input_bytes = 0;
  void* workspace;     // TileKernel::workspace_bytes(), aligned to kWorkspaceAlignment
  int64_t num_frames;  // 1 .. lanes: lanes beyond are computed and thrown away
  T* out;              // element (frame f, row r) goes to out[f * frame_stride + r * row_stride]
  int64_t frame_stride;
  int64_t row_stride;
  TileExtrema<T> extrema;  // written if TilePlan::track_extrema
  // With trained kernels and an operation that is not linear: the tile's spectrum is left here too,
  // in planes [2 * num_bins][lanes]: all real rows, then all imaginary ones. Null: not wanted.
  T* spectrum = nullptr;
#if defined(SPECFAST_STAGE_CLOCK)
  StageClock* clock;
#endif
};

// A tile backwards: the gradient of its output becomes those of its spectrum and its samples.
template <typename T>
struct AdjointArgs {
  const T* samples;  // hop h of the tile starts at samples + h * hop_stride
  int64_t hop_stride;
  void* workspace;     // TileKernel::adjoint_bytes(), aligned to kWorkspaceAlignment
  int64_t num_frames;  // 1 .. lanes
  const T* cotangent;  // gradient of the output, placed as TileArgs::out
  int64_t frame_stride;
  int64_t row_stride;
  const T* kept;        // TileArgs::spectrum of this tile; null: to be computed once more
  const T* transposed;  // trained kernels as blocks of samples: [block][kernel row][product_rows],
                        // kernel rows in planes: all real ones, then all imaginary ones
  T* hops;              // gradient of the samples, [num_hops][hop_rows]; null: not wanted
  int64_t num_hops;     // num_frames and the hops that overlap them
  T* spectrum;          // gradient of the spectrum, [group of outer_columns kernel rows][frame]
                        // [outer_columns]; null: not wanted
  int64_t spectrum_stride;  // from one group to the next
};

constexpr int64_t kColumnGroupBytes = 16;  // hops are transposed in groups of one 128-bit register

// The tile functions for one width.
template <typename T>
struct TileKernel {
  int64_t lanes;
  size_t (*workspace_bytes)(const TilePlan<T>& plan);
  void (*run)(const TilePlan<T>& plan, TileArgs<T>& args);
  // values[f * frame_stride + r * row_stride] = max(value, floor) over all frames and rows; NaN
  // stays.
  void (*clamp)(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                int64_t row_stride, T floor);
  size_t (*adjoint_bytes)(const TilePlan<T>& plan);
  void (*run_adjoint)(const TilePlan<T>& plan, const AdjointArgs<T>& args);
};

template <typename T>
struct PrecisionKernels {
  TileKernel<T> wide;
  TileKernel<T> narrow;        // for few frames; bit-equal results
  TileKernel<T> product_wide;  // both for plans with trained kernels
  TileKernel<T> product_narrow;
  int64_t factor_copies;  // how often in turn a table of factors holds each value; if not once, it
                          // is aligned to kColumnGroupBytes
  int64_t product_rows;   // rows of a block of TilePlan::product
  int64_t outer_columns;  // kernel rows of a group of AdjointArgs::spectrum
  // sums[n * outer_columns + c] += sum over frames f of samples[f * hop_stride + n] *
  // spectrum[f * outer_columns + c], n < frame_length. The samples are readable up to
  // product_rows beyond the last frame.
  void (*add_outer)(const T* samples, int64_t hop_stride, int64_t frame_length, const T* spectrum,
                    int64_t num_frames, T* sums);
  void* (*rfft_create)(int64_t length);  // null when out of memory
  void (*rfft_destroy)(void* plan);
};

struct KernelTable {
  const char* isa;
  PrecisionKernels<float> float32;
  PrecisionKernels<double> float64;
#if defined(SPECFAST_STAGE_CLOCK)
  double (*peak_flop_per_tick)();  // float32 multiply-adds on registers alone
#endif
};

}  // namespace specfast::engine
