# SPDX-License-Identifier: BSD-3-Clause
"""Presets against what the originals returned, and against float64.

The judge is the oracle. A preset in float64 is nearer to it than the original is. In float32, as
its original, single values of quiet bands are a matter of luck: the root mean square of a clip's
errors is at most 1.2 times that of the original's own, the largest error at most twice its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import feature_oracle
import front_ends
from specfast import FeatureExtractor

CLIPS = ("speech", "synth", "short", "silence")
# Half a step of float32 between 8 and 16, in which most levels lie; smaller results round finer.
ROUNDING = 2.0**-21
# In units of a level: natural logarithms, bels and decibels.
SPEECH_LIMITS = {"ln": 1e-4, "log10": 5e-5, "decibel": 1e-3}


def root_mean_square(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("name", front_ends.CALLS)
def test_presets_are_as_near_as_their_originals(name: str, clip: str) -> None:
    spec = front_ends.spec(name)
    samples = front_ends.clips()[clip]
    exact = feature_oracle.features(spec, samples)
    original = front_ends.stored(name, clip)
    result = FeatureExtractor(spec)(samples)
    assert (result.shape, result.dtype) == (original.shape, np.float32)
    errors, originals = np.abs(result - exact), np.abs(original - exact)
    rounding = ROUNDING * max(1.0, float(np.abs(exact).max()) / 16)
    if spec.precision == "float64":
        assert errors.max() <= originals.max() + rounding
    else:
        assert errors.max() <= 2 * originals.max() + rounding
        assert root_mean_square(errors) <= 1.2 * root_mean_square(originals) + rounding


@pytest.mark.parametrize(
    "name", [name for name in front_ends.CALLS if front_ends.spec(name).level != "energy"]
)
def test_levels_of_speech_in_float64(name: str) -> None:
    """float32 leaves few digits of a band far below the loudest; float64 leaves enough of all."""
    spec = front_ends.spec(name).replace(precision="float64")
    samples = front_ends.clips()["speech"]
    errors = np.abs(FeatureExtractor(spec)(samples) - feature_oracle.features(spec, samples))
    assert errors.max() <= SPEECH_LIMITS[spec.level]
