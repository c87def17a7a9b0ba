# SPDX-License-Identifier: BSD-3-Clause
"""Clips for experiments, cut from recordings."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import soundfile

from specfast.audio import read_audio

__all__ = ["SPEECH", "cut_clips"]

SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech.wav"


def cut_clips(
    folder: Path,
    count: int,
    recordings: Sequence[Path],
    seconds: tuple[float, float],
    seed: int = 1,
) -> None:
    """Cuts clips of random places and lengths, 16 bits, WAV and FLAC in turn.

    Args:
        folder: Where they go, `clip000000.wav` and so on.
        count: How many.
        recordings: What to cut them from, in turn.
        seconds: Their shortest and longest.
        seed: Of the places and lengths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    sounds = [read_audio(path, mono=True) for path in recordings]
    for number in range(count):
        samples, rate = sounds[number % len(sounds)]
        length = min(round(chance.uniform(*seconds) * rate), len(samples))
        begin = chance.randrange(len(samples) - length + 1)
        suffix = ("wav", "flac")[number % 2]
        soundfile.write(
            folder / f"clip{number:06d}.{suffix}", samples[begin : begin + length], rate
        )
