// SPDX-License-Identifier: BSD-3-Clause
// The spectrum operations: bins of the spectrum to output rows, and the gradient of rows to that of
// the bins.
#pragma once

#include <utility>

#include "kernels/lanes/math.inl"

namespace SPECFAST_NAMESPACE {
namespace {

constexpr bool is_linear(SpectrumOp op) { return op <= SpectrumOp::kStft; }

// The spectrum operations, with the mel power law spelled out.
enum class RowOp {
  kReal,
  kImag,
  kStft,
  kAngle,
  kMagnitude,
  kLog,
  kPsd,
  kPowerSquare,
  kPowerIdentity,
  kPowerGeneral,
};
constexpr int kNumRowOps = 10;
static_assert(int(RowOp::kPsd) == int(SpectrumOp::kPsd) &&
                  int(RowOp::kPowerSquare) == int(SpectrumOp::kPower),
              "translated by number");

template <typename T>
SPECFAST_INLINE RowOp row_op_of(const TilePlan<T>& plan) {
  if (plan.spectrum_op != SpectrumOp::kPower) return RowOp(plan.spectrum_op);
  switch (plan.power_law) {
    case PowerLaw::kSquare:
      return RowOp::kPowerSquare;
    case PowerLaw::kIdentity:
      return RowOp::kPowerIdentity;
    default:
      return RowOp::kPowerGeneral;
  }
}

// Writes the rows of one bin; of the mode log the power, which log_magnitudes takes from there. An
// edge bin (DC and, for an even length, Nyquist) has no mirror image.
template <RowOp kOp, typename V>
struct RowWriter {
  using T = Scalar<V>;
  const TilePlan<T>& plan;
  T* rows;
  int64_t row_stride;
  // NaN where the frame holds a NaN, else zero: a sample that a row would multiply by nothing must
  // still show there.
  V poison = {};

  SPECFAST_INLINE void poison_from(V dc) { poison = dc != dc ? dc : V{}; }

  SPECFAST_INLINE void write(int64_t bin, V re, V im, bool edge) const {
    T* row = rows + bin * row_stride;
    if constexpr (kOp == RowOp::kReal) {
      store_unaligned(row, re + poison);
    } else if constexpr (kOp == RowOp::kImag) {
      store_unaligned(row, im + poison);
    } else if constexpr (kOp == RowOp::kStft) {
      store_unaligned(row, re + poison);
      store_unaligned(row + plan.num_bins * row_stride, im + poison);
    } else if constexpr (kOp == RowOp::kAngle) {
      store_unaligned(row, arc_tangent2(im, re + poison));  // also makes of -0 a zero of angle 0
    } else {
      store_unaligned(row, of_power(madd(re, re, im * im), edge));
    }
  }

  SPECFAST_INLINE V of_power(V power, bool edge) const {
    if constexpr (kOp == RowOp::kPsd) {
      return edge ? power : power + power;
    } else if constexpr (kOp == RowOp::kMagnitude) {
      return square_root(at_least(power, broadcast<V>(plan.power_floor)));
    } else if constexpr (kOp == RowOp::kPowerIdentity) {
      return square_root(power);
    } else if constexpr (kOp == RowOp::kPowerGeneral) {
      return raised(power, plan.half_exponent);
    } else {
      return power;
    }
  }
};

// What the writer left of the mode log: powers become logarithms of magnitudes, in place. In a loop
// of its own, which keeps the constants in registers and overlaps the logarithms.
template <typename V>
SPECFAST_NOINLINE void log_magnitudes(const TilePlan<Scalar<V>>& plan, Scalar<V>* rows,
                                      int64_t row_stride) {
  log_rows<HalfNaturalUnits, V>(rows, row_stride, plan.num_output_rows, plan.power_floor,
                                [=](int64_t row, V log) SPECFAST_INLINE_LAMBDA {
                                  store_unaligned(rows + row * row_stride, log);
                                });
}

template <typename V>
using WriteRows = void (*)(const TilePlan<Scalar<V>>&, const Scalar<V>* spectrum, Scalar<V>* rows,
                           int64_t row_stride);

// What the row of a bin hands on, but for the direction in which its spectrum grows.
template <RowOp kOp, typename V>
SPECFAST_INLINE V radial_gradient(const TilePlan<Scalar<V>>& plan, V row, V power) {
  if constexpr (kOp != RowOp::kPowerGeneral) {
    return row;
  } else {
    using S = Scalar<V>;
    constexpr S kInfinity = S(__builtin_inf());
    const V slope = S(2 * plan.half_exponent) * raised(power, plan.half_exponent - 0.5);
    return ((slope == kInfinity) | (slope == -kInfinity)) ? V{} : row * slope;
  }
}

// Gradient of one bin: re and im become it. Divided first and multiplied then: a small power makes
// quotients that only the product with as small a value brings back into range.
template <RowOp kOp, typename V>
SPECFAST_INLINE void bin_gradient(const TilePlan<Scalar<V>>& plan, V row, bool edge, V& re, V& im) {
  using S = Scalar<V>;
  if constexpr (kOp == RowOp::kPsd || kOp == RowOp::kPowerSquare) {
    const V twice = row + row;
    const V slope = kOp == RowOp::kPsd && !edge ? twice + twice : twice;
    re = slope * re;
    im = slope * im;
  } else {
    const V power = madd(re, re, im * im);
    constexpr bool kHasFloor = kOp == RowOp::kLog || kOp == RowOp::kMagnitude;
    const S floor =
        kHasFloor && plan.power_floor > kSmallestNormal<S> ? plan.power_floor : kSmallestNormal<S>;
    constexpr bool kByPower = kOp == RowOp::kLog || kOp == RowOp::kAngle;
    const V inverse = S(1) / (kByPower ? power : square_root(power));
    const V slope = radial_gradient<kOp>(plan, row, power);
    const V along_re = power <= floor ? V{} : slope * (re * inverse);
    const V along_im = power <= floor ? V{} : slope * (im * inverse);
    re = kOp == RowOp::kAngle ? -along_im : along_re;
    im = kOp == RowOp::kAngle ? along_re : along_im;
  }
}

// The spectrum in planes becomes its gradient.
template <RowOp kOp, typename V>
void spectrum_gradient(const TilePlan<Scalar<V>>& plan, const Scalar<V>* rows, int64_t lanes,
                       Scalar<V>* spectrum) {
  Scalar<V>* const imag = spectrum + plan.num_bins * lanes;
  for (int64_t bin = 0; bin < plan.num_bins; ++bin) {
    const bool edge = bin == 0 || 2 * bin == plan.dft_length;
    for (int64_t at = bin * lanes; at < (bin + 1) * lanes; at += kLanesOf<V>) {
      V re = load<V>(spectrum + at), im = load<V>(imag + at);
      bin_gradient<kOp>(plan, load<V>(rows + at), edge, re, im);
      store(spectrum + at, re);
      store(imag + at, im);
    }
  }
}

template <typename V, int... kOps>
auto select_spectrum_gradient(std::integer_sequence<int, kOps...>, int op) {
  static constexpr decltype(&spectrum_gradient<RowOp::kAngle, V>) kFunctions[] = {
      spectrum_gradient<RowOp(kOps + int(RowOp::kAngle)), V>...};
  return kFunctions[op - int(RowOp::kAngle)];
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
