// SPDX-License-Identifier: BSD-3-Clause
// The real transform of one tile by pocketfft, which serves the lengths that the own transform
// (rfft.inl) does not have.
#pragma once

#include <cstdlib>
#include <new>

#include "kernels/lanes/simd.inl"
#include "kernels/transform/fallback_scratch.inl"

#define POCKETFFT_NO_MULTITHREADING
#define pocketfft SPECFAST_POCKETFFT
#include <pocketfft_hdronly.h>
#undef pocketfft

namespace SPECFAST_POCKETFFT {
namespace detail {

// Factors of both precisions are rounded once, from products in extended precision. pocketfft's own
// are products in double precision: in a transform of doubles with a factor 13 twice, their errors
// were larger than those of everything else. Where long double is double, they stay what they were.
template <typename T>
class RoundedTurns {
 public:
  explicit RoundedTurns(size_t length) : turns_(length) {}
  cmplx<T> operator[](size_t index) const {
    const cmplx<long double> turn = turns_[index];
    return {T(turn.r), T(turn.i)};
  }

 private:
  sincos_2pibyn<long double> turns_;
};
template <>
class sincos_2pibyn<float> : public RoundedTurns<float> {
  using RoundedTurns::RoundedTurns;
};
template <>
class sincos_2pibyn<double> : public RoundedTurns<double> {
  using RoundedTurns::RoundedTurns;
};

// Runs a transform of scalars in the lanes of a group, whose rounding is the same.  Only the tables
// of Bluestein's scheme need one, and a second copy of all passes for them would be a twentieth of
// the library.
template <typename T, typename Transform>
void exec_in_group(const Transform& transform, size_t length, cmplx<T>* values, T factor) {
  using V = SPECFAST_NAMESPACE::Group<T>;
  arr<cmplx<V>> groups(length);
  for (size_t i = 0; i < length; ++i) {
    groups[i].Set(SPECFAST_NAMESPACE::broadcast<V>(values[i].r),
                  SPECFAST_NAMESPACE::broadcast<V>(values[i].i));
  }
  transform(groups.data(), factor);
  for (size_t i = 0; i < length; ++i) values[i].Set(groups[i].r[0], groups[i].i[0]);
}

template <>
template <>
inline void cfftp<float>::exec(cmplx<float>* values, float factor, bool forward) const {
  exec_in_group([&](auto* groups, float by) { exec(groups, by, forward); }, length, values, factor);
}
template <>
template <>
inline void cfftp<double>::exec(cmplx<double>* values, double factor, bool forward) const {
  exec_in_group([&](auto* groups, double by) { exec(groups, by, forward); }, length, values,
                factor);
}

}  // namespace detail
}  // namespace SPECFAST_POCKETFFT

namespace SPECFAST_NAMESPACE {
namespace {

namespace fallback = SPECFAST_POCKETFFT::detail;

template <typename T>
struct FallbackRfft {
  explicit FallbackRfft(size_t length) : transform(length), scratch_size(needed_scratch(length)) {}

  // Returns how many values a transform allocates for each lane, room for alignment included.
  size_t needed_scratch(size_t length) const {
    constexpr size_t kAlignments = 4 * 2 * 64 / sizeof(T);
    // The input is there in full, for a revision of pocketfft whose requests do not arrive here.
    Group<T>* const values = static_cast<Group<T>*>(std::calloc(length, sizeof(Group<T>)));
    if (!values) throw std::bad_alloc();
    // Stays 0 for a transform of one point, and for such a revision.
    size_t first = 0;
    try {
      fallback::Scratch none{};
      const fallback::ScratchScope scope(none);
      transform.exec(values, T(1), true);
    } catch (const fallback::Request& request) {
      first = request.bytes / sizeof(Group<T>);
    }
    std::free(values);
    // The passes need one copy; Bluestein's scheme needs a complex one, then two of its own length.
    if (first < 2 * length) return first ? first + kAlignments : 0;
    return first + 4 * fallback::util::good_size_cmplx(2 * length - 1) + kAlignments;
  }

  fallback::pocketfft_r<T> transform;
  size_t scratch_size;
};

template <typename T>
SPECFAST_INLINE const FallbackRfft<T>* fallback_of(const TilePlan<T>& plan) {
  return static_cast<const FallbackRfft<T>*>(plan.fallback_rfft);
}

template <typename T>
int64_t fallback_scratch_size(const TilePlan<T>& plan) {
  return plan.fallback_rfft ? int64_t(fallback_of(plan)->scratch_size) : 0;
}

// Transforms in place between samples and pocketfft's half-complex order: re 0, re 1, im 1, ...
template <typename V>
void fallback_exec(const TilePlan<Scalar<V>>& plan, Scalar<V>* rows, Scalar<V>* scratch_values,
                   bool forward) {
  char* const memory = reinterpret_cast<char*>(scratch_values);
  const size_t bytes = size_t(fallback_scratch_size(plan)) * sizeof(V);
  fallback::Scratch scratch{memory, memory, memory + bytes};
  const fallback::ScratchScope scope(scratch);
  fallback_of(plan)->transform.exec(reinterpret_cast<V*>(rows), Scalar<V>(1), forward);
}

// Windows and transforms the frames of a tile into half-complex order.
template <typename V>
void fallback_transform(const Scalar<V>* hops, const TilePlan<Scalar<V>>& plan, Scalar<V>* rows,
                        Scalar<V>* scratch_values) {
  const int64_t num_samples =
      plan.frame_length < plan.dft_length ? plan.frame_length : plan.dft_length;
  for (int64_t n = 0; n < num_samples; ++n) {
    store(rows + n * kLanesOf<V>, load_unaligned<V>(hops + plan.sample_offset[n]) * plan.window[n]);
  }
  for (int64_t n = num_samples; n < plan.dft_length; ++n) store(rows + n * kLanesOf<V>, V{});
  // A frame may be one sample longer than the transform (Keras runs an odd fft_length N as N - 1):
  // it wraps around.
  if (plan.frame_length > plan.dft_length) {
    const int64_t n = plan.dft_length;
    store(rows, load<V>(rows) + load_unaligned<V>(hops + plan.sample_offset[n]) * plan.window[n]);
  }
  fallback_exec<V>(plan, rows, scratch_values, true);
}

template <typename T>
void* create_fallback_rfft(int64_t length) {
  try {
    return new FallbackRfft<T>(size_t(length));
  } catch (...) {
    return nullptr;
  }
}

template <typename T>
void destroy_fallback_rfft(void* plan) {
  delete static_cast<FallbackRfft<T>*>(plan);
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
