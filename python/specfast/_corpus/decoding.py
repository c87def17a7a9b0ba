# SPDX-License-Identifier: BSD-3-Clause
"""From a clip of the list to its samples: decoding, cutting, checking, resampling."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfast._corpus.item import Item
from specfast._corpus.optional import import_soxr
from specfast._corpus.settings import Settings
from specfast.audio import AudioError, read_with_remark

__all__ = ["Decoder", "Sound"]


@dataclass(frozen=True)
class Sound:
    """The samples of a clip.

    Attributes:
        samples: float32 [samples, channels] at the rate of the front end.
        rate: The rate of the file, in Hz.
        seconds: How long the clip is.
        remark: What the reader remarked of the file, if anything.
    """

    samples: Any
    rate: int
    seconds: float
    remark: str | None


class Decoder:
    """Decodes clips; neighbours in the list that are parts of one file decode it once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: tuple[Any, Any] = (None, None)

    def sound_of(self, item: Item) -> Sound:
        """Returns the samples of a clip.

        Raises:
            AudioError: The file cannot be read, has another rate, NaN or infinite samples, or is
                shorter than the clip.
        """
        settings = self._settings
        samples, rate, remark = self._file(item)
        samples = _cut(samples, rate, item)
        if not np.isfinite(samples).all():
            raise AudioError(f"{item.path!r} holds NaN or infinite samples")
        seconds = len(samples) / rate
        wanted = settings.spec.sampling_rate
        if rate != wanted:
            if not settings.resample:
                raise AudioError(
                    f"{item.path!r} has {rate} Hz, and the front end is for {wanted:g} Hz: "
                    "--resample (resample=True) resamples"
                )
            samples = np.ascontiguousarray(import_soxr().resample(samples, rate, wanted))
        return Sound(samples, rate, seconds, remark)

    def _file(self, item: Item) -> tuple[Any, int, str | None]:
        channel = item.channel if item.channel is not None else self._settings.channel
        mono = self._settings.mono and item.channel is None
        key = (item.path, channel, mono)
        if self._last[0] != key:
            # Before the next file is in memory.
            self._last = (None, None)
            _check_regular(item.path)
            samples, rate, remark = read_with_remark(item.path, mono=mono, channel=channel)
            self._last = (key, (samples.reshape(len(samples), -1), rate, remark))
        return self._last[1]  # type: ignore[no-any-return]


def _check_regular(path: str) -> None:
    """Refuses a pipe, at which a worker would wait for ever; what is missing, the reader says."""
    with contextlib.suppress(OSError, ValueError):
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise AudioError(f"cannot read {path!r}: it is no regular file")


def _cut(samples: Any, rate: int, item: Item) -> Any:
    """Returns the part of a file that a clip stands for."""
    begin = round(item.start * rate)
    end = len(samples) if item.duration is None else round((item.start + item.duration) * rate)
    # Ends in seconds are rounded, by a sample at most.
    if end == len(samples) + 1:
        end -= 1
    if begin >= end or end > len(samples):
        until = "its end" if item.duration is None else f"{item.start + item.duration:g} s"
        raise AudioError(
            f"{item.path!r} has {len(samples) / rate:g} s, and the clip is from {item.start:g} s "
            f"to {until}"
        )
    return samples[begin:end]
