// SPDX-License-Identifier: BSD-3-Clause
// Numbers that are the same on every machine: made by integers alone, and exact in float32.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace differential {

// SplitMix64: G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number Generators, 2014.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t bits = state_ += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
  }
  // Between two numbers, these included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + std::int64_t(next() % std::uint64_t(high - low + 1));
  }
  bool one_in(std::int64_t times) { return between(1, times) == 1; }
  template <typename T>
  T pick(std::initializer_list<T> values) {
    return values.begin()[between(0, std::int64_t(values.size()) - 1)];
  }
  // 16 bits of noise in [-1, 1).
  double noise() { return double(between(-32768, 32767)) / 32768; }
  std::vector<double> noise(std::int64_t count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& value : values) value = noise();
    return values;
  }

 private:
  std::uint64_t state_;
};

}  // namespace differential
