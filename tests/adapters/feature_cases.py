# SPDX-License-Identifier: BSD-3-Clause
"""Specifications for the tests of the adapters: with a gradient, and without."""

from __future__ import annotations

import specfast
from specfast import presets

WITH_GRADIENT = ("whisper", "nemo", "kaldi_fbank", "kaldi_mfcc", "parakeet")

# Each with the word by which its gradient is refused.
WITHOUT_GRADIENT = {
    "pcen": "pcen",
    "deltas": "delta_order",
    "range_before_cepstra": "num_cepstra|top_db|dynamic_range",
    "fixed_length": "num_samples",
}

_OWN = {
    "pcen": {"pcen": True},
    "deltas": {"delta_order": 1},
    "range_before_cepstra": {"level": "decibel", "dynamic_range": 40.0, "num_cepstra": 13},
    "fixed_length": {"num_samples": 3000},
}


def spec_of(name: str) -> specfast.FeatureSpec:
    """Returns the specification of this name, a preset's or one of a single unusual step."""
    if name in _OWN:
        return specfast.FeatureSpec(num_mel_bins=40, **_OWN[name])
    return presets.spec(name)
