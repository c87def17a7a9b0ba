// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "spectrogram.h"

namespace specfast_vamp {

// specfast.MelSpectrogram without top_db, which wants the maximum of the whole signal.
class Mel final : public Spectrogram {
 public:
  static constexpr PluginText kText = {
      "mel", "Mel Spectrogram", "Mel spectrogram with the numbers of keras.layers.MelSpectrogram"};

  explicit Mel(float sample_rate_hz);

 private:
  specfast_config settings() const override;
  std::vector<double> window(const specfast_config& settings) const override;
  std::int64_t first_middle(const specfast_config&) const override { return 0; }
  const PluginText& output_text() const override;
  const char* unit(const specfast_config& settings) const override;
};

}  // namespace specfast_vamp
