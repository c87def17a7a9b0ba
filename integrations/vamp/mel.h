// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "spectrogram.h"

namespace specfast_vamp {

// specfast.MelSpectrogram without top_db, which wants the maximum of the whole signal.
class Mel final : public Spectrogram {
 public:
  explicit Mel(float sample_rate_hz);
  std::string getIdentifier() const override { return "mel"; }
  std::string getName() const override { return "Mel Spectrogram"; }
  std::string getDescription() const override {
    return "Mel spectrogram with the numbers of keras.layers.MelSpectrogram";
  }

 private:
  specfast_config settings() const override;
  std::vector<double> window() const override;
  std::int64_t first_middle() const override { return 0; }
  OutputDescriptor describe() const override;
};

}  // namespace specfast_vamp
