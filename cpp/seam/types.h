// SPDX-License-Identifier: BSD-3-Clause
// Enumerations and plain parameters shared by the engine and the kernels. No functions.
#pragma once

#include <cstdint>

namespace specfast::engine {

enum class Precision : int32_t { kFloat32, kFloat64 };

// What one spectrum bin (re, im) becomes. kPower feeds the mel filterbank.
enum class SpectrumOp : int32_t {
  kReal,
  kImag,
  kStft,
  kAngle,
  kMagnitude,
  kLog,
  kPsd,
  kPower,
};

// The exponent applied to the magnitude before the mel filterbank.
enum class PowerLaw : int32_t { kSquare, kIdentity, kGeneral };

// What one band energy becomes.
enum class LevelOp : int32_t { kIdentity, kDecibel };

enum class Padding : int32_t { kValid, kSame, kCenter };

enum class Scaling : int32_t { kNone, kDensity, kSpectrum };

enum class TopDbScope : int32_t { kNone, kBatch, kClip };

}  // namespace specfast::engine
