# SPDX-License-Identifier: BSD-3-Clause
"""The clip that front ends are compared on: a given one, checked, or one made for the purpose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._spec import checks

Samples = npt.NDArray[np.float64]

_SECONDS = 2.47  # no whole number of any usual hop
_MAX_SAMPLES = 1 << 26
_HIGHEST_KEPT_RATE = 192000.0


@dataclass(frozen=True)
class Clip:
    """One signal.

    Attributes:
        samples: [samples], of the dtype in which it was given.
        rate: samples per second; None: not known.
        is_given: whether a user gave it.
        skipped_frames: how many frames results of it leave out at the beginning.
    """

    samples: npt.NDArray[Any]
    rate: float | None
    is_given: bool = True
    skipped_frames: int = 0


def given_clip(value: Any, rate: Any) -> Clip:
    """Returns the clip of a user.

    Raises:
        TypeError: for what is no array of real numbers.
        ValueError: for a wrong shape, no samples, too many, and samples that are not finite.
    """
    if rate is not None:
        rate = float(checks.positive_hertz("rate", rate))
    accepted = "an array of real numbers of shape (samples,)"
    try:
        samples = checks.to_array(value)
    except (ValueError, TypeError) as error:
        raise TypeError(f"`clip` must be {accepted}. {checks.received('clip', value)}") from error
    if not checks.holds_reals(samples):
        raise TypeError(f"`clip` must be {accepted}. {checks.received('clip', value)}")
    if samples.ndim != 1 or not 0 < samples.size <= _MAX_SAMPLES:
        raise ValueError(
            f"`clip` must be {accepted}, of 1 to {_MAX_SAMPLES} samples. "
            f"Received: clip of shape {samples.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(samples))
    if bad.size:
        raise ValueError(
            f"`clip` must be of finite samples. Received: {samples[bad[0]]} at sample {bad[0]}, "
            f"and {bad.size} of {samples.size} samples that are not finite"
        )
    return Clip(samples, rate)


def made_clip(rate: float) -> Clip:
    """Returns a clip on which no usual choice of a front end is without effect.

    It is a voice with hiss and a little DC. It starts and ends loudly, so that the padding
    matters; in its middle it fades through eight decades to silence, so that floors do. Its
    samples cannot be written to: clips of usual rates are kept for the next call.
    """
    return _kept_clip(rate) if rate <= _HIGHEST_KEPT_RATE else _new_clip(rate)


@lru_cache(maxsize=4)
def _kept_clip(rate: float) -> Clip:
    return _new_clip(rate)


def _new_clip(rate: float) -> Clip:
    count = round(_SECONDS * rate)
    seconds = np.arange(count) / rate
    pitch = 125.0 + 35.0 * np.sin(2 * np.pi * 0.7 * seconds) + 20.0 * seconds
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(_harmonic(k, phase, pitch, rate) for k in range(1, 60))
    syllables = 0.15 + 0.85 * np.sin(2 * np.pi * 2.1 * seconds + 0.9) ** 2
    sound = syllables * voice + 0.02 * _noise(count) + 0.01
    fade = np.interp(seconds, [0.0, 1.2, 1.75, 1.85, 1.86, 9.0], [0.0, 0.0, -8.0, -8.0, 0.0, 0.0])
    gate = np.where((seconds > 1.76) & (seconds < 1.855), 0.0, 10.0**fade)
    samples = (0.6 * sound / np.abs(sound).max() * gate).astype(np.float32)
    samples.flags.writeable = False
    return Clip(samples, rate, is_given=False)


def _harmonic(number: int, phase: Samples, pitch: Samples, rate: float) -> Samples:
    """Returns a harmonic of the voice, with two formants, and nothing near half the rate."""
    hertz = number * pitch
    formants = 1 / (1 + ((hertz - 600) / 250) ** 2) + 0.4 / (1 + ((hertz - 1800) / 400) ** 2)
    return np.where(hertz < 0.45 * rate, (formants + 0.02) * np.sin(number * phase), 0.0)


def _noise(count: int) -> Samples:
    """Returns uniform noise in [-1, 1) that is the same on all machines: SplitMix64."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0
