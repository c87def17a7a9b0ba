# SPDX-License-Identifier: BSD-3-Clause
"""First use: what newcomers type, and the messages that set them right."""

from __future__ import annotations

import inspect
import math
import re
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import specfast
from makers import small_mel, small_stft, stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram
from specfast.layers.catalogue import LAYERS, fields_of

SHARED = ("name", "dtype", "trainable", "unknown")  # arguments of every layer

# ---- A recording is (samples, channels), a batch (..., samples) --------------------------------


@pytest.mark.parametrize("shape", [(256, 1), (87271, 2), (3, 300, 8)])
def test_channels_in_place_of_samples_give_a_warning(shape: tuple[int, ...]) -> None:
    layer = small_mel(fft_length=16, sequence_stride=4)
    x = np.zeros(shape, np.float32)
    text = rf"has {shape[-1]} samples?, behind an axis of {shape[-2]}: .* pass x\.T, or x\[:, 0\]"
    for call in (layer, layer.vjp):
        with pytest.warns(UserWarning, match=text) as caught:
            call(x)
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("shape", [(255, 1), (1000, 9), (1,), (8,), (8, 1), (256, 1, 20), (1, 1)])
def test_batches_give_no_warning(shape: tuple[int, ...]) -> None:
    small_mel(fft_length=16, sequence_stride=4)(np.zeros(shape, np.float32))


def test_shapes_alone_give_no_warning() -> None:
    assert small_mel().compute_output_shape((87271, 1))[0] == 87271


def test_the_warning_comes_once_per_call_site() -> None:
    layer, x = small_mel(), np.zeros((300, 1), np.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            layer(x)
        layer(x)
    assert len(caught) == 2


# ---- The STFT's three dimensions ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("data_format", "shape", "advice"),
    [
        ("channels_last", (400,), ["x[None, :, None]"]),
        ("channels_first", (400,), ["x[None, None, :]"]),
        ("channels_last", (400, 2), ["x[None]", "x[:, :, None]"]),
        ("channels_first", (2, 400), ["x[None]", "x[:, None, :]"]),
    ],
)
def test_the_stft_says_how_to_pass_fewer_dimensions(
    data_format: str, shape: tuple[int, ...], advice: list[str]
) -> None:
    layer = stft(data_format=data_format)
    x = noise(*shape)
    with pytest.raises(ValueError, match="must have 3 dimensions") as caught:
        layer(x)
    for expression in advice:
        assert f"pass {expression}" in str(caught.value)
        if expression.startswith("x[None"):
            assert layer(eval(expression, {"x": x})).ndim == 3


# ---- Names from elsewhere ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "name", "meant"),
    [
        (MelSpectrogram, "n_mels", "num_mel_bins"),
        (MelSpectrogram, "n_fft", "fft_length"),
        (MelSpectrogram, "hop_length", "sequence_stride"),
        (MelSpectrogram, "win_length", "sequence_length"),
        (MelSpectrogram, "sr", "sampling_rate"),
        (MelSpectrogram, "sample_rate", "sampling_rate"),
        (MelSpectrogram, "fmin", "min_freq"),
        (MelSpectrogram, "f_max", "max_freq"),
        (MelSpectrogram, "power", "mag_exp"),
        (MelSpectrogram, "top_dB", "top_db"),
        (MelSpectrogram, "num_melbins", "num_mel_bins"),
        (STFTSpectrogram, "n_fft", "fft_length"),
        (STFTSpectrogram, "nfft", "fft_length"),
        (STFTSpectrogram, "nperseg", "frame_length"),
        (STFTSpectrogram, "win_length", "frame_length"),
        (STFTSpectrogram, "hop_length", "frame_step"),
        (STFTSpectrogram, "sequence_stride", "frame_step"),
        (STFTSpectrogram, "framelength", "frame_length"),
        (STFTSpectrogram, "d_type", "dtype"),
    ],
)
def test_names_of_other_libraries_are_recognised(layer: Any, name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"{{'{name}': 1}}; did you mean `{meant}`\? Accepted"):
        layer(**{name: 1})


def test_unknown_names_are_told_apart() -> None:
    with pytest.raises(ValueError, match="`num_mel_bins` for `n_mels`, `fft_length` for `n_fft`"):
        MelSpectrogram(n_mels=3, n_fft=4)
    with pytest.raises(ValueError, match=r"`frame_step` \(the window's length minus noverlap\)"):
        STFTSpectrogram(noverlap=3)
    with pytest.raises(ValueError, match=r"\{'zzz': 1\}\. Accepted are mode, "):
        STFTSpectrogram(zzz=1)


def test_an_unknown_name_is_told_before_a_bad_value() -> None:
    with pytest.raises(ValueError, match="did you mean `fft_length`"):
        MelSpectrogram(n_fft=4096, sequence_length=4096)


@pytest.mark.parametrize("class_name", LAYERS)
def test_no_alias_is_an_argument_or_stands_for_two(class_name: str) -> None:
    fields = fields_of(class_name)
    aliases = [alias for field in fields for alias in field.aliases]
    assert len(aliases) == len(set(aliases))
    assert not {field.name for field in fields} & set(aliases)


# ---- repr --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "MelSpectrogram()",
        "MelSpectrogram(fft_length=512, top_db=None)",
        "MelSpectrogram(fft_length=512, sequence_length=400, sampling_rate=8000, max_freq=3000)",
        "MelSpectrogram(name='mine', top_db=float('inf'), dtype='mixed_float16', trainable=False)",
        "STFTSpectrogram()",
        "STFTSpectrogram(mode='psd', frame_step=64, window=None, scaling=None, epsilon=1e-06)",
        "STFTSpectrogram(data_format='channels_first', num_threads=2, dtype='float64')",
    ],
)
def test_repr_can_be_typed_back(text: str) -> None:
    names = {"MelSpectrogram": MelSpectrogram, "STFTSpectrogram": STFTSpectrogram}
    layer = eval(text, names)
    assert repr(layer) == text
    config, again = layer.get_config(), eval(repr(layer), names).get_config()
    assert {**again, "name": config["name"]} == config


def test_repr_survives_copies_of_an_unnamed_layer() -> None:
    layer = MelSpectrogram(fft_length=512)
    assert repr(MelSpectrogram.from_config(layer.get_config())) == "MelSpectrogram(fft_length=512)"


# ---- Coordinates -------------------------------------------------------------------------------


def test_coordinates_of_a_mel_spectrogram() -> None:
    layer = MelSpectrogram(sampling_rate=8000, sequence_stride=100, num_mel_bins=3, min_freq=0)
    np.testing.assert_allclose(layer.times(3), [0, 0.0125, 0.025])
    top = 1127 * math.log1p(4000 / 700)
    peaks = [700 * math.expm1(top * k / 4 / 1127) for k in (1, 2, 3)]
    np.testing.assert_allclose(layer.frequencies(), peaks)
    assert layer.times(0).shape == (0,)


def test_a_tone_is_found_where_the_coordinates_say() -> None:
    rate = 16000
    x = np.zeros(4 * rate, np.float32)
    x[2 * rate : 2 * rate + 400] = np.sin(2 * np.pi * 3000 / rate * np.arange(400))
    mel = MelSpectrogram(sampling_rate=rate, fft_length=1024, sequence_stride=128)
    y = mel(x)
    band, frame = np.unravel_index(np.argmax(y), y.shape)
    assert abs(mel.frequencies()[band] - 3000) < 120
    assert abs(mel.times(y.shape[1])[frame] - 2.0125) < 0.02
    for padding in ("valid", "same"):
        layer = STFTSpectrogram(frame_length=400, frame_step=100, padding=padding)
        z = layer(x[None, :, None])[0]
        frame, bin_ = np.unravel_index(np.argmax(z), z.shape)
        times = layer.times(len(z), rate, num_samples=len(x))
        assert abs(times[frame] - 2.0125) <= 50 / rate
        assert abs(layer.frequencies(rate)[bin_] - 3000) <= rate / 512


@pytest.mark.parametrize("mode", ["log", "stft", "real"])
def test_there_is_a_frequency_for_each_row(mode: str) -> None:
    layer = stft(mode=mode, fft_length=300, frame_length=300, expand_dims=True)
    frequencies = layer.frequencies(6000)
    assert len(frequencies) == layer.compute_output_shape((1, 300, 1))[2]
    np.testing.assert_allclose(frequencies[:4], [0, 20, 40, 60])
    assert frequencies[-1] == 3000


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: small_mel().times(-1), ValueError, "`num_frames`"),
        (lambda: small_mel().times(1.5), TypeError, "`num_frames`"),  # type: ignore[arg-type]
        (lambda: small_stft().frequencies(0), ValueError, "`sampling_rate`"),
        (lambda: small_stft().times(3, math.nan), ValueError, "`sampling_rate`"),
        (lambda: small_stft(padding="same").times(3, 8000), ValueError, "`num_samples` must be"),
    ],
)
def test_bad_coordinates(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


# ---- The package -------------------------------------------------------------------------------


def test_dir_lists_public_names_only() -> None:
    assert dir(specfast) == sorted(specfast.__all__)
    assert all(hasattr(specfast, name) for name in dir(specfast))


def test_layers_are_a_public_module() -> None:
    code = "from specfast.layers import MelSpectrogram; print(MelSpectrogram())"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert re.fullmatch(r"MelSpectrogram\(\)\n", result.stdout)


# ---- Fields ------------------------------------------------------------------------------------


@pytest.mark.parametrize("class_name", LAYERS)
def test_fields_agree_with_the_signature(class_name: str) -> None:
    parameters = inspect.signature(LAYERS[class_name]).parameters
    own = {name: p for name, p in parameters.items() if name not in SHARED}
    fields = {field.name: field for field in fields_of(class_name)}
    assert set(fields) == set(own)
    assert {name: field.default for name, field in fields.items()} == {
        name: parameter.default for name, parameter in own.items()
    }
    default = LAYERS[class_name]()
    for name, field in fields.items():
        expected = field.default_of(default.pipeline.arguments)
        assert getattr(default, name) == expected, name
