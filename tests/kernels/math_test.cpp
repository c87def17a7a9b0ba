// SPDX-License-Identifier: BSD-3-Clause
// Largest errors and special values of the elementary functions, for the kernels of one ISA
// (SPECFAST_ISA_FILE), at both widths and precisions, against the C library in the next wider type.
// A GPU's thread has one width, of one lane. The argument is the number of random samples for each
// function, fewer where an emulator runs it.
#include SPECFAST_ISA_FILE

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

namespace SPECFAST_NAMESPACE {
namespace {

int failures = 0;
int num_samples = 400000;

template <typename T>
struct Reference;
template <>
struct Reference<float> {
  using Wide = double;
  using Bits = uint32_t;
};
template <>
struct Reference<double> {
  using Wide = long double;
  using Bits = uint64_t;
};

// Distance from the exact value in units of its last place; equal special values are no distance.
template <typename T>
double ulps(T value, typename Reference<T>::Wide exact) {
  const T rounded = T(exact);
  if (std::isnan(value) || std::isnan(rounded))
    return std::isnan(value) == std::isnan(rounded) ? 0 : 1e9;
  if (std::isinf(value) || std::isinf(rounded)) return value == rounded ? 0 : 1e9;
  if (value == 0 && rounded == 0) return std::signbit(value) == std::signbit(rounded) ? 0 : 1e9;
  int exponent;
  std::frexp(rounded, &exponent);
  const int digits = std::numeric_limits<T>::digits;
  const auto unit = std::ldexp(typename Reference<T>::Wide(1),
                               std::max(exponent, std::numeric_limits<T>::min_exponent) - digits);
  return double(std::abs(typename Reference<T>::Wide(value) - exact) / unit);
}

template <typename T>
class Samples {
 public:
  // Any positive number, subnormals included, by its bits; every eighth close to one, where
  // logarithms are hardest.
  T positive() {
    const auto bits = typename Reference<T>::Bits(random_());
    T value;
    if (bits % 8 == 0) return T(1) + T(double(int64_t(random_() >> 11)) * 0x1p-53 - 0.5);
    const auto magnitude = typename Reference<T>::Bits(
        bits & ~(typename Reference<T>::Bits(1) << (8 * sizeof(T) - 1)));
    std::memcpy(&value, &magnitude, sizeof(T));
    return std::isfinite(value) && value > 0 ? value : positive();
  }
  T any() { return random_() & 1 ? positive() : -positive(); }
  // Within a few powers of ten of one.
  T moderate() { return T(std::exp(double(int64_t(random_() >> 11)) * 0x1p-53 * 40 - 20)); }

 private:
  std::mt19937_64 random_{20260101};
};

template <typename V>
Scalar<V>* lanes_of(V& vector) {
  return reinterpret_cast<Scalar<V>*>(&vector);
}
template <typename V>
Scalar<V> first_of(V vector) {
  return *lanes_of(vector);
}

void report(const char* function, const char* type, int lanes, double worst, double accepted) {
  const bool ok = worst <= accepted;
  if (!ok) ++failures;
  std::printf("%-8s %-12s %-6s x%-2d  worst %.3f ULP, accepted %.1f\n", ok ? "ok" : "FAILED",
              function, type, lanes, worst, accepted);
}

// worst error of function(a, b) over random arguments and all pairs of `special`
template <typename V, typename Function, typename Exact, typename First, typename Second>
double worst_error(Function function, Exact exact, First first, Second second) {
  using T = Scalar<V>;
  double worst = 0;
  for (int round = 0; round < num_samples / kLanesOf<V>; ++round) {
    V a{}, b{};
    for (int lane = 0; lane < kLanesOf<V>; ++lane) {
      lanes_of(a)[lane] = first();
      lanes_of(b)[lane] = second();
    }
    V result = function(a, b);
    for (int lane = 0; lane < kLanesOf<V>; ++lane) {
      worst = std::max(
          worst, ulps<T>(lanes_of(result)[lane], exact(lanes_of(a)[lane], lanes_of(b)[lane])));
    }
  }
  return worst;
}

template <typename V>
void test_functions(const char* type) {
  using T = Scalar<V>;
  using Wide = typename Reference<T>::Wide;
  Samples<T> samples;
  const auto zero = [] { return T(0); };
  const auto positive = [&] { return samples.positive(); };
  const auto any = [&] { return samples.any(); };
  const auto moderate = [&] { return samples.moderate(); };

  report("log", type, kLanesOf<V>,
         worst_error<V>([](V x, V) { return log_in<NaturalUnits>(x); },
                        [](T x, T) { return std::log(Wide(x)); }, positive, zero),
         2.0);
  report("half log", type, kLanesOf<V>,
         worst_error<V>([](V x, V) { return log_in<HalfNaturalUnits>(x); },
                        [](T x, T) { return std::log(Wide(x)) / 2; }, positive, zero),
         2.0);
  report("log10", type, kLanesOf<V>,
         worst_error<V>([](V x, V) { return log_in<Log10Units>(x); },
                        [](T x, T) { return std::log10(Wide(x)); }, positive, zero),
         2.0);
  report("decibel", type, kLanesOf<V>,
         worst_error<V>([](V x, V) { return log_in<DecibelUnits>(x); },
                        [](T x, T) { return 10 * std::log10(Wide(x)); }, positive, zero),
         2.0);
  report("atan2", type, kLanesOf<V>,
         worst_error<V>([](V y, V x) { return arc_tangent2(y, x); },
                        [](T y, T x) { return std::atan2(Wide(y), Wide(x)); }, any, any),
         2.0);
  report("atan2 near", type, kLanesOf<V>,
         worst_error<V>([](V y, V x) { return arc_tangent2(y, x); },
                        [](T y, T x) { return std::atan2(Wide(y), Wide(x)); }, moderate, moderate),
         2.0);
  // Powers of doubles are the C library's. MinGW's multiplies for whole exponents.
#if defined(__MINGW32__)
  const double power_bound = std::is_same_v<T, double> ? 1.5 : 1.0;
#else
  const double power_bound = 1.0;
#endif
  for (const T exponent : {T(0.25), T(1.5), T(-0.5), T(3), T(0)}) {
    report(
        "power", type, kLanesOf<V>,
        worst_error<V>([=](V x, V) { return to_power(x, exponent); },
                       [=](T x, T) { return std::pow(Wide(x), Wide(exponent)); }, positive, zero),
        power_bound);
  }

  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T special[] = {T(0),
                       T(-0.0),
                       T(1),
                       T(-1),
                       infinity,
                       -infinity,
                       nan,
                       std::numeric_limits<T>::denorm_min(),
                       std::numeric_limits<T>::max()};
  double worst = 0;
  const auto note = [&](const char* name, T y, T x, double error) {
    if (error > 2.0) std::printf("         %s(%g, %g) is off\n", name, double(y), double(x));
    worst = std::max(worst, error);
  };
  for (const T x : special) {
    const V lanes = broadcast<V>(x);
    note("log", x, x, ulps<T>(first_of(log_in<NaturalUnits>(lanes)), std::log(Wide(x))));
    note("half log", x, x,
         ulps<T>(first_of(log_in<HalfNaturalUnits>(lanes)), std::log(Wide(x)) / 2));
    note("log10", x, x, ulps<T>(first_of(log_in<Log10Units>(lanes)), std::log10(Wide(x))));
    note("decibel", x, x, ulps<T>(first_of(log_in<DecibelUnits>(lanes)), 10 * std::log10(Wide(x))));
    for (const T floor : {T(1), T(0)}) {  // a normal number, and none
      T rows[2 * kLanesOf<V>];
      store_unaligned(rows, broadcast<V>(T(2)));
      store_unaligned(rows + kLanesOf<V>, lanes);
      const Floor<V, false> least(floor);
      log_rows<NaturalUnits, V>(rows, kLanesOf<V>, 2, least, [&rows](int64_t row, V log) {
        store_unaligned(rows + row * kLanesOf<V>, log);
      });
      const Wide exact = std::isnan(x) ? Wide(nan) : std::log(std::max(Wide(floor), Wide(x)));
      note("log of rows", x, floor, ulps<T>(rows[kLanesOf<V>], exact));
      note("row before", x, floor, ulps<T>(rows[0], std::log(Wide(2))));
    }
    if (!(x < 0))
      note("power", x, x, ulps<T>(first_of(to_power(lanes, T(1.5))), std::pow(Wide(x), Wide(1.5))));
    for (const T y : special) {
      note("atan2", y, x,
           ulps<T>(first_of(arc_tangent2(broadcast<V>(y), lanes)), std::atan2(Wide(y), Wide(x))));
    }
  }
  report("special", type, kLanesOf<V>, worst, 2.0);
  if (first_of(log_in<DecibelUnits>(broadcast<V>(T(1e-10)))) != T(-100))
    report("-100 dB", type, kLanesOf<V>, 1e9, 0.0);
}

#if !defined(SPECFAST_ISA_CUDA)
// A frame must not depend on the width of its tile: every function gives the same bits at both
// widths.
template <typename T>
void test_widths(const char* type) {
  using Wide = Widest<T>;
  using Narrow = Group<T>;
  Samples<T> samples;
  int64_t different = 0;
  const auto compare = [&](auto function) {
    for (int round = 0; round < num_samples / 20; ++round) {
      Wide a{}, b{};
      for (int lane = 0; lane < kLanesOf<Wide>; ++lane) {
        a[lane] = samples.moderate();
        b[lane] = samples.any();
      }
      const Wide wide = function(a, b);
      for (int first = 0; first < kLanesOf<Wide>; first += kLanesOf<Narrow>) {
        Narrow x, y, part;
        std::memcpy(&x, reinterpret_cast<const T*>(&a) + first, sizeof(x));
        std::memcpy(&y, reinterpret_cast<const T*>(&b) + first, sizeof(y));
        std::memcpy(&part, reinterpret_cast<const T*>(&wide) + first, sizeof(part));
        const Narrow narrow = function(x, y);
        if (std::memcmp(&part, &narrow, sizeof(part)) != 0) ++different;
      }
    }
  };
  compare([](auto a, auto) { return log_in<NaturalUnits>(a); });
  compare([](auto a, auto) { return log_in<DecibelUnits>(a); });
  compare([](auto a, auto) { return log_in<Log10Units>(a); });
  compare([](auto a, auto b) { return arc_tangent2(b, a); });
  compare([](auto a, auto) { return to_power(a, 3.0); });
  compare([](auto a, auto) { return to_power(a, 0.35); });
  if (different) ++failures;
  std::printf("%-8s %-12s %-6s %lld vectors differ between the widths\n",
              different ? "FAILED" : "ok", "widths", type, static_cast<long long>(different));
}
#endif

}  // namespace
}  // namespace SPECFAST_NAMESPACE

int main(int argc, char** argv) {
  using namespace SPECFAST_NAMESPACE;
  if (argc > 1) num_samples = std::atoi(argv[1]);
  if (num_samples < 100) return 2;
#if defined(__AVX512F__)
  const bool available = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#elif defined(__AVX2__)
  const bool available = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  const bool available = true;
#endif
  if (!available) {
    std::printf("not available on this processor\n");
    return 77;  // ctest: skipped
  }
  std::printf("isa %s\n", SPECFAST_STRING(SPECFAST_ISA_NAME));
  test_functions<Widest<float>>("float");
  test_functions<Widest<double>>("double");
#if !defined(SPECFAST_ISA_CUDA)
  test_functions<Group<float>>("float");
  test_functions<Group<double>>("double");
  test_widths<float>("float");
  test_widths<double>("double");
#endif
  std::printf("%d failed\n", failures);
  return failures ? 1 : 0;
}
