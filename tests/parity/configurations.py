# SPDX-License-Identifier: BSD-3-Clause
"""Random configurations of both layers, each with an input; the same ones for the same seed.

Configurations come in groups that share their shapes: JAX compiles once for every new shape, and
that, not the arithmetic, is what the time goes into.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import oracle
import signals

SEED = int(os.environ.get("SPECFAST_PARITY_SEED", "20251"))
NUM_STFT_GROUPS, NUM_MEL_GROUPS, GROUP_SIZE = 54, 42, 6

PRIMES = (2, 3, 5, 7, 11, 13, 31, 61, 97, 127, 199, 251, 257, 331, 499)
NAMED_WINDOWS = (*oracle.WINDOW_NAMES, "hann", "hann", "hamming")
SIGNALS = ("noise", "chirp", "speech", "quiet_and_loud", "offset", "bursts", "silence")

Generator = np.random.Generator
Signal = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """Arguments of a layer and an input for it."""

    arguments: dict[str, Any]
    signal: str
    x: Signal


def stft_groups() -> list[list[Case]]:
    return [_stft_group(np.random.default_rng([SEED, 0, n])) for n in range(NUM_STFT_GROUPS)]


def mel_groups() -> list[list[Case]]:
    return [_mel_group(np.random.default_rng([SEED, 1, n])) for n in range(NUM_MEL_GROUPS)]


# --- signals ---------------------------------------------------------------------------------


def _signal(rng: Generator, kind: str, num_signals: int, num_samples: int) -> Signal:
    """float32 [signals, samples] of this kind, at a random level."""
    x = rng.standard_normal((num_signals, num_samples)).astype(np.float32)
    if kind == "chirp":
        x = np.stack([signals.chirp(num_samples)] * num_signals) + np.float32(1e-4) * x
    elif kind == "speech":
        start = int(rng.integers(0, 8000))
        x = np.stack([signals.speech_like(start + num_samples)[start:]] * num_signals)
    elif kind == "quiet_and_loud":
        x *= np.logspace(-3.5, 0.0, num_signals, dtype=np.float32)[:, None]
    elif kind == "offset":
        x = np.float32(0.1) * x + np.float32(1.0)
    elif kind == "bursts":
        x[:, rng.random(num_samples) < 0.8] = 0.0
    elif kind == "silence":
        x[:] = 0.0
    level = np.float32(10.0 ** rng.uniform(-2.0, 2.0)) if rng.random() < 0.3 else np.float32(1.0)
    return np.asarray(level * x, dtype=np.float32)


def _num_samples(rng: Generator, frame: int, step: int) -> int:
    """A length: often at the borders where the number of frames changes, often too short."""
    frames = int(rng.integers(1, 12))
    kind = rng.integers(0, 7)
    if kind == 0:
        return frames * step
    if kind == 1:
        return frames * step + 1
    if kind == 2:
        return max(1, frames * step - 1)
    if kind == 3:
        return max(1, int(rng.integers(1, frame + 1)) // 2)
    if kind == 4:
        return frame + (frames - 1) * step
    return int(frame + rng.integers(0, frames * step))


def _pick(rng: Generator, options: Any) -> Any:
    return options[int(rng.integers(0, len(options)))]


def _length(rng: Generator, largest: int) -> int:
    """A length from 2 on, each octave equally likely; often a power of two or a prime."""
    length = int(2.0 ** rng.uniform(1.0, np.log2(largest)))
    kind = rng.integers(0, 4)
    if kind == 0:
        return oracle.next_power_of_two(length)
    if kind == 1:
        return min(PRIMES, key=lambda prime: abs(prime - length))
    return length


# --- STFTSpectrogram -------------------------------------------------------------------------


def _stft_group(rng: Generator) -> list[Case]:
    frame = _length(rng, 400)
    step = _pick(rng, (max(1, frame // 2), max(1, frame // 4), int(rng.integers(1, frame + 1))))
    larger = [p for p in PRIMES if p >= frame]
    fft_length = _pick(
        rng,
        (
            None,
            frame,
            oracle.next_power_of_two(frame),
            2 * oracle.next_power_of_two(frame),
            frame + int(rng.integers(0, frame + 1)),
            _pick(rng, larger) if larger else frame,
        ),
    )
    shape = int(rng.integers(1, 4)), int(rng.integers(1, 4)), _num_samples(rng, frame, step)
    common: dict[str, Any] = {
        "frame_length": frame,
        "fft_length": fft_length,
        "padding": _pick(rng, ("valid", "same")),
        "data_format": _pick(rng, ("channels_last", "channels_first")),
    }
    if step != frame // 2 or rng.random() < 0.5:
        common["frame_step"] = step
    if common["padding"] == "valid" and shape[2] < frame:
        shape = (*shape[:2], shape[2] + frame)
    return [_stft_case(rng, common, shape) for _ in range(GROUP_SIZE)]


def _stft_case(rng: Generator, common: dict[str, Any], shape: tuple[int, int, int]) -> Case:
    batch, channels, num_samples = shape
    frame = common["frame_length"]
    arguments = {
        "mode": _pick(rng, oracle.STFT_MODES),
        **common,
        "window": _window(rng, frame, NAMED_WINDOWS),
        "periodic": bool(rng.integers(0, 2)),
        "scaling": _pick(rng, ("density", "spectrum", None)),
        "expand_dims": bool(rng.integers(0, 2)),
    }
    kind = _pick(rng, SIGNALS)
    x = _signal(rng, kind, batch * channels, num_samples).reshape(batch, channels, num_samples)
    if arguments["data_format"] == "channels_last":
        x = np.ascontiguousarray(np.swapaxes(x, 1, 2))
    return Case(arguments, kind, x)


def _window(rng: Generator, length: int, names: tuple[str, ...]) -> Any:
    kind = rng.integers(0, 5)
    if kind == 0:
        return None
    if kind == 1:
        return rng.uniform(0.1, 1.0, length)
    name = _pick(rng, names)
    # A short symmetric window may be zero throughout: then a scaling divides by zero.
    values = oracle.window_values(name, length, periodic=False)
    return name if np.sum(values**2) > 1e-6 else "hamming"


# --- MelSpectrogram --------------------------------------------------------------------------


def _mel_group(rng: Generator) -> list[Case]:
    fft_length = _length(rng, 600)
    stride = _pick(
        rng,
        (max(1, fft_length // 2), max(1, fft_length // 4), int(rng.integers(1, fft_length + 1))),
    )
    shape = _pick(rng, ((), (1,), (2,), (3,), (2, 2)))
    num_samples = _num_samples(rng, fft_length, stride)
    rate = _pick(rng, (8000, 16000, 22050, 44100))
    common = {
        "fft_length": fft_length,
        "sequence_stride": stride,
        "num_mel_bins": int(2.0 ** rng.uniform(0.0, 6.5)),
        "sampling_rate": rate,
    }
    return [_mel_case(rng, common, (*shape, num_samples)) for _ in range(GROUP_SIZE)]


def _mel_case(rng: Generator, common: dict[str, Any], shape: tuple[int, ...]) -> Case:
    fft_length, rate = common["fft_length"], common["sampling_rate"]
    length = _pick(
        rng, (None, fft_length, int(rng.integers((fft_length + 1) // 2, fft_length + 1)))
    )
    arguments = {
        **common,
        "sequence_length": length,
        "window": _window(rng, length or fft_length, ("hann", "hann", "hamming")),
        "min_freq": _pick(rng, (0.0, 20.0, 125.0, 300.5)),
        "max_freq": _pick(rng, (None, rate / 2, 0.4 * rate, 3800.0)),
        "power_to_db": bool(rng.random() < 0.7),
        "top_db": _pick(rng, (80.0, 80.0, 20.0, 120.0)),
        "mag_exp": _pick(rng, (2.0, 2.0, 1.0, 0.5, 3.0)),
        "min_power": _pick(rng, (1e-10, 1e-10, 1e-5)),
        "ref_power": _pick(rng, (1.0, 1.0, 20.0, 1e-3)),
    }
    kind = _pick(rng, SIGNALS)
    num_signals = int(np.prod(shape[:-1], dtype=int))
    x = _signal(rng, kind, num_signals, shape[-1]).reshape(shape)
    return Case(arguments, kind, x)
