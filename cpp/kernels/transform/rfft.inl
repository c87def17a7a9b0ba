// SPDX-License-Identifier: BSD-3-Clause
// The real transform of one tile.
//
// An even real transform of N points runs as a complex one of N/2 points over z[n] = x[2n] + i
// x[2n+1], in place, decimated in frequency, so that its output stands in digit-reversed places;
// untangling the two halves is joined to the last pass (untangle.inl). Other lengths use
// pocketfft (fallback.inl).
#pragma once

#include <utility>

#include "kernels/lanes/prefetch.inl"
#include "kernels/transform/butterfly.inl"

namespace SPECFAST_NAMESPACE {
namespace {

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
