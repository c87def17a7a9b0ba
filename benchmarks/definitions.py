# SPDX-License-Identifier: BSD-3-Clause
"""Constants of the Keras definition that peers by hand need, written with NumPy alone.

Independent of specfast on purpose: a peer must not inherit a mistake of ours.  All of it is
computed before the clock starts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .workloads import SAMPLING_RATE_HZ, Workload

MIN_POWER = 1e-10
TOP_DB = 80.0
MIN_FREQ_HZ = 20.0
MAX_FREQ_HZ = SAMPLING_RATE_HZ / 2
EPSILON = 1e-7


def window(work: Workload) -> NDArray[Any]:
    """The Hann window: periodic for mel; symmetric and divided by its L2 norm for STFT."""
    length = work.frame_length
    n = np.arange(length)
    if work.layer == "mel":
        w = 0.5 - 0.5 * np.cos(2 * np.pi * n / length)
    else:
        w = 0.5 - 0.5 * np.cos(2 * np.pi * n / (length - 1))
        w /= np.sqrt(np.sum(w * w))
    return w.astype(work.compute_dtype)


def centred_window(work: Workload) -> NDArray[Any]:
    """The window with zeros on both sides up to the length of the transform."""
    left = (work.fft_length - work.frame_length) // 2
    right = work.fft_length - work.frame_length - left
    return np.pad(window(work), (left, right))


def mel_matrix(work: Workload) -> NDArray[Any]:
    """Weights ``(bins, bands)``: HTK triangles, linear in mel, peak 1, first row zero."""

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)

    bins = mel(np.linspace(0, SAMPLING_RATE_HZ / 2, work.fft_length // 2 + 1))[1:, None]
    edges = np.linspace(mel(MIN_FREQ_HZ), mel(MAX_FREQ_HZ), work.num_mel_bins + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return np.pad(weights, ((1, 0), (0, 0))).astype(work.compute_dtype)


def reflect_padded(work: Workload, x: NDArray[Any], margin: int | None = None) -> NDArray[Any]:
    """``(signals, samples)`` with ``margin`` (half a transform) reflected on both sides."""
    side = work.fft_length // 2 if margin is None else margin
    padded = np.pad(work.signals(x), ((0, 0), (side, side)), mode="reflect")
    return np.ascontiguousarray(padded)


def framed(work: Workload, x: NDArray[Any]) -> NDArray[Any]:
    """The windowed frames ``(signals * frames, fft_length)`` that every definition transforms."""
    dtype = work.compute_dtype
    if work.layer == "mel":
        signals = reflect_padded(work, x).astype(dtype, copy=False)
        weights, length = centred_window(work), work.fft_length
    else:
        signals = work.signals(x).astype(dtype, copy=False)
        weights, length = window(work), work.frame_length
    views = np.lib.stride_tricks.sliding_window_view(signals, length, axis=-1)[:, :: work.hop]
    frames = np.zeros((views.shape[0] * views.shape[1], work.fft_length), dtype)
    frames[:, :length] = (views * weights).reshape(-1, length)
    return frames
