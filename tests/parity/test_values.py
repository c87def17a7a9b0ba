# SPDX-License-Identifier: BSD-3-Clause
"""Over 500 random configurations of both layers, against the live Keras and the oracle.

The norm of our error must not be larger than that of Keras' error: the L2 norm over the same
entries of the same output against the same float64 values. Where both errors are as small as the
rounding of float32 makes them anyway, which one is smaller is chance. So exceptions are counted:

- with no allowance at all, at most 10 of 100 configurations may have the larger error here;
- but for the last place of the result (2^-23 of its norm), at most 2 of 100;
- none may be above the rounding that the accuracy tests allow a transform (`judge.stft_rounding`,
  `judge.mel_rounding`: the L2 error at the bound that test_accuracy.py asserts, nothing added).

docs/numerics.md has the counts.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from configurations import Case, mel_groups, stft_groups

import judge
import oracle
import specfast

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:`fft_length` is recommended:UserWarning"),
]

Errors = dict[str, list[tuple[float, float]]]

BACKEND = os.environ["KERAS_BACKEND"]


def run_keras(keras: ModuleType, layer: str, case: Case) -> Any:
    made = getattr(keras.layers, layer)(**case.arguments, dtype="float32")
    return keras.ops.convert_to_numpy(made(case.x))


def check_error(
    errors: Errors, name: str, ours: tuple[float, float], theirs: float, rounding: float
) -> None:
    error, size = ours
    errors.setdefault(name, []).append((error / (size or 1.0), theirs / (size or 1.0)))
    assert error <= max(theirs, rounding)


@pytest.mark.parametrize("cases", stft_groups(), ids=lambda cases: str(cases[0].x.shape))
def test_stft_spectrogram(keras: ModuleType, errors: Errors, cases: list[Case]) -> None:
    for case in cases:
        layer = specfast.STFTSpectrogram(**case.arguments)
        ours = layer(case.x)
        theirs = run_keras(keras, "STFTSpectrogram", case)
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        assert tuple(layer.compute_output_shape(case.x.shape)) == theirs.shape
        judge.assert_stft_close(ours, theirs, case.x, case.arguments)
        check_error(
            errors,
            f"stft {case.arguments['mode']}",
            judge.stft_error(ours, case.x, case.arguments),
            judge.stft_error(theirs, case.x, case.arguments)[0],
            judge.stft_rounding(case.x, case.arguments),
        )


def keras_computes_the_same(case: Case) -> bool:
    """False where this backend departs from NumPy and JAX, which specfast follows."""
    fft_length, window = case.arguments["fft_length"], case.arguments["window"]
    length = case.arguments["sequence_length"] or fft_length
    # These two reflect once only, and raise for a clip that is shorter.
    if BACKEND in ("tensorflow", "torch") and case.x.shape[-1] <= fft_length // 2:
        return False
    # TensorFlow's named windows of an odd length are symmetric instead of periodic.
    if BACKEND == "tensorflow" and length % 2 == 1 and isinstance(window, str):
        return False
    # No window is sequence_length ones for torch, fft_length ones for the others.
    return not (BACKEND == "torch" and window is None and length < fft_length)


@pytest.mark.parametrize("cases", mel_groups(), ids=lambda cases: str(cases[0].x.shape))
def test_mel_spectrogram(keras: ModuleType, errors: Errors, cases: list[Case]) -> None:
    for case in cases:
        layer = specfast.MelSpectrogram(**case.arguments)
        ours = layer(case.x)
        assert tuple(layer.compute_output_shape(case.x.shape)) == ours.shape
        our_error = judge.mel_error(ours, case.x, case.arguments)
        if not keras_computes_the_same(case):
            expected = oracle.mel_spectrogram(case.x, **case.arguments)
            judge.assert_mel_close(ours, expected, case.x, case.arguments)
            continue
        theirs = run_keras(keras, "MelSpectrogram", case)
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        judge.assert_mel_close(ours, theirs, case.x, case.arguments)
        level = "dB" if case.arguments["power_to_db"] else "power"
        check_error(
            errors,
            f"mel {level}",
            our_error,
            judge.mel_error(theirs, case.x, case.arguments)[0],
            judge.mel_rounding(case.x, case.arguments),
        )


def test_error_is_hardly_ever_larger(errors: Errors) -> None:
    """Over all configurations of the tests above, after which this runs."""
    pairs = np.array([pair for pairs in errors.values() for pair in pairs]).reshape(-1, 2)
    # torch and TensorFlow cannot run every configuration of the mel layer.
    assert len(pairs) >= (500 if BACKEND in ("jax", "numpy") else 400)
    ours, theirs = pairs.T
    larger = int(np.sum(ours > theirs))
    beyond_last_place = int(np.sum(ours > np.maximum(theirs, judge.EPS32)))
    assert larger <= 0.10 * len(pairs)
    assert beyond_last_place <= 0.02 * len(pairs)


def test_most_angles_are_judged() -> None:
    """What judge.assert_stft_close leaves out of the comparison of angles is little."""
    cases = [case for group in stft_groups() for case in group]
    counts = np.array(
        [
            judge.judged_angles(case.x, case.arguments, judge.stft_tolerance(case.arguments))
            for case in cases
            if case.arguments["mode"] == "angle"
        ]
    )
    assert len(counts) >= 20
    judged, total = counts.sum(axis=0)
    assert judged >= 0.9 * total


def test_there_are_at_least_500_configurations() -> None:
    cases = [
        case for groups in (stft_groups(), mel_groups()) for group in groups for case in group
    ]
    assert len(cases) >= 500
    lengths = {case.arguments["fft_length"] for case in cases} - {None}
    assert any(length % 2 for length in lengths)
    assert np.unique([case.arguments.get("mode", "mel") for case in cases]).size == 8
