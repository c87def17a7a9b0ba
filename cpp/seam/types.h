// SPDX-License-Identifier: BSD-3-Clause
// Enumerations, the lists of operations and plain parameters, shared by the engine and the kernels.
// No functions: the linker might merge those of an instruction set into the engine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace specfast::engine {

// Of the memory that kernels work in, in bytes.
constexpr std::size_t kWorkspaceAlignment = 64;

enum class Precision : int32_t { kFloat32, kFloat64 };

// The parts of the complex spectrum that an operation reads.
enum class SpectrumParts : int32_t { kReal = 1, kImag = 2, kBoth = 3 };

// How the rows of an operation depend on the spectrum: linearly; otherwise; or otherwise, with a
// filterbank behind them.
enum class OperationKind : int32_t { kLinear, kNonlinear, kFilterbank };

// What the configuration's epsilon limits from below.
enum class EpsilonFloor : int32_t { kNone, kPower, kPowerAndMagnitude };

// The spectrum operations: what one bin (re, im) of the spectrum becomes. This is the one list of
// them; all that goes by operation is generated from it or checked against it at compile time. Each
// line is X(Name, MODE, mode_name, parts, rows_per_bin, kind, floor):
//
// - SpectrumOp::kName is the operation, Name the structure in kernels/ops/spectrum.inl;
// - SPECFAST_MODE_<MODE> is the mode of the C ABI, whose number is never compared with an
// operation;
// - mode_name is what messages and Python call the mode;
// - the rest becomes SpectrumOpTraits.
//
// Streams that were saved hold the place of the operation in this list: append to it.
#define SPECFAST_SPECTRUM_OPERATIONS(X)                              \
  X(Real, REAL, "real", kReal, 1, kLinear, kNone)                    \
  X(Imag, IMAG, "imag", kImag, 1, kLinear, kNone)                    \
  X(Stft, STFT, "stft", kBoth, 2, kLinear, kNone)                    \
  X(Angle, ANGLE, "angle", kBoth, 1, kNonlinear, kNone)              \
  X(Magnitude, MAGNITUDE, "magnitude", kBoth, 1, kNonlinear, kPower) \
  X(Log, LOG, "log", kBoth, 1, kNonlinear, kPowerAndMagnitude)       \
  X(Psd, PSD, "psd", kBoth, 1, kNonlinear, kNone)                    \
  X(Power, MEL, "mel", kBoth, 1, kFilterbank, kNone)

#define SPECFAST_SPECTRUM_OP(Name, MODE, mode_name, parts, rows_per_bin, kind, floor) k##Name,
enum class SpectrumOp : int32_t { SPECFAST_SPECTRUM_OPERATIONS(SPECFAST_SPECTRUM_OP) };
#undef SPECFAST_SPECTRUM_OP

struct SpectrumOpTraits {
  SpectrumOp op;
  const char* mode_name;
  // The parts of the spectrum that the operation reads are the kernels that its mode has.
  bool has_real_kernel, has_imag_kernel;
  // Output rows of one bin: all first rows come before all second ones.
  int32_t rows_per_bin;
  bool is_linear;
  bool has_filterbank;
  EpsilonFloor floor;
};

// The traits of each operation, at its number.
constexpr SpectrumOpTraits kSpectrumOps[] = {
#define SPECFAST_TRAITS(Name, MODE, mode_name, parts, rows_per_bin, kind, floor) \
  {SpectrumOp::k##Name,                                                          \
   mode_name,                                                                    \
   SpectrumParts::parts != SpectrumParts::kImag,                                 \
   SpectrumParts::parts != SpectrumParts::kReal,                                 \
   rows_per_bin,                                                                 \
   OperationKind::kind == OperationKind::kLinear,                                \
   OperationKind::kind == OperationKind::kFilterbank,                            \
   EpsilonFloor::floor},
    SPECFAST_SPECTRUM_OPERATIONS(SPECFAST_TRAITS)
#undef SPECFAST_TRAITS
};
constexpr int kNumSpectrumOps = int(sizeof(kSpectrumOps) / sizeof(kSpectrumOps[0]));

// The exponent applied to the magnitude before the mel filterbank.
enum class PowerLaw : int32_t { kSquare, kIdentity, kGeneral };
constexpr int kNumPowerLaws = 3;

// The level operations: what one band energy becomes. LevelOp::kName is the operation, Name the
// structure in kernels/ops/levels.inl.
#define SPECFAST_LEVEL_OPERATIONS(X) X(Identity) X(Decibel)

#define SPECFAST_LEVEL_OP(Name) k##Name,
enum class LevelOp : int32_t { SPECFAST_LEVEL_OPERATIONS(SPECFAST_LEVEL_OP) };
#undef SPECFAST_LEVEL_OP

#define SPECFAST_LEVEL_OP(Name) LevelOp::k##Name,
constexpr LevelOp kLevelOps[] = {SPECFAST_LEVEL_OPERATIONS(SPECFAST_LEVEL_OP)};
#undef SPECFAST_LEVEL_OP

enum class Padding : int32_t { kValid, kSame, kCenter };

enum class Scaling : int32_t { kNone, kDensity, kSpectrum };

enum class TopDbScope : int32_t { kNone, kBatch, kClip };

}  // namespace specfast::engine
