// SPDX-License-Identifier: BSD-3-Clause
// The lane type and its few operations.
//
// Vectors are the compiler's own vector extension, so + - * / and comparisons are the language's.
// This file adds what the language lacks. Every operation acts on lanes independently and rounds
// the same at every width.
#pragma once

#include <type_traits>

#include "kernels/lanes/isa.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename T, int kLanes>
struct VecOf {
  typedef T type __attribute__((vector_size(kLanes * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(kLanes * sizeof(T)), aligned(alignof(T))));
};
template <typename T, int kLanes>
using Vec = typename VecOf<T, kLanes>::type;

template <typename V>
using Scalar =
    typename std::remove_cv<typename std::remove_reference<decltype(V{}[0])>::type>::type;

template <typename V>
constexpr int kLanesOf = int(sizeof(V) / sizeof(Scalar<V>));

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
using Int = typename IntOf<int(sizeof(Scalar<V>))>::type;
template <typename V>
using IntVec = Vec<Int<V>, kLanesOf<V>>;

// The bits of the lanes as integers, and back.
template <typename V>
SPECFAST_INLINE IntVec<V> to_bits(V value) {
  return reinterpret_cast<IntVec<V>>(value);
}
template <typename V>
SPECFAST_INLINE V from_bits(IntVec<V> bits) {
  return reinterpret_cast<V>(bits);
}
// Converts each lane to the element type of another vector.
template <typename To, typename From>
SPECFAST_INLINE To convert_to(From value) {
  return __builtin_convertvector(value, To);
}

template <typename V>
SPECFAST_INLINE V broadcast(Scalar<V> value) {
  // A sum would lose the sign of -0.
  return value - V{};
}

template <typename V>
SPECFAST_INLINE V load(const Scalar<V>* from) {
  return *reinterpret_cast<const V*>(from);
}

template <typename V>
SPECFAST_INLINE void store(Scalar<V>* to, V value) {
  *reinterpret_cast<V*>(to) = value;
}

template <typename V>
using Unaligned = typename VecOf<Scalar<V>, kLanesOf<V>>::unaligned;

// Loads and stores do not go through memcpy: its stores might change anything, and GCC would read
// every field of a plan again after each.
template <typename V>
SPECFAST_INLINE V load_unaligned(const Scalar<V>* from) {
  return *reinterpret_cast<const Unaligned<V>*>(from);
}

template <typename V>
SPECFAST_INLINE void store_unaligned(Scalar<V>* to, V value) {
  *reinterpret_cast<Unaligned<V>*>(to) = value;
}

// With registers to spare, keeps GCC from reading a value from memory again at each of its uses.
template <typename V>
SPECFAST_INLINE V in_register(V value) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(value));
#endif
  return value;
}

// Does the same on all of x86, for loops that wait for loads and not for registers.
template <typename V>
SPECFAST_INLINE V load_once(const Scalar<V>* from) {
  V value = in_register(load<V>(from));
#if defined(SPECFAST_ISA_X86) && !defined(__AVX512F__)
  __asm__("" : "+x"(value));
#endif
  return value;
}

// Keeps a pointer in one register: left alone, GCC derives and spills one for every constant offset
// from it.
template <typename T>
SPECFAST_INLINE T* in_one_register(T* pointer) {
  __asm__("" : "+r"(pointer));
  return pointer;
}

// Tells whether a load can put one value into every lane, at no more than a load's cost. Plain
// x86-64 takes a shuffle besides.
#if defined(SPECFAST_ISA_X86) && !defined(__AVX__)
constexpr bool kLoadsSpread = false;
#else
constexpr bool kLoadsSpread = true;
#endif

// Holds constants, to be read into every lane. Where no load spreads them, they lie in memory
// spread already, as operands.
template <typename V, int kCount>
struct Constants {
  using S = Scalar<V>;
  static constexpr int kCopies = kLoadsSpread ? 1 : kLanesOf<V>;
  alignas(sizeof(S) * kCopies) S values[kCount][kCopies];

  constexpr Constants(const S (&once)[kCount], S scale = 1) : values{} {
    for (int i = 0; i < kCount; ++i) {
      for (int copy = 0; copy < kCopies; ++copy) values[i][copy] = once[i] * scale;
    }
  }
  SPECFAST_INLINE V operator[](int i) const {
    if constexpr (kCopies == 1) {
      return broadcast<V>(values[i][0]);
    } else {
      // GCC must not know where the pointer points: of a value that it knows it makes a load and a
      // shuffle after all.
      return load<V>(in_one_register(&values[i][0]));
    }
  }
};

// Applies `one` to each lane, for operations that have no vector form here.
template <typename V, typename F>
SPECFAST_INLINE V map_lanes(V v, F one) {
  for (int lane = 0; lane < kLanesOf<V>; ++lane) v[lane] = one(v[lane]);
  return v;
}

SPECFAST_INLINE double power_of(double base, double exponent) {
  return __builtin_pow(base, exponent);
}

// True where a multiply-add is one operation.
#if defined(__FMA__) || defined(SPECFAST_ISA_NEON)
constexpr bool kFuses = true;
#else
constexpr bool kFuses = false;
#endif

// madd returns a * b + c, nmadd returns c - a * b. These are the defaults, for ISAs without a fused
// multiply-add.
template <typename V>
SPECFAST_INLINE V madd(V a, V b, V c) {
#if defined(__FMA__)
  static_assert(sizeof(V) == 0, "no fused multiply-add for this width");
#endif
  return a * b + c;
}
template <typename V>
SPECFAST_INLINE V nmadd(V a, V b, V c) {
#if defined(__FMA__)
  static_assert(sizeof(V) == 0, "no fused multiply-add for this width");
#endif
  return c - a * b;
}
// Returns the larger of floor and v, and v where v is NaN.
template <typename V>
SPECFAST_INLINE V at_least(V v, V floor) {
  return floor > v ? floor : v;
}
// Returns the smaller of ceiling and v, and v where v is NaN.
template <typename V>
SPECFAST_INLINE V at_most(V v, V ceiling) {
  return ceiling < v ? ceiling : v;
}
template <typename V>
SPECFAST_INLINE V square_root(V v) {
  return map_lanes(v, [](Scalar<V> x) -> Scalar<V> {
    if constexpr (sizeof(x) == 4) {
      return __builtin_sqrtf(x);
    } else {
      return __builtin_sqrt(x);
    }
  });
}

#define SPECFAST_X86_MIN_MAX_SQRT(V, PREFIX, SUFFIX) \
  template <>                                        \
  SPECFAST_INLINE V at_least<V>(V v, V floor) {      \
    return PREFIX##_max_##SUFFIX(floor, v);          \
  }                                                  \
  template <>                                        \
  SPECFAST_INLINE V at_most<V>(V v, V ceiling) {     \
    return PREFIX##_min_##SUFFIX(ceiling, v);        \
  }                                                  \
  template <>                                        \
  SPECFAST_INLINE V square_root<V>(V v) {            \
    return PREFIX##_sqrt_##SUFFIX(v);                \
  }
#define SPECFAST_X86_FMA(V, PREFIX, SUFFIX)   \
  template <>                                 \
  SPECFAST_INLINE V madd<V>(V a, V b, V c) {  \
    return PREFIX##_fmadd_##SUFFIX(a, b, c);  \
  }                                           \
  template <>                                 \
  SPECFAST_INLINE V nmadd<V>(V a, V b, V c) { \
    return PREFIX##_fnmadd_##SUFFIX(a, b, c); \
  }

#if defined(SPECFAST_ISA_X86)
using F32x4 = Vec<float, 4>;
using F64x2 = Vec<double, 2>;
SPECFAST_X86_MIN_MAX_SQRT(F32x4, _mm, ps)
SPECFAST_X86_MIN_MAX_SQRT(F64x2, _mm, pd)
#if defined(__FMA__)
SPECFAST_X86_FMA(F32x4, _mm, ps)
SPECFAST_X86_FMA(F64x2, _mm, pd)
#endif
#if defined(__AVX2__)
using F32x8 = Vec<float, 8>;
using F64x4 = Vec<double, 4>;
SPECFAST_X86_MIN_MAX_SQRT(F32x8, _mm256, ps)
SPECFAST_X86_MIN_MAX_SQRT(F64x4, _mm256, pd)
SPECFAST_X86_FMA(F32x8, _mm256, ps)
SPECFAST_X86_FMA(F64x4, _mm256, pd)
#endif
#if defined(__AVX512F__)
using F32x16 = Vec<float, 16>;
using F64x8 = Vec<double, 8>;
SPECFAST_X86_MIN_MAX_SQRT(F32x16, _mm512, ps)
SPECFAST_X86_MIN_MAX_SQRT(F64x8, _mm512, pd)
SPECFAST_X86_FMA(F32x16, _mm512, ps)
SPECFAST_X86_FMA(F64x8, _mm512, pd)
#endif
#elif defined(SPECFAST_ISA_NEON)
template <>
SPECFAST_INLINE Vec<float, 4> madd(Vec<float, 4> a, Vec<float, 4> b, Vec<float, 4> c) {
  return vfmaq_f32(c, a, b);
}
template <>
SPECFAST_INLINE Vec<float, 4> nmadd(Vec<float, 4> a, Vec<float, 4> b, Vec<float, 4> c) {
  return vfmsq_f32(c, a, b);
}
template <>
SPECFAST_INLINE Vec<double, 2> madd(Vec<double, 2> a, Vec<double, 2> b, Vec<double, 2> c) {
  return vfmaq_f64(c, a, b);
}
template <>
SPECFAST_INLINE Vec<double, 2> nmadd(Vec<double, 2> a, Vec<double, 2> b, Vec<double, 2> c) {
  return vfmsq_f64(c, a, b);
}
template <>
SPECFAST_INLINE Vec<float, 4> square_root(Vec<float, 4> v) {
  return vsqrtq_f32(v);
}
template <>
SPECFAST_INLINE Vec<double, 2> square_root(Vec<double, 2> v) {
  return vsqrtq_f64(v);
}
#endif

#undef SPECFAST_X86_MIN_MAX_SQRT
#undef SPECFAST_X86_FMA

// Samples and rows are transposed in units of one 128-bit group.
template <typename T>
constexpr int kGroup = int(kColumnGroupBytes / sizeof(T));
template <typename T>
using Group = Vec<T, kGroup<T>>;
template <typename T>
using Widest = Vec<T, SPECFAST_VECTOR_BYTES / int(sizeof(T))>;

#if defined(__clang__) || __GNUC__ >= 12
#define SPECFAST_SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#define SPECFAST_SHUFFLE2(a, b, i, j) __builtin_shufflevector(a, b, i, j)
#else
#define SPECFAST_SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, Vec<int32_t, 4>{i, j, k, l})
#define SPECFAST_SHUFFLE2(a, b, i, j) __builtin_shuffle(a, b, Vec<int64_t, 2>{i, j})
#endif

// How often tables of factors hold each value.
template <typename T>
constexpr int kFactorCopies = kLoadsSpread ? 1 : kGroup<T>;

// Returns value i of a table of factors, in every lane.
template <typename V>
SPECFAST_INLINE V broadcast_factor(const Scalar<V>* table, int64_t i) {
  constexpr int kCopies = kFactorCopies<Scalar<V>>;
  if constexpr (kCopies == 1) {
    return broadcast<V>(table[i]);
  } else {
    static_assert(kLanesOf<V> == kCopies);
    return load<V>(table + i * kCopies);
  }
}

// Reads kCount neighbouring values, each into every lane of its vector; where no load spreads them,
// by one load a group.
template <typename V, int kCount>
SPECFAST_INLINE void spread(const Scalar<V>* from, V (&to)[kCount]) {
  constexpr int kSide = kGroup<Scalar<V>>;
  if constexpr (kLoadsSpread || kCount % kSide != 0) {
    for (int i = 0; i < kCount; ++i) to[i] = broadcast<V>(from[i]);
  } else {
    for (int i = 0; i < kCount; i += kSide) {
      const V values = load_unaligned<V>(from + i);
      if constexpr (kSide == 4) {
        to[i] = SPECFAST_SHUFFLE4(values, values, 0, 0, 0, 0);
        to[i + 1] = SPECFAST_SHUFFLE4(values, values, 1, 1, 1, 1);
        to[i + 2] = SPECFAST_SHUFFLE4(values, values, 2, 2, 2, 2);
        to[i + 3] = SPECFAST_SHUFFLE4(values, values, 3, 3, 3, 3);
      } else {
        to[i] = SPECFAST_SHUFFLE2(values, values, 0, 0);
        to[i + 1] = SPECFAST_SHUFFLE2(values, values, 1, 1);
      }
    }
  }
}

SPECFAST_INLINE void transpose(Group<float> (&m)[4]) {
  const Group<float> low01 = SPECFAST_SHUFFLE4(m[0], m[1], 0, 4, 1, 5);
  const Group<float> high01 = SPECFAST_SHUFFLE4(m[0], m[1], 2, 6, 3, 7);
  const Group<float> low23 = SPECFAST_SHUFFLE4(m[2], m[3], 0, 4, 1, 5);
  const Group<float> high23 = SPECFAST_SHUFFLE4(m[2], m[3], 2, 6, 3, 7);
  m[0] = SPECFAST_SHUFFLE4(low01, low23, 0, 1, 4, 5);
  m[1] = SPECFAST_SHUFFLE4(low01, low23, 2, 3, 6, 7);
  m[2] = SPECFAST_SHUFFLE4(high01, high23, 0, 1, 4, 5);
  m[3] = SPECFAST_SHUFFLE4(high01, high23, 2, 3, 6, 7);
}

SPECFAST_INLINE void transpose(Group<double> (&m)[2]) {
  const Group<double> low = SPECFAST_SHUFFLE2(m[0], m[1], 0, 2);
  m[1] = SPECFAST_SHUFFLE2(m[0], m[1], 1, 3);
  m[0] = low;
}

// Returns a vector of one group from every kGroup-th column: group g comes from
// `from + g * kGroup * stride`.
template <typename V>
SPECFAST_INLINE V load_groups(const Scalar<V>* from, int64_t) {
  static_assert(kLanesOf<V> == kGroup<Scalar<V>>);
  return load_unaligned<V>(from);
}

// Transposes the square in each group position of kGroup vectors.
template <typename V>
SPECFAST_INLINE void transpose_groups(V (&m)[kGroup<Scalar<V>>]) {
  transpose(m);
}

#if defined(__AVX2__)
#define SPECFAST_X86_TRANSPOSE_GROUPS(VF, VD, PREFIX)                                             \
  template <>                                                                                     \
  SPECFAST_INLINE void transpose_groups<VF>(VF(&m)[4]) {                                          \
    const VF low01 = PREFIX##_unpacklo_ps(m[0], m[1]), high01 = PREFIX##_unpackhi_ps(m[0], m[1]); \
    const VF low23 = PREFIX##_unpacklo_ps(m[2], m[3]), high23 = PREFIX##_unpackhi_ps(m[2], m[3]); \
    m[0] = PREFIX##_shuffle_ps(low01, low23, 0x44);                                               \
    m[1] = PREFIX##_shuffle_ps(low01, low23, 0xee);                                               \
    m[2] = PREFIX##_shuffle_ps(high01, high23, 0x44);                                             \
    m[3] = PREFIX##_shuffle_ps(high01, high23, 0xee);                                             \
  }                                                                                               \
  template <>                                                                                     \
  SPECFAST_INLINE void transpose_groups<VD>(VD(&m)[2]) {                                          \
    const VD low = PREFIX##_unpacklo_pd(m[0], m[1]);                                              \
    m[1] = PREFIX##_unpackhi_pd(m[0], m[1]);                                                      \
    m[0] = low;                                                                                   \
  }
SPECFAST_X86_TRANSPOSE_GROUPS(F32x8, F64x4, _mm256)
template <>
SPECFAST_INLINE F32x8 load_groups<F32x8>(const float* from, int64_t stride) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)),
                              _mm_loadu_ps(from + 4 * stride), 1);
}
template <>
SPECFAST_INLINE F64x4 load_groups<F64x4>(const double* from, int64_t stride) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from)),
                              _mm_loadu_pd(from + 2 * stride), 1);
}
#endif
#if defined(__AVX512F__)
SPECFAST_X86_TRANSPOSE_GROUPS(F32x16, F64x8, _mm512)
template <>
SPECFAST_INLINE F32x16 load_groups<F32x16>(const float* from, int64_t stride) {
  F32x16 v = _mm512_castps128_ps512(_mm_loadu_ps(from));
  v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 4 * stride), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 8 * stride), 2);
  return _mm512_insertf32x4(v, _mm_loadu_ps(from + 12 * stride), 3);
}
template <>
SPECFAST_INLINE F64x8 load_groups<F64x8>(const double* from, int64_t stride) {
  F64x8 v = _mm512_castpd128_pd512(_mm_loadu_pd(from));
  v = _mm512_insertf64x2(v, _mm_loadu_pd(from + 2 * stride), 1);
  v = _mm512_insertf64x2(v, _mm_loadu_pd(from + 4 * stride), 2);
  return _mm512_insertf64x2(v, _mm_loadu_pd(from + 6 * stride), 3);
}
#endif
#undef SPECFAST_X86_TRANSPOSE_GROUPS

// Sets to[c * to_stride + r] = from[r * from_stride + c] for kGroup columns and as many rows as V
// has lanes.
template <typename V>
SPECFAST_INLINE void copy_square_transposed(const Scalar<V>* from, int64_t from_stride,
                                            Scalar<V>* to, int64_t to_stride) {
  constexpr int kSide = kGroup<Scalar<V>>;
  V block[kSide];
  for (int i = 0; i < kSide; ++i) block[i] = load_groups<V>(from + i * from_stride, from_stride);
  transpose_groups<V>(block);
  for (int i = 0; i < kSide; ++i) store_unaligned(to + i * to_stride, block[i]);
}

// Copies a matrix transposed: to[c * to_stride + r] = from[r * from_stride + c]. num_rows is a
// multiple of kGroup. Blocks of rows stay in the first-level cache while their columns are taken,
// few columns at a time, because the targets of neighbouring columns often compete for the
// same cache set.
template <typename T>
SPECFAST_INLINE void copy_transposed(const T* from, int64_t from_stride, int64_t num_rows,
                                     int64_t num_columns, T* to, int64_t to_stride) {
  using V = Widest<T>;
  constexpr int kSide = kGroup<T>;
  constexpr int64_t kBlockRows = 256;
  const int64_t whole = num_columns - num_columns % kSide;
  for (int64_t begin = 0; begin < num_rows; begin += kBlockRows) {
    const int64_t end = begin + kBlockRows < num_rows ? begin + kBlockRows : num_rows;
    for (int64_t column = 0; column < whole; column += kSide) {
      const T* const columns = from + column;
      T* const target = to + column * to_stride;
      int64_t row = begin;
      for (; row + kLanesOf<V> <= end; row += kLanesOf<V>)
        copy_square_transposed<V>(columns + row * from_stride, from_stride, target + row,
                                  to_stride);
      for (; row < end; row += kSide) {
        copy_square_transposed<Group<T>>(columns + row * from_stride, from_stride, target + row,
                                         to_stride);
      }
    }
    for (int64_t column = whole; column < num_columns; ++column) {
      for (int64_t row = begin; row < end; ++row)
        to[column * to_stride + row] = from[row * from_stride + column];
    }
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
