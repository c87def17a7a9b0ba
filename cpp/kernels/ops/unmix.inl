// SPDX-License-Identifier: BSD-3-Clause
// From the energies of bands back to bins: min || W^T s - m ||, s >= 0, for every frame by itself.
//
// FISTA (A. Beck, M. Teboulle, 2009) in the metric of the separable surrogate of Lee and Seung:
// for weights that are not negative W W^T <= diag(W W^T 1), so bin k may move by its own step
// 1 / (W W^T 1)_k. The first step, from zero, is the usual warm start: each band shared out among
// its bins.
#pragma once

#include "kernels/ops/bands.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Rows of lanes. `energies` is given, the others are scratch but for `bins`, the result.
template <typename T>
struct UnmixRows {
  const T* energies;  // [num_bands]
  T* errors;          // [num_bands]
  T* bins;            // [num_bins]
  T* point;           // [num_bins]: where the next step begins, ahead of the bins
  T* gradient;        // [num_bins]
};

// Writes W^T point - energies.
template <typename V>
void band_errors(const TilePlan<Scalar<V>>& plan, const UnmixRows<Scalar<V>>& rows) {
  constexpr int64_t kStep = kLanesOf<V>;
  sum_any_bands<V>(plan, rows.point, rows.errors);
  for (int64_t at = 0; at < plan.num_bands * kStep; at += kStep)
    store(rows.errors + at, load<V>(rows.errors + at) - load<V>(rows.energies + at));
}

// Moves every bin by its step, and the point on by `momentum` times as far.
template <typename V>
void move_bins(const TilePlan<Scalar<V>>& plan, const Scalar<V>* steps, Scalar<V> momentum,
               const UnmixRows<Scalar<V>>& rows) {
  for (int64_t bin = 0; bin < plan.num_bins; ++bin) {
    const int64_t at = bin * kLanesOf<V>;
    const V old = load<V>(rows.bins + at);
    const V moved =
        nmadd(load<V>(rows.gradient + at), broadcast<V>(steps[bin]), load<V>(rows.point + at));
    const V next = moved > V{} ? moved : V{};
    store(rows.bins + at, next);
    store(rows.point + at, madd(next - old, broadcast<V>(momentum), next));
  }
}

// Makes all bins of a frame NaN whose energies are not all finite: an iteration would spread them
// over a part of it only.
template <typename V>
void poison_bins(const TilePlan<Scalar<V>>& plan, const UnmixRows<Scalar<V>>& rows) {
  constexpr int64_t kStep = kLanesOf<V>;
  V poison = V{};
  for (int64_t at = 0; at < plan.num_bands * kStep; at += kStep)
    poison = madd(load<V>(rows.energies + at), V{}, poison);
  for (int64_t at = 0; at < plan.num_bins * kStep; at += kStep)
    store(rows.bins + at, load<V>(rows.bins + at) + poison);
}

// Bins that no band holds have step 0, and stay 0.
template <typename V>
void unmix_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* steps, int64_t num_iterations,
                 const UnmixRows<Scalar<V>>& rows) {
  constexpr int64_t kStep = kLanesOf<V>;
  for (int64_t at = 0; at < plan.num_bins * kStep; at += kStep) {
    store(rows.bins + at, V{});
    store(rows.point + at, V{});
  }
  for (int64_t i = 0; i < num_iterations; ++i) {
    band_errors<V>(plan, rows);
    spread_bands<V>(plan, rows.errors, rows.gradient);
    move_bins<V>(plan, steps, Scalar<V>(i) / Scalar<V>(i + 3), rows);
  }
  poison_bins<V>(plan, rows);
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
