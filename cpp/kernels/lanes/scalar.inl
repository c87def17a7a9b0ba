// SPDX-License-Identifier: BSD-3-Clause
// The lane type of a GPU's thread, which computes one frame: a plain number. It has the vocabulary
// of simd.inl that operations, elementary functions and butterflies are written in.
//
// Compiled for the host, the same text gives the same bits: all operations are correctly rounded,
// multiply-adds are written out, and contraction is off.
#pragma once

#include <cmath>

#include "kernels/lanes/isa.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename T, int kLanes>
struct VecOf {
  static_assert(kLanes == 1, "a thread has one lane");
  using type = T;
};
template <typename T, int kLanes>
using Vec = typename VecOf<T, kLanes>::type;

template <typename T>
using Widest = T;

// As with vectors, a template argument is not deduced from this.
template <typename V>
struct ScalarOf {
  using type = V;
};
template <typename V>
using Scalar = typename ScalarOf<V>::type;

template <typename V>
constexpr int kLanesOf = 1;

template <int kBytes>
struct IntOf;
template <>
struct IntOf<4> {
  using type = int32_t;
};
template <>
struct IntOf<8> {
  using type = int64_t;
};
template <typename V>
using Int = typename IntOf<int(sizeof(V))>::type;
template <typename V>
using IntVec = Int<V>;

template <typename To, typename From>
SPECFAST_INLINE To copy_bits(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  __builtin_memcpy(&result, &value, sizeof(To));
  return result;
}
template <typename V>
SPECFAST_INLINE IntVec<V> to_bits(V value) {
  return copy_bits<IntVec<V>>(value);
}
template <typename V>
SPECFAST_INLINE V from_bits(IntVec<V> bits) {
  return copy_bits<V>(bits);
}
template <typename To, typename From>
SPECFAST_INLINE To convert_to(From value) {
  return To(value);
}

template <typename V>
SPECFAST_INLINE V broadcast(Scalar<V> value) {
  return value;
}
template <typename V>
SPECFAST_INLINE V load(const Scalar<V>* from) {
  return *from;
}
template <typename V>
SPECFAST_INLINE V load_unaligned(const Scalar<V>* from) {
  return *from;
}
template <typename V>
SPECFAST_INLINE void store(Scalar<V>* to, V value) {
  *to = value;
}
template <typename V>
SPECFAST_INLINE void store_unaligned(Scalar<V>* to, V value) {
  *to = value;
}

template <typename V, int kCount>
struct Constants {
  V values[kCount];

  SPECFAST_HOST_DEVICE constexpr Constants(const V (&once)[kCount], V scale = 1) : values{} {
    for (int i = 0; i < kCount; ++i) values[i] = once[i] * scale;
  }
  SPECFAST_INLINE constexpr V operator[](int i) const { return values[i]; }
};

template <typename V, typename F>
SPECFAST_INLINE V map_lanes(V v, F one) {
  return one(v);
}

SPECFAST_INLINE double power_of(double base, double exponent) { return pow(base, exponent); }

constexpr bool kFuses = true;

SPECFAST_INLINE float madd(float a, float b, float c) { return fmaf(a, b, c); }
SPECFAST_INLINE double madd(double a, double b, double c) { return fma(a, b, c); }
template <typename V>
SPECFAST_INLINE V nmadd(V a, V b, V c) {
  return madd(-a, b, c);
}

template <typename V>
SPECFAST_INLINE V at_least(V v, V floor) {
  return floor > v ? floor : v;
}
template <typename V>
SPECFAST_INLINE V at_most(V v, V ceiling) {
  return ceiling < v ? ceiling : v;
}

SPECFAST_INLINE float square_root(float v) { return sqrtf(v); }
SPECFAST_INLINE double square_root(double v) { return sqrt(v); }

}  // namespace
}  // namespace SPECFAST_NAMESPACE
