# SPDX-License-Identifier: BSD-3-Clause
"""Transforms and inverses of torch, librosa and SciPy, by the names of `inverse_cases.CASES`.

Each function takes float64 [..., samples] and returns the spectra, and the signal that the inverse
of the program makes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from inverse_cases import NUM_SAMPLES

Pair = tuple[Any, Any]
Program = Callable[[Any], Pair]


def _torch(window: str, length: int | None = None, **arguments: Any) -> Program:
    def run(x: Any) -> Pair:
        import torch

        size = arguments.get("win_length", arguments["n_fft"])
        shape = torch.as_tensor(x).reshape(-1, x.shape[-1])
        settings = {
            **arguments,
            "window": getattr(torch, f"{window}_window")(size, dtype=torch.float64),
        }
        spectra = torch.stft(shape, return_complex=True, **settings)
        signal = torch.istft(spectra, length=length, **settings)
        lead = x.shape[:-1]
        return (
            spectra.numpy().reshape(*lead, *spectra.shape[-2:]),
            signal.numpy().reshape(*lead, signal.shape[-1]),
        )

    return run


def _librosa(length: int | None = None, **arguments: Any) -> Program:
    def run(x: Any) -> Pair:
        import librosa

        spectra = librosa.stft(x, dtype=np.complex128, **arguments)
        signal = librosa.istft(spectra, dtype=np.float64, length=length, **arguments)
        return spectra, signal

    return run


def _scipy(boundary: str | None = "zeros", scaling: str = "spectrum", **arguments: Any) -> Program:
    def run(x: Any) -> Pair:
        import scipy.signal

        _, _, spectra = scipy.signal.stft(x, boundary=boundary, scaling=scaling, **arguments)
        _, signal = scipy.signal.istft(
            spectra, boundary=boundary is not None, scaling=scaling, **arguments
        )
        return spectra, signal[: x.shape[-1]]

    return run


def _short_time_fft(frame_length: int, hop: int, rate: float = 1.0, **arguments: Any) -> Program:
    def run(x: Any) -> Pair:
        import scipy.signal

        window = scipy.signal.get_window("hann", frame_length)
        transform = scipy.signal.ShortTimeFFT(window, hop, rate, **arguments)
        spectra = transform.stft(x)
        return spectra, transform.istft(spectra, k1=x.shape[-1])

    return run


PROGRAMS: dict[str, Program] = {
    "torch": _torch("hann", n_fft=64, hop_length=16),
    "torch_short_window_normalized": _torch(
        "hann", NUM_SAMPLES, n_fft=64, hop_length=13, win_length=47, normalized=True
    ),
    "torch_two_sided": _torch("hann", n_fft=64, hop_length=20, onesided=False),
    "torch_odd": _torch("hann", n_fft=63, hop_length=21),
    "torch_not_centered": _torch("hamming", n_fft=60, hop_length=15, center=False),
    "torch_batch": _torch("hann", n_fft=64, hop_length=32),
    "librosa": _librosa(n_fft=64, hop_length=16),
    "librosa_short_window": _librosa(NUM_SAMPLES, n_fft=64, hop_length=12, win_length=50),
    "librosa_odd_window": _librosa(NUM_SAMPLES, n_fft=64, hop_length=10, win_length=41),
    "scipy": _scipy(nperseg=40),
    "scipy_density_zeros_behind": _scipy(
        scaling="psd", fs=8000.0, nperseg=40, noverlap=30, nfft=50
    ),
    "scipy_odd_frame": _scipy(nperseg=41, noverlap=30),
    "scipy_no_boundary": _scipy(boundary=None, nperseg=40, window="hamming"),
    "short_time_fft": _short_time_fft(40, 10, mfft=64),
    "short_time_fft_psd": _short_time_fft(41, 8, 8000.0, mfft=63, scale_to="psd"),
    "short_time_fft_magnitude_from_start": _short_time_fft(
        40, 10, scale_to="magnitude", phase_shift=None
    ),
}
