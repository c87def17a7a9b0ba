// SPDX-License-Identifier: BSD-3-Clause
// Samples and results in the memory of the device: padding, strides, and the types of numbers.
#pragma once

#include "cuda/kernels/plan.h"
#include "kernels/lanes/complex.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// ---- Numbers of 16 bits -------------------------------------------------------------------------

struct Float16 {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};

template <typename T>
SPECFAST_INLINE T to_number(float value) {
  return T(value);
}
template <typename T>
SPECFAST_INLINE T to_number(double value) {
  return T(value);
}
template <typename T>
SPECFAST_INLINE T to_number(int16_t value) {
  return T(value);
}
template <typename T>
SPECFAST_INLINE T to_number(Bfloat16 value) {
  return T(copy_bits<float>(uint32_t(value.bits) << 16));
}
template <typename T>
SPECFAST_INLINE T to_number(Float16 value) {
  const uint32_t sign = uint32_t(value.bits & 0x8000u) << 16, rest = value.bits & 0x7fffu;
  // The exponent is shifted to its place and corrected by a multiplication, which is exact and
  // makes normal numbers of subnormal ones; infinity and NaN take the highest exponent.
  const float magnitude = rest < 0x7c00u ? copy_bits<float>(rest << 13) * 0x1p112f
                                         : copy_bits<float>(0x7f800000u | (rest << 13));
  return T(copy_bits<float>(copy_bits<uint32_t>(magnitude) | sign));
}

SPECFAST_INLINE void put_number(float* to, float value) { *to = value; }
SPECFAST_INLINE void put_number(double* to, double value) { *to = value; }
// Rounds to nearest, ties to even; NaN stays NaN.
SPECFAST_INLINE void put_number(Bfloat16* to, float value) {
  const uint32_t bits = copy_bits<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  to->bits = uint16_t(value == value ? rounded : (bits >> 16) | 0x40u);
}
SPECFAST_INLINE void put_number(Float16* to, float value) {
  constexpr float kSmallestNormalHalf = 0x1p-14f;
  const uint32_t bits = copy_bits<uint32_t>(value), sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u;
  } else if (copy_bits<float>(magnitude) < kSmallestNormalHalf) {
    // The sum has the spacing of subnormal halves, so it rounds to a multiple of it.
    half = copy_bits<uint32_t>(copy_bits<float>(magnitude) + 0.5f) - 0x3f000000u;
  } else {
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    // A carry into the exponent is right; what is beyond the largest half is infinity.
    half = rounded >= 0x47800000u ? 0x7c00u : (rounded - 0x38000000u) >> 13;
  }
  to->bits = uint16_t(half | sign);
}

// ---- Samples ------------------------------------------------------------------------------------

// Returns two neighbouring numbers, at an address that is a multiple of two. A GPU fetches them at
// once; neighbouring threads that fetch every other number twice take each line of memory twice.
template <typename T>
SPECFAST_INLINE Complex<T> load_pair(const T* numbers) {
  struct alignas(2 * sizeof(T)) Pair {
    T first, second;
  };
  const Pair pair = *reinterpret_cast<const Pair*>(numbers);
  return {pair.first, pair.second};
}

// Returns the place of a padded sample in the signal, or -1 for a zero.
SPECFAST_INLINE int64_t place_of_padded(int64_t index, int64_t num_samples, Padding padding) {
  if (index >= 0 && index < num_samples) return index;
  if (padding != Padding::kCenter) return -1;
  if (num_samples == 1) return 0;
  // A reflection without end, the edge samples not repeated.
  const int64_t period = 2 * (num_samples - 1);
  const int64_t place = (index % period + period) % period;
  return place < num_samples ? place : period - place;
}

// Returns the number at a place of the input.
template <typename T>
SPECFAST_INLINE T input_number(const BackendCall& call, int64_t place) {
  switch (call.in_dtype) {
    case DeviceDtype::kFloat32:
      return to_number<T>(static_cast<const float*>(call.input)[place]);
    case DeviceDtype::kFloat64:
      return to_number<T>(static_cast<const double*>(call.input)[place]);
    case DeviceDtype::kInt16:
      return to_number<T>(static_cast<const int16_t*>(call.input)[place]);
    case DeviceDtype::kFloat16:
      return to_number<T>(static_cast<const Float16*>(call.input)[place]);
    default:
      return to_number<T>(static_cast<const Bfloat16*>(call.input)[place]);
  }
}

// The samples of one frame.
template <typename T>
class FrameReader {
 public:
  SPECFAST_INLINE FrameReader(const DeviceCall<T>& call, const Group& group, int frame)
      : call_(call.arrays),
        frame_length_(call.plan.tile.frame_length),
        padding_(call.plan.padding),
        signal_(group.input),
        begin_((group.first_frame + frame) * call.plan.hop - call.arrays.left_padding),
        scale_(T(call.arrays.in_scale)) {}

  // Returns where the samples of the frame lie if they are of type T, side by side, an even count
  // and none of them padding; else null.
  SPECFAST_INLINE const T* neighbours() const {
    constexpr DeviceDtype kOwn = sizeof(T) == 4 ? DeviceDtype::kFloat32 : DeviceDtype::kFloat64;
    const bool is_so = call_.in_dtype == kOwn && call_.in_sample_stride == 1 &&
                       frame_length_ % 2 == 0 && begin_ >= 0 &&
                       begin_ + frame_length_ <= call_.num_samples;
    return is_so ? static_cast<const T*>(call_.input) + signal_ + begin_ : nullptr;
  }

  // Returns sample n, converted.
  SPECFAST_INLINE T number(int64_t n) const {
    const int64_t place = place_of_padded(begin_ + n, call_.num_samples, padding_);
    if (place < 0) return T(0);
    return input_number<T>(call_, signal_ + place * call_.in_sample_stride);
  }
  SPECFAST_INLINE T scaled(T number) const { return number * scale_; }
  SPECFAST_INLINE T operator[](int64_t n) const { return scaled(number(n)); }

 private:
  const BackendCall& call_;
  int64_t frame_length_;
  Padding padding_;
  int64_t signal_, begin_;
  T scale_;
};

// ---- Results ------------------------------------------------------------------------------------

// Calls body(pointer) with the type of the results; those of float64 are never rounded.
template <typename T, typename Body>
SPECFAST_INLINE void with_output(const BackendCall& call, const Body& body) {
  if constexpr (sizeof(T) == 8) {
    body(static_cast<double*>(call.output));
  } else if (call.out_dtype == DeviceDtype::kFloat16) {
    body(static_cast<Float16*>(call.output));
  } else if (call.out_dtype == DeviceDtype::kBfloat16) {
    body(static_cast<Bfloat16*>(call.output));
  } else {
    body(static_cast<float*>(call.output));
  }
}

// Writes a value at a place of the output, in elements.
template <typename T>
SPECFAST_INLINE void put_result(const BackendCall& call, int64_t place, T value) {
  with_output<T>(call, [=](auto* output) { put_number(output + place, value); });
}

// Raises a value of the output to the floor; NaN stays NaN, and a floor of NaN makes it so. Rounded
// results may be clamped after rounding, which keeps their order.
template <typename T>
SPECFAST_INLINE void raise_result(const BackendCall& call, int64_t place, T floor) {
  with_output<T>(call, [=](auto* output) {
    const T value = to_number<T>(output[place]);
    if (floor > value || floor != floor) put_number(output + place, floor);
  });
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
