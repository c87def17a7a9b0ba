// SPDX-License-Identifier: BSD-3-Clause
// The step of Griffin-Lim on spectra: phases of a rebuilt spectrum, with momentum, get the wanted
// magnitudes.
#pragma once

#include "kernels/lanes/simd.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename T>
void turn_phases(const PhaseArgs<T>& args) {
  using V = Widest<T>;
  // Below it a phase is not known, and squares underflow.
  const V least = broadcast<V>(sizeof(T) == 4 ? T(1e-18) : T(1e-150));
  for (int64_t i = 0; i < args.count; i += kLanesOf<V>) {
    const auto turned = [&](int64_t place) SPECFAST_INLINE_LAMBDA {
      return nmadd(load<V>(args.before + place), broadcast<V>(args.momentum),
                   load<V>(args.rebuilt + place));
    };
    const V real = turned(i), imag = turned(args.imag_offset + i);
    const V magnitude = load<V>(args.magnitudes + i);
    const V length = square_root(madd(real, real, imag * imag));
    const V factor = magnitude / at_least(length, least);
    store(args.spectrum + i, length > least ? real * factor : magnitude);
    store(args.spectrum + args.imag_offset + i, length > least ? imag * factor : V{});
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
