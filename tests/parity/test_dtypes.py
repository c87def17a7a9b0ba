# SPDX-License-Identifier: BSD-3-Clause
"""Other dtypes than float32, of policies and of inputs."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import judge
import oracle
import signals
import specfast

pytestmark = pytest.mark.keras

STFT: dict[str, Any] = {"frame_length": 60, "frame_step": 20}
MEL: dict[str, Any] = {"fft_length": 128, "sequence_stride": 50, "num_mel_bins": 16}
EPS64 = float(np.finfo(np.float64).eps)
MODES = ("log", "magnitude", "psd", "stft", "angle")


@pytest.fixture
def float64(keras: ModuleType) -> Iterator[None]:
    """JAX has no float64 unless told so."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("mode", MODES)
def test_stft_in_float64(keras: ModuleType, mode: str) -> None:
    x = signals.noise(400).astype(np.float64).reshape(1, -1, 1)
    arguments = {**STFT, "mode": mode}
    ours = specfast.STFTSpectrogram(**arguments, dtype="float64")(x)
    theirs = keras.ops.convert_to_numpy(
        keras.layers.STFTSpectrogram(**arguments, dtype="float64")(x)
    )
    assert ours.dtype == np.float64  # Keras on its NumPy backend returns float32
    assert ours.shape == theirs.shape
    judge.assert_stft_close(ours, theirs, x, arguments)
    expected = oracle.stft_spectrogram(x, **arguments)
    judge.assert_stft_close(ours, expected, x, arguments, tolerance=2e-15, eps=EPS64)
    if mode not in ("log", "angle"):  # whose error is chance: that of the smallest bin
        our_error, size = judge.stft_error(ours, x, arguments)
        assert our_error <= 1e-14 * size
        assert our_error <= judge.stft_error(theirs, x, arguments)[0]


@pytest.mark.usefixtures("float64")
def test_mel_in_float64(keras: ModuleType) -> None:
    x = signals.noise(400).astype(np.float64)
    arguments = {**MEL, "power_to_db": False}  # with dB, TensorFlow's backend mixes its dtypes
    ours = specfast.MelSpectrogram(**arguments, dtype="float64")(x)
    theirs = keras.ops.convert_to_numpy(
        keras.layers.MelSpectrogram(**arguments, dtype="float64")(x)
    )
    assert ours.dtype == theirs.dtype == np.float64
    judge.assert_mel_close(ours, theirs, x, arguments)
    our_error, size = judge.mel_error(ours, x, arguments)
    assert our_error <= 1e-14 * size  # Keras keeps a float32 mel matrix
    assert our_error <= judge.mel_error(theirs, x, arguments)[0]


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
@pytest.mark.parametrize("mode", MODES)
def test_stft_in_half_precision(keras: ModuleType, mode: str, dtype: str) -> None:
    x = signals.noise(400).astype(np.float16).astype(np.float32).reshape(1, -1, 1)
    arguments = {**STFT, "mode": mode}
    ours = specfast.STFTSpectrogram(**arguments, dtype=dtype)(x)
    theirs = keras.ops.convert_to_numpy(keras.layers.STFTSpectrogram(**arguments, dtype=dtype)(x))
    assert ours.dtype == theirs.dtype == np.float16
    assert ours.shape == theirs.shape
    # Keras computes in float16 throughout and is far off; only the result is rounded here.
    our_error, size = judge.stft_error(ours, x, arguments)
    assert our_error <= 2.0**-11 * size
    assert our_error <= judge.stft_error(theirs, x, arguments)[0]


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
def test_mel_in_half_precision(keras: ModuleType, dtype: str) -> None:
    x = signals.noise(400)
    ours = specfast.MelSpectrogram(**MEL, dtype=dtype)(x)
    theirs = keras.ops.convert_to_numpy(keras.layers.MelSpectrogram(**MEL, dtype=dtype)(x))
    assert ours.dtype == theirs.dtype == np.float16
    judge.assert_mel_close(ours, theirs, x, MEL, eps=2.0**-12)  # both round float32 once


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_inputs_are_cast_to_the_policy(keras: ModuleType, dtype: str) -> None:
    x = signals.noise(400).astype(dtype).reshape(1, -1, 1)
    ours = specfast.STFTSpectrogram(**STFT)(x)
    theirs = keras.ops.convert_to_numpy(keras.layers.STFTSpectrogram(**STFT)(x))
    assert ours.dtype == theirs.dtype == np.float32
    judge.assert_stft_close(ours, theirs, x, STFT)
    np.testing.assert_array_equal(ours, specfast.STFTSpectrogram(**STFT)(x.astype(np.float32)))


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint16", "bool", "float16"])
def test_mel_takes_integers_as_they_are(keras: ModuleType, dtype: str) -> None:
    x = np.rint(100.0 + 30.0 * signals.noise(400)).astype(dtype)
    ours = specfast.MelSpectrogram(**MEL)(x)
    theirs = keras.ops.convert_to_numpy(keras.layers.MelSpectrogram(**MEL)(x))
    assert ours.dtype == theirs.dtype == np.float32
    judge.assert_mel_close(ours, theirs, x.astype(np.float32), MEL)


def test_mel_takes_lists(keras: ModuleType) -> None:
    x = signals.noise(400)
    theirs = keras.ops.convert_to_numpy(keras.layers.MelSpectrogram(**MEL)(x.tolist()))
    judge.assert_mel_close(specfast.MelSpectrogram(**MEL)(x.tolist()), theirs, x, MEL)
