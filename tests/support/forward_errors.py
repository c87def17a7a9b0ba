# SPDX-License-Identifier: BSD-3-Clause
"""How exact transforms of every length are, against one in extended precision."""

from __future__ import annotations

import math

import numpy as np
import scipy.fft

import judge
import signals
import specfast
from specfast import _core

EPS = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}


def is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, math.isqrt(number) + 1))


def forward_error(length: int, dtype: str) -> float:
    """Relative L2 error of a frame of this length, 2 or more, of noise.

    An even length is that of `STFTSpectrogram`. An odd one runs under a filterbank only, here one
    whose bands are single bins, up to 400 of them and 48 of long frames: the error is that of
    their magnitudes.
    """
    x = signals.noise(length, seed=length, dtype=dtype)
    expected = scipy.fft.rfft(x.astype(np.longdouble))
    assert expected.dtype == np.clongdouble
    if length % 2:
        return _error_of_magnitudes(x, np.abs(expected))
    layer = specfast.STFTSpectrogram(
        mode="stft",
        frame_length=length,
        frame_step=length,
        fft_length=length,
        window=None,
        dtype=dtype,
    )
    real, imag = np.split(layer(x.reshape(1, -1, 1))[0, 0].astype(np.longdouble), 2)
    error = np.sqrt(np.sum((real - expected.real) ** 2 + (imag - expected.imag) ** 2))
    return float(error / np.sqrt(np.sum(np.abs(expected) ** 2)))


def _error_of_magnitudes(x: np.ndarray, expected: np.ndarray) -> float:
    count = min(expected.size, 400 if x.size < 10**4 else 48)
    bins = np.sort(np.random.default_rng(x.size).choice(expected.size, count, replace=False))
    config = _core.Config("mel")
    config.dtype = str(x.dtype)
    config.frame_length = config.fft_length = config.hop = x.size
    config.padding = "valid"
    config.num_mel_bins = count
    config.level = "energy"
    config.top_db_scope = None
    config.mag_exp = 1.0
    config.mel_weights = np.zeros((expected.size, count))
    config.mel_weights[bins, np.arange(count)] = 1.0
    found = _core.Plan(config, "any_rank_frames_first")(x)[0].astype(np.longdouble)
    error = np.sqrt(np.sum((found - expected[bins]) ** 2))
    return float(error / np.sqrt(np.sum(expected[bins] ** 2)))


def allowed_error(length: int, dtype: str) -> float:
    """The bound of the transform; a magnitude is rounded twice more, by half a unit together."""
    return judge.transform_bound(length, EPS[dtype]) + (length % 2) * 0.5 * EPS[dtype]


def is_smooth(number: int) -> bool:
    return judge.transform_bound(number, 1.0) < math.sqrt(math.log2(number))


PRIMES = [number for number in range(3, 8192) if is_prime(number)]
