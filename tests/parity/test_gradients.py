# SPDX-License-Identifier: BSD-3-Clause
"""Weights of Keras' layers in ours, and gradients against Keras' automatic differentiation."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import autodiff
import numpy as np
import numpy.typing as npt
import pytest

import judge
import oracle
import specfast
from signals import noise

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:`fft_length` is recommended:UserWarning"),
]

Array = npt.NDArray[Any]

BACKEND = os.environ["KERAS_BACKEND"]

GEOMETRIES: list[dict[str, Any]] = [
    {"frame_length": 60, "frame_step": 20, "fft_length": 64},
    {"frame_length": 21, "frame_step": 7, "fft_length": 21, "window": "hamming"},
    {"frame_length": 100, "frame_step": 37, "fft_length": 129, "scaling": "spectrum"},
    {"frame_length": 256, "frame_step": 128, "fft_length": 256, "window": None, "scaling": None},
]


@pytest.fixture
def float64() -> Iterator[None]:
    """JAX has no float64 unless told so."""
    if BACKEND != "jax":
        yield
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def relative(ours: Array, theirs: Array) -> float:
    difference = ours.astype(np.float64) - theirs.astype(np.float64)
    return float(np.linalg.norm(difference) / np.linalg.norm(theirs.astype(np.float64)))


def pair(
    keras: ModuleType, arguments: dict[str, Any], dtype: str, *, trained: bool
) -> tuple[specfast.STFTSpectrogram, Any]:
    """Our layer and Keras', with the same weights."""
    ours = specfast.STFTSpectrogram(**arguments, dtype=dtype)
    theirs = keras.layers.STFTSpectrogram(**arguments, dtype=dtype)
    theirs.build((None, 1000, 1))
    if dtype == "float64" and not trained:
        theirs.set_weights(ours.get_weights())  # Keras' own are as exact as float32 on JAX
    if trained:
        random = np.random.default_rng(1)
        values = [w + 0.05 * random.standard_normal(w.shape) for w in theirs.get_weights()]
        theirs.set_weights([value.astype(dtype) for value in values])
        ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_weights_are_those_of_keras(keras: ModuleType, mode: str) -> None:
    for geometry in GEOMETRIES:
        ours, theirs = pair(keras, {"mode": mode, **geometry}, "float32", trained=False)
        assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
        for our, their in zip(ours.weights, theirs.weights, strict=True):
            assert our.shape == tuple(their.shape)
            assert our.dtype == their.dtype
        # That they are equal but for Keras' rounding is what decides who computes.
        ours.set_weights(theirs.get_weights())
        assert ours.is_analytic
        theirs.set_weights(ours.get_weights())
        for trainable in (True, False):
            ours.trainable = theirs.trainable = trainable
            for name in ("trainable_weights", "non_trainable_weights"):
                assert len(getattr(ours, name)) == len(getattr(theirs, name))


@pytest.mark.parametrize("length", [1000, 2048, 4096])
@pytest.mark.parametrize("window", ["hann", "blackman", None])
def test_weights_of_long_frames_stay_analytic(
    keras: ModuleType, length: int, window: str | None
) -> None:
    arguments = {"mode": "stft", "frame_length": length, "fft_length": length, "window": window}
    ours, theirs = pair(keras, arguments, "float32", trained=False)
    ours.set_weights(theirs.get_weights())
    assert ours.is_analytic


def test_mel_has_no_weights_either(keras: ModuleType) -> None:
    theirs = keras.layers.MelSpectrogram()
    theirs(noise(4000))
    ours = specfast.MelSpectrogram()
    assert theirs.weights == ours.weights == []
    assert theirs.get_weights() == ours.get_weights() == []
    assert theirs.trainable == ours.trainable


@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_what_trained_kernels_compute(keras: ModuleType, mode: str) -> None:
    x = noise(2, 1000, 2)
    for geometry, padding in itertools.product(GEOMETRIES, ["valid", "same"]):
        arguments = {"mode": mode, "padding": padding, **geometry}
        ours, theirs = pair(keras, arguments, "float32", trained=True)
        expected = keras.ops.convert_to_numpy(theirs(x))
        kernels = [w[:, 0].astype(np.float64) for w in ours.get_weights()]
        kernels += [np.zeros_like(kernels[0])] * (2 - len(kernels))
        if mode == "imag":
            kernels.reverse()
        judged = {**arguments, "kernels": kernels}
        our_error, size = judge.stft_error(ours(x), x, judged)
        their_error, _ = judge.stft_error(expected, x, judged)
        # Two ways of summing the same products: neither is always the nearer one.
        assert our_error <= 1.5 * their_error + 1e-7 * size


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("trained", [False, True], ids=["analytic", "trained"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_stft_gradients(keras: ModuleType, mode: str, padding: str, trained: bool) -> None:
    for number, geometry in enumerate(GEOMETRIES):
        arguments = {"mode": mode, "padding": padding, "expand_dims": bool(number % 2), **geometry}
        if BACKEND != "tensorflow":  # which has no convolution with channels first on the CPU
            arguments["data_format"] = ("channels_last", "channels_first")[number // 2]
        last = arguments.get("data_format", "channels_last") == "channels_last"
        ours, theirs = pair(keras, arguments, "float64", trained=trained)
        x = noise(*((2, 700, 2) if last else (2, 2, 700)), seed=2, dtype=np.float64)
        y, pullback = ours.vjp(x)
        cotangent = noise(*y.shape, seed=3, dtype=np.float64)
        gradients = pullback(cotangent)
        signal, weights = autodiff.gradients(keras, theirs, x, cotangent)
        # The smallest bins magnify all rounding.
        bound = 1e-6 if mode in ("angle", "log") else 1e-9
        if BACKEND == "torch" and mode == "magnitude":
            bound = 1e-7  # the root's derivative there is rounded to float32
        assert gradients.signal is not None
        assert relative(gradients.signal, signal) <= bound
        for our, their in zip(gradients.weights, weights, strict=True):
            assert our.shape == their.shape
            assert relative(our, their) <= bound


@pytest.mark.parametrize("trained", [False, True], ids=["analytic", "trained"])
@pytest.mark.parametrize("mode", ["log", "psd", "stft"])
def test_stft_gradients_in_float32(keras: ModuleType, mode: str, trained: bool) -> None:
    """Ours are nearer to those in float64 than Keras' are, or as near."""
    for geometry in GEOMETRIES:
        ours, theirs = pair(keras, {"mode": mode, **geometry}, "float32", trained=trained)
        exact = specfast.STFTSpectrogram(mode=mode, dtype="float64", **geometry)
        if trained:
            exact.set_weights(ours.get_weights())
        x = noise(3, 5000, 1, seed=4)
        y, pullback = ours.vjp(x)
        cotangent = noise(*y.shape, seed=5)
        if mode == "log":  # whose error is chance: that of the smallest bin
            cotangent[y < np.median(y) - 3.0] = 0
        expected, found = exact.vjp(x)[1](cotangent), pullback(cotangent)
        signal, weights = autodiff.gradients(keras, theirs, x, cotangent)
        for our, their, right in zip(
            [found.signal, *found.weights],
            [signal, *weights],
            [expected.signal, *expected.weights],
            strict=True,
        ):
            assert our is not None
            assert right is not None
            assert our.dtype == their.dtype
            assert relative(our, right) <= 1.5 * relative(their, right) + 2e-7


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("mag_exp", [2.0, 1.0, 1.3])
@pytest.mark.parametrize(
    "level",
    [{}, {"top_db": 10.0}, {"power_to_db": False}, {"min_power": 3.0, "ref_power": 2.0}],
    ids=str,
)
def test_mel_gradients(keras: ModuleType, level: dict[str, Any], mag_exp: float) -> None:
    for geometry in (
        {"fft_length": 128, "sequence_stride": 50, "num_mel_bins": 10},
        {"fft_length": 128, "sequence_length": 100, "sequence_stride": 30, "num_mel_bins": 8},
        {"fft_length": 256, "sequence_stride": 300, "num_mel_bins": 12},
    ):
        arguments = {"sampling_rate": 8000, "mag_exp": mag_exp, **geometry, **level}
        # TensorFlow fails on the default, a float.
        arguments["ref_power"] = np.float64(arguments.get("ref_power", 1.0))
        ours = specfast.MelSpectrogram(**arguments, dtype="float64")
        theirs = keras.layers.MelSpectrogram(**arguments, dtype="float64")
        for num_samples in (500, 90, 2000):
            if num_samples <= geometry["fft_length"] // 2 and BACKEND != "jax":
                continue  # these two reflect once only
            x = noise(2, num_samples, seed=6, dtype=np.float64) * np.array([[1.0], [0.3]])
            y, pullback = ours.vjp(x)
            cotangent = noise(*y.shape, seed=7, dtype=np.float64)
            gradient = pullback(cotangent).signal
            assert gradient is not None
            signal, _ = autodiff.gradients(keras, theirs, x, cotangent)
            # Keras' filterbank is a float32 one in float64 too.
            assert relative(gradient, signal) <= 2e-4


def test_several_maxima_share_alike_in_keras_too(keras: ModuleType) -> None:
    clip = noise(1500, seed=8)
    x = np.stack([clip, clip])
    arguments = {
        "fft_length": 128,
        "sequence_stride": 64,
        "num_mel_bins": 10,
        "sampling_rate": 8000,
        "top_db": 6.0,
    }
    ours = specfast.MelSpectrogram(**arguments)
    theirs = keras.layers.MelSpectrogram(**arguments)
    y, pullback = ours.vjp(x)
    assert np.sum(y == y.max()) == 2
    cotangent = np.ones_like(y)
    gradient = pullback(cotangent).signal
    assert gradient is not None
    signal, _ = autodiff.gradients(keras, theirs, x, cotangent)
    assert relative(gradient, signal) <= 1e-3
    assert relative(gradient[0], gradient[1]) <= 1e-6
