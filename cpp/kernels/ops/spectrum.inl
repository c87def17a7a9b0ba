// SPDX-License-Identifier: BSD-3-Clause
// The spectrum operations: each a structure that turns a bin of the spectrum into its output rows
// (value), and the gradient of the row into that of the bin (gradient).
//
// Where a square root, a logarithm, an angle or a power has no derivative, or none that its type
// holds, the derivative is taken as zero: at a power below the normal numbers, and at and below a
// floor. NaN stays NaN.
#pragma once

#include "kernels/lanes/complex.inl"
#include "kernels/lanes/list.inl"
#include "kernels/lanes/math.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Holds one bin of the spectrum, of every frame of a vector.
template <typename V>
struct Bin {
  V re, im;
  // DC and, for an even length, Nyquist have no mirror image.
  bool is_edge;
  // This is NaN where the frame holds a NaN or an infinity, else zero: a sample that a row would
  // multiply by nothing must still show there. Powers show it without, but for those that go into
  // bands.
  V poison = {};

  SPECFAST_INLINE V power() const { return madd(re, re, im * im); }
  // The power for a filterbank, which looks for the NaN of a frame in DC.
  SPECFAST_INLINE V band_power() const { return is_edge ? power() + poison : power(); }
};

// Returns NaN where a frame holds a NaN or an infinity, which reach both of these bins, else zero.
// A sum of finite samples that overflows usually does so in one of them.
template <typename V>
SPECFAST_INLINE V poison_of(V dc, V nyquist) {
  const V dc_poison = dc - dc, nyquist_poison = nyquist - nyquist;
  return dc_poison != dc_poison ? nyquist_poison : V{};
}

// Holds the output rows of one bin.
template <typename V, int kRows>
struct Rows {
  V row[kRows];
};

// ---- Parts of the gradients ---------------------------------------------------------------------

// Returns the gradient slope / divisor in the direction in which the spectrum grows, zero where the
// power is at most `floor`. The division comes first: a small power makes quotients that only the
// product with as small a value brings back into range.
template <typename V>
SPECFAST_INLINE Complex<V> outwards(const Bin<V>& bin, V power, Scalar<V> floor, V divisor,
                                    V slope) {
  const V inverse = Scalar<V>(1) / divisor;
  return {power <= floor ? V{} : slope * (bin.re * inverse),
          power <= floor ? V{} : slope * (bin.im * inverse)};
}

// Returns the power up to which an operation with a floor has no derivative.
template <typename T>
SPECFAST_INLINE T flat_until(const TilePlan<T>& plan) {
  return plan.power_floor > kSmallestNormal<T> ? plan.power_floor : kSmallestNormal<T>;
}

// ---- The operations -----------------------------------------------------------------------------

// The rows of a linear operation are parts of the spectrum, and so are their gradients.
struct LinearOperation {
  static constexpr bool kFinishesLater = false;
};

struct Real : LinearOperation {
  static constexpr SpectrumOp kOp = SpectrumOp::kReal;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    return {{bin.re + bin.poison}};
  }
};

struct Imag : LinearOperation {
  static constexpr SpectrumOp kOp = SpectrumOp::kImag;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    return {{bin.im + bin.poison}};
  }
};

struct Stft : LinearOperation {
  static constexpr SpectrumOp kOp = SpectrumOp::kStft;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 2> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    return {{bin.re + bin.poison, bin.im + bin.poison}};
  }
};

struct Angle {
  static constexpr SpectrumOp kOp = SpectrumOp::kAngle;
  static constexpr bool kFinishesLater = false;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    // The sum also makes of -0 a zero of angle 0.
    return {{arc_tangent2(bin.im, bin.re + bin.poison)}};
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>&, V row, const Bin<V>& bin) {
    const V power = bin.power();
    const Complex<V> along = outwards(bin, power, kSmallestNormal<Scalar<V>>, power, row);
    return {-along.im, along.re};
  }
};

struct Magnitude {
  static constexpr SpectrumOp kOp = SpectrumOp::kMagnitude;
  static constexpr bool kFinishesLater = false;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>& plan, const Bin<V>& bin) {
    return {{square_root(at_least(bin.power(), broadcast<V>(plan.power_floor)))}};
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>& plan, V row,
                                             const Bin<V>& bin) {
    const V power = bin.power();
    return outwards(bin, power, flat_until(plan), square_root(power), row);
  }
};

struct Log {
  static constexpr SpectrumOp kOp = SpectrumOp::kLog;
  static constexpr bool kFinishesLater = true;

  // The row is the power for now; finish() takes its logarithm.
  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    return {{bin.power()}};
  }

  // Turns powers into logarithms of magnitudes, in place. A loop of its own keeps the constants in
  // registers and overlaps the logarithms.
  template <typename V>
  static SPECFAST_NOINLINE void finish(const TilePlan<Scalar<V>>& plan, Scalar<V>* rows,
                                       int64_t row_stride) {
    log_rows<HalfNaturalUnits, V>(
        rows, row_stride, plan.num_output_rows, Floor<V, false>(plan.power_floor),
        [=](int64_t row, V log)
            SPECFAST_INLINE_LAMBDA { store_unaligned(rows + row * row_stride, log); });
  }

  // Does the same to one row, where rows do not lie in memory.
  template <typename V>
  static SPECFAST_INLINE V finish_one(const TilePlan<Scalar<V>>& plan, V row) {
    return log_in<HalfNaturalUnits>(at_least(row, broadcast<V>(plan.power_floor)));
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>& plan, V row,
                                             const Bin<V>& bin) {
    const V power = bin.power();
    return outwards(bin, power, flat_until(plan), power, row);
  }
};

struct Psd {
  static constexpr SpectrumOp kOp = SpectrumOp::kPsd;
  static constexpr bool kFinishesLater = false;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    const V power = bin.power();
    return {{bin.is_edge ? power : power + power}};
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>&, V row, const Bin<V>& bin) {
    const V twice = row + row;
    const V slope = bin.is_edge ? twice : twice + twice;
    return {slope * bin.re, slope * bin.im};
  }
};

// The operation kPower raises the magnitude to an exponent; each power law has a structure.
struct PowerSquare {
  static constexpr SpectrumOp kOp = SpectrumOp::kPower;
  static constexpr bool kFinishesLater = false;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    return {{bin.band_power()}};
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>&, V row, const Bin<V>& bin) {
    const V slope = row + row;
    return {slope * bin.re, slope * bin.im};
  }
};

struct PowerIdentity {
  static constexpr SpectrumOp kOp = SpectrumOp::kPower;
  static constexpr bool kFinishesLater = false;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>&, const Bin<V>& bin) {
    return {{square_root(bin.band_power())}};
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>&, V row, const Bin<V>& bin) {
    const V power = bin.power();
    return outwards(bin, power, kSmallestNormal<Scalar<V>>, square_root(power), row);
  }
};

struct PowerGeneral {
  static constexpr SpectrumOp kOp = SpectrumOp::kPower;
  static constexpr bool kFinishesLater = false;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>& plan, const Bin<V>& bin) {
    return {{to_power(bin.band_power(), plan.half_exponent)}};
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>& plan, V row,
                                             const Bin<V>& bin) {
    using S = Scalar<V>;
    constexpr S kInfinity = S(__builtin_inf());
    const V power = bin.power();
    const V growth = S(2 * plan.half_exponent) * to_power(power, plan.half_exponent - 0.5);
    const V slope = ((growth == kInfinity) | (growth == -kInfinity)) ? V{} : row * growth;
    return outwards(bin, power, kSmallestNormal<S>, square_root(power), slope);
  }
};

// As PowerGeneral, of the power plus an offset.
struct PowerOffset {
  static constexpr SpectrumOp kOp = SpectrumOp::kPower;
  static constexpr bool kFinishesLater = false;

  template <typename V>
  static SPECFAST_INLINE Rows<V, 1> value(const TilePlan<Scalar<V>>& plan, const Bin<V>& bin) {
    const V sum = bin.band_power() + plan.power_offset;
    return {{plan.half_exponent == 0.5 ? square_root(sum) : to_power(sum, plan.half_exponent)}};
  }

  template <typename V>
  static SPECFAST_INLINE Complex<V> gradient(const TilePlan<Scalar<V>>& plan, V row,
                                             const Bin<V>& bin) {
    const V sum = bin.power() + plan.power_offset;
    const V slope = row * Scalar<V>(2 * plan.half_exponent) * to_power(sum, plan.half_exponent - 1);
    return {slope * bin.re, slope * bin.im};
  }
};

// ---- The list of the operations -----------------------------------------------------------------

using SpectrumOperations = List<Real, Imag, Stft, Angle, Magnitude, Log, Psd, PowerSquare,
                                PowerIdentity, PowerGeneral, PowerOffset>;

template <typename Op>
constexpr SpectrumOpTraits kTraitsOf = kSpectrumOps[int(Op::kOp)];

// Returns whether the list has the operations of the seam in their order, those with a filterbank
// once for each power law.
template <typename... Ops>
constexpr bool lists_all_spectrum_ops(List<Ops...>) {
  constexpr SpectrumOp kListed[] = {Ops::kOp...};
  std::size_t place = 0;
  for (const SpectrumOpTraits& traits : kSpectrumOps) {
    const int times = traits.has_filterbank ? kNumPowerLaws : 1;
    for (int i = 0; i < times; ++i, ++place) {
      if (place == sizeof...(Ops) || kListed[place] != traits.op) return false;
    }
  }
  return place == sizeof...(Ops);
}
static_assert(lists_all_spectrum_ops(SpectrumOperations()),
              "SpectrumOperations and SPECFAST_SPECTRUM_OPERATIONS differ");

}  // namespace
}  // namespace SPECFAST_NAMESPACE
