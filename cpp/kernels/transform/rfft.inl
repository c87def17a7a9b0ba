// SPDX-License-Identifier: BSD-3-Clause
// The real transform of one tile.
//
// An even real transform of N points runs as a complex one of N/2 points over z[n] = x[2n] + i
// x[2n+1], in place, decimated in frequency, so that its output stands in digit-reversed places;
// untangling the two halves is joined to the last pass (untangle.inl). Other lengths use
// pocketfft (fallback.inl).
#pragma once

#include <utility>

#include "kernels/lanes/complex.inl"
#include "kernels/lanes/prefetch.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Transforms kRadix points forward, of which those from kUsed on are zero and not read.
template <int kRadix, int kUsed, typename V>
struct Butterfly;

template <int kUsed, typename V>
struct Butterfly<2, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[2]) {
    const Complex<V> sum = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = sum;
  }
};

template <int kUsed, typename V>
struct Butterfly<3, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[3]) {
    using S = Scalar<V>;
    const V half = broadcast<V>(S(0.5));
    const V sin60 = broadcast<V>(S(0.866025403784438646763723170752936183L));
    const Complex<V> sum = a[1] + a[2], difference = a[1] - a[2];
    const Complex<V> middle = nmadd_real(a[0], half, sum);
    const Complex<V> turned = {sin60 * difference.re, sin60 * difference.im};
    a[0] = a[0] + sum;
    a[1] = minus_i(middle, turned);
    a[2] = plus_i(middle, turned);
  }
};

template <int kUsed, typename V>
struct Butterfly<4, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[4]) {
    const Complex<V> s02 = kUsed > 2 ? a[0] + a[2] : a[0], d02 = kUsed > 2 ? a[0] - a[2] : a[0];
    const Complex<V> s13 = kUsed > 3 ? a[1] + a[3] : a[1], d13 = kUsed > 3 ? a[1] - a[3] : a[1];
    a[0] = s02 + s13;
    a[1] = minus_i(d02, d13);
    a[2] = s02 - s13;
    a[3] = plus_i(d02, d13);
  }
};

template <int kUsed, typename V>
struct Butterfly<5, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[5]) {
    using S = Scalar<V>;
    const V cos72 = broadcast<V>(S(0.309016994374947424102293417182819059L));
    const V cos36 = broadcast<V>(S(0.809016994374947424102293417182819059L));
    const V sin72 = broadcast<V>(S(0.951056516295153572116439333379382143L));
    const V sin36 = broadcast<V>(S(0.587785252292473129168705954639072769L));
    const Complex<V> s14 = a[1] + a[4], d14 = a[1] - a[4];
    const Complex<V> s23 = a[2] + a[3], d23 = a[2] - a[3];
    const Complex<V> real1 = nmadd_real(madd_real(a[0], cos72, s14), cos36, s23);
    const Complex<V> real2 = madd_real(nmadd_real(a[0], cos36, s14), cos72, s23);
    const Complex<V> turned1 = madd_real({sin72 * d14.re, sin72 * d14.im}, sin36, d23);
    const Complex<V> turned2 = nmadd_real({sin36 * d14.re, sin36 * d14.im}, sin72, d23);
    a[0] = a[0] + (s14 + s23);
    a[1] = minus_i(real1, turned1);
    a[4] = plus_i(real1, turned1);
    a[2] = minus_i(real2, turned2);
    a[3] = plus_i(real2, turned2);
  }
};

template <int kUsed, typename V>
struct Butterfly<8, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[8]) {
    const V sqrt_half = broadcast<V>(Scalar<V>(0.707106781186547524400844362104849039L));
    const Complex<V> s04 = kUsed > 4 ? a[0] + a[4] : a[0], d04 = kUsed > 4 ? a[0] - a[4] : a[0];
    const Complex<V> s15 = kUsed > 5 ? a[1] + a[5] : a[1], d15 = kUsed > 5 ? a[1] - a[5] : a[1];
    const Complex<V> s26 = kUsed > 6 ? a[2] + a[6] : a[2], d26 = kUsed > 6 ? a[2] - a[6] : a[2];
    const Complex<V> s37 = kUsed > 7 ? a[3] + a[7] : a[3], d37 = kUsed > 7 ? a[3] - a[7] : a[3];

    const Complex<V> even_sum = s04 + s26, even_difference = s04 - s26;
    const Complex<V> odd_sum = s15 + s37, odd_difference = s15 - s37;
    a[0] = even_sum + odd_sum;
    a[4] = even_sum - odd_sum;
    a[2] = minus_i(even_difference, odd_difference);
    a[6] = plus_i(even_difference, odd_difference);

    const Complex<V> g0 = minus_i(d04, d26), g1 = plus_i(d04, d26);
    const Complex<V> u = minus_i(d15, d37), v = plus_i(d15, d37);
    // u is turned by sqrt(2) exp(-i pi/4), v by sqrt(2) exp(-3 i pi/4).
    const Complex<V> u_turned = {u.re + u.im, u.im - u.re};
    const Complex<V> v_turned = {v.im - v.re, -(v.re + v.im)};
    a[1] = madd_real(g0, sqrt_half, u_turned);
    a[5] = nmadd_real(g0, sqrt_half, u_turned);
    a[3] = madd_real(g1, sqrt_half, v_turned);
    a[7] = nmadd_real(g1, sqrt_half, v_turned);
  }
};

// Stores the points of one butterfly, turned by their twiddles; null turns none.
template <int kRadix, typename V>
SPECFAST_INLINE void store_turned(Complex<V> (&a)[kRadix], Scalar<V>* z, int64_t leg,
                                  const Scalar<V>* twiddles) {
  constexpr int kStep = 2 * kLanesOf<V>;
  store(z, a[0].re);
  store(z + kStep / 2, a[0].im);
  for (int q = 1; q < kRadix; ++q) {
    const Complex<V> turned = twiddles ? times(a[q], broadcast_factor<V>(twiddles, 2 * q - 2),
                                               broadcast_factor<V>(twiddles, 2 * q - 1))
                                       : a[q];
    Scalar<V>* const to = in_one_register(z + q * leg);
    store(to, turned.re);
    store(to + kStep / 2, turned.im);
  }
}

// Runs one pass over `num_blocks` neighbouring blocks of pass.length points each.
template <int kRadix, typename V>
void run_pass(Scalar<V>* z, const FftPass<Scalar<V>>& pass, int64_t num_blocks,
              Prefetcher& prefetcher) {
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  const int64_t leg_points = pass.length / kRadix;
  const int64_t leg = leg_points * kStep;
  const auto butterfly = [leg](Scalar<V>* at, const Scalar<V>* twiddles) SPECFAST_INLINE_LAMBDA {
    Complex<V> a[kRadix];
    for (int q = 0; q < kRadix; ++q) {
      const Scalar<V>* const from = in_one_register(at + q * leg);
      a[q] = {in_register(load<V>(from)), in_register(load<V>(from + kStep / 2))};
    }
    Butterfly<kRadix, kRadix, V>::apply(a);
    store_turned<kRadix, V>(a, at, leg, twiddles);
  };
  for (int64_t block = 0; block < num_blocks; ++block, z += pass.length * kStep) {
    prefetcher.step();
    butterfly(z, nullptr);
    constexpr int64_t kFactors = 2 * (kRadix - 1) * kFactorCopies<Scalar<V>>;
    const Scalar<V>* twiddles = pass.twiddles;
    for (int64_t j = 1; j < leg_points; ++j, twiddles += kFactors) {
      prefetcher.step();
      butterfly(z + j * kStep, twiddles);
    }
  }
}

template <typename V>
void run_any_pass(Scalar<V>* z, const FftPass<Scalar<V>>& pass, int64_t num_blocks,
                  Prefetcher& prefetcher) {
  switch (pass.radix) {
    case 2:
      return run_pass<2, V>(z, pass, num_blocks, prefetcher);
    case 3:
      return run_pass<3, V>(z, pass, num_blocks, prefetcher);
    case 4:
      return run_pass<4, V>(z, pass, num_blocks, prefetcher);
    case 5:
      return run_pass<5, V>(z, pass, num_blocks, prefetcher);
    default:
      return run_pass<8, V>(z, pass, num_blocks, prefetcher);
  }
}

// Runs passes [first, last) depth first: a block that fits the first-level cache is finished before
// the next is touched.
template <typename V>
void run_passes(Scalar<V>* z, const TilePlan<Scalar<V>>& plan, int64_t first, int64_t last,
                Prefetcher& prefetcher) {
  constexpr int64_t kCacheBytes = 24 * 1024;
  if (first == last) return;
  const FftPass<Scalar<V>>& pass = plan.passes[first];
  const int64_t block_bytes = pass.length * 2 * int64_t(sizeof(V));
  if (block_bytes <= kCacheBytes) {
    for (int64_t level = first; level < last; ++level) {
      run_any_pass<V>(z, plan.passes[level], pass.length / plan.passes[level].length, prefetcher);
    }
    return;
  }
  run_any_pass<V>(z, pass, 1, prefetcher);
  const int64_t leg = pass.length / pass.radix * 2 * kLanesOf<V>;
  for (int64_t q = 0; q < pass.radix; ++q)
    run_passes<V>(z + q * leg, plan, first + 1, last, prefetcher);
}

// The first pass reads the hop matrix and applies the window on the way: no framed copy is written.
// Only the first kUsed legs hold samples for j in [begin, end); the rest is the zero padding behind
// the frame.
template <int kRadix, int kUsed, typename V>
void run_first_pass(const Scalar<V>* hops, const TilePlan<Scalar<V>>& plan, int64_t begin,
                    int64_t end, Scalar<V>* z) {
  using S = Scalar<V>;
  constexpr int64_t kStep = 2 * kLanesOf<V>, kSamples = 2 * kRadix;
  constexpr int64_t kWindowFactors = kSamples * kFactorCopies<S>;
  constexpr int64_t kFactors = kWindowFactors + 2 * (kRadix - 1) * kFactorCopies<S>;
  const int64_t leg = plan.passes[0].length / kRadix * kStep;
  const S* factors = plan.first_factors + begin * kFactors;
  const uint32_t* offset = plan.first_offset + begin * kSamples;
  for (int64_t j = begin; j < end; ++j, factors += kFactors, offset += kSamples) {
    Complex<V> a[kRadix];
    for (int q = 0; q < kRadix; ++q) {
      if (q < kUsed) {
        a[q] = {
            load_unaligned<V>(hops + offset[2 * q]) * broadcast_factor<V>(factors, 2 * q),
            load_unaligned<V>(hops + offset[2 * q + 1]) * broadcast_factor<V>(factors, 2 * q + 1)};
      } else {
        a[q] = {V{}, V{}};
      }
    }
    Butterfly<kRadix, kUsed, V>::apply(a);
    store_turned<kRadix, V>(a, z + j * kStep, leg, j == 0 ? nullptr : factors + kWindowFactors);
  }
}

template <int kRadix, typename V, int... kLegs>
void first_pass_of(const Scalar<V>* hops, const TilePlan<Scalar<V>>& plan, Scalar<V>* z,
                   std::integer_sequence<int, kLegs...>) {
  using Run = void (*)(const Scalar<V>*, const TilePlan<Scalar<V>>&, int64_t, int64_t, Scalar<V>*);
  static constexpr Run kByUsedLegs[] = {run_first_pass<kRadix, kLegs, V>...};
  const int64_t leg_points = plan.passes[0].length / kRadix;
  const int64_t num_points = (plan.frame_length + 1) / 2;
  const int64_t full_legs = num_points / leg_points;
  const int64_t remainder = num_points % leg_points;
  if (remainder) kByUsedLegs[full_legs + 1](hops, plan, 0, remainder, z);
  kByUsedLegs[full_legs](hops, plan, remainder, leg_points, z);
}

template <int kRadix, typename V>
void first_pass_radix(const Scalar<V>* hops, const TilePlan<Scalar<V>>& plan, Scalar<V>* z) {
  first_pass_of<kRadix, V>(hops, plan, z, std::make_integer_sequence<int, kRadix + 1>());
}

template <typename V>
void first_pass(const Scalar<V>* hops, const TilePlan<Scalar<V>>& plan, Scalar<V>* z) {
  switch (plan.passes[0].radix) {
    case 2:
      return first_pass_radix<2, V>(hops, plan, z);
    case 3:
      return first_pass_radix<3, V>(hops, plan, z);
    case 4:
      return first_pass_radix<4, V>(hops, plan, z);
    case 5:
      return first_pass_radix<5, V>(hops, plan, z);
    default:
      return first_pass_radix<8, V>(hops, plan, z);
  }
}

// Runs the passes between the first and the last. The untangling does the last one (untangle.inl),
// which saves a round trip of the tile through the cache.
template <typename V>
void middle_passes(const TilePlan<Scalar<V>>& plan, const TileArgs<Scalar<V>>& args, Scalar<V>* z) {
  const int64_t last = plan.num_passes - 1;
  const int64_t leg = plan.passes[0].length / plan.passes[0].radix * 2 * kLanesOf<V>;
  int64_t num_butterflies = 0;
  for (int64_t level = 1; level < last; ++level)
    num_butterflies += plan.passes[0].length / plan.passes[level].radix;
  Prefetcher prefetcher(args, num_butterflies);
  for (int64_t q = 0; q < plan.passes[0].radix; ++q) {
    run_passes<V>(z + q * leg, plan, 1, last, prefetcher);
  }
  prefetcher.finish();
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
