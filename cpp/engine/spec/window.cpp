// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/window.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "engine/base/error.h"
#include "engine/spec/config.h"
#include "engine/spec/elementary.h"
#include "engine/spec/twiddle.h"

namespace specfast::engine {
namespace {

// Sample n of the symmetric window of m >= 2 samples.
using WindowFunction = double (*)(int64_t n, int64_t m);

// Returns the sum of (-1)^k a_k cos(k phi), phi from 0 to 2 pi.
double cosine_sum(int64_t n, int64_t m, std::initializer_list<double> coefficients) {
  double sum = 0;
  int64_t k = 0;
  for (double a : coefficients) {
    sum += (k % 2 ? -a : a) * turn(k * n, m - 1).cosine;
    ++k;
  }
  return sum;
}

// Returns the distance from the middle in steps of half a sample, 0 to m - 1.
int64_t from_middle(int64_t n, int64_t m) { return std::abs(2 * n - (m - 1)); }

double boxcar(int64_t, int64_t) { return 1; }
double hann(int64_t n, int64_t m) { return cosine_sum(n, m, {0.5, 0.5}); }
double hamming(int64_t n, int64_t m) { return cosine_sum(n, m, {0.54, 0.46}); }
double blackman(int64_t n, int64_t m) { return cosine_sum(n, m, {0.42, 0.50, 0.08}); }
double nuttall(int64_t n, int64_t m) {
  return cosine_sum(n, m, {0.3635819, 0.4891775, 0.1365995, 0.0106411});
}
double blackmanharris(int64_t n, int64_t m) {
  return cosine_sum(n, m, {0.35875, 0.48829, 0.14128, 0.01168});
}
double flattop(int64_t n, int64_t m) {
  return cosine_sum(n, m, {0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368});
}

double triang(int64_t n, int64_t m) {
  const double from_edge = double(std::min(n, m - 1 - n) + 1);
  return m % 2 == 0 ? (2 * from_edge - 1) / double(m) : 2 * from_edge / double(m + 1);
}

double bartlett(int64_t n, int64_t m) { return 2 * double(std::min(n, m - 1 - n)) / double(m - 1); }

double parzen(int64_t n, int64_t m) {
  const double x = double(from_middle(n, m)) / double(m), rest = 1 - x;
  return 2 * from_middle(n, m) > m - 1 ? 2 * rest * rest * rest : 1 - 6 * x * x + 6 * x * x * x;
}

double bohman(int64_t n, int64_t m) {
  if (n == 0 || n == m - 1) return 0;
  const double x = double(from_middle(n, m)) / double(m - 1);
  const Turn half = turn(from_middle(n, m), 2 * (m - 1));
  return (1 - x) * half.cosine + half.sine / kPi;
}

double barthann(int64_t n, int64_t m) {
  const double x = double(from_middle(n, m)) / double(2 * (m - 1));
  return 0.62 - 0.48 * x + 0.38 * turn(from_middle(n, m), 2 * (m - 1)).cosine;
}

double cosine(int64_t n, int64_t m) { return turn(2 * n + 1, 4 * m).sine; }

// Kaldi's windows that SciPy does not have.
double povey(int64_t n, int64_t m) { return power(hann(n, m), 0.85); }
double sine(int64_t n, int64_t m) { return turn(n, 2 * (m - 1)).sine; }

double lanczos(int64_t n, int64_t m) {
  const double x = kPi * double(from_middle(n, m)) / double(m - 1);
  return x == 0 ? 1 : turn(from_middle(n, m), 2 * (m - 1)).sine / x;
}

struct NamedWindow {
  const char* name;
  WindowFunction function;
};

constexpr NamedWindow kWindows[] = {
    {"barthann", barthann},
    {"brthan", barthann},
    {"bth", barthann},
    {"bartlett", bartlett},
    {"bart", bartlett},
    {"brt", bartlett},
    {"blackman", blackman},
    {"black", blackman},
    {"blk", blackman},
    {"blackmanharris", blackmanharris},
    {"blackharr", blackmanharris},
    {"bkh", blackmanharris},
    {"bohman", bohman},
    {"bman", bohman},
    {"bmn", bohman},
    {"boxcar", boxcar},
    {"box", boxcar},
    {"ones", boxcar},
    {"rect", boxcar},
    {"rectangular", boxcar},
    {"cosine", cosine},
    {"halfcosine", cosine},
    {"flattop", flattop},
    {"flat", flattop},
    {"flt", flattop},
    {"hamming", hamming},
    {"hamm", hamming},
    {"ham", hamming},
    {"hann", hann},
    {"han", hann},
    {"lanczos", lanczos},
    {"sinc", lanczos},
    {"nuttall", nuttall},
    {"nutl", nuttall},
    {"nut", nuttall},
    {"parzen", parzen},
    {"parz", parzen},
    {"par", parzen},
    {"povey", povey},
    {"sine", sine},
    {"triang", triang},
    {"triangle", triang},
    {"tri", triang},
};

}  // namespace

std::vector<double> make_window(const std::string& name, int64_t length, bool periodic) {
  const auto named =
      std::find_if(std::begin(kWindows), std::end(kWindows),
                   [&name](const NamedWindow& window) { return name == window.name; });
  if (named == std::end(kWindows)) {
    throw Error(
        SPECFAST_E_UNKNOWN_WINDOW,
        "window must be a name such as \"hann\" or \"hamming\", received window=\"" + name + "\"");
  }
  if (length < 1 || length > kMaxLength) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT, "length must be between 1 and " +
                                                 std::to_string(kMaxLength) +
                                                 ", received length=" + std::to_string(length));
  }
  std::vector<double> window(static_cast<std::size_t>(length), 1.0);
  if (length == 1) return window;
  const int64_t symmetric_length = length + (periodic ? 1 : 0);
  for (int64_t n = 0; n < length; ++n)
    window[std::size_t(n)] = named->function(n, symmetric_length);
  return window;
}

const char* window_name(std::size_t index) {
  return index < std::size(kWindows) ? kWindows[index].name : nullptr;
}

double window_divisor(const std::vector<double>& window, Scaling scaling) {
  double sum = 0;
  switch (scaling) {
    case Scaling::kDensity:
      for (double w : window) sum += w * w;
      return std::sqrt(sum);
    case Scaling::kSpectrum:
      for (double w : window) sum += std::abs(w);
      return sum;
    default:
      return 1;
  }
}

}  // namespace specfast::engine
