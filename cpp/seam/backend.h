// SPDX-License-Identifier: BSD-3-Clause
// The seam between the engine and a backend on another device, which is a shared library of its own
// and loaded on demand: plain structures and function pointers.
//
// The engine checks arguments, counts frames and derives the recipe; a backend makes tables of its
// own of it and computes. Strides are in elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include "seam/types.h"

namespace specfast::engine {

// Changes with every structure below.
constexpr int32_t kBackendVersion = 1;

// The types of numbers in the memory of a device. All are read; all but kInt16 are written.
enum class DeviceDtype : int32_t { kFloat32, kFloat64, kInt16, kFloat16, kBfloat16 };

// What is to be computed, in double precision. A backend copies what it needs of the arrays.
struct BackendRecipe {
  Precision precision;
  SpectrumOp spectrum_op;
  int64_t frame_length;
  int64_t hop;
  int64_t dft_length;
  int64_t num_bins;
  Padding padding;
  // [frame_length], scaled.
  const double* window;
  // [dft_length]: pairs (cos, sin) of 2 pi k / dft_length; null beyond kMaxRoots.
  const double* roots;
  double power_floor;

  // As in TilePlan; num_bands == 0 without a filterbank.
  int64_t num_bands;
  const int32_t* interval_begin;
  const double* mel_weights;
  PowerLaw power_law;
  double half_exponent;
  LevelOp level_op;
  double min_power;
  double reference_level;
  TopDbScope top_db_scope;
  double top_db;

  // What a call may take of the device's memory besides its arrays. At least what one frame needs
  // is taken.
  int64_t workspace_bytes;
};
constexpr int64_t kMaxRoots = 4096;

// One call: arrays in the memory of the device. Signal s is channel s % num_channels of clip
// s / num_channels.
struct BackendCall {
  const void* input;
  DeviceDtype in_dtype;
  // Samples are multiplied by it; 1 changes nothing.
  double in_scale;
  int64_t num_signals, num_channels, num_samples;
  int64_t in_batch_stride, in_channel_stride, in_sample_stride;
  // Samples of padding before the first sample, to the first one under the window.
  int64_t left_padding;
  int64_t num_frames;
  void* output;
  DeviceDtype out_dtype;
  int64_t out_batch_stride, out_channel_stride, out_frame_stride, out_row_stride;
};

// What a device and its library are.
struct BackendFacts {
  int32_t num_devices;
  char device[128];
  // 10 * major + minor of the instruction set.
  int32_t architecture;
  int64_t memory_bytes;
  // Versions as NVIDIA writes them, 1000 * major + 10 * minor; 0 where there is none.
  int32_t driver, runtime, fft_library;
};

// Why a function of a backend has failed: a specfast_status and a message in UTF-8.
struct BackendFailure {
  int32_t status;
  char message[512];
};

// The functions of a backend; each returns false after it has filled in `failure`. A stream is what
// the device's own interface calls a stream, as a pointer.
struct Backend {
  int32_t version;  // kBackendVersion
  const char* name;
  bool (*describe)(int32_t device, BackendFacts* facts, BackendFailure* failure);
  bool (*create_plan)(const BackendRecipe* recipe, int32_t device, void** plan,
                      BackendFailure* failure);
  void (*destroy_plan)(void* plan);
  // Returns when the work is in the stream. Plans are shared by threads and streams.
  bool (*execute)(void* plan, const BackendCall* call, void* stream, BackendFailure* failure);
  // Copy between the memory of the host and that of the device; the caller's is ready for use when
  // they return.
  bool (*allocate)(int32_t device, int64_t bytes, void** memory, BackendFailure* failure);
  void (*release)(int32_t device, void* memory);
  bool (*copy_to_device)(int32_t device, void* to, const void* from, int64_t bytes, void* stream,
                         BackendFailure* failure);
  bool (*copy_to_host)(int32_t device, void* to, const void* from, int64_t bytes, void* stream,
                       BackendFailure* failure);
};

// The one function that the library of a backend exports.
constexpr char kBackendSymbol[] = "specfast_backend";
using BackendFunction = const Backend* (*)();

}  // namespace specfast::engine
