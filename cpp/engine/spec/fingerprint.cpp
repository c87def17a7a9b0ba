// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/fingerprint.h"

#include <cstring>
#include <type_traits>

#include "engine/spec/fields.h"

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
  mixer.add(uint64_t(config.spectrum_op));
  int place = 0;
  for_each_field([&mixer, &config, &place](const auto& field) {
    if (place++ >= kNumFirstFields) return;
    const auto value = config.*field.value;
    if constexpr (std::is_same_v<decltype(value), const double>) {
      mixer.add(value);
    } else {
      mixer.add(uint64_t(value));
    }
  });
  for (const double value : config.window) mixer.add(value);
  for (const auto& [field, value] : config.changed_fields) {
    mixer.add(uint64_t(field));
    mixer.add(value);
  }
  uint64_t array = 0;
  for (const auto* values : {&config.row_gain, &config.row_offset, &config.mel_weights}) {
    ++array;
    if (values->empty()) continue;
    mixer.add(array);
    mixer.add(uint64_t(values->size()));
    for (const double value : *values) mixer.add(value);
  }
  return mixer.value();
}

}  // namespace specfast::engine
