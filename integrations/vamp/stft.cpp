// SPDX-License-Identifier: BSD-3-Clause
#include "stft.h"

#include <algorithm>

namespace specfast_vamp {

Stft::Stft(float sample_rate_hz) : Spectrogram(sample_rate_hz) {
  static const char* modes[] = {"magnitude", "log magnitude", nullptr};
  add_choice("mode", "Values", modes, 1);
  // A symmetric Hann window of two samples is zero.
  add_count("frame_length", "Window", "samples", 3, 65536, 256);
  add_count("hop", "Hop", "samples", 1, 65536, 128);
  add_count("fft_length", "Transform (at least the window)", "samples", 2, 65536, 256);
}

specfast_config Stft::settings() const {
  specfast_config config =
      specfast::default_config(count("mode") == 1 ? SPECFAST_MODE_LOG : SPECFAST_MODE_MAGNITUDE);
  config.frame_length = count("frame_length");
  config.hop = count("hop");
  config.fft_length = std::max(count("fft_length"), config.frame_length);
  config.sampling_rate_hz = double(sample_rate_hz());  // for the names of the rows
  return config;
}

std::vector<double> Stft::window(const specfast_config& settings) const {
  return specfast::window("hann", settings.frame_length, false);
}

const PluginText& Stft::output_text() const {
  static constexpr PluginText text = {"stft", "STFT Spectrogram",
                                      "Magnitude of each bin, or its natural logarithm"};
  return text;
}

}  // namespace specfast_vamp
