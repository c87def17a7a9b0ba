// SPDX-License-Identifier: BSD-3-Clause
// What both plugins share: parameters, and a stream that turns blocks into columns.
#pragma once

#include <vamp-sdk/Plugin.h>

#include <map>
#include <optional>
#include <specfast/specfast.hpp>
#include <string>
#include <vector>

namespace specfast_vamp {

// One channel; blocks of any size that follow each other without overlap. A host that pads the last
// block with zeros gets the columns of the padded signal.
class Spectrogram : public Vamp::Plugin {
 public:
  explicit Spectrogram(float sample_rate_hz) : Vamp::Plugin(sample_rate_hz) {}

  std::string getMaker() const override { return "specfast developers"; }
  std::string getCopyright() const override { return "BSD-3-Clause"; }
  int getPluginVersion() const override { return 1; }
  InputDomain getInputDomain() const override { return TimeDomain; }
  size_t getPreferredBlockSize() const override { return 1024; }
  size_t getPreferredStepSize() const override { return 0; }  // the block size

  ParameterList getParameterDescriptors() const override { return parameters_; }
  float getParameter(std::string identifier) const override;
  void setParameter(std::string identifier, float value) override;

  OutputList getOutputDescriptors() const override;
  bool initialise(size_t channels, size_t step_size, size_t block_size) override;
  void reset() override;
  FeatureSet process(const float* const* input, Vamp::RealTime) override;
  FeatureSet getRemainingFeatures() override;

 protected:
  // Adds a parameter that takes whole numbers, or the numbers of some names.
  void add_count(const char* identifier, const char* name, const char* unit, float low, float high,
                 float value);
  void add_choice(const char* identifier, const char* name, std::vector<std::string> names,
                  float value);
  void add_hertz(const char* identifier, const char* name, float low, float high, float value);
  std::int64_t count(const char* identifier) const;
  float value(const char* identifier) const { return values_.at(identifier); }

  // Settings as the parameters say, but for the window, and the window.
  virtual specfast_config settings() const = 0;
  virtual std::vector<double> window() const = 0;
  // The middle of column 0, in samples.
  virtual std::int64_t first_middle() const = 0;
  // Identifier, name and unit.
  virtual OutputDescriptor describe() const = 0;

 private:
  specfast::Plan make_plan() const;
  FeatureSet columns(std::int64_t num_frames);

  ParameterList parameters_;
  std::map<std::string, float> values_;
  std::optional<specfast::Plan> plan_;
  std::optional<specfast::Stream> stream_;
  std::vector<float> columns_;  // [frames][rows] of one block
  std::int64_t block_size_ = 0;
  std::int64_t num_columns_ = 0;
};

}  // namespace specfast_vamp
