// SPDX-License-Identifier: BSD-3-Clause
// Random arguments: mostly good ones, so that deep states are reached, and single bad ones that the
// library is able to see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "memory.h"
#include "specfast/specfast.h"

namespace fuzz {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  // Draws from these bytes, the fewest that a number takes, and from an engine behind their end.
  Random(const std::uint8_t* bytes, std::size_t num_bytes)
      : engine_(num_bytes), bytes_(bytes), num_bytes_(num_bytes) {}

  // 0 .. count - 1
  std::int64_t below(std::int64_t count);
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  bool one_in(std::int64_t count) { return below(count) == 0; }
  template <typename T, std::size_t kCount>
  T of(const T (&values)[kCount]) {
    return values[below(std::int64_t(kCount))];
  }
  std::int64_t bad_count();  // below every valid count, or above
  double bad_number();       // NaN, infinite
  std::int32_t bad_enum();   // no value of any enum
  std::size_t bad_size(std::size_t good);
  // A source for many numbers, which shall not use up the bytes.
  Random another() { return Random(std::uint64_t(below(1 << 16))); }
  bool has_bytes() const { return num_bytes_ > 0; }

 private:
  std::mt19937_64 engine_;
  const std::uint8_t* bytes_ = nullptr;
  std::size_t num_bytes_ = 0;
};

// Zeros that end where they are said to end, and begin `shift` bytes behind an aligned address.
// Between guards an even number of bytes is only as aligned as it is divisible, so that whole
// samples end where the guard begins, wherever their first one then lies in a vector.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes, std::size_t shift = 0)
      : shift_(shift), memory_(allocate(bytes, shift)) {
    std::memset(memory_.get(), 0, bytes + shift);
  }
  void* data() const { return memory_ ? memory_.get() + shift_ : nullptr; }

 private:
  struct Release {
    void operator()(unsigned char* memory) const { ::operator delete(memory); }
  };
  static unsigned char* allocate(std::size_t bytes, std::size_t shift) {
    const std::size_t divisor = bytes & (~bytes + 1);
    const bool may_be_near = shift == 0 && divisor > 1 && divisor < 16;
    return static_cast<unsigned char*>(allocate_aligned(bytes + shift, may_be_near ? divisor : 16));
  }

  std::size_t shift_ = 0;
  std::unique_ptr<unsigned char, Release> memory_;
};

// The stored samples of a channel and frame count let a caller check a stream against one call.
std::size_t bytes_of(std::int32_t dtype);
// Whether values have the same bits. All NaNs count as one: of two that are added, the compiler
// chooses whose sign survives.
bool have_same_bits(std::int32_t dtype, const void* values, const void* others, std::size_t bytes);
void fill(Random& random, void* values, std::int32_t dtype, std::int64_t count);

// The bytes of a state of a stream with some of them changed, left out or added, most of them among
// the numbers at its beginning; in memory that ends where they end.
std::vector<unsigned char> damaged(Random& random, std::vector<unsigned char> state);

// A configuration of a few dozen samples; `window` holds its arrays. Every 8th is spoiled: then
// *spoiled is true and the configuration must be refused.
specfast_config plan_config(Random& random, std::vector<double>& window, bool* spoiled);

// The rows of a sound configuration of mode MEL, without derivatives.
std::int64_t static_rows_of(const specfast_config& config);
// Whether levels are clamped to a distance from their maximum.
bool clamps(const specfast_config& config);
// Whether its plans have gradients: surely, or at most (which then depends on the gains).
bool has_gradient(const specfast_config& config);
bool may_have_gradient(const specfast_config& config);

// For a plan with this configuration.
specfast_stream_config stream_config(Random& random, const specfast_config& plan, bool* spoiled);

}  // namespace fuzz
