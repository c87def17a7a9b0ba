// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/fingerprint.h"

#include <cstring>

namespace specfast::engine {
namespace {

// FNV-1a's constants, a word at a time, with a shift that lets high bits reach low ones.
class Mixer {
 public:
  void add(uint64_t word) {
    state_ = (state_ ^ word) * 0x100000001b3u;
    state_ ^= state_ >> 29;
  }
  void add(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    add(bits);
  }
  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0xcbf29ce484222325u;
};

}  // namespace

uint64_t fingerprint(const Config& config) {
  Mixer mixer;
  const int64_t integers[] = {int64_t(config.precision), int64_t(config.spectrum_op),
                              config.frame_length,       config.hop,
                              config.fft_length,         int64_t(config.padding),
                              int64_t(config.scaling),   config.num_mel_bins,
                              int64_t(config.level_op),  int64_t(config.top_db_scope)};
  for (const int64_t value : integers) mixer.add(uint64_t(value));
  const double numbers[] = {config.epsilon,     config.sampling_rate_hz, config.min_freq_hz,
                            config.max_freq_hz, config.mag_exp,          config.top_db,
                            config.min_power,   config.ref_power};
  for (const double value : numbers) mixer.add(value);
  for (const double value : config.window) mixer.add(value);
  return mixer.value();
}

}  // namespace specfast::engine
