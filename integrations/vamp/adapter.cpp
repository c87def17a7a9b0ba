// SPDX-License-Identifier: BSD-3-Clause
#include "adapter.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace specfast_vamp {
namespace {

constexpr unsigned kNumOutputs = 1;

// Returns body(the plugin behind a handle), or `otherwise` where it throws or there is no plugin.
template <typename Result, typename Body>
Result with(VampPluginHandle handle, Result otherwise, const Body& body) noexcept {
  return guarded(otherwise, [&]() -> Result {
    if (!handle) throw std::invalid_argument("a plugin must not be NULL");
    return body(*static_cast<Spectrogram*>(handle));
  });
}

void cleanup(VampPluginHandle handle) noexcept { delete static_cast<Spectrogram*>(handle); }

int initialise(VampPluginHandle handle, unsigned channels, unsigned step_size,
               unsigned block_size) noexcept {
  return with(handle, 0, [=](Spectrogram& plugin) {
    plugin.initialise(channels, step_size, block_size);
    return 1;
  });
}

void reset(VampPluginHandle handle) noexcept {
  with(handle, 0, [](Spectrogram& plugin) { return plugin.reset(), 0; });
}

float get_parameter(VampPluginHandle handle, int index) noexcept {
  return with(handle, 0.0f, [=](Spectrogram& plugin) { return plugin.parameter(index); });
}

void set_parameter(VampPluginHandle handle, int index, float value) noexcept {
  with(handle, 0, [=](Spectrogram& plugin) { return plugin.set_parameter(index, value), 0; });
}

unsigned get_current_program(VampPluginHandle) noexcept { return 0; }
void select_program(VampPluginHandle, unsigned) noexcept {}

unsigned get_preferred_step_size(VampPluginHandle) noexcept { return 0; }  // the block size
unsigned get_preferred_block_size(VampPluginHandle) noexcept { return 1024; }
unsigned get_channel_count(VampPluginHandle) noexcept { return 1; }
unsigned get_output_count(VampPluginHandle) noexcept { return kNumOutputs; }

VampOutputDescriptor* get_output_descriptor(VampPluginHandle handle, unsigned index) noexcept {
  return with<VampOutputDescriptor*>(handle, nullptr, [=](const Spectrogram& plugin) {
    if (index >= kNumOutputs)
      throw std::out_of_range("there is no output " + std::to_string(index));
    return std::make_unique<Output>(plugin.output()).release();
  });
}

void release_output_descriptor(VampOutputDescriptor* output) noexcept {
  delete static_cast<Output*>(output);
}

VampFeatureList* process(VampPluginHandle handle, const float* const* input, int seconds,
                         int nanoseconds) noexcept {
  return with<VampFeatureList*>(handle, nullptr, [=](Spectrogram& plugin) {
    return plugin.process(input, seconds, nanoseconds);
  });
}

VampFeatureList* get_remaining_features(VampPluginHandle handle) noexcept {
  return with<VampFeatureList*>(handle, nullptr,
                                [](Spectrogram& plugin) { return plugin.remaining(); });
}

void release_feature_set(VampFeatureList*) noexcept {}  // the plugin's own

}  // namespace

Adapter::Adapter(const PluginText& text, std::vector<VampParameterDescriptor> parameters,
                 Instantiate* its_instantiate)
    : parameters_(std::move(parameters)) {
  for (const VampParameterDescriptor& parameter : parameters_) pointers_.push_back(&parameter);
  descriptor_.vampApiVersion = VAMP_API_VERSION;
  descriptor_.identifier = text.identifier;
  descriptor_.name = text.name;
  descriptor_.description = text.description;
  descriptor_.maker = "specfast developers";
  descriptor_.pluginVersion = 1;
  descriptor_.copyright = "BSD-3-Clause";
  descriptor_.parameterCount = unsigned(pointers_.size());
  descriptor_.parameters = pointers_.data();
  descriptor_.inputDomain = vampTimeDomain;
  descriptor_.instantiate = its_instantiate;
  descriptor_.cleanup = cleanup;
  descriptor_.initialise = initialise;
  descriptor_.reset = reset;
  descriptor_.getParameter = get_parameter;
  descriptor_.setParameter = set_parameter;
  descriptor_.getCurrentProgram = get_current_program;
  descriptor_.selectProgram = select_program;
  descriptor_.getPreferredStepSize = get_preferred_step_size;
  descriptor_.getPreferredBlockSize = get_preferred_block_size;
  descriptor_.getMinChannelCount = get_channel_count;
  descriptor_.getMaxChannelCount = get_channel_count;
  descriptor_.getOutputCount = get_output_count;
  descriptor_.getOutputDescriptor = get_output_descriptor;
  descriptor_.releaseOutputDescriptor = release_output_descriptor;
  descriptor_.process = process;
  descriptor_.getRemainingFeatures = get_remaining_features;
  descriptor_.releaseFeatureSet = release_feature_set;
}

}  // namespace specfast_vamp
