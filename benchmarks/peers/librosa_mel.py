# SPDX-License-Identifier: BSD-3-Clause
"""librosa: stft, a filterbank made once (melspectrogram makes it at each call), power_to_db.

The filterbank holds Keras' weights (librosa's own "htk" ones are linear in Hz), so that results
compare.
"""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from .. import definitions
from ..workloads import Workload
from .base import Call, versions_of


class Adapter:
    """librosa over NumPy's or SciPy's transform."""

    def __init__(self, threads: int) -> None:
        self._workers = threads

    def versions(self) -> dict[str, str]:
        return versions_of("librosa", "numpy", "scipy")

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        basis = np.ascontiguousarray(definitions.mel_matrix(work).T)

        def mel() -> NDArray[Any]:
            spectrum = librosa.stft(
                x.astype(work.compute_dtype, copy=False),
                n_fft=work.fft_length,
                hop_length=work.hop,
                win_length=work.frame_length,
                pad_mode="reflect",
            )
            power = np.matmul(basis, librosa.util.abs2(spectrum))
            return np.asarray(
                librosa.power_to_db(power, amin=definitions.MIN_POWER, top_db=definitions.TOP_DB)
            )

        def with_numpy() -> NDArray[Any]:
            librosa.set_fftlib(np.fft)
            return mel()

        def with_scipy() -> NDArray[Any]:
            librosa.set_fftlib(scipy.fft)
            with scipy.fft.set_workers(self._workers):
                return mel()

        return {"numpy.fft": with_numpy, "scipy.fft": with_scipy}

    def result(self, value: Any) -> NDArray[Any]:
        return np.asarray(value)
