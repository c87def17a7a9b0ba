# SPDX-License-Identifier: BSD-3-Clause
"""Bad arguments and inputs: the same type of exception as Keras, and its warning."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import specfast

pytestmark = pytest.mark.keras


def ones(*shape: int, dtype: str = "float32") -> Any:
    return np.ones(shape, dtype)


# Arguments that Keras refuses, some when the layer is made and some only at its first call.
BAD_STFT: list[dict[str, Any]] = [
    {"mode": "power"},
    {"mode": None},
    {"scaling": "peak"},
    {"padding": "reflect"},
    {"padding": "center"},
    {"window": "kayzer"},
    {"window": "kaiser"},
    {"window": [1.0, 2.0]},
    {"window": np.ones((256, 1))},
    {"frame_step": 0},
    {"frame_step": -1},
    {"frame_step": 300},
    {"frame_length": 0},
    {"frame_length": -4},
    {"frame_length": "a"},
    {"frame_length": None},
    {"fft_length": 128},
    {"data_format": "channels"},
    {"sample_rate": 16000},
    {"name": 3},
    {"name": "a/b"},
    {"dtype": "floaty"},
    {"dtype": "int8"},
    {"trainable": "yes"},
]
BAD_MEL: list[dict[str, Any]] = [
    {"sequence_length": 4096},
    {"fft_length": 0},
    {"fft_length": -8},
    {"fft_length": "a"},
    {"sequence_stride": 0},
    {"sequence_stride": -5},
    {"num_mel_bins": 0},
    {"window": "blackman"},
    {"window": [1.0, 2.0]},
    {"sample_rate": 16000},
    {"name": 3},
    {"dtype": "floaty"},
    {"ref_power": "max"},
    {"trainable": "yes"},
]
BAD_STFT_INPUTS: list[Any] = [
    ones(300, 1),
    ones(1, 300, 1, 1),
    ones(1, 300, 1, dtype="int32"),
    ones(1, 300, 1, dtype="bool"),
    ones(1, 300, 1, dtype="complex64"),
]


def outcome(layer: type, arguments: dict[str, Any], x: Any) -> type[BaseException]:
    """The type of exception that making the layer, or else calling it, raises."""
    try:
        layer(**arguments)(x)
    except Exception as error:
        return type(error)
    raise AssertionError(f"{layer.__name__}(**{arguments}) took everything")


@pytest.mark.parametrize("arguments", BAD_STFT, ids=str)
def test_bad_stft_arguments(keras: ModuleType, arguments: dict[str, Any]) -> None:
    expected = outcome(keras.layers.STFTSpectrogram, arguments, ones(1, 300, 1))
    assert outcome(specfast.STFTSpectrogram, arguments, ones(1, 300, 1)) is expected


@pytest.mark.parametrize("arguments", BAD_MEL, ids=str)
def test_bad_mel_arguments(keras: ModuleType, arguments: dict[str, Any]) -> None:
    if keras.backend.backend() in ("tensorflow", "torch"):
        expected: Any = (ValueError, TypeError)  # there, often their own kinds of RuntimeError
    else:
        expected = outcome(keras.layers.MelSpectrogram, arguments, ones(3000))
    with pytest.raises(expected):
        specfast.MelSpectrogram(**arguments)(ones(3000))


@pytest.mark.parametrize("x", BAD_STFT_INPUTS, ids=lambda x: f"{x.dtype}-{x.shape}")
def test_bad_stft_inputs(keras: ModuleType, x: Any) -> None:
    expected = outcome(keras.layers.STFTSpectrogram, {}, x)
    assert outcome(specfast.STFTSpectrogram, {}, x) is expected


def test_too_short_for_valid_padding(keras: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"frame_length=256.*100"):
        specfast.STFTSpectrogram()(ones(1, 100, 1))
    # torch raises RuntimeError, and TensorFlow returns memory that nobody wrote.
    if keras.backend.backend() in ("jax", "numpy"):
        assert outcome(keras.layers.STFTSpectrogram, {}, ones(1, 100, 1)) is ValueError


def test_no_samples_to_reflect(keras: ModuleType) -> None:
    with pytest.raises(ValueError, match="x"):
        specfast.MelSpectrogram()(ones(0))
    if keras.backend.backend() in ("jax", "numpy"):
        assert outcome(keras.layers.MelSpectrogram, {}, ones(0)) is ValueError


@pytest.mark.parametrize("fft_length", [None, 256, 257, 300, 512, 1000, 1024])
def test_warning_for_no_power_of_two(keras: ModuleType, fft_length: int | None) -> None:
    def caught(layer: Any) -> list[tuple[type[Warning], str]]:
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            layer(fft_length=fft_length)
        return [(w.category, str(w.message)) for w in record if "fft_length" in str(w.message)]

    ours = caught(specfast.STFTSpectrogram)
    theirs = caught(keras.layers.STFTSpectrogram)
    assert [category for category, _ in ours] == [category for category, _ in theirs]
    for (_, our_text), (_, their_text) in zip(ours, theirs, strict=True):
        assert our_text.startswith("`fft_length` is recommended to be a power of two")
        assert str(fft_length) in our_text
        assert str(fft_length) in their_text
