# SPDX-License-Identifier: BSD-3-Clause
"""Bare batched real transforms of the same frames: the least that any FFT-based peer must pay.

Framing and windowing happen before the clock starts; nothing follows the transform.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import definitions
from ..workloads import Workload
from .base import Call, versions_of

_PLAN_SECONDS = 20.0


class Adapter:
    """One FFT library, named by the environment."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._library = os.environ["SPECFAST_BENCH_FFT"]

    def versions(self) -> dict[str, str]:
        names = {
            "fft-torch-mkl": ("torch",),
            "fft-mkl": ("mkl_fft", "mkl"),
            "fft-fftw": ("pyFFTW",),
            "fft-ducc0": ("ducc0",),
            "fft-scipy": ("scipy",),
        }
        return versions_of(*names[self._library])

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        return _LIBRARIES[self._library](definitions.framed(work, x), self._threads)

    def result(self, value: Any) -> NDArray[Any]:
        return np.asarray(value)


def _torch(frames: NDArray[Any], threads: int) -> dict[str, Call]:
    import torch

    torch.set_num_threads(threads)
    tensor = torch.from_numpy(frames)

    def call() -> Any:
        with torch.inference_mode():
            return torch.fft.rfft(tensor)

    return {"torch.fft.rfft": call}


def _mkl(frames: NDArray[Any], threads: int) -> dict[str, Call]:
    import mkl
    import mkl_fft

    mkl.set_num_threads(threads)
    return {"mkl_fft.rfft": lambda: mkl_fft.rfft(frames)}


def _fftw(frames: NDArray[Any], threads: int) -> dict[str, Call]:
    import pyfftw

    complex_dtype = np.result_type(frames.dtype, np.complex64)
    shape = (frames.shape[0], frames.shape[1] // 2 + 1)
    source = pyfftw.empty_aligned(frames.shape, frames.dtype)

    def planned(effort: str) -> Call:
        plan = pyfftw.FFTW(
            source,
            pyfftw.empty_aligned(shape, complex_dtype),
            flags=(effort,),
            threads=threads,
            planning_timelimit=_PLAN_SECONDS,
        )
        source[:] = frames  # planning overwrites its arrays
        return lambda: plan(output_array=pyfftw.empty_aligned(shape, complex_dtype))

    return {
        "FFTW_MEASURE": planned("FFTW_MEASURE"),
        "FFTW_PATIENT": planned("FFTW_PATIENT"),
    }


def _ducc0(frames: NDArray[Any], threads: int) -> dict[str, Call]:
    import ducc0

    return {"ducc0.fft.r2c": lambda: ducc0.fft.r2c(frames, axes=(1,), nthreads=threads)}


def _scipy(frames: NDArray[Any], threads: int) -> dict[str, Call]:
    import scipy.fft

    return {"scipy.fft.rfft": lambda: scipy.fft.rfft(frames, workers=threads)}


_LIBRARIES: dict[str, Callable[[NDArray[Any], int], dict[str, Call]]] = {
    "fft-torch-mkl": _torch,
    "fft-mkl": _mkl,
    "fft-fftw": _fftw,
    "fft-ducc0": _ducc0,
    "fft-scipy": _scipy,
}
