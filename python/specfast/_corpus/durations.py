# SPDX-License-Identifier: BSD-3-Clause
"""How long a recording is, guessed from its first bytes and its size, in microseconds.

A guess decides how many clips share a shard, never on a result, so one read per file is enough.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["Guess", "guess_of"]

_START_BYTES = 48
_WAVE_HEADER_BYTES = 44
# Of formats that state no length in their first bytes: compressed speech to compressed music.
_USUAL_BYTES_PER_SECOND = 16000


@dataclass(frozen=True)
class Guess:
    """What a file probably holds.

    Attributes:
        seconds: How long it is.
        channels: How many channels it has.
    """

    seconds: float
    channels: int


def guess_of(path: str) -> Guess:
    """Returns what a file probably holds; nothing if it cannot be read."""
    try:
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except (OSError, ValueError):
        return Guess(0.0, 1)
    try:
        start, size = os.read(handle, _START_BYTES), os.fstat(handle).st_size
    except OSError:
        return Guess(0.0, 1)
    finally:
        os.close(handle)
    return _of_wave(start, size) or _of_flac(start) or Guess(size / _USUAL_BYTES_PER_SECOND, 1)


def _of_wave(start: bytes, size: int) -> Guess | None:
    if start[:4] not in (b"RIFF", b"RF64") or start[8:16] != b"WAVEfmt ":
        return None
    channels = int.from_bytes(start[22:24], "little")
    bytes_per_second = int.from_bytes(start[28:32], "little")
    if not channels or not bytes_per_second:
        return None
    return Guess(max(size - _WAVE_HEADER_BYTES, 0) / bytes_per_second, channels)


def _of_flac(start: bytes) -> Guess | None:
    if start[:4] != b"fLaC" or len(start) < 26:
        return None
    # STREAMINFO: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples.
    bits = int.from_bytes(start[18:26], "big")
    rate, channels, num_samples = bits >> 44, (bits >> 41 & 7) + 1, bits & ((1 << 36) - 1)
    return Guess(num_samples / rate, channels) if rate and num_samples else None
