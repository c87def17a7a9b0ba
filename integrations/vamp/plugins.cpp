// SPDX-License-Identifier: BSD-3-Clause
// What a host finds in the file.
#include <vamp/vamp.h>

#include "adapter.h"
#include "guard.h"
#include "mel.h"
#include "stft.h"

extern "C" __attribute__((visibility("default"))) const VampPluginDescriptor*
vampGetPluginDescriptor(unsigned int version, unsigned int index) {
  using specfast_vamp::Adapter;
  return specfast_vamp::guarded<const VampPluginDescriptor*>(
      nullptr, [=]() -> const VampPluginDescriptor* {
        if (version < 1) return nullptr;
        switch (index) {
          case 0:
            return Adapter::descriptor_of<specfast_vamp::Mel>();
          case 1:
            return Adapter::descriptor_of<specfast_vamp::Stft>();
          default:
            return nullptr;
        }
      });
}
