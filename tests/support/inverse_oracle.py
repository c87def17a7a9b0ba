# SPDX-License-Identifier: BSD-3-Clause
"""What an inverse is, in double precision: frames are added up one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def windows(frame_length: int, name: str | None, scaling: str | None) -> Array:
    """Returns the periodic window of a name, scaled as in Keras."""
    phase = 2 * np.pi * np.arange(frame_length) / frame_length
    values = {
        None: np.ones(frame_length),
        "hann": 0.5 - 0.5 * np.cos(phase),
        "hamming": 0.54 - 0.46 * np.cos(phase),
    }[name]
    divisor = {
        None: 1.0,
        "density": np.sqrt(np.sum(values**2)),
        "spectrum": np.sum(np.abs(values)),
    }[None if name is None else scaling]
    return np.asarray(values / divisor)


def inverse(
    spectra: Array, window: Array, hop: int, num_points: int, left: int, length: int
) -> Array:
    """Returns the signal of spectra [frames, bins], `left` samples of padding taken off.

    Samples that no frame has more of than 1e-10 of the largest sum of squared windows are 0.
    """
    frame_length = len(window)
    # A frame that is longer than its transform wraps around.
    places = np.arange(frame_length) % num_points
    frames = np.fft.irfft(np.asarray(spectra, np.complex128), num_points)[:, places]
    num_places = (len(frames) - 1) * hop + frame_length
    total, weight = np.zeros(num_places), np.zeros(num_places)
    for number, frame in enumerate(frames):
        part = slice(number * hop, number * hop + frame_length)
        total[part] += window * frame
        weight[part] += window**2
    steady = np.zeros(hop)
    np.add.at(steady, np.arange(frame_length) % hop, window**2)
    kept = weight > 1e-10 * steady.max()
    padded = np.where(kept, total / np.where(kept, weight, 1), 0)
    inside = padded[left : left + length]
    return np.concatenate([inside, np.zeros(length - len(inside))])
