// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "spectrogram.h"

namespace specfast_vamp {

// specfast.STFTSpectrogram in the modes "magnitude" and "log".
class Stft final : public Spectrogram {
 public:
  explicit Stft(float sample_rate_hz);
  std::string getIdentifier() const override { return "stft"; }
  std::string getName() const override { return "STFT Spectrogram"; }
  std::string getDescription() const override {
    return "Spectrogram with the numbers of keras.layers.STFTSpectrogram";
  }

 private:
  specfast_config settings() const override;
  std::vector<double> window() const override;
  std::int64_t first_middle() const override { return count("frame_length") / 2; }
  OutputDescriptor describe() const override;
};

}  // namespace specfast_vamp
