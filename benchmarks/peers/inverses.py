# SPDX-License-Identifier: BSD-3-Clause
"""Inverse transforms of torch, librosa and SciPy, and Griffin-Lim; the environment names one.

Each gets spectra in the order of memory in which it makes them itself, and makes its window before
the clock starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..workloads import Workload
from .base import Call, versions_of

Forms = dict[str, Call]


class Adapter:
    """One library."""

    def __init__(self, threads: int) -> None:
        self._program = os.environ["SPECFAST_BENCH_ORIGINAL"].removeprefix("inverse-")
        if self._program.startswith("torch"):
            import torch

            torch.set_num_threads(threads)

    def versions(self) -> dict[str, str]:
        return versions_of(self._program.split("-")[0], "numpy")

    def forms(self, work: Workload, x: NDArray[Any]) -> Forms:
        return _PROGRAMS[self._program](work, x)

    def result(self, value: Any) -> NDArray[Any]:
        return np.asarray(value)


def _torch(work: Workload, x: NDArray[Any]) -> Forms:
    import torch

    spectra, window = torch.from_numpy(x), torch.hann_window(work.frame_length)
    return {
        "istft": lambda: torch.istft(
            spectra, work.fft_length, work.hop, window=window, length=work.samples
        ).numpy()
    }


def _torchaudio(work: Workload, x: NDArray[Any]) -> Forms:
    import torch
    import torchaudio

    magnitudes = torch.from_numpy(x)
    griffin_lim = torchaudio.transforms.GriffinLim(
        work.fft_length, n_iter=32, hop_length=work.hop, power=1.0, length=work.samples
    )
    return {"GriffinLim": lambda: griffin_lim(magnitudes).numpy()}


def _librosa_griffin_lim(work: Workload, x: NDArray[Any]) -> Forms:
    import librosa

    def griffin_lim() -> NDArray[Any]:
        signal: NDArray[Any] = librosa.griffinlim(
            x,
            n_iter=32,
            hop_length=work.hop,
            n_fft=work.fft_length,
            length=work.samples,
            pad_mode="reflect",
        )
        return signal

    griffin_lim()  # compiles
    return {"griffinlim": griffin_lim}


def _librosa(work: Workload, x: NDArray[Any]) -> Forms:
    import librosa

    arguments = {"hop_length": work.hop, "n_fft": work.fft_length, "length": work.samples}
    librosa.istft(x[:1], **arguments)  # compiles
    return {"istft": lambda: librosa.istft(x, **arguments)}


def _scipy(work: Workload, x: NDArray[Any]) -> Forms:
    import scipy.signal

    del x  # it takes frames that reach beyond both ends too: three more than the others
    window = scipy.signal.get_window("hann", work.frame_length).astype(np.float32)
    transform = scipy.signal.ShortTimeFFT(window, work.hop, 1.0, mfft=work.fft_length)
    spectra = transform.stft(work.noise()).astype(np.complex64)
    return {"ShortTimeFFT.istft": lambda: transform.istft(spectra, k1=work.samples)}


_PROGRAMS: dict[str, Callable[[Workload, NDArray[Any]], Forms]] = {
    "torch": _torch,
    "librosa": _librosa,
    "scipy": _scipy,
    "torchaudio": _torchaudio,
    "librosa-griffin-lim": _librosa_griffin_lim,
}
