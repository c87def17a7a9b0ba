// SPDX-License-Identifier: BSD-3-Clause
// The functions of vamp.h over a Spectrogram.
//
// The adapter of the Vamp SDK is not used: it lets exceptions pass to the host, is left with broken
// tables where one does, believes the host's numbers of parameters and outputs, and copies every
// column. Here each function goes through one guard.
#pragma once

#include <vamp/vamp.h>

#include <vector>

#include "guard.h"
#include "spectrogram.h"

namespace specfast_vamp {

class Adapter {
 public:
  // The descriptor of a class derived from Spectrogram; it lives as long as the library.
  template <typename Plugin>
  static const VampPluginDescriptor* descriptor_of() {
    // The ranges that hosts show; those of an instance end at half its own rate.
    static const Adapter adapter(Plugin::kText, Plugin(48000).parameters(), instantiate<Plugin>);
    return &adapter.descriptor_;
  }

 private:
  using Instantiate = VampPluginHandle(const VampPluginDescriptor*, float);

  Adapter(const PluginText& text, std::vector<VampParameterDescriptor> parameters,
          Instantiate* its_instantiate);

  template <typename Plugin>
  static VampPluginHandle instantiate(const VampPluginDescriptor*, float sample_rate_hz) noexcept {
    return guarded<Spectrogram*>(nullptr, [=] { return new Plugin(sample_rate_hz); });
  }

  std::vector<VampParameterDescriptor> parameters_;
  std::vector<const VampParameterDescriptor*> pointers_;
  VampPluginDescriptor descriptor_{};
};

}  // namespace specfast_vamp
