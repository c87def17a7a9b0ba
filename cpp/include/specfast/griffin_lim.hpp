// SPDX-License-Identifier: BSD-3-Clause
//
// C++17 over griffin_lim.h: signals from the magnitudes of their frames.
//
// Usage:
//
//     const specfast::GriffinLim griffin_lim(config);
//     specfast_magnitudes arrays{};  // see griffin_lim.h
//     griffin_lim.execute(arrays);
#pragma once

#include <cstdint>
#include <memory>

#include "errors.hpp"
#include "griffin_lim.h"

namespace specfast {

class GriffinLim {
 public:
  GriffinLim(const specfast_config& config, std::int64_t num_iterations = 32,
             double momentum = 0.99, std::uint64_t seed = 0) {
    specfast_griffin_lim_options options{};
    options.struct_size = sizeof(options);
    options.num_iterations = num_iterations;
    options.momentum = momentum;
    options.seed = seed;
    specfast_griffin_lim* griffin_lim;
    check(specfast_griffin_lim_create(&config, &options, &griffin_lim));
    griffin_lim_.reset(griffin_lim);
  }

  // -1 where the number of frames does not tell, see specfast_inverse_num_samples.
  std::int64_t num_samples(std::int64_t num_frames) const noexcept {
    return specfast_inverse_num_samples(specfast_griffin_lim_inverse(griffin_lim_.get()),
                                        num_frames);
  }

  // num_threads 0: as many as calls have by default.
  void execute(const specfast_magnitudes& arrays, std::int32_t num_threads = 0) const {
    check(specfast_griffin_lim_execute(griffin_lim_.get(), num_threads, &arrays));
  }

  const specfast_griffin_lim* get() const noexcept { return griffin_lim_.get(); }

 private:
  struct Destroy {
    void operator()(specfast_griffin_lim* griffin_lim) const noexcept {
      specfast_griffin_lim_destroy(griffin_lim);
    }
  };
  std::unique_ptr<specfast_griffin_lim, Destroy> griffin_lim_;
};

}  // namespace specfast
