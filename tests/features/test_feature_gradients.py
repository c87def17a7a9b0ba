# SPDX-License-Identifier: BSD-3-Clause
"""Gradients of a FeatureExtractor against differences, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from specfast import FeatureExtractor, presets
from specs import FRAMINGS, SCOPES, STEPS, made

STEP = 1e-6
WITHOUT_GRADIENT = ("pcen", "delta_order")


def has_gradient(steps: dict[str, Any]) -> bool:
    clamped_rows = "dynamic_range" in steps and (
        {"num_cepstra", "energy", "normalization"} & set(steps) or steps.get("gain", 1) < 0
    )
    return not clamped_rows and not set(WITHOUT_GRADIENT) & set(steps)


def assert_gradient(extractor: FeatureExtractor, num_samples: int, batch: int = 2) -> None:
    random = np.random.default_rng(num_samples)
    x = 0.1 * random.standard_normal((batch, num_samples)) + 0.05
    result, pullback = extractor.vjp(x)
    np.testing.assert_array_equal(result, extractor(x))
    cotangent = random.standard_normal(result.shape)
    gradient = pullback(cotangent).signal
    assert gradient is not None
    direction = random.standard_normal(x.shape)

    def at(t: float) -> float:
        return float(np.sum(extractor(x + t * direction) * cotangent))

    expected = (at(STEP) - at(-STEP)) / (2 * STEP)
    scale = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
    assert float(np.sum(gradient * direction)) == pytest.approx(expected, abs=2e-7 * scale + 1e-12)


@pytest.mark.parametrize("layout", ["bands_first", "frames_first"])
@pytest.mark.parametrize("steps", [s for s in (*STEPS, *SCOPES) if has_gradient(s)], ids=str)
@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_gradients_against_differences(
    framing: dict[str, Any], steps: dict[str, Any], layout: str
) -> None:
    spec = made(framing, steps, layout=layout, precision="float64", dtype="float64")
    for num_samples in (300, 1111, 7000):
        assert_gradient(FeatureExtractor(spec), num_samples)


@pytest.mark.parametrize("steps", [s for s in (*STEPS, *SCOPES) if not has_gradient(s)], ids=str)
def test_a_step_without_a_gradient_is_named(steps: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a gradient needs (\w+)=.*Received: \1="):
        FeatureExtractor(made(steps)).vjp(np.ones(2000, np.float32))


@pytest.mark.parametrize(
    "steps",
    [
        {"num_frames": 3},
        {"num_samples": 2000},
        {"frames_multiple": 2},
        {"join_frames": 2, "layout": "frames_first"},
    ],
    ids=str,
)
def test_arrangements_have_no_gradient(steps: dict[str, Any]) -> None:
    name, value = next(iter(steps.items()))
    with pytest.raises(ValueError, match=f"a gradient needs {name}=.*Received: {name}={value}"):
        FeatureExtractor(made(**steps)).vjp(np.ones(2000, np.float32))


def test_threads_change_no_bit_of_a_gradient() -> None:
    x = np.random.default_rng(0).standard_normal((3, 20000)).astype(np.float32)
    for name in ("whisper", "nemo", "kaldi_mfcc"):
        results = []
        for threads in (1, 2, 3):
            result, pullback = presets.get(name, num_threads=threads).vjp(x)
            results.append(pullback(np.ones_like(result)).signal)
        np.testing.assert_array_equal(results[1], results[0])
        np.testing.assert_array_equal(results[2], results[0])
