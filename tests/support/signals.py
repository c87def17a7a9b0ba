# SPDX-License-Identifier: BSD-3-Clause
"""Test signals: float32 [samples], regenerated each time from a seed, and recordings."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]

SAMPLING_RATE = 16000

_ROOT = Path(__file__).resolve().parents[2]
# A spoken sentence, synthetic but a real file; it belongs to the repository.
SPEECH = _ROOT / "examples" / "speech.wav"
# Eleven seconds of a human voice, which may lie beside a developer's checkout.
JFK = _ROOT.parent / "shared" / "data" / "jfk.wav"
RECORDINGS = [SPEECH, *([JFK] if JFK.exists() else [])]


def noise(*shape: int, seed: int = 0, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
    """White noise of unit power."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def chirp(num_samples: int, start: float = 0.005, stop: float = 0.45) -> Signal:
    """A sweep of amplitude 0.8 between two frequencies in cycles per sample."""
    time = np.arange(num_samples)
    turns = start * time + (stop - start) * time**2 / (2.0 * max(num_samples, 1))
    return (0.8 * np.sin(2.0 * np.pi * turns)).astype(np.float32)


def silence(num_samples: int) -> Signal:
    return np.zeros(num_samples, dtype=np.float32)


def quiet_and_loud(num_samples: int, seed: int = 0) -> Signal:
    """float32 [2, samples]: the same kind of noise at -70 dB and at full level."""
    quiet, loud = 10.0**-3.5, 1.0
    levels = np.array([[quiet], [loud]], dtype=np.float32)
    return np.asarray(levels * np.stack([noise(num_samples, seed=seed + n) for n in (0, 1)]))


def speech_like(num_samples: int, seed: int = 0) -> Signal:
    """Syllables: harmonics of a gliding voice in bursts, some hiss, and pauses."""
    time = np.arange(num_samples) / SAMPLING_RATE
    pitch = 120.0 + 30.0 * np.sin(2.0 * np.pi * 0.7 * time)
    phase = 2.0 * np.pi * np.cumsum(pitch) / SAMPLING_RATE
    voice = sum(np.sin(k * phase) / k**1.3 for k in range(1, 30))
    envelope = np.clip(np.sin(2.0 * np.pi * 2.3 * time), 0.0, None) ** 2
    hiss = 0.02 * noise(num_samples, seed=seed)
    return np.asarray(0.25 * envelope * (voice + hiss), dtype=np.float32)


def read_wav(path: Path) -> Signal:
    """The first channel of a 16-bit WAV file, as float32 in [-1, 1)."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path} has {file.getsampwidth()} bytes a sample, expected 2")
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return pcm[:: file.getnchannels()].astype(np.float32) / np.float32(32768.0)
