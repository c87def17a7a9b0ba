// SPDX-License-Identifier: BSD-3-Clause
// What a host finds in the file.
#include <vamp-sdk/PluginAdapter.h>
#include <vamp/vamp.h>

#include "mel.h"
#include "stft.h"

extern "C" __attribute__((visibility("default"))) const VampPluginDescriptor*
vampGetPluginDescriptor(unsigned int version, unsigned int index) {
  static Vamp::PluginAdapter<specfast_vamp::Mel> mel;
  static Vamp::PluginAdapter<specfast_vamp::Stft> stft;
  if (version < 1) return nullptr;
  switch (index) {
    case 0:
      return mel.getDescriptor();
    case 1:
      return stft.getDescriptor();
    default:
      return nullptr;
  }
}
