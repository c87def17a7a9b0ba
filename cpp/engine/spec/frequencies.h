// SPDX-License-Identifier: BSD-3-Clause
// The frequencies that the rows of a frame stand for.
#pragma once

#include <vector>

#include "engine/spec/config.h"

namespace specfast::engine {

// In Hz, for each row: the frequency of a bin, or the peak of a band. In mode STFT the bins come
// twice. The sampling rate is not part of a spectrogram's configuration; throws Error unless it is
// finite and positive.
std::vector<double> row_frequencies(const Config& config, double sampling_rate_hz);

}  // namespace specfast::engine
