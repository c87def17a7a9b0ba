// SPDX-License-Identifier: BSD-3-Clause
// A host in the terms of vamp.h alone, for what the hosts of the SDK never do.
//
//   host PLUGIN.so times SECONDS NANOSECONDS   times of the columns of blocks that begin then
//   host PLUGIN.so settings                    changes parameters between initialise and process
//   host PLUGIN.so orders SEED CALLS           generated calls in any order, good and bad ones
//   host PLUGIN.so starved                     every allocation fails in turn
//
// `orders` knows what each call must give. Exit status 0 if all is well.
#include <dlfcn.h>
#include <vamp/vamp.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "memory.h"

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

[[noreturn]] void broken(const std::string& what) {
  std::printf("broken: %s\n", what.c_str());
  std::fflush(stdout);
  std::_Exit(1);
}

void require(bool ok, const char* what) {
  if (!ok) broken(what);
}

VampGetPluginDescriptorFunction load(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) broken(dlerror());
  return reinterpret_cast<VampGetPluginDescriptorFunction>(
      dlsym(library, "vampGetPluginDescriptor"));
}

// ---- What a plugin must do ----------------------------------------------------------------------

// The settings that times, rows and numbers of columns follow from.
struct Settings {
  std::int64_t frame_length, hop, fft_length, rows;
  bool is_mel, fit_together;

  std::int64_t num_columns(std::int64_t num_samples) const {
    if (is_mel) return num_samples == 0 ? 0 : 1 + (num_samples - fft_length % 2) / hop;
    return num_samples < frame_length ? 0 : 1 + (num_samples - frame_length) / hop;
  }
};

class Instance {
 public:
  Instance(const VampPluginDescriptor* descriptor, float rate)
      : plugin_(*descriptor), rate_(rate), handle_(plugin_.instantiate(descriptor, rate)) {
    require(handle_, "instantiate: a handle");
    for (unsigned index = 0; index < plugin_.parameterCount; ++index) {
      const VampParameterDescriptor& parameter = *plugin_.parameters[index];
      // An instance's ranges end at half its own rate.
      const bool hertz = std::strcmp(parameter.unit, "Hz") == 0;
      const float nyquist = rate / 2;
      low_.push_back(hertz ? std::min(parameter.minValue, nyquist) : parameter.minValue);
      high_.push_back(hertz ? nyquist : parameter.maxValue);
      values_.push_back(plugin_.getParameter(handle_, int(index)));
    }
  }
  ~Instance() { plugin_.cleanup(handle_); }

  int num_parameters() const { return int(values_.size()); }
  float high(int index) const { return high_[std::size_t(index)]; }

  void set(int index, float value) {
    plugin_.setParameter(handle_, index, value);
    const std::size_t place = std::size_t(index);
    if (index >= 0 && index < num_parameters() && !std::isnan(value))
      values_[place] = std::min(std::max(value, low_[place]), high_[place]);
    for (int other = -2; other < num_parameters() + 2; ++other) {
      const bool exists = other >= 0 && other < num_parameters();
      const float expected = exists ? values_[std::size_t(other)] : 0;
      require(plugin_.getParameter(handle_, other) == expected, "getParameter: the value set");
    }
  }

  bool initialise(unsigned channels, unsigned step, unsigned block) {
    const Settings settings = current();
    is_prepared_ = has_ended_ = false;
    const bool done = plugin_.initialise(handle_, channels, step, block) != 0;
    const bool sound = channels == 1 && step == block && block > 0 && settings.fit_together;
    require(sound || !done, "initialise: a refusal");
    const std::int64_t most = (block + settings.fft_length) / settings.hop + 2;
    const bool fits = sound && most * (settings.rows + 20) < 1 << 24;  // else memory may be refused
    require(done || !fits, "initialise: success");
    if (!done) return false;
    is_prepared_ = true;
    prepared_ = settings;
    block_ = block;
    begin_signal();
    return true;
  }

  void reset() {
    plugin_.reset(handle_);
    has_ended_ = false;
    begin_signal();
  }

  // Returns the times of the columns in seconds.
  std::vector<double> process(const std::vector<float>& samples, int seconds, int nanoseconds) {
    require(!is_prepared_ || samples.size() >= block_, "a block of samples");
    const float* const channels[] = {samples.data()};
    if (is_prepared_ && !has_ended_) {
      if (num_samples_ == 0) begin_ = seconds * 1000000000LL + nanoseconds;
      num_samples_ += std::int64_t(block_);
    }
    VampFeatureList* const features = plugin_.process(handle_, channels, seconds, nanoseconds);
    const std::vector<double> times = checked(features);
    if (is_prepared_)
      require(num_columns_ <= prepared_.num_columns(num_samples_), "process: no column too many");
    return times;
  }

  // Blocks that cannot be read give nothing, and do not count.
  void process_nothing(const std::vector<float>& samples) {
    const float* const null[] = {nullptr};
    const float* const misaligned[] = {
        reinterpret_cast<const float*>(reinterpret_cast<const char*>(samples.data()) + 1)};
    require(!plugin_.process(handle_, nullptr, 7, 7), "process(NULL): no columns");
    require(!plugin_.process(handle_, null, 7, 7), "process(no channel): no columns");
    require(!plugin_.process(handle_, misaligned, 7, 7), "process(misaligned): no columns");
  }

  std::vector<double> remaining() {
    const std::vector<double> times = checked(plugin_.getRemainingFeatures(handle_));
    if (is_prepared_)
      require(num_columns_ == prepared_.num_columns(num_samples_), "all columns of the signal");
    has_ended_ = true;
    return times;
  }

  void describe() const {
    require(plugin_.getOutputCount(handle_) == 1, "one output");
    for (const unsigned index : {1u, 2u, 1000u, ~0u})
      require(!plugin_.getOutputDescriptor(handle_, index), "no output of that number");
    VampOutputDescriptor* const output = plugin_.getOutputDescriptor(handle_, 0);
    require(output, "getOutputDescriptor: a description");
    const Settings settings = is_prepared_ ? prepared_ : current();
    if (settings.fit_together) {
      require(output->binCount == settings.rows, "as many rows as were prepared");
      for (unsigned row = 0; row < output->binCount; ++row)
        require(std::strstr(output->binNames[row], " Hz"), "a name for each row");
    }
    require(output->hasFixedBinCount == 1 && output->sampleType == vampFixedSampleRate,
            "columns of one size at one distance");
    require(output->sampleRate == rate_ / float(settings.hop), "the rate of the columns");
    plugin_.releaseOutputDescriptor(output);
    require(plugin_.getPreferredBlockSize(handle_) > 0, "a preferred block size");
    require(plugin_.getPreferredStepSize(handle_) == 0, "steps of a block");
    require(plugin_.getMinChannelCount(handle_) == 1 && plugin_.getMaxChannelCount(handle_) == 1,
            "one channel");
    plugin_.selectProgram(handle_, 5);
    require(plugin_.getCurrentProgram(handle_) == 0, "no programs");
  }

  std::size_t block() const { return is_prepared_ ? block_ : 1; }

 private:
  Settings current() const {
    const auto value = [this](const char* identifier) {
      for (unsigned index = 0; index < plugin_.parameterCount; ++index)
        if (!std::strcmp(plugin_.parameters[index]->identifier, identifier)) return values_[index];
      broken(identifier);
    };
    const auto count = [&](const char* identifier) {
      return std::int64_t(std::lround(value(identifier)));
    };
    Settings settings{};
    settings.is_mel = std::strcmp(plugin_.identifier, "mel") == 0;
    settings.fft_length = count("fft_length");
    settings.hop = count("hop");
    settings.frame_length = settings.is_mel ? settings.fft_length : count("frame_length");
    settings.fft_length = std::max(settings.fft_length, settings.frame_length);
    settings.rows = settings.is_mel ? count("bands") : settings.fft_length / 2 + 1;
    settings.fit_together = !settings.is_mel || value("max_freq") > value("min_freq");
    return settings;
  }

  void begin_signal() { begin_ = num_samples_ = num_columns_ = 0; }

  // Each column has the number of rows and the time that follow from the settings prepared.
  std::vector<double> checked(VampFeatureList* features) {
    std::vector<double> times;
    if (!features) return times;
    require(is_prepared_ && !has_ended_, "no columns before initialise and after the end");
    for (unsigned index = 0; index < features->featureCount; ++index) {
      const VampFeature& feature = features->features[index].v1;
      require(feature.valueCount == prepared_.rows, "as many values as rows were prepared");
      for (unsigned row = 0; row < feature.valueCount; ++row)
        require(std::isfinite(feature.values[row]), "finite values");
      const VampFeatureV2& second = features->features[features->featureCount + index].v2;
      require(feature.hasTimestamp && !feature.label && !second.hasDuration, "a time and no more");
      const std::int64_t first = prepared_.is_mel ? 0 : prepared_.frame_length / 2;
      const long double expected =
          begin_ + (first + num_columns_ * prepared_.hop) * (1e9L / (long double)(rate_));
      const std::int64_t time = feature.sec * 1000000000LL + feature.nsec;
      require(std::fabs((long double)(time)-expected) <= 1, "the time of the middle of the window");
      times.push_back(feature.sec + 1e-9 * feature.nsec);
      ++num_columns_;
    }
    plugin_.releaseFeatureSet(features);
    return times;
  }

  const VampPluginDescriptor& plugin_;
  const float rate_;
  const VampPluginHandle handle_;
  std::vector<float> low_, high_, values_;
  bool is_prepared_ = false, has_ended_ = false;
  Settings prepared_{};
  std::size_t block_ = 0;
  std::int64_t begin_ = 0, num_samples_ = 0, num_columns_ = 0;  // begin_ in nanoseconds
};

// ---- Generated calls ----------------------------------------------------------------------------

class Orders {
 public:
  Orders(VampGetPluginDescriptorFunction descriptor_of, std::uint64_t seed)
      : descriptor_of_(descriptor_of), engine_(seed) {}

  void step() {
    if (instances_.size() < 3) return instantiate();
    const std::size_t which = below(instances_.size());
    Instance& instance = *instances_[which];
    switch (below(16)) {
      case 0:
        instances_.erase(instances_.begin() + std::ptrdiff_t(which));
        return;
      case 1:
      case 2:
        return set(instance);
      case 3:
        return initialise(instance);
      case 4:
        return instance.reset();
      case 5:
        return instance.describe();
      case 6:
        return instance.process_nothing(samples(instance.block() + 1));
      case 7:
        instance.remaining();
        return;
      case 8:
        return call_with_null();
      default:
        instance.process(samples(instance.block()), int(below(100)) - 10, int(below(1000000000)));
    }
  }

 private:
  std::size_t below(std::size_t count) { return std::size_t(engine_() % count); }
  template <typename T, std::size_t kCount>
  T of(const T (&values)[kCount]) {
    return values[below(kCount)];
  }

  std::vector<float> samples(std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = float(below(2001)) / 1000 - 1;
    return values;
  }

  void instantiate() {
    const VampPluginDescriptor* const plugin = descriptor_of_(2, unsigned(below(2)));
    require(plugin, "a descriptor");
    require(!descriptor_of_(0, 0) && !descriptor_of_(2, 2) && !descriptor_of_(2, ~0u),
            "no descriptor");
    constexpr double kBad[] = {0, -1, -16000, kNan, kInfinity, -kInfinity};
    require(!plugin->instantiate(plugin, float(of(kBad))), "instantiate: a refusal");
    constexpr float kRates[] = {8000, 16000, 44100, 22050.5f, 1.5f, 192000};
    instances_.push_back(std::make_unique<Instance>(plugin, of(kRates)));
  }

  void set(Instance& instance) {
    const int index = int(below(std::size_t(instance.num_parameters() + 4))) - 2;
    constexpr double kOdd[] = {kNan, kInfinity, -kInfinity, 1e30, -1, 0};
    const bool exists = index >= 0 && index < instance.num_parameters();
    // Small values mostly: a hop or a length of 65536 leaves few columns to look at.
    float value = float(below(10) ? 1 + below(600) : below(20000)) * (below(4) ? 1 : 0.9f);
    if (!below(6)) value = float(of(kOdd));
    if (exists && instance.high(index) <= 1) value = float(below(2));
    instance.set(index, value);
  }

  void initialise(Instance& instance) {
    constexpr unsigned kChannels[] = {0, 2, 1000, ~0u};
    constexpr unsigned kBlocks[] = {1, 2, 37, 256, 1000, 1024, 4096};
    const unsigned block = of(kBlocks);
    switch (below(8)) {
      case 0:
        instance.initialise(of(kChannels), block, block);
        return;
      case 1:
        instance.initialise(1, block / 2, block);
        return;
      case 2:
        instance.initialise(1, block, block + 1);
        return;
      case 3:
        instance.initialise(1, 0, 0);
        return;
      case 4: {  // more than there is memory for, or than this host has samples for
        constexpr unsigned kHuge[] = {1u << 30, 1u << 31, ~0u};
        const unsigned huge = of(kHuge);
        if (instance.initialise(1, huge, huge)) instance.initialise(1, block, block);
        return;
      }
      default:
        instance.initialise(1, block, block);
    }
  }

  void call_with_null() {
    const VampPluginDescriptor& plugin = *descriptor_of_(2, unsigned(below(2)));
    const std::vector<float> block = samples(1);
    const float* const channels[] = {block.data()};
    require(!plugin.initialise(nullptr, 1, 8, 8), "initialise(NULL): a refusal");
    plugin.reset(nullptr);
    require(plugin.getParameter(nullptr, 0) == 0, "getParameter(NULL): 0");
    plugin.setParameter(nullptr, 0, 1);
    require(!plugin.getOutputDescriptor(nullptr, 0), "getOutputDescriptor(NULL): NULL");
    require(!plugin.process(nullptr, channels, 0, 0), "process(NULL): no columns");
    require(!plugin.getRemainingFeatures(nullptr), "getRemainingFeatures(NULL): no columns");
    plugin.releaseFeatureSet(nullptr);
    plugin.releaseOutputDescriptor(nullptr);
    plugin.cleanup(nullptr);
  }

  VampGetPluginDescriptorFunction descriptor_of_;
  std::mt19937_64 engine_;
  std::vector<std::unique_ptr<Instance>> instances_;
};

// ---- Named cases --------------------------------------------------------------------------------

void print(const std::vector<double>& times) {
  for (const double time : times) std::printf("%.9f\n", time);
}

// The columns of one second of blocks that begin at a time, after a reset from another signal.
void print_times(const VampPluginDescriptor* plugin, int seconds, int nanoseconds) {
  Instance instance(plugin, 16000);
  require(instance.initialise(1, 1000, 1000), "initialise: success");
  const std::vector<float> samples(1000, 0.5f);
  instance.process(samples, 3, 0);
  instance.remaining();
  instance.reset();
  for (int block = 0; block < 16; ++block) {
    const std::int64_t nano = nanoseconds + block * 62500000LL;
    print(instance.process(samples, seconds + int(nano / 1000000000), int(nano % 1000000000)));
  }
  print(instance.remaining());
}

// The times and rows of mel columns that were prepared with a hop of 512 samples and 128 bands.
void print_with_settings_changed(const VampPluginDescriptor* plugin) {
  Instance instance(plugin, 16000);
  require(instance.initialise(1, 1024, 1024), "initialise: success");
  instance.set(1, 4096);  // hop
  instance.set(2, 64);    // bands
  instance.describe();
  const std::vector<float> samples(1024, 0.5f);
  for (int block = 0; block < 4; ++block) print(instance.process(samples, 0, block * 64000000));
  print(instance.remaining());
  require(instance.initialise(1, 1024, 1024), "initialise: success");
  instance.describe();
  for (int block = 0; block < 4; ++block) print(instance.process(samples, 0, block * 64000000));
  print(instance.remaining());
}

// One life of an instance, in which any call may fail for lack of memory; then those that rely on
// it give nothing.
void live(VampGetPluginDescriptorFunction descriptor_of, unsigned index,
          const std::vector<float>& samples) {
  const VampPluginDescriptor* const plugin = descriptor_of(2, index);
  if (!plugin) return;
  const VampPluginHandle handle = plugin->instantiate(plugin, 16000);
  if (!handle) return;
  plugin->setParameter(handle, 1, 128);
  const float* const channels[] = {samples.data()};
  for (int round = 0; round < 2; ++round) {
    const bool prepared = plugin->initialise(handle, 1, 1024, 1024) != 0;
    if (VampOutputDescriptor* const output = plugin->getOutputDescriptor(handle, 0))
      plugin->releaseOutputDescriptor(output);
    for (int block = 0; block < 3; ++block) {
      VampFeatureList* const features = plugin->process(handle, channels, 0, 0);
      require(prepared || !features, "process: nothing before initialise");
      if (features) plugin->releaseFeatureSet(features);
    }
    plugin->getRemainingFeatures(handle);
    require(!plugin->getRemainingFeatures(handle), "nothing after the end");
    require(!plugin->process(handle, channels, 0, 0), "nothing after the end");
    plugin->reset(handle);
  }
  plugin->cleanup(handle);
}

// The first life of all has descriptors to make too, so it is lived without memory from the first
// allocation on, then from the second on, and so on.
void starve(VampGetPluginDescriptorFunction descriptor_of) {
  const std::vector<float> samples(1024, 0.5f);
  long lives = 0;
  for (const bool is_first_use : {true, false}) {
    for (const bool all : {true, false}) {
      fuzz::all_fail_then = all;
      for (unsigned index = 0; index < 2; ++index) {
        bool starved = true;
        for (long allowed = 0; starved; ++allowed, ++lives) {
          const long failed = fuzz::num_failed, alive = fuzz::num_live;
          fuzz::allocations_left = allowed;
          live(descriptor_of, index, samples);
          fuzz::allocations_left = -1;
          starved = fuzz::num_failed > failed;
          require(is_first_use || fuzz::num_live == alive, "no memory is lost");
        }
      }
    }
  }
  std::printf("%ld lives\n", lives);
  require(lives > 100, "allocations that fail");
}

}  // namespace

int main(int argc, char** argv) {
  require(argc > 2, "usage: host PLUGIN.so times|settings|orders|starved");
  const VampGetPluginDescriptorFunction descriptor_of = load(argv[1]);
  const std::string what = argv[2];
  if (what == "starved") return starve(descriptor_of), 0;
  if (what == "settings") return print_with_settings_changed(descriptor_of(2, 0)), 0;
  require(argc == 5, "two numbers");
  if (what == "times")
    return print_times(descriptor_of(2, 0), std::atoi(argv[3]), std::atoi(argv[4])), 0;
  Orders orders(descriptor_of, std::strtoull(argv[3], nullptr, 10));
  for (long calls = std::atol(argv[4]); calls > 0; --calls) orders.step();
  std::printf("ok\n");
}
