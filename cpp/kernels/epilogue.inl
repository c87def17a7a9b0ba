// SPDX-License-Identifier: BSD-3-Clause
// Spectrum bins to output rows: untangling of the half-length transform, and the spectrum operations. Included inside the
// namespace of one ISA.

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

template <typename T>
SPECFAST_INLINE RowOp row_op_of(const TilePlan<T>& plan) {
  if (plan.spectrum_op != SpectrumOp::kPower) return RowOp(plan.spectrum_op);
  switch (plan.power_law) {
    case PowerLaw::kSquare: return RowOp::kPowerSquare;
    case PowerLaw::kIdentity: return RowOp::kPowerIdentity;
    default: return RowOp::kPowerGeneral;
  }
}

template <typename V>
SPECFAST_INLINE V angle_of(V re, V im) {
  for (int lane = 0; lane < kLanesOf<V>; ++lane) {
    if constexpr (sizeof(Scalar<V>) == 4) {
      re[lane] = __builtin_atan2f(im[lane], re[lane]);
    } else {
      re[lane] = __builtin_atan2(im[lane], re[lane]);
    }
  }
  return re;
}

template <typename V>
SPECFAST_INLINE V power_to(V power, Scalar<V> exponent) {
  return map_lanes(power, [exponent](Scalar<V> x) -> Scalar<V> {
    if constexpr (sizeof(x) == 4) {
      return __builtin_powf(x, exponent);
    } else {
      return __builtin_pow(x, exponent);
    }
  });
}

// Writes the rows of one bin. An edge bin (DC and, for an even length, Nyquist) has no mirror image.
template <RowOp kOp, typename V>
struct RowWriter {
  using T = Scalar<V>;
  const TilePlan<T>& plan;
  T* rows;
  int64_t row_stride;

  SPECFAST_INLINE void write(int64_t bin, V re, V im, bool edge) const {
    T* row = rows + bin * row_stride;
    if constexpr (kOp == RowOp::kReal) {
      store_unaligned(row, re);
    } else if constexpr (kOp == RowOp::kImag) {
      store_unaligned(row, im);
    } else if constexpr (kOp == RowOp::kStft) {
      store_unaligned(row, re);
      store_unaligned(row + plan.num_bins * row_stride, im);
    } else if constexpr (kOp == RowOp::kAngle) {
      store_unaligned(row, angle_of(re, im));
    } else {
      store_unaligned(row, of_power(madd(re, re, im * im), edge));
    }
  }

  SPECFAST_INLINE V of_power(V power, bool edge) const {
    if constexpr (kOp == RowOp::kPsd) {
      return edge ? power : power + power;
    } else if constexpr (kOp == RowOp::kMagnitude) {
      return square_root(at_least(power, broadcast<V>(plan.power_floor)));
    } else if constexpr (kOp == RowOp::kLog) {
      return T(0.5) * natural_log(at_least(power, broadcast<V>(plan.power_floor)));
    } else if constexpr (kOp == RowOp::kPowerIdentity) {
      return square_root(power);
    } else if constexpr (kOp == RowOp::kPowerGeneral) {
      return power_to(power, plan.half_exponent);
    } else {
      return power;
    }
  }
};

// Spectrum of N real points from the half-length transform Z of z[n] = (x[2n] + i x[2n+1]) / 2, w = exp(-2 pi i / N):
// with E = Z[k] + conj Z[N/2-k] and D = Z[k] - conj Z[N/2-k], X[k] = E - i w^k D and X[N/2-k] = conj(E + i w^k D).
template <RowOp kOp, typename V>
void rows_from_own_transform(const TilePlan<Scalar<V>>& plan, const Scalar<V>* z, Scalar<V>* rows, int64_t row_stride) {
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  using T = Scalar<V>;
  const RowWriter<kOp, V> writer{plan, rows, row_stride};
  const int64_t num_points = plan.dft_length / 2;
  const auto point = [&plan, z](int64_t k) SPECFAST_INLINE_LAMBDA -> Complex<V> {
    const T* at = z + plan.bin_place[k] * kStep;
    return {load<V>(at), load<V>(at + kStep / 2)};
  };
  const Complex<V> zero = point(0);
  const V sum = zero.re + zero.im, difference = zero.re - zero.im;
  writer.write(0, sum + sum, V{}, true);
  writer.write(num_points, difference + difference, V{}, true);
  for (int64_t k = 1; 2 * k < num_points; ++k) {
    const Complex<V> a = point(k), b = point(num_points - k);
    const V cosine = broadcast<V>(plan.real_twiddles[2 * k]), sine = broadcast<V>(plan.real_twiddles[2 * k + 1]);
    const Complex<V> e = {a.re + b.re, a.im - b.im}, d = {a.re - b.re, a.im + b.im};
    const V turned_re = nmadd(sine, d.re, cosine * d.im);
    const V turned_im = madd(sine, d.im, cosine * d.re);
    writer.write(k, e.re + turned_re, e.im - turned_im, false);
    writer.write(num_points - k, e.re - turned_re, -(e.im + turned_im), false);
  }
  if (num_points % 2 == 0) {
    const Complex<V> middle = point(num_points / 2);
    writer.write(num_points / 2, middle.re + middle.re, -(middle.im + middle.im), false);
  }
}

template <RowOp kOp, typename V>
void rows_from_fallback(const TilePlan<Scalar<V>>& plan, const Scalar<V>* spectrum, Scalar<V>* rows, int64_t row_stride) {
  constexpr int64_t kStep = kLanesOf<V>;
  const RowWriter<kOp, V> writer{plan, rows, row_stride};
  writer.write(0, load<V>(spectrum), V{}, true);
  for (int64_t k = 1; 2 * k < plan.dft_length; ++k) {
    writer.write(k, load<V>(spectrum + (2 * k - 1) * kStep), load<V>(spectrum + 2 * k * kStep), false);
  }
  if (plan.dft_length % 2 == 0) {
    writer.write(plan.dft_length / 2, load<V>(spectrum + (plan.dft_length - 1) * kStep), V{}, true);
  }
}

template <typename V>
using WriteRows = void (*)(const TilePlan<Scalar<V>>&, const Scalar<V>* spectrum, Scalar<V>* rows, int64_t row_stride);

template <typename V, int... kOps>
WriteRows<V> select_rows(int op, bool own, std::integer_sequence<int, kOps...>) {
  static constexpr WriteRows<V> kOwn[] = {rows_from_own_transform<RowOp(kOps), V>...};
  static constexpr WriteRows<V> kFallback[] = {rows_from_fallback<RowOp(kOps), V>...};
  return own ? kOwn[op] : kFallback[op];
}

template <typename V>
SPECFAST_INLINE WriteRows<V> rows_function(const TilePlan<Scalar<V>>& plan) {
  return select_rows<V>(int(row_op_of(plan)), plan.num_passes > 0, std::make_integer_sequence<int, kNumRowOps>());
}
