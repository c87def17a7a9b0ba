# SPDX-License-Identifier: BSD-3-Clause
"""Values that the engine's precision cannot hold, and short messages about long values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from makers import small_mel, small_stft, stft
from signals import noise


@pytest.mark.parametrize(
    "arguments",
    [
        {"hop": np.zeros(100_000).tolist()},
        {"X" * 100_000: 1},
        {"dtype": "x" * 100_000},
        {"dtype": {"class_name": "y" * 100_000}},
        {"window": "z" * 100_000},
        {"window": {"class_name": "__numpy__", "config": {"value": ["1" * 100_000]}}},
        {"name": "/" * 100_000},
        {"mode": "a" * 100_000},
        {"frame_length": 10**5000},
        {"epsilon": 10**300},
    ],
    ids=lambda arguments: next(iter(arguments))[:20],
)
def test_messages_stay_short(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        stft(**arguments)
    assert len(str(caught.value)) < 800


# ---- What the precision cannot hold ----------------------------------------------------------

SILENCE = np.zeros((1, 40, 1), np.float32)


@pytest.mark.parametrize(
    ("mode", "dtype"),
    [("log", "float32"), ("magnitude", "float32"), ("log", "mixed_float16")],
)
def test_epsilon_that_is_lost(mode: str, dtype: str) -> None:
    """In float16 too, which computes in float32."""
    with pytest.raises(ValueError, match="`epsilon` must be 0 or.*0.0 in float32.*epsilon=1e-50"):
        small_stft(mode=mode, epsilon=1e-50, dtype=dtype)
    assert np.isfinite(small_stft(mode=mode, epsilon=1e-50, dtype="float64")(SILENCE)).all()
    # Where it is not used it does no harm.
    assert not small_stft(mode="psd", epsilon=1e-50, dtype=dtype)(SILENCE).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_largest_epsilon(dtype: str) -> None:
    floor = small_stft(mode="log", epsilon=1e15, dtype=dtype)(SILENCE)
    np.testing.assert_allclose(floor, np.log(1e15), rtol=1e-6)
    for epsilon in (1.01e15, 1e200, 10**300):
        with pytest.raises(ValueError, match=r"`epsilon` must be between 0 and 1e\+15.*epsilon=1"):
            small_stft(epsilon=epsilon, dtype=dtype)


@pytest.mark.parametrize("min_power", [1e-50, 1e50])
def test_min_power_that_is_lost(min_power: float) -> None:
    with pytest.raises(ValueError, match=r"`min_power` must be 0 or.*min_power=1e[+-]50"):
        small_mel(min_power=min_power)
    assert np.isfinite(small_mel(min_power=min_power, dtype="float64")(noise(100))).all()
    assert np.isfinite(small_mel(min_power=min_power, power_to_db=False)(noise(100))).all()


@pytest.mark.parametrize(
    ("largest", "scaling", "dtype"),
    [
        (1e-200, "density", "float64"),  # its squares are 0,
        (1e200, "density", "float64"),  # or infinite,
        (1e-160, "density", "float64"),  # or have lost their digits
        (5e-324, "spectrum", "float64"),
        (1e308, "spectrum", "float64"),
        (5e-324, None, "float64"),
        (1e200, None, "float32"),
        (1e-40, None, "float32"),
        (1e200, None, "float16"),  # which computes in float32
    ],
)
def test_windows_that_are_lost(largest: float, scaling: str | None, dtype: str) -> None:
    window = np.full(16, largest)
    with pytest.raises(
        ValueError, match=r"`window` must have a largest value that float.*window="
    ):
        small_stft(window=window, scaling=scaling, dtype=dtype)
    if scaling is None:
        with pytest.raises(ValueError, match=r"`window` must have a largest value that float"):
            small_mel(window=window, sequence_length=16, dtype=dtype)


WINDOW = np.hanning(16) + 0.25


@pytest.mark.parametrize("scaling", ["density", "spectrum"])
@pytest.mark.parametrize("largest", [1e-100, 1e-30, 1e30, 1e100])
def test_windows_of_every_size_are_scaled(largest: float, scaling: str) -> None:
    x = noise(1, 60, 1)
    y = small_stft(window=largest * WINDOW, scaling=scaling, mode="stft")(x)
    expected = small_stft(window=WINDOW, scaling=scaling, mode="stft")(x)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
