// SPDX-License-Identifier: BSD-3-Clause
// Enumerations, the lists of operations and plain parameters, shared by the engine and the kernels.
// No functions: the linker might merge those of an instruction set into the engine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace specfast::engine {

// The memory in which kernels work is aligned to this many bytes.
constexpr std::size_t kWorkspaceAlignment = 64;

enum class Precision : int32_t { kFloat32, kFloat64 };

// Which parts of the complex spectrum an operation reads.
enum class SpectrumParts : int32_t { kReal, kImag, kBoth };

// Tells whether the rows of an operation are linear in the spectrum or feed a filterbank.
enum class OperationKind : int32_t { kLinear, kNonlinear, kFilterbank };

// Names what the configuration's epsilon bounds from below before an operation uses it.
enum class EpsilonFloor : int32_t { kNone, kPower, kPowerAndMagnitude };

// A spectrum operation turns one bin (re, im) of the spectrum into output rows. This is the one
// list of them: all that depends on the operation is generated from it, or checked against it at
// compile time. Each line is X(Name, MODE, mode_name, parts, rows_per_bin, kind, floor):
//
// - SpectrumOp::kName is the operation, and Name its structure in kernels/ops/spectrum.inl;
// - SPECFAST_MODE_<MODE> is its mode in the C ABI, whose number never equals it by position;
// - mode_name is the mode's name in messages and in Python;
// - the rest becomes its SpectrumOpTraits.
//
// Append to the list: the fingerprints of saved streams depend on places in it.
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
  // A bin has this many output rows. All first rows come before all second ones.
  int32_t rows_per_bin;
  bool is_linear;
  bool has_filterbank;
  EpsilonFloor floor;
};

// The traits of an operation stand at its number.
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

// The exponent that is applied to the magnitude before the mel filterbank.
enum class PowerLaw : int32_t { kSquare, kIdentity, kGeneral, kOffset };
constexpr int kNumPowerLaws = 4;

// A level operation turns one band energy into a level; the structures are in
// kernels/ops/levels.inl.
enum class LevelOp : int32_t { kIdentity, kDecibel, kLog10, kNatural };
constexpr int kNumLevelOps = 4;

// The levels of the C ABI, each at its number. Each line is X(LEVEL, level_name, operation, adds):
// SPECFAST_LEVEL_<LEVEL> is the level, level_name what Python calls it, and `adds` tells whether
// the floor is added to the energy or is the smallest one.
#define SPECFAST_LEVELS(X)                            \
  X(ENERGY, "energy", kIdentity, false)               \
  X(DECIBEL, "decibel", kDecibel, false)              \
  X(LOG10, "log10", kLog10, false)                    \
  X(LN, "ln", kNatural, false)                        \
  X(DECIBEL_OF_SUM, "decibel_of_sum", kDecibel, true) \
  X(LOG10_OF_SUM, "log10_of_sum", kLog10, true)       \
  X(LN_OF_SUM, "ln_of_sum", kNatural, true)

struct LevelTraits {
  LevelOp op;
  bool adds_floor;
  const char* level_name;
};

constexpr LevelTraits kLevels[] = {
#define SPECFAST_TRAITS(LEVEL, level_name, operation, adds) {LevelOp::operation, adds, level_name},
    SPECFAST_LEVELS(SPECFAST_TRAITS)
#undef SPECFAST_TRAITS
};
constexpr int kNumLevels = int(sizeof(kLevels) / sizeof(kLevels[0]));

enum class Padding : int32_t { kValid, kSame, kCenter, kSides, kEnd, kHops };

enum class PadMode : int32_t { kReflect, kZeros, kEdge, kSymmetric };

enum class Preemphasis : int32_t { kNone, kFrame, kSignal };

enum class MelScale : int32_t { kHtk, kSlaney };

enum class MelTriangles : int32_t { kInMel, kInHertz };

enum class MelNorm : int32_t { kNone, kSlaney, kArea };

enum class Normalization : int32_t { kNone, kStd, kVariance };

enum class FrameEnergy : int32_t { kNone, kRaw, kWindowed };

enum class Scaling : int32_t { kNone, kDensity, kSpectrum };

enum class TopDbScope : int32_t { kNone, kBatch, kClip };

}  // namespace specfast::engine
