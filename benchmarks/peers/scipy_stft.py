# SPDX-License-Identifier: BSD-3-Clause
"""SciPy: ShortTimeFFT, or scipy.fft.rfft over strided frames (which stays in float32)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import ShortTimeFFT

from .. import definitions
from ..workloads import Workload
from .base import Call, versions_of

Array = NDArray[Any]


class Adapter:
    """The Keras definition over SciPy's transforms."""

    def __init__(self, threads: int) -> None:
        self._workers = threads

    def versions(self) -> dict[str, str]:
        return versions_of("scipy", "numpy")

    def forms(self, work: Workload, x: Array) -> dict[str, Call]:
        mel = work.layer == "mel"
        length = work.fft_length if mel else work.frame_length
        window = definitions.centred_window(work) if mel else definitions.window(work)
        finish = _mel_epilogue(work) if mel else _stft_epilogue(work)
        # No phase shift: frames stand at the start of the transform, as in Keras.
        transform = ShortTimeFFT(window, work.hop, 1.0, mfft=work.fft_length, phase_shift=None)

        def signals() -> Array:
            values = work.signals(x).astype(work.compute_dtype, copy=False)
            if not mel:
                return values
            side = work.fft_length // 2
            return np.pad(values, ((0, 0), (side, side)), mode="reflect")

        def short_time_fft() -> Array:
            values = signals()
            frames = 1 + (values.shape[-1] - length) // work.hop
            # Slice p is centred at sample p * hop: the offset makes slice 0 start at sample 0.
            spectrum = transform.stft(values, 0, frames, k_offset=transform.m_num_mid)
            return finish(np.swapaxes(spectrum, -1, -2))

        def strided() -> Array:
            frames = sliding_window_view(signals(), length, axis=-1)[:, :: work.hop]
            with scipy.fft.set_workers(self._workers):
                spectrum = scipy.fft.rfft(frames * window, n=work.fft_length, overwrite_x=True)
            return finish(spectrum)

        return {"ShortTimeFFT": short_time_fft, "strided rfft": strided}

    def result(self, value: Any) -> Array:
        return np.asarray(value)


def _power(spectrum: Array) -> Array:
    power: Array = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power


def _mel_epilogue(work: Workload) -> Callable[[Array], Array]:
    weights = definitions.mel_matrix(work)

    def finish(spectrum: Array) -> Array:
        level = np.matmul(_power(spectrum), weights)
        np.maximum(level, definitions.MIN_POWER, out=level)
        np.log10(level, out=level)
        level *= 10
        np.maximum(level, level.max() - definitions.TOP_DB, out=level)
        return np.ascontiguousarray(np.swapaxes(level, -1, -2))

    return finish


def _stft_epilogue(work: Workload) -> Callable[[Array], Array]:
    def finish(spectrum: Array) -> Array:
        if work.mode == "stft":
            return np.concatenate((spectrum.real, spectrum.imag), axis=-1)
        power = _power(spectrum)
        if work.mode == "psd":
            power[..., 1:-1] *= 2
            return power
        np.maximum(power, definitions.EPSILON, out=power)
        np.log(power, out=power)
        power *= 0.5
        return power

    return finish
