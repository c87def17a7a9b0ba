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

// Hops are transposed in groups of one 128-bit register.
constexpr int64_t kColumnGroupBytes = 16;

// ---- The plan -----------------------------------------------------------------------------------

// One radix pass of the in-place, decimation-in-frequency complex transform.
template <typename T>
struct FftPass {
  int64_t radix;
  int64_t length;
  // A table of factors (PrecisionKernels::factor_copies) that holds, for j = 1 .. length/radix - 1,
  // the radix-1 pairs (cos, -sin) of 2 pi j q / length.
  const T* twiddles;
};

// What is done to the samples of a frame before they are windowed. The transform reads the result,
// a row for each sample, in place of the hop matrix.
template <typename T>
struct Conditioning {
  bool is_used;
  bool removes_mean;
  T inverse_length;
  T coefficient;  // of preemphasis: x[n] - coefficient * x[n - 1], and of the first one itself
  // The energy that becomes a row, times energy_gain, and the smallest one.
  FrameEnergy energy;
  T energy_gain;
  T energy_floor;
  // [frame_length]: the place in the hop matrix of sample n of the first lane.
  const uint32_t* hop_offset;
};

// What is done to the levels of a frame.
template <typename T>
struct RowsBehindLevels {
  // Whether rows are something else than the levels, gain and offset aside.
  bool is_used;
  // [blocks of kCepstraOfBlock cepstra][(num_bands + 1) / 2][kCepstraOfBlock]: what the levels of
  // the lower half are multiplied by; those of the upper half have the same cosines, and the
  // negative ones for odd cepstra. 0 cepstra: the rows are the levels.
  int64_t num_cepstra;
  const T* cosines;
  // Whether the first row is the energy of the frame: in front of the levels, or in the place of
  // the first cepstrum.
  bool has_energy;
  // [num_output_rows] each, or null: row * gain + offset.
  const T* gain;
  const T* offset;
};
constexpr int64_t kCepstraOfBlock = 4;  // even

// Everything that a tile needs and that is the same for all tiles of a plan.
template <typename T>
struct TilePlan {
  int64_t frame_length;
  int64_t dft_length;
  int64_t num_bins;
  // The rows that leave the tile: bins, twice the bins, or bands.
  int64_t num_output_rows;

  // The hop matrix has at row r, column h sample r of hop h, so that sample q*hop + r of `lanes`
  // consecutive frames is one unaligned load at column q of row r. It has min(hop, frame_length)
  // rows, and a column for each lane and each overlapping hop, rounded up to kColumnGroupBytes.
  int64_t hop_rows;
  int64_t hop_columns;
  // [frame_length + 1]: the place of sample n of the first lane in the hop matrix, or among the
  // conditioned samples; the last place serves all samples beyond the frame.
  const uint32_t* sample_offset;

  // [max(dft_length, frame_length)]: the scaling is folded in; zero from frame_length on.
  const T* window;

  // The own transform (num_passes > 1, the last of radix 4) of dft_length / 2 complex points. The
  // window then carries an extra factor of one half.
  int64_t num_passes;
  FftPass<T> passes[kMaxPasses];
  // Holds what butterfly j of the first pass reads, in its order: the window at its samples
  // 2 (j + q length/radix) and the next, q = 0 .. radix - 1, then its twiddles (for j = 0, which
  // needs none, zeros). A table of factors, [length/radix][4 * radix - 2].
  const T* first_factors;
  // [length/radix][2 * radix]: the sample_offset of these samples.
  const uint32_t* first_offset;
  // [dft_length / 2]: where the transform leaves complex point k.
  const uint32_t* bin_place;
  // [dft_length / 4 + 1]: pairs (cos, sin) of 2 pi k / dft_length.
  const T* real_twiddles;
  // For an inverse: the sample of the transform that is the first of a frame, the phases of spectra
  // being those at sample 0 of the transform. Below dft_length.
  int64_t phase_origin;
  // Without an own transform: a plan that PrecisionKernels::rfft_create made.
  const void* fallback_rfft;

  // The trained weights, which take the place of window and transform; null where there are none.
  // They lie in blocks of PrecisionKernels::product_rows rows, sample by sample:
  // [block][frame_length][row]. Rows are the bins of the one kernel that the modes real and imag
  // have, else the real and the imaginary row of each bin in turn. The last block is filled up with
  // zeros.
  const T* trained_weights;

  SpectrumOp spectrum_op;
  // The smallest power that enters the operations that have an EpsilonFloor.
  T power_floor;

  // The mel filterbank; num_bands == 0 for a plain spectrogram. Interval i lies between band edges
  // i and i + 1 and holds the bins [interval_begin[i], interval_begin[i + 1]); a bin feeds the band
  // that rises there and the band that falls there.
  int64_t num_bands;
  // [num_bands + 2].
  const int32_t* interval_begin;
  // [num_bins][2]: rising, falling; not negative.
  const T* mel_weights;
  // A filterbank of any form, in the place of intervals and mel_weights, or null: band b holds the
  // bins [dense_range[2 b], dense_range[2 b + 1]), and their weights follow those of the band
  // before.
  const int32_t* dense_range;
  const T* dense_weights;
  // kSquare for operations without a filterbank.
  PowerLaw power_law;
  // With kGeneral, a bin feeds the bands power ** half_exponent.
  double half_exponent;
  // With kOffset, a bin feeds them (power + power_offset) ** half_exponent.
  T power_offset;
  LevelOp level_op;
  // A logarithm is taken of max(energy + level_addend, min_power), one of which is 0.
  T level_addend;
  T min_power;
  T reference_level;
  bool track_extrema;

  Conditioning<T> conditioning;
  RowsBehindLevels<T> behind_levels;
};

// ---- The stage benchmark ------------------------------------------------------------------------

// Where a tile's time goes; counted only in the stage benchmark's build (SPECFAST_STAGE_CLOCK).
enum Stage {
  kStageGather,
  // The window and the first pass; the whole transform where it is pocketfft's.
  kStageFirstPass,
  // All other passes but the last.
  kStagePasses,
  // The last pass, untangling and the spectrum operation.
  kStageRows,
  kStageSums,
  // The levels, and the logarithms of the mode log.
  kStageLevel,
  kStageStore,
  kNumStages
};
struct StageClock {
  uint64_t ticks[kNumStages];
};

// ---- The arguments of one tile ------------------------------------------------------------------

template <typename T>
struct TileExtrema {
  T max;
  T min;
  bool has_nan;
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
  // TileKernel::workspace_bytes() bytes, aligned to kWorkspaceAlignment.
  void* workspace;
  // 1 .. lanes; the lanes beyond are computed and thrown away.
  int64_t num_frames;
  // Element (frame f, row r) goes to out[f * frame_stride + r * row_stride].
  T* out;
  int64_t frame_stride;
  int64_t row_stride;
  // Written if TilePlan::track_extrema is set.
  TileExtrema<T> extrema;
  // Rows that follow a scope operation on levels: they are left here, [num_bands][lanes] and, with
  // an energy, that row; TileKernel::finish_rows goes on from here. Null: nothing waits.
  T* levels = nullptr;
  // With trained weights and an operation that is not linear, the tile's spectrum is left here too,
  // in planes [2 * num_bins][lanes]: all real rows, then all imaginary ones. May be null.
  T* spectrum = nullptr;
#if defined(SPECFAST_STAGE_CLOCK)
  StageClock* clock;
#endif
};

// A tile backwards: the gradient of its output becomes those of its spectrum and its samples.
template <typename T>
struct AdjointArgs {
  // Hop h of the tile starts at samples + h * hop_stride.
  const T* samples;
  int64_t hop_stride;
  // TileKernel::adjoint_bytes() bytes, aligned to kWorkspaceAlignment.
  void* workspace;
  // 1 .. lanes.
  int64_t num_frames;
  // The gradient of the output, placed as TileArgs::out.
  const T* cotangent;
  int64_t frame_stride;
  int64_t row_stride;
  // TileArgs::spectrum of this tile; where it is null, the spectrum is recomputed.
  const T* kept_spectrum;
  // The trained weights as blocks of samples, [block][kernel row][product_rows], with the kernel
  // rows in planes: all real ones, then all imaginary ones.
  const T* transposed;
  // The gradient of the samples goes here, [num_hops][hop_rows], of num_frames hops and those that
  // overlap them. May be null.
  T* hops;
  int64_t num_hops;
  // The gradient of the spectrum goes here, [group of outer_columns kernel rows][frame]
  // [outer_columns], with spectrum_stride from one group to the next. May be null.
  T* spectrum;
  int64_t spectrum_stride;
};

// A tile of an inverse transform. The window of its plan is the one of the synthesis, times
// 2 / dft_length.
template <typename T>
struct InverseArgs {
  // Bin k of frame f is (real[f * frame_stride + k * bin_stride], imag[the same place]).
  const T* real;
  const T* imag;
  int64_t frame_stride;
  int64_t bin_stride;
  // 1 .. lanes.
  int64_t num_frames;
  // TileKernel::inverse_bytes() bytes, aligned to kWorkspaceAlignment.
  void* workspace;
  // The sums of the frames so far over the hops that more frames reach, [hop_columns - lanes]
  // [hop_rows]: before the tile, from its first frame on, and then from behind its last one on.
  // Places that no frame so far has reached hold anything, except before the first frame: zeros.
  T* carry;
  // The finished hops go here, [num_frames][hop_rows].
  T* hops;
  // As in TileArgs.
  const void* next_input = nullptr;
  int64_t next_input_bytes = 0;
};

// A tile of frames whose bins are to be found from the energies of their bands.
template <typename T>
struct UnmixArgs {
  // Band b of frame f is energies[f * energy_frame_stride + b * band_stride].
  const T* energies;
  int64_t energy_frame_stride;
  int64_t band_stride;
  // Element (frame f, bin k) goes to bins[f * bin_frame_stride + k * bin_stride].
  T* bins;
  int64_t bin_frame_stride;
  int64_t bin_stride;
  // 1 .. lanes.
  int64_t num_frames;
  int64_t num_iterations;
  // [num_bins]: 1 / (W W^T 1) of the weights W [num_bins][num_bands]; 0 for a bin in no band.
  const T* steps;
  // PrecisionKernels::unmix_bytes() bytes, aligned to kWorkspaceAlignment.
  void* workspace;
};

// What is known of the rows of some frames: the values of the first one, and over all of them the
// sums of the distances from it and of their squares; [num_rows] each.
template <typename T>
struct RowMoments {
  T* first;
  T* sum;
  T* squares;
};

// The numbers of per-channel energy normalisation, as specfast_config has them.
template <typename T>
struct PcenPlan {
  T smoothing, keeping;  // together 1
  T epsilon;
  double gain, bias, power;
  double bias_to_power;
};

// A step of Griffin-Lim: spectra in planes, real parts at a pointer and imaginary ones imag_offset
// behind it; aligned to vectors, as the magnitudes are.
template <typename T>
struct PhaseArgs {
  const T* rebuilt;
  // What was rebuilt in the step before.
  const T* before;
  const T* magnitudes;
  // Written: the magnitudes with the phases of rebuilt - momentum * before.
  T* spectrum;
  // A multiple of the lanes of every vector.
  int64_t count;
  int64_t imag_offset;
  T momentum;
};

// ---- The functions ------------------------------------------------------------------------------

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
  // Turns TileArgs::levels, which are overwritten, into the rows of the output.
  void (*finish_rows)(const TilePlan<T>& plan, const TileArgs<T>& args);
  size_t (*adjoint_bytes)(const TilePlan<T>& plan);
  void (*run_adjoint)(const TilePlan<T>& plan, const AdjointArgs<T>& args);
  // Both are null with trained weights.
  size_t (*inverse_bytes)(const TilePlan<T>& plan);
  void (*run_inverse)(const TilePlan<T>& plan, const InverseArgs<T>& args);
};

template <typename T>
struct PrecisionKernels {
  TileKernel<T> wide;
  // The kernel for few frames gives the same bits.
  TileKernel<T> narrow;
  // The two kernels of plans with trained weights.
  TileKernel<T> product_wide;
  TileKernel<T> product_narrow;
  // How often in turn a table of factors holds each value; if not once, the table is aligned to
  // kColumnGroupBytes.
  int64_t factor_copies;
  // The rows of a block of TilePlan::trained_weights.
  int64_t product_rows;
  // The kernel rows of a group of AdjointArgs::spectrum.
  int64_t outer_columns;
  // sums[n * outer_columns + c] += sum over frames f of samples[f * hop_stride + n] *
  // spectrum[f * outer_columns + c], n < frame_length. The samples are readable up to
  // product_rows beyond the last frame.
  void (*add_outer)(const T* samples, int64_t hop_stride, int64_t frame_length, const T* spectrum,
                    int64_t num_frames, T* sums);
  // Element (frame f, row r) is values[f * frame_stride + r * row_stride]; scratch holds num_frames
  // * num_rows values.
  void (*row_moments)(const T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                      int64_t row_stride, T* scratch, const RowMoments<T>& moments);
  // Moves the smoothed energies [num_rows] of PCEN on over these frames.
  void (*advance_pcen)(const T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                       int64_t row_stride, const PcenPlan<T>& plan, T* smoothed);
  // Does the same, and replaces each energy by its result.
  void (*apply_pcen)(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                     int64_t row_stride, const PcenPlan<T>& plan, T* smoothed);
  // Replaces each value by (value - shift[r]) * factor[r].
  void (*scale_rows)(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                     int64_t row_stride, const T* shift, const T* factor);
  void (*turn_phases)(const PhaseArgs<T>& args);
  // For tiles of as many frames as those of `wide`.
  size_t (*unmix_bytes)(const TilePlan<T>& plan);
  void (*unmix)(const TilePlan<T>& plan, const UnmixArgs<T>& args);
  // Returns null when out of memory.
  void* (*rfft_create)(int64_t length);
  void (*rfft_destroy)(void* plan);
};

struct KernelTable {
  const char* isa;
  PrecisionKernels<float> float32;
  PrecisionKernels<double> float64;
#if defined(SPECFAST_STAGE_CLOCK)
  // float32 multiply-adds on registers alone.
  double (*peak_flop_per_tick)();
#endif
};

}  // namespace specfast::engine
