# SPDX-License-Identifier: BSD-3-Clause
"""Arguments and spectra that no inverse has: every error names what it received."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import signals
from specfast import ISTFT, GriffinLim, MelSpectrogram, STFTSpectrogram

SPECTRA = np.zeros((1, 4, 258), np.float32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frame_step": 0}, "Received frame_step=0"),
        (
            {"frame_step": 256},
            "of every hop=256 samples, 2 would be lost, the first being number 0",
        ),
        ({"window": [0.0] * 255 + [1.0], "scaling": None}, "127 would be lost"),
        ({"window": np.zeros(256), "scaling": None}, "128 would be lost"),
        ({"window": np.full(256, np.nan), "scaling": None}, "window"),
        ({"fft_length": 128}, "Received fft_length=128"),
        ({"padding": "reflect"}, "'center', 'sides'. Received: padding='reflect'"),
        ({"padding": "sides"}, "Received: padding='sides', pad_length=None"),
        ({"padding": "center", "pad_length": 3}, "Received: padding='center', pad_length=3"),
        ({"padding": "sides", "pad_length": -1}, "Received: pad_length=-1"),
        ({"phase_origin": 256}, "0 to 255. Received: phase_origin=256"),
        ({"gain": 0}, "between 1e-15 and 1e[+]15. Received: gain=0"),
        ({"gain": float("nan")}, "Received: gain=nan"),
        ({"layout": "frames"}, "Received: layout='frames'"),
        ({"dtype": "bfloat16"}, "Received: dtype='bfloat16'"),
        ({"nperseg": 256}, "did you mean `frame_length`"),
        ({"n_fft": 256}, "did you mean `fft_length`"),
        ({"mode": "stft"}, "Unrecognized keyword arguments passed to ISTFT"),
        (
            {"frame_length": 257, "fft_length": 257, "window": "hamming"},
            "both samples fall onto one, and cannot be told apart",
        ),
    ],
    ids=str,
)
def test_refused_arguments(arguments: dict[str, Any], message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=message):
            ISTFT(**arguments)


@pytest.mark.parametrize(
    ("spectra", "length", "error", "message"),
    [
        (SPECTRA, None, ValueError, "one from 385 to 512 for 4 frames. Received: length=None"),
        (SPECTRA, 384, ValueError, "one from 385 to 512.*Received: length=384"),
        (SPECTRA, 513, ValueError, "one from 385 to 512.*Received: length=513"),
        (SPECTRA, -1, ValueError, "Received: length=-1"),
        (SPECTRA, 400.0, TypeError, "`length` must be an integer. Received: length=400.0"),
        (SPECTRA[..., 1:], 400, ValueError, r"258 rows.*spectra of shape \(1, 4, 257\)"),
        (SPECTRA[0], 400, ValueError, r"258 rows.*spectra of shape \(4, 258\)"),
        (SPECTRA.astype(np.complex64), 400, TypeError, "spectra of dtype complex64"),
        (SPECTRA.astype(np.int16), 400, TypeError, "spectra of dtype int16"),
        (SPECTRA.astype(object), 400, TypeError, "dtype object"),
    ],
)
def test_refused_spectra(spectra: Any, length: Any, error: type[Exception], message: str) -> None:
    istft = ISTFT(padding="same")
    with pytest.raises(error, match=message):
        istft(spectra, length=length)


def test_refused_complex_spectra() -> None:
    istft = ISTFT(64, 16, 64, padding="center", layout="bins_frames")
    with pytest.raises(ValueError, match=r"\(..., bins, frames\) with 33 bins.*\(4, 33\)"):
        istft(np.zeros((4, 33), np.complex64))
    with pytest.raises(TypeError, match="complex64 or complex128.*dtype float32"):
        istft(np.zeros((33, 4), np.float32))
    with pytest.raises(ValueError, match="at most 80, the samples that 4 frames reach.*=81"):
        istft(np.zeros((33, 4), np.complex64), length=81)


def test_refused_outputs() -> None:
    istft = ISTFT(padding="same")
    for out, error in (
        (np.zeros((1, 400, 2), np.float32), ValueError),
        (np.zeros((1, 400, 1), np.float64), TypeError),
        (np.zeros((1, 800, 1), np.float32)[:, ::2], ValueError),
        ([0.0], TypeError),
    ):
        with pytest.raises(error, match="`out`"):
            istft(SPECTRA, length=400, out=out)
    whole = np.zeros(4 * 258, np.float32)
    with pytest.raises(ValueError, match="must not share memory"):
        istft(whole.reshape(1, 4, 258), length=400, out=whole[:400].reshape(1, 400, 1))


def test_refused_layers() -> None:
    with pytest.raises(ValueError, match="must have mode='stft'.*mode='log'"):
        ISTFT.from_layer(STFTSpectrogram())
    with pytest.raises(TypeError, match="must be an STFTSpectrogram"):
        ISTFT.from_layer(MelSpectrogram())  # type: ignore[arg-type]
    layer = STFTSpectrogram("stft", 64, padding="same")
    layer.set_weights([2 * weight for weight in layer.get_weights()])
    with pytest.raises(ValueError, match="analytic kernels"):
        ISTFT.from_layer(layer)


def test_copies_are_the_same() -> None:
    window = np.hamming(64)
    istft = ISTFT(64, 20, 80, window, padding="same", dtype="float64", name="back")
    spectra = signals.noise(1, 9, 82, dtype="float64")
    expected = istft(spectra, length=170)
    assert repr(istft) == (
        "ISTFT(frame_length=64, frame_step=20, fft_length=80, window=<array of 64>, "
        "padding='same', dtype='float64')"
    )
    for other in (
        pickle.loads(pickle.dumps(istft)),
        copy.deepcopy(istft),
        ISTFT.from_config(istft.get_config()),
    ):
        assert other.name == "back"
        assert repr(other) == repr(istft)
        np.testing.assert_array_equal(other(spectra, length=170), expected)


def test_arguments_are_fixed() -> None:
    istft = ISTFT(padding="center")
    with pytest.raises(AttributeError, match=r"ISTFT.padding is fixed.*padding='valid'"):
        istft.padding = "valid"
    assert istft.padding == "center"
    with pytest.raises(AttributeError):
        GriffinLim(istft).istft = istft  # type: ignore[misc]


def test_lists_are_no_arrays() -> None:
    with pytest.raises(TypeError, match=r"`spectra` must be an array.*asarray\(spectra\)"):
        ISTFT(padding="center")([[[1.0] * 258]])
    with pytest.raises(TypeError, match=r"`magnitudes` must be an array"):
        GriffinLim(ISTFT(padding="center"))([[[1.0] * 129]])
    for spectra in (SPECTRA.astype(np.longdouble), SPECTRA.astype(np.int16)):
        with pytest.raises(TypeError, match=f"spectra of dtype {spectra.dtype}"):
            ISTFT(padding="center")(spectra)


@pytest.mark.parametrize("layout", ["bins_frames", "frames_bins"])
@pytest.mark.parametrize(
    ("name", "value"), [("expand_dims", True), ("data_format", "channels_first")]
)
def test_axes_of_layers_are_not_ignored(layout: str, name: str, value: Any) -> None:
    with pytest.raises(
        ValueError, match=f"`{name}` must be .*{layout}.*Received: {name}='?{value}"
    ):
        ISTFT(padding="center", layout=layout, **{name: value})


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_padding_of_griffin_lim_is_not_ignored(padding: str) -> None:
    with pytest.raises(ValueError, match=f"`pad_mode` .*{padding}.*Received: pad_mode='reflect"):
        GriffinLim(ISTFT(padding=padding, window=None), pad_mode="reflect")
