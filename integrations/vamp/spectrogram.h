// SPDX-License-Identifier: BSD-3-Clause
// What both plugins share: parameters, and a stream that turns blocks into columns.
#pragma once

#include <vamp/vamp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <specfast/specfast.hpp>
#include <string>
#include <vector>

namespace specfast_vamp {

struct PluginText {
  const char *identifier, *name, *description;
};

// The description of an output, with the texts that it points to; so it may be moved, not copied.
struct Output : VampOutputDescriptor {
  Output() = default;
  Output(Output&&) = default;

  std::vector<std::string> row_names;
  std::vector<const char*> row_name_pointers;
};

// One channel; blocks of one size that follow each other without overlap. A host that pads the last
// block with zeros gets the columns of the padded signal. Functions throw on failure.
class Spectrogram {
 public:
  // The rate must be finite and positive.
  explicit Spectrogram(float sample_rate_hz);
  virtual ~Spectrogram();

  const std::vector<VampParameterDescriptor>& parameters() const { return parameters_; }
  float parameter(int index) const;
  // Changes nothing before the next initialise. Values are clamped to the range, NaN is left out.
  void set_parameter(int index, float value);

  // As prepared; before that, as the parameters say.
  Output output() const;
  void initialise(unsigned channels, unsigned step_size, unsigned block_size);
  void reset();
  // Return the columns that became ready, in memory of the plugin that the next call overwrites;
  // null for none, before initialise and after the end. Column times count from the time of the
  // first block since initialise or reset.
  VampFeatureList* process(const float* const* input, int seconds, int nanoseconds);
  VampFeatureList* remaining();

 protected:
  // Adds a parameter that takes whole numbers, or the numbers of some names, which end with a null
  // pointer. Texts must live as long as the library.
  void add_count(const char* identifier, const char* name, const char* unit, float low, float high,
                 float value);
  void add_choice(const char* identifier, const char* name, const char** names, float value);
  void add_hertz(const char* identifier, const char* name, float low, float high, float value);
  float value(const char* identifier) const;
  std::int64_t count(const char* identifier) const;
  float sample_rate_hz() const { return sample_rate_hz_; }

  // The settings that the parameters stand for, but for the window. All else follows from them.
  virtual specfast_config settings() const = 0;
  virtual std::vector<double> window(const specfast_config& settings) const = 0;
  // The middle of column 0, in samples.
  virtual std::int64_t first_middle(const specfast_config& settings) const = 0;
  virtual const PluginText& output_text() const = 0;
  virtual const char* unit(const specfast_config& settings) const = 0;

 private:
  struct Prepared;

  std::size_t checked_index(int index) const;
  VampFeatureList* columns(std::int64_t num_columns);

  const float sample_rate_hz_;
  std::vector<VampParameterDescriptor> parameters_;
  std::vector<float> values_;  // of each parameter
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace specfast_vamp
