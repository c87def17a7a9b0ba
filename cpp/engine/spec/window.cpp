// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/window.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "engine/base/error.h"
#include "engine/spec/config.h"

namespace specfast::engine {
namespace {

constexpr double kPi = 3.14159265358979323846;

// Sample n of the symmetric window of m >= 2 samples.
using WindowFunction = double (*)(double n, double m);

// Sum of a_k cos(k phi), phi from -pi to pi.
double cosine_sum(double n, double m, std::initializer_list<double> coefficients) {
  const double phase = -kPi + 2 * kPi * n / (m - 1);
  double sum = 0, k = 0;
  for (double a : coefficients) sum += a * std::cos(k++ * phase);
  return sum;
}

double boxcar(double, double) { return 1; }
double hann(double n, double m) { return cosine_sum(n, m, {0.5, 0.5}); }
double hamming(double n, double m) { return cosine_sum(n, m, {0.54, 0.46}); }
double blackman(double n, double m) { return cosine_sum(n, m, {0.42, 0.50, 0.08}); }
double nuttall(double n, double m) {
  return cosine_sum(n, m, {0.3635819, 0.4891775, 0.1365995, 0.0106411});
}
double blackmanharris(double n, double m) {
  return cosine_sum(n, m, {0.35875, 0.48829, 0.14128, 0.01168});
}
double flattop(double n, double m) {
  return cosine_sum(n, m, {0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368});
}

double triang(double n, double m) {
  const double from_edge = std::min(n, m - 1 - n) + 1;
  return std::fmod(m, 2) == 0 ? (2 * from_edge - 1) / m : 2 * from_edge / (m + 1);
}

double bartlett(double n, double m) { return 2 * std::min(n, m - 1 - n) / (m - 1); }

double parzen(double n, double m) {
  const double distance = std::abs(n - (m - 1) / 2);
  const double x = distance / (m / 2);
  return distance > (m - 1) / 4 ? 2 * std::pow(1 - x, 3) : 1 - 6 * x * x + 6 * x * x * x;
}

double bohman(double n, double m) {
  if (n == 0 || n == m - 1) return 0;
  const double x = std::abs(-1 + 2 * n / (m - 1));
  return (1 - x) * std::cos(kPi * x) + std::sin(kPi * x) / kPi;
}

double barthann(double n, double m) {
  const double x = std::abs(n / (m - 1) - 0.5);
  return 0.62 - 0.48 * x + 0.38 * std::cos(2 * kPi * x);
}

double cosine(double n, double m) { return std::sin(kPi / m * (n + 0.5)); }

double lanczos(double n, double m) {
  const double x = kPi * (2 * n / (m - 1) - 1);
  return x == 0 ? 1 : std::sin(x) / x;
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
  const double symmetric_length = double(length) + (periodic ? 1 : 0);
  for (int64_t n = 0; n < length; ++n)
    window[std::size_t(n)] = named->function(double(n), symmetric_length);
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
