# SPDX-License-Identifier: BSD-3-Clause
"""Layers and arrays for tests, and how close two results have to be."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast import MelSpectrogram, STFTSpectrogram

Array = npt.NDArray[Any]

# A fast filterbank layer: what it computes is the default's, on a small scale.
SMALL_MEL: dict[str, Any] = {
    "fft_length": 64,
    "sequence_stride": 16,
    "sampling_rate": 8000,
    "num_mel_bins": 8,
}
SMALL_STFT: dict[str, Any] = {"frame_length": 16, "frame_step": 4, "fft_length": 32}


def stft(*values: Any, **arguments: Any) -> STFTSpectrogram:
    """An STFTSpectrogram, without the warning for lengths that are no powers of two."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`fft_length` is recommended")
        return STFTSpectrogram(*values, **arguments)


def small_stft(**arguments: Any) -> STFTSpectrogram:
    return stft(**(SMALL_STFT | arguments))


def small_mel(**arguments: Any) -> MelSpectrogram:
    return MelSpectrogram(**(SMALL_MEL | arguments))


def perturb(layer: STFTSpectrogram, size: float = 0.1) -> STFTSpectrogram:
    """The same layer, with kernels that are no longer the analytic ones."""
    random = np.random.default_rng(7)
    layer.set_weights([w + size * random.standard_normal(w.shape) for w in layer.get_weights()])
    assert not layer.is_analytic
    return layer


def same_bits(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same bytes: NaN equals NaN, and -0.0 is not 0.0."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def relative_l2(actual: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """The L2 norm of the error as a share of that of the expected values, in their precision."""
    return float(np.linalg.norm(np.subtract(actual, expected)) / np.linalg.norm(expected))
