// SPDX-License-Identifier: BSD-3-Clause
// The lane type and its few operations. Included inside the namespace of one ISA.
//
// Vectors are the compiler's own vector extension, so + - * / and comparisons are the language's. What the language lacks
// stands here. Every operation acts on lanes independently and rounds the same at every width.

template <typename T, int kLanes>
struct VecOf {
  typedef T type __attribute__((vector_size(kLanes * sizeof(T))));
};
template <typename T, int kLanes>
using Vec = typename VecOf<T, kLanes>::type;

template <typename V>
using Scalar = typename std::remove_cv<typename std::remove_reference<decltype(V{}[0])>::type>::type;

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

template <typename V>
SPECFAST_INLINE V broadcast(Scalar<V> value) {
  return V{} + value;
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
SPECFAST_INLINE V load_unaligned(const Scalar<V>* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof(V));
  return value;
}

template <typename V>
SPECFAST_INLINE void store_unaligned(Scalar<V>* to, V value) {
  __builtin_memcpy(to, &value, sizeof(V));
}

// Applies `one` to each lane; for operations that have no vector form here.
template <typename V, typename F>
SPECFAST_INLINE V map_lanes(V v, F one) {
  for (int lane = 0; lane < kLanesOf<V>; ++lane) v[lane] = one(v[lane]);
  return v;
}

// The defaults, for ISAs without a fused multiply-add.
// madd: a * b + c.  nmadd: c - a * b.
template <typename V>
SPECFAST_INLINE V madd(V a, V b, V c) {
  return a * b + c;
}
template <typename V>
SPECFAST_INLINE V nmadd(V a, V b, V c) {
  return c - a * b;
}
// The larger of floor and v; v where v is NaN.
template <typename V>
SPECFAST_INLINE V at_least(V v, V floor) {
  return floor > v ? floor : v;
}
// The smaller of ceiling and v; v where v is NaN.
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

#define SPECFAST_X86_MIN_MAX_SQRT(V, PREFIX, SUFFIX)                                        \
  template <>                                                                               \
  SPECFAST_INLINE V at_least<V>(V v, V floor) {                                             \
    return PREFIX##_max_##SUFFIX(floor, v);                                                 \
  }                                                                                         \
  template <>                                                                               \
  SPECFAST_INLINE V at_most<V>(V v, V ceiling) {                                            \
    return PREFIX##_min_##SUFFIX(ceiling, v);                                               \
  }                                                                                         \
  template <>                                                                               \
  SPECFAST_INLINE V square_root<V>(V v) {                                                   \
    return PREFIX##_sqrt_##SUFFIX(v);                                                       \
  }
#define SPECFAST_X86_FMA(V, PREFIX, SUFFIX)                                                 \
  template <>                                                                               \
  SPECFAST_INLINE V madd<V>(V a, V b, V c) {                                                \
    return PREFIX##_fmadd_##SUFFIX(a, b, c);                                                \
  }                                                                                         \
  template <>                                                                               \
  SPECFAST_INLINE V nmadd<V>(V a, V b, V c) {                                               \
    return PREFIX##_fnmadd_##SUFFIX(a, b, c);                                               \
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

// One 128-bit group: the unit in which samples and rows are transposed.
template <typename T>
constexpr int kGroup = int(kColumnGroupBytes / sizeof(T));
template <typename T>
using Group = Vec<T, kGroup<T>>;

#if defined(__clang__) || __GNUC__ >= 12
#define SPECFAST_SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#define SPECFAST_SHUFFLE2(a, b, i, j) __builtin_shufflevector(a, b, i, j)
#else
#define SPECFAST_SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, Vec<int32_t, 4>{i, j, k, l})
#define SPECFAST_SHUFFLE2(a, b, i, j) __builtin_shuffle(a, b, Vec<int64_t, 2>{i, j})
#endif

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

// Copies a matrix transposed: to[c * to_stride + r] = from[r * from_stride + c]. num_rows is a multiple of kGroup.
template <typename T>
SPECFAST_INLINE void copy_transposed(const T* from, int64_t from_stride, int64_t num_rows, int64_t num_columns, T* to,
                                     int64_t to_stride) {
  constexpr int kSide = kGroup<T>;
  const int64_t whole = num_columns - num_columns % kSide;
  for (int64_t row = 0; row < num_rows; row += kSide) {
    const T* source = from + row * from_stride;
    T* target = to + row;
    for (int64_t column = 0; column < whole; column += kSide) {
      Group<T> block[kSide];
      for (int i = 0; i < kSide; ++i) block[i] = load_unaligned<Group<T>>(source + i * from_stride + column);
      transpose(block);
      for (int i = 0; i < kSide; ++i) store_unaligned(target + (column + i) * to_stride, block[i]);
    }
    for (int64_t column = whole; column < num_columns; ++column) {
      for (int i = 0; i < kSide; ++i) target[column * to_stride + i] = source[i * from_stride + column];
    }
  }
}
