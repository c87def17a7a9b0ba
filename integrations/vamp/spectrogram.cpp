// SPDX-License-Identifier: BSD-3-Clause
#include "spectrogram.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

namespace specfast_vamp {
namespace {

constexpr std::int64_t kNanoseconds = 1000000000;

specfast::Plan plan_of(specfast_config settings, const std::vector<double>& window) {
  settings.window = window.data();
  return specfast::Plan(settings);
}

specfast_stream_config stream_config(std::int64_t block_size) {
  specfast_stream_config config = specfast::default_stream_config();
  config.max_block = block_size;
  return config;
}

// The time so many nanoseconds after `begin`, within what a host's whole seconds can hold.
std::int64_t later(std::int64_t begin, double nanoseconds) {
  constexpr std::int64_t kLatest = std::numeric_limits<int>::max() * kNanoseconds;
  const double whole = std::round(std::min(nanoseconds, 2 * double(kLatest)));
  return std::clamp(begin + std::int64_t(whole), -kLatest, kLatest);
}

// The number of columns that one block may give, where the host has memory for them.
std::int64_t checked_max_columns(const specfast::Stream& stream) {
  constexpr std::size_t kMaxValues = std::size_t(1) << 28;  // 1 GiB
  if (stream.max_values() <= kMaxValues) return stream.max_frames();
  throw std::invalid_argument("a block must give at most " + std::to_string(kMaxValues) +
                              " values, received a block size, hop and number of rows that make " +
                              std::to_string(stream.max_values()));
}

}  // namespace

// What initialise makes of the parameters: they may change afterwards, this does not.
struct Spectrogram::Prepared {
  Prepared(const specfast_config& its_settings, const std::vector<double>& window,
           std::int64_t its_block_size)
      : settings(its_settings),
        plan(plan_of(settings, window)),
        stream(plan, stream_config(its_block_size)),
        block_size(its_block_size),
        max_columns(checked_max_columns(stream)),
        values(stream.max_values()),
        features(std::size_t(2 * max_columns)) {}

  const specfast_config settings;
  const specfast::Plan plan;
  specfast::Stream stream;
  const std::int64_t block_size, max_columns;
  std::vector<float> values;               // [column][row] of one block
  std::vector<VampFeatureUnion> features;  // as vamp.h wants them: n times v1, then n times v2
  VampFeatureList list{};

  std::optional<std::int64_t> begin;  // time of the first block, in nanoseconds
  std::int64_t num_columns = 0;       // so far
  bool has_ended = false;
};

Spectrogram::Spectrogram(float sample_rate_hz) : sample_rate_hz_(sample_rate_hz) {
  if (sample_rate_hz > 0 && std::isfinite(sample_rate_hz)) return;
  throw std::invalid_argument("the sample rate must be finite and positive, received " +
                              std::to_string(sample_rate_hz));
}

Spectrogram::~Spectrogram() = default;

// ---- Parameters ---------------------------------------------------------------------------------

void Spectrogram::add_count(const char* identifier, const char* name, const char* unit, float low,
                            float high, float value) {
  VampParameterDescriptor parameter{};
  parameter.identifier = identifier;
  parameter.name = name;
  parameter.description = "";
  parameter.unit = unit;
  parameter.minValue = low;
  parameter.maxValue = high;
  parameter.defaultValue = value;
  parameter.isQuantized = 1;
  parameter.quantizeStep = 1;
  parameters_.push_back(parameter);
  values_.push_back(value);
}

void Spectrogram::add_choice(const char* identifier, const char* name, const char** names,
                             float value) {
  int last = 0;
  while (names[last + 1]) ++last;
  add_count(identifier, name, "", 0, float(last), value);
  parameters_.back().valueNames = names;
}

void Spectrogram::add_hertz(const char* identifier, const char* name, float low, float high,
                            float value) {
  add_count(identifier, name, "Hz", low, high, value);
  parameters_.back().isQuantized = 0;
}

float Spectrogram::value(const char* identifier) const {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [=](const VampParameterDescriptor& parameter) {
                                    return std::strcmp(parameter.identifier, identifier) == 0;
                                  });
  return values_.at(std::size_t(found - parameters_.begin()));
}

std::int64_t Spectrogram::count(const char* identifier) const {
  return std::int64_t(std::lround(value(identifier)));
}

std::size_t Spectrogram::checked_index(int index) const {
  if (index >= 0 && std::size_t(index) < parameters_.size()) return std::size_t(index);
  throw std::out_of_range("there is no parameter " + std::to_string(index));
}

float Spectrogram::parameter(int index) const { return values_[checked_index(index)]; }

void Spectrogram::set_parameter(int index, float value) {
  const std::size_t place = checked_index(index);
  if (std::isnan(value)) return;
  values_[place] = std::clamp(value, parameters_[place].minValue, parameters_[place].maxValue);
}

// ---- Columns ------------------------------------------------------------------------------------

Output Spectrogram::output() const {
  const specfast_config as_described = prepared_ ? prepared_->settings : settings();
  Output output{};
  try {
    for (const double hz : specfast::frequencies(as_described)) {
      char name[32];
      std::snprintf(name, sizeof(name), "%.1f Hz", hz);
      output.row_names.emplace_back(name);
    }
  } catch (const specfast::Error&) {
    // Parameters that do not go together: initialise says so.
  }
  for (const std::string& name : output.row_names) output.row_name_pointers.push_back(name.c_str());
  const PluginText& text = output_text();
  output.identifier = text.identifier;
  output.name = text.name;
  output.description = text.description;
  output.unit = unit(as_described);
  output.hasFixedBinCount = 1;
  output.binCount = unsigned(output.row_names.size());
  output.binNames = output.row_name_pointers.data();
  output.sampleType = vampFixedSampleRate;
  output.sampleRate = sample_rate_hz_ / float(as_described.hop);
  return output;
}

void Spectrogram::initialise(unsigned channels, unsigned step_size, unsigned block_size) {
  prepared_.reset();
  if (channels != 1 || step_size != block_size || block_size == 0) {
    throw std::invalid_argument("one channel and blocks that do not overlap are needed, received " +
                                std::to_string(channels) + " channels, step " +
                                std::to_string(step_size) + ", block " +
                                std::to_string(block_size));
  }
  const specfast_config chosen = settings();
  prepared_ = std::make_unique<Prepared>(chosen, window(chosen), std::int64_t(block_size));
}

void Spectrogram::reset() {
  if (!prepared_) return;
  prepared_->stream.reset();
  prepared_->begin.reset();
  prepared_->num_columns = 0;
  prepared_->has_ended = false;
}

VampFeatureList* Spectrogram::columns(std::int64_t num_columns) {
  Prepared& prepared = *prepared_;
  const std::int64_t num_rows = prepared.plan.num_rows();
  const double period = double(kNanoseconds) / double(sample_rate_hz_);
  for (std::int64_t column = 0; column < num_columns; ++column) {
    const std::int64_t middle =
        first_middle(prepared.settings) + (prepared.num_columns + column) * prepared.settings.hop;
    const std::int64_t time = later(prepared.begin.value_or(0), double(middle) * period);
    VampFeature& feature = prepared.features[std::size_t(column)].v1;
    feature = {};
    feature.hasTimestamp = 1;
    feature.sec = int(time / kNanoseconds);
    feature.nsec = int(time % kNanoseconds);
    feature.valueCount = unsigned(num_rows);
    feature.values = prepared.values.data() + column * num_rows;
    prepared.features[std::size_t(num_columns + column)].v2 = {};
  }
  prepared.num_columns += num_columns;
  prepared.list.featureCount = unsigned(num_columns);
  prepared.list.features = prepared.features.data();
  return num_columns > 0 ? &prepared.list : nullptr;
}

VampFeatureList* Spectrogram::process(const float* const* input, int seconds, int nanoseconds) {
  if (!prepared_ || prepared_->has_ended || !input || !input[0]) return nullptr;
  const specfast::Signals signals = specfast::contiguous(input[0], 1, prepared_->block_size);
  const std::int64_t num_columns =
      prepared_->stream.push(signals, specfast::by_frame(prepared_->values));
  if (!prepared_->begin) prepared_->begin = seconds * kNanoseconds + nanoseconds;
  return columns(num_columns);
}

VampFeatureList* Spectrogram::remaining() {
  if (!prepared_ || prepared_->has_ended) return nullptr;
  prepared_->has_ended = true;
  return columns(prepared_->stream.flush(specfast::by_frame(prepared_->values)));
}

}  // namespace specfast_vamp
