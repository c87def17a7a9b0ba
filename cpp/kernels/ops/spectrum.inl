// SPDX-License-Identifier: BSD-3-Clause
// Spectrum bins to output rows: untangling of the half-length transform, and the spectrum
// operations. Included inside the namespace of one ISA.

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

// Spectrum of N real points from the half-length transform Z of z[n] = (x[2n] + i x[2n+1]) / 2, w =
// exp(-2 pi i / N): with E = Z[k] + conj Z[N/2-k] and D = Z[k] - conj Z[N/2-k], X[k] = E - i w^k D
// and X[N/2-k] = conj(E + i w^k D). Here a = Z[k] and b = Z[N/2-k], 0 < k < N/4.
template <RowOp kOp, typename V>
SPECFAST_INLINE void untangle(const RowWriter<kOp, V>& writer, int64_t k, Complex<V> a,
                              Complex<V> b) {
  const TilePlan<Scalar<V>>& plan = writer.plan;
  const V cosine = broadcast<V>(plan.real_twiddles[2 * k]),
          sine = broadcast<V>(plan.real_twiddles[2 * k + 1]);
  const Complex<V> e = {a.re + b.re, a.im - b.im}, d = {a.re - b.re, a.im + b.im};
  if constexpr (kFuses) {
    writer.write(k, madd(cosine, d.im, nmadd(sine, d.re, e.re)),
                 nmadd(cosine, d.re, nmadd(sine, d.im, e.im)), false);
    writer.write(plan.dft_length / 2 - k, nmadd(cosine, d.im, madd(sine, d.re, e.re)),
                 -madd(cosine, d.re, madd(sine, d.im, e.im)), false);
  } else {
    const V turned_re = nmadd(sine, d.re, cosine * d.im);
    const V turned_im = madd(sine, d.im, cosine * d.re);
    writer.write(k, e.re + turned_re, e.im - turned_im, false);
    writer.write(plan.dft_length / 2 - k, e.re - turned_re, -(e.im + turned_im), false);
  }
}

// The bins that are their own mirror images: k = 0 (with N/2) and k = N/4.
template <RowOp kOp, typename V>
SPECFAST_INLINE void untangle_zero(RowWriter<kOp, V>& writer, Complex<V> zero) {
  const V sum = zero.re + zero.im, difference = zero.re - zero.im;
  writer.poison_from(sum);
  writer.write(0, sum + sum, V{}, true);
  writer.write(writer.plan.dft_length / 2, difference + difference, V{}, true);
}
template <RowOp kOp, typename V>
SPECFAST_INLINE void untangle_middle(const RowWriter<kOp, V>& writer, Complex<V> middle) {
  writer.write(writer.plan.dft_length / 4, middle.re + middle.re, -(middle.im + middle.im), false);
}

// The last pass of the own transform, always of radix 4, is done here: its block number k yields
// the points k + q N/8, and their mirror images come from block N/8 - k, so that a pair of blocks
// goes from before the last pass to output rows in registers.
template <RowOp kOp, typename V>
void rows_from_own_transform(const TilePlan<Scalar<V>>& plan, const Scalar<V>* z, Scalar<V>* rows,
                             int64_t row_stride) {
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  RowWriter<kOp, V> writer{plan, rows, row_stride};
  const int64_t num_blocks = plan.dft_length / 8;
  const auto transform_block = [&plan, z](int64_t k, Complex<V>(&a)[4]) SPECFAST_INLINE_LAMBDA {
    const Scalar<V>* const at = in_one_register(z + plan.bin_place[k] * kStep);
    for (int q = 0; q < 4; ++q) {
      a[q] = {in_register(load<V>(at + q * kStep)),
              in_register(load<V>(at + q * kStep + kStep / 2))};
    }
    Butterfly<4, 4, V>::apply(a);
  };
  Complex<V> a[4], b[4];
  transform_block(0, a);
  untangle_zero(writer, a[0]);
  untangle(writer, num_blocks, a[1], a[3]);
  untangle_middle(writer, a[2]);
  for (int64_t k = 1; 2 * k < num_blocks; ++k) {
    transform_block(k, a);
    transform_block(num_blocks - k, b);
    untangle(writer, k, a[0], b[3]);
    untangle(writer, k + num_blocks, a[1], b[2]);
    untangle(writer, num_blocks - k, b[0], a[3]);
    untangle(writer, 2 * num_blocks - k, b[1], a[2]);
  }
  if (num_blocks % 2 == 0) {
    transform_block(num_blocks / 2, a);
    untangle(writer, num_blocks / 2, a[0], a[3]);
    untangle(writer, num_blocks / 2 + num_blocks, a[1], a[2]);
  }
}

template <RowOp kOp, typename V>
void rows_from_fallback(const TilePlan<Scalar<V>>& plan, const Scalar<V>* spectrum, Scalar<V>* rows,
                        int64_t row_stride) {
  constexpr int64_t kStep = kLanesOf<V>;
  RowWriter<kOp, V> writer{plan, rows, row_stride};
  writer.poison_from(load<V>(spectrum));
  writer.write(0, load<V>(spectrum), V{}, true);
  for (int64_t k = 1; 2 * k < plan.dft_length; ++k) {
    writer.write(k, load<V>(spectrum + (2 * k - 1) * kStep), load<V>(spectrum + 2 * k * kStep),
                 false);
  }
  if (plan.dft_length % 2 == 0) {
    writer.write(plan.dft_length / 2, load<V>(spectrum + (plan.dft_length - 1) * kStep), V{}, true);
  }
}

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

template <typename V, int... kOps>
WriteRows<V> select_rows(const TilePlan<Scalar<V>>& plan, std::integer_sequence<int, kOps...>) {
  static constexpr WriteRows<V> kOwn[] = {rows_from_own_transform<RowOp(kOps), V>...};
  static constexpr WriteRows<V> kFallback[] = {rows_from_fallback<RowOp(kOps), V>...};
  const int op = int(row_op_of(plan));
  return plan.num_passes > 0 ? kOwn[op] : kFallback[op];
}

template <typename V>
SPECFAST_INLINE WriteRows<V> rows_function(const TilePlan<Scalar<V>>& plan) {
  return select_rows<V>(plan, std::make_integer_sequence<int, kNumRowOps>());
}
