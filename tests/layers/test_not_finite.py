# SPDX-License-Identifier: BSD-3-Clause
"""NaN and infinity show in every row of the frames that hold them, and in no other frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from makers import Array
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

PLACES = [0, 1, 5, 16, 31, 40]
VALUES = [np.inf, -np.inf, np.nan]


def frames_with(place: int, frame_length: int, step: int, num_frames: int) -> Array:
    first = np.arange(num_frames) * step
    return (first <= place) & (place < first + frame_length)


@pytest.mark.filterwarnings("ignore:`fft_length` is recommended:UserWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("frame_length", [2, 6, 32, 34])
@pytest.mark.parametrize("mode", ["real", "imag", "stft", "angle", "magnitude", "log", "psd"])
def test_stft(mode: str, frame_length: int, dtype: str) -> None:
    step = frame_length // 2
    layer = STFTSpectrogram(
        mode=mode,
        frame_length=frame_length,
        frame_step=step,
        fft_length=frame_length,
        window=None,
        dtype=dtype,
    )
    for place in PLACES:
        for value in VALUES:
            x = noise(1, 200, 1).astype(dtype)
            x[0, place] = value
            finite = np.isfinite(layer(x)[0])
            expected = ~frames_with(place, frame_length, step, len(finite))
            assert (finite == expected[:, np.newaxis]).all(), (place, value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "arguments", [{}, {"mag_exp": 1.0}, {"mag_exp": 1.3}, {"power_to_db": False}], ids=str
)
def test_mel_with_bands_that_hold_no_bin(arguments: dict[str, Any], dtype: str) -> None:
    layer = MelSpectrogram(
        fft_length=32, sequence_stride=16, num_mel_bins=20, top_db=None, dtype=dtype, **arguments
    )
    assert (layer.linear_to_mel_weight_matrix(20, 17).max(axis=0) == 0).any()
    for place in PLACES:
        for value in VALUES:
            x = noise(200).astype(dtype)
            x[place + 100] = value
            finite = np.isfinite(layer(x))
            assert (finite.all(axis=0) == finite.any(axis=0)).all(), (place, value)
            assert not finite[:, (place + 100 + 8) // 16].any()
            assert finite[:, :5].all()


@pytest.mark.parametrize("mode", ["real", "stft", "magnitude"])
def test_a_sum_that_overflows_stays_in_its_bin(mode: str) -> None:
    """The samples are finite: only the bin of the constant is out of range, as in Keras."""
    layer = STFTSpectrogram(mode=mode, frame_length=64, window=None)
    y = layer(np.full((1, 64, 1), 7e36, np.float32))[0, 0]
    assert np.isinf(y[0])
    assert np.isfinite(y[1:33]).all()
