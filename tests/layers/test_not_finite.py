# SPDX-License-Identifier: BSD-3-Clause
"""NaN and infinity show in every row of the frames that hold them; the others keep their bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from makers import Array, same_bits, small_mel
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
    clean = layer(noise(1, 200, 1).astype(dtype))[0]
    for place in PLACES:
        for value in VALUES:
            x = noise(1, 200, 1).astype(dtype)
            x[0, place] = value
            found = layer(x)[0]
            expected = ~frames_with(place, frame_length, step, len(found))
            assert (np.isfinite(found) == expected[:, np.newaxis]).all(), (place, value)
            assert same_bits(found[expected], clean[expected]), (place, value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "arguments", [{}, {"mag_exp": 1.0}, {"mag_exp": 1.3}, {"power_to_db": False}], ids=str
)
def test_mel_with_bands_that_hold_no_bin(arguments: dict[str, Any], dtype: str) -> None:
    layer = MelSpectrogram(
        fft_length=32, sequence_stride=16, num_mel_bins=20, top_db=None, dtype=dtype, **arguments
    )
    assert (layer.linear_to_mel_weight_matrix(20, 17).max(axis=0) == 0).any()
    clean = layer(noise(200).astype(dtype))
    for place in PLACES:
        for value in VALUES:
            x = noise(200).astype(dtype)
            x[place + 100] = value
            found = layer(x)
            finite = np.isfinite(found)
            assert (finite.all(axis=0) == finite.any(axis=0)).all(), (place, value)
            assert same_bits(found[:, finite[0]], clean[:, finite[0]]), (place, value)
            assert not finite[:, (place + 100 + 8) // 16].any()
            assert finite[:, :5].all()


@pytest.mark.parametrize("mode", ["real", "stft", "magnitude"])
def test_a_sum_that_overflows_stays_in_its_bin(mode: str) -> None:
    """The samples are finite: only the bin of the constant is out of range, as in Keras."""
    layer = STFTSpectrogram(mode=mode, frame_length=64, window=None)
    y = layer(np.full((1, 64, 1), 7e36, np.float32))[0, 0]
    assert np.isinf(y[0])
    assert np.isfinite(y[1:33]).all()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_other_clips_keep_their_bits(dtype: str, value: float) -> None:
    """With a range below the maximum of each clip, one clip says nothing about its neighbours."""
    layer = small_mel(top_db=20.0, top_db_scope="clip", dtype=dtype)
    clips = noise(7, 1000)
    clean = layer(clips)
    for number in range(len(clips)):
        x = clips.copy()
        x[number, 500] = value
        found = layer(x)
        others = np.arange(len(clips)) != number
        assert same_bits(found[others], clean[others])
        assert not np.isfinite(found[number]).all()
