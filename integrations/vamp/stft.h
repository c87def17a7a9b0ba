// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "spectrogram.h"

namespace specfast_vamp {

// specfast.STFTSpectrogram in the modes "magnitude" and "log".
class Stft final : public Spectrogram {
 public:
  static constexpr PluginText kText = {
      "stft", "STFT Spectrogram", "Spectrogram with the numbers of keras.layers.STFTSpectrogram"};

  explicit Stft(float sample_rate_hz);

 private:
  specfast_config settings() const override;
  std::vector<double> window(const specfast_config& settings) const override;
  std::int64_t first_middle(const specfast_config& settings) const override {
    return settings.frame_length / 2;
  }
  const PluginText& output_text() const override;
  const char* unit(const specfast_config&) const override { return ""; }
};

}  // namespace specfast_vamp
