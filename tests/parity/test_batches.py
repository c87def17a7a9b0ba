# SPDX-License-Identifier: BSD-3-Clause
"""What one clip does to its neighbours, as the live Keras has it."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import judge
import signals
import specfast

pytestmark = pytest.mark.keras

ARGUMENTS: dict[str, Any] = {"fft_length": 256, "sequence_stride": 100, "num_mel_bins": 20}


@pytest.mark.parametrize("top_db", [80.0, 40.0, 10.0])
def test_quiet_clip_beside_a_loud_one(keras: ModuleType, top_db: float) -> None:
    x = signals.quiet_and_loud(2000)
    arguments = {**ARGUMENTS, "top_db": top_db}
    ours = specfast.MelSpectrogram(**arguments)(x)
    theirs = keras.ops.convert_to_numpy(keras.layers.MelSpectrogram(**arguments)(x))
    judge.assert_mel_close(ours, theirs, x, arguments)
    # The quiet clip lies on the floor that the loud one sets, in both to the last digits.
    floor = theirs.max() - top_db
    np.testing.assert_array_equal(theirs[0] <= floor, ours[0] <= ours.max() - top_db)
    np.testing.assert_allclose(ours.min(), theirs.min(), atol=1e-3)
    alone = specfast.MelSpectrogram(**arguments)(x[0])
    by_clip = specfast.MelSpectrogram(**arguments, top_db_scope="clip")(x)
    np.testing.assert_array_equal(by_clip[0], alone)
    np.testing.assert_array_equal(by_clip[1], specfast.MelSpectrogram(**arguments)(x[1]))
    assert (by_clip[0].min() < floor) == (theirs[0].min() <= floor)


def test_nan_poisons_the_batch(keras: ModuleType) -> None:
    x = signals.quiet_and_loud(2000)
    x[0, 1000] = np.nan
    ours = specfast.MelSpectrogram(**ARGUMENTS)(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = keras.ops.convert_to_numpy(keras.layers.MelSpectrogram(**ARGUMENTS)(x))
    assert np.isnan(ours).all()
    if keras.backend.backend() in ("jax", "numpy"):
        assert np.isnan(theirs).all()


@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "real", "stft", "angle"])
def test_nan_in_one_frame(keras: ModuleType, mode: str) -> None:
    x = signals.noise(1000).reshape(1, -1, 1)
    x[0, 500, 0] = np.nan
    arguments: dict[str, Any] = {"mode": mode, "frame_length": 64, "frame_step": 32}
    ours = specfast.STFTSpectrogram(**arguments)(x)
    theirs = keras.ops.convert_to_numpy(keras.layers.STFTSpectrogram(**arguments)(x))
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.isnan(ours).all(axis=-1).sum() == np.isnan(ours).any(axis=-1).sum() == 2


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "stft", "angle"])
def test_silence(keras: ModuleType, mode: str, zero: float) -> None:
    x = np.full((2, 300, 1), zero, np.float32)
    ours = specfast.STFTSpectrogram(mode=mode)(x)
    theirs = keras.ops.convert_to_numpy(keras.layers.STFTSpectrogram(mode=mode)(x))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=0.0)


@pytest.mark.parametrize("reference", [0.0, 1.0, 1e-10, 30.0])
def test_silent_levels(keras: ModuleType, reference: float) -> None:
    x = np.zeros((2, 300), np.float32)
    arguments = {**ARGUMENTS, "ref_power": reference}
    np.testing.assert_allclose(
        specfast.MelSpectrogram(**arguments)(x),
        keras.ops.convert_to_numpy(keras.layers.MelSpectrogram(**arguments)(x)),
        rtol=2e-7,
        atol=1e-6,
    )
