# SPDX-License-Identifier: BSD-3-Clause
"""The gradient of an inverse is its adjoint: both give the same inner products."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import signals
from specfast import ISTFT

CASES: list[tuple[dict[str, Any], int | None]] = [
    ({"padding": "center"}, None),
    ({"padding": "center"}, 330),
    ({"padding": "same"}, 310),
    ({"padding": "valid"}, None),
    ({"padding": "sides", "pad_length": 40, "phase_origin": 31}, None),
    ({"padding": "center", "frame_length": 50, "centered_window": True, "gain": 3.0}, None),
    ({"padding": "center", "fft_length": 75, "exact_fft_length": True, "phase_origin": 7}, None),
    ({"padding": "same", "frame_length": 65, "fft_length": 65, "periodic": False}, 310),
    ({"padding": "same", "expand_dims": True, "data_format": "channels_first"}, 310),
    ({"padding": "center", "layout": "bins_frames"}, None),
    ({"padding": "center", "layout": "frames_bins", "phase_origin": 5}, None),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("arguments", "length"), CASES, ids=str)
def test_the_adjoint(arguments: dict[str, Any], length: int | None, dtype: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        istft = ISTFT(**{"frame_length": 64, "frame_step": 16, "dtype": dtype, **arguments})
    bins = istft._pipeline.arguments.num_bins
    shape: tuple[int, ...] = (2, 20, 3 * 2 * bins)
    if istft.expand_dims:
        shape = (2, 3, 20, 2 * bins)
    if istft.layout != "layer":
        shape = (3, bins, 20) if istft.layout == "bins_frames" else (3, 20, bins)
        spectra = signals.noise(*shape, 2, dtype=dtype)
        spectra = spectra.view(np.result_type(dtype, np.complex64))[..., 0]
    else:
        spectra = signals.noise(*shape, dtype=dtype)
    y, pullback = istft.vjp(spectra, length=length)
    np.testing.assert_array_equal(y, istft(spectra, length=length))
    cotangent = signals.noise(*y.shape, seed=1, dtype=dtype)
    gradient = pullback(cotangent)
    assert gradient.shape == spectra.shape
    assert gradient.dtype == spectra.dtype
    forward = np.sum(y.astype(np.float64) * cotangent)
    exact = np.complex128 if np.iscomplexobj(spectra) else np.float64
    backward = np.sum((gradient.astype(exact) * np.conj(spectra)).real)
    scale = np.linalg.norm(y) * np.linalg.norm(cotangent)
    assert abs(forward - backward) < {"float32": 3e-7, "float64": 1e-14}[dtype] * scale


def test_ends_of_the_spectrum() -> None:
    istft = ISTFT(64, 16, padding="center", layout="bins_frames")
    spectra = signals.noise(33, 9, 2).view("complex64")[..., 0]
    y, pullback = istft.vjp(spectra)
    gradient = pullback(signals.noise(*y.shape))
    assert np.all(gradient[[0, 32]].imag == 0)
    assert np.all(gradient[1:32].imag != 0)


def test_refused_cotangents() -> None:
    istft = ISTFT(64, 16, padding="center", layout="bins_frames")
    _, pullback = istft.vjp(np.zeros((33, 9), np.complex64))
    with pytest.raises(ValueError, match=r"shape of the signals, \(128,\)"):
        pullback(np.zeros(127))
    with pytest.raises(TypeError, match="cotangent"):
        pullback(np.zeros(128, np.complex64))


def test_the_number_of_threads_makes_no_difference() -> None:
    spectra = signals.noise(2, 300, 514)
    cotangent = signals.noise(2, 299 * 128, 1)
    gradients = [
        ISTFT(512, 128, padding="center", num_threads=n).vjp(spectra)[1](cotangent) for n in (1, 3)
    ]
    np.testing.assert_array_equal(*gradients)
