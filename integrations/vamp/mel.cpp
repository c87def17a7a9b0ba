// SPDX-License-Identifier: BSD-3-Clause
#include "mel.h"

#include <algorithm>

namespace specfast_vamp {

Mel::Mel(float sample_rate_hz) : Spectrogram(sample_rate_hz) {
  static const char* levels[] = {"power", "dB", nullptr};
  const float nyquist = sample_rate_hz / 2;
  add_count("fft_length", "Transform and window", "samples", 16, 65536, 2048);
  add_count("hop", "Hop", "samples", 1, 65536, 512);
  add_count("bands", "Bands", "", 1, 1024, 128);
  add_hertz("min_freq", "Lowest frequency", 0, nyquist, std::min(20.0f, nyquist / 2));
  add_hertz("max_freq", "Highest frequency", std::min(1.0f, nyquist), nyquist,
            std::min(8000.0f, nyquist));
  add_choice("level", "Values", levels, 1);
}

specfast_config Mel::settings() const {
  specfast_config config = specfast::default_config(SPECFAST_MODE_MEL);
  config.fft_length = config.frame_length = count("fft_length");
  config.hop = count("hop");
  config.num_mel_bins = count("bands");
  config.sampling_rate_hz = double(sample_rate_hz());
  config.min_freq_hz = double(value("min_freq"));
  config.max_freq_hz = double(value("max_freq"));
  config.level = count("level") == 1 ? SPECFAST_LEVEL_DECIBEL : SPECFAST_LEVEL_ENERGY;
  config.top_db_scope = SPECFAST_TOP_DB_NONE;
  return config;
}

std::vector<double> Mel::window(const specfast_config& settings) const {
  return specfast::window("hann", settings.frame_length, true);
}

const PluginText& Mel::output_text() const {
  static constexpr PluginText text = {"mel", "Mel Spectrogram", "Energy of each mel band"};
  return text;
}

const char* Mel::unit(const specfast_config& settings) const {
  return settings.level == SPECFAST_LEVEL_DECIBEL ? "dB" : "";
}

}  // namespace specfast_vamp
