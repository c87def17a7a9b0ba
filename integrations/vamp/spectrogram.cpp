// SPDX-License-Identifier: BSD-3-Clause
#include "spectrogram.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <utility>

namespace specfast_vamp {

// ---- Parameters ---------------------------------------------------------------------------------

void Spectrogram::add_count(const char* identifier, const char* name, const char* unit, float low,
                            float high, float value) {
  ParameterDescriptor parameter;
  parameter.identifier = identifier;
  parameter.name = name;
  parameter.unit = unit;
  parameter.minValue = low;
  parameter.maxValue = high;
  parameter.defaultValue = value;
  parameter.isQuantized = true;
  parameter.quantizeStep = 1;
  parameters_.push_back(parameter);
  values_[identifier] = value;
}

void Spectrogram::add_choice(const char* identifier, const char* name,
                             std::vector<std::string> names, float value) {
  add_count(identifier, name, "", 0, float(names.size() - 1), value);
  parameters_.back().valueNames = std::move(names);
}

void Spectrogram::add_hertz(const char* identifier, const char* name, float low, float high,
                            float value) {
  add_count(identifier, name, "Hz", low, high, value);
  parameters_.back().isQuantized = false;
}

std::int64_t Spectrogram::count(const char* identifier) const {
  return std::int64_t(std::lround(values_.at(identifier)));
}

float Spectrogram::getParameter(std::string identifier) const {
  const auto found = values_.find(identifier);
  return found == values_.end() ? 0 : found->second;
}

void Spectrogram::setParameter(std::string identifier, float value) {
  for (const ParameterDescriptor& parameter : parameters_) {
    if (parameter.identifier != identifier || std::isnan(value)) continue;
    values_[identifier] = std::clamp(value, parameter.minValue, parameter.maxValue);
  }
}

// ---- Columns ------------------------------------------------------------------------------------

specfast::Plan Spectrogram::make_plan() const {
  specfast_config config = settings();
  const std::vector<double> values = window();
  config.window = values.data();
  return specfast::Plan(config);
}

Vamp::Plugin::OutputList Spectrogram::getOutputDescriptors() const {
  OutputDescriptor output = describe();
  output.hasFixedBinCount = true;
  try {
    for (const double hz : specfast::frequencies(settings())) {
      char name[32];
      std::snprintf(name, sizeof(name), "%.1f Hz", hz);
      output.binNames.push_back(name);
    }
  } catch (const std::exception&) {
    // Parameters that do not go together: initialise says so.
  }
  output.binCount = output.binNames.size();
  output.hasKnownExtents = false;
  output.isQuantized = false;
  output.sampleType = OutputDescriptor::FixedSampleRate;
  output.sampleRate = m_inputSampleRate / float(count("hop"));
  output.hasDuration = false;
  return {output};
}

bool Spectrogram::initialise(size_t channels, size_t step_size, size_t block_size) {
  if (channels != 1 || step_size != block_size || block_size == 0) {
    std::cerr << "specfast: wants one channel and blocks that do not overlap, received " << channels
              << " channels, step " << step_size << ", block " << block_size << std::endl;
    return false;
  }
  try {
    stream_.reset();
    plan_.emplace(make_plan());
    specfast_stream_config config = specfast::default_stream_config();
    config.max_block = std::int64_t(block_size);
    stream_.emplace(*plan_, config);
    columns_.resize(stream_->max_values());
    block_size_ = std::int64_t(block_size);
  } catch (const std::exception& error) {
    std::cerr << "specfast: " << error.what() << std::endl;
    stream_.reset();
    return false;
  }
  num_columns_ = 0;
  return true;
}

void Spectrogram::reset() {
  if (stream_) stream_->reset();
  num_columns_ = 0;
}

Vamp::Plugin::FeatureSet Spectrogram::columns(std::int64_t num_frames) {
  FeatureSet features;
  const std::int64_t num_rows = plan_->num_rows();
  for (std::int64_t frame = 0; frame < num_frames; ++frame, ++num_columns_) {
    Feature feature;
    feature.hasTimestamp = true;
    feature.timestamp = Vamp::RealTime::frame2RealTime(
        long(first_middle() + num_columns_ * count("hop")), unsigned(m_inputSampleRate));
    const float* const column = columns_.data() + frame * num_rows;
    feature.values.assign(column, column + num_rows);
    features[0].push_back(std::move(feature));
  }
  return features;
}

Vamp::Plugin::FeatureSet Spectrogram::process(const float* const* input, Vamp::RealTime) {
  if (!stream_) return {};
  const specfast::Signals signals = specfast::contiguous(input[0], 1, block_size_);
  return columns(stream_->push(signals, specfast::by_frame(columns_)));
}

Vamp::Plugin::FeatureSet Spectrogram::getRemainingFeatures() {
  if (!stream_) return {};
  return columns(stream_->flush(specfast::by_frame(columns_)));
}

}  // namespace specfast_vamp
