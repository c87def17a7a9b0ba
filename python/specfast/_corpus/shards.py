# SPDX-License-Identifier: BSD-3-Clause
"""Cuts the list of a run into shards, by the bytes that their features will probably have.

`plan.jsonl` holds the cuts. They are made once: a file that vanishes later moves none of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from specfast._corpus import atomic
from specfast._corpus.durations import guess_of
from specfast._corpus.item import Item
from specfast._corpus.listing import LIST_NAME, read_list
from specfast._corpus.settings import Settings
from specfast.layers import FeatureExtractor

__all__ = [
    "MAX_GROWN_BYTES",
    "PLAN_NAME",
    "SHARDS_NAME",
    "Cutter",
    "Shard",
    "cutting",
    "read_plan",
    "sha256_of",
]

PLAN_NAME = "plan.jsonl"
SHARDS_NAME = "shards"
# What a clip costs beside its features, in headers and indexes; also bounds the clips of a shard.
_CLIP_BYTES = 1024
_BLOCK_BYTES = 1 << 20
# Unless the user sets a size, a shard is an eighth of all before it, from an eighth of the largest
# on: so a short list occupies many workers, and a long one does not become many files.
_GROWTH = 8
MAX_GROWN_BYTES = 1 << 25
# Of so many lengths in samples the size is remembered: manifests round to milliseconds.
_REMEMBERED_LENGTHS = 1 << 15


@dataclass(frozen=True)
class Shard:
    """A run of consecutive clips of the list, the unit of work.

    Attributes:
        number: Its place among the shards.
        offset: Where its first line begins in the list, in bytes.
        num_clips: How many lines it has.
    """

    number: int
    offset: int
    num_clips: int

    @property
    def stem(self) -> str:
        """How the names of its files begin."""
        return f"shard-{self.number:06d}"

    def items(self, out: Path) -> Iterator[Item]:
        """Yields its clips, read from the list of the run."""
        return islice(read_list(out / LIST_NAME, offset=self.offset), self.num_clips)


@contextlib.contextmanager
def cutting(folder: Path, settings: Settings) -> Iterator[Cutter]:
    """Yields what cuts a list while it is written; writes the plan into a folder.

    Raises:
        OSError: The folder cannot be written.
    """
    with (
        atomic.made_whole(folder / PLAN_NAME) as (temporary,),
        temporary.open("xb") as stream,
    ):
        cutter = Cutter(stream, settings)
        yield cutter
        cutter.end()


class Cutter:
    """Cuts a list into shards, clip by clip, and writes a line for each shard.

    Attributes:
        num_shards: How many there are.
    """

    def __init__(self, stream: BinaryIO, settings: Settings) -> None:
        self.num_shards = 0
        self._stream, self._digest = stream, hashlib.sha256()
        self._fixed_bytes = settings.shard_bytes
        self._estimate = _Estimate(settings)
        # Of the shard that is being filled; and of all before.
        self._begin = self._num_clips = self._num_bytes = 0
        self._bytes_before = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of the plan, in hexadecimal digits."""
        return self._digest.hexdigest()

    def add(self, offset: int, item: Item) -> None:
        """Puts the next clip, whose line begins at this byte of the list, into a shard."""
        num_bytes = self._estimate.bytes_of(item)
        if self._num_clips and self._num_bytes + num_bytes > self._most_bytes():
            self.end()
            self._begin = offset
        self._num_clips += 1
        self._num_bytes += num_bytes

    def end(self) -> None:
        """Ends the shard that is being filled, if a clip is in it."""
        if not self._num_clips:
            return
        line = json.dumps({"offset": self._begin, "num_clips": self._num_clips}).encode() + b"\n"
        self._stream.write(line)
        self._digest.update(line)
        self.num_shards += 1
        self._bytes_before += self._num_bytes
        self._num_clips = self._num_bytes = 0

    def _most_bytes(self) -> int:
        """Returns how large the next shard may be."""
        if self._fixed_bytes is not None:
            return self._fixed_bytes
        grown = self._bytes_before // _GROWTH
        return min(max(grown, MAX_GROWN_BYTES // _GROWTH), MAX_GROWN_BYTES)


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def read_plan(out: Path) -> Iterator[Shard]:
    """Yields the shards of a run."""
    with (out / PLAN_NAME).open("rb") as stream:
        for number, line in enumerate(stream):
            yield Shard(number, **json.loads(line))


class _Estimate:
    """How many bytes the features of a clip will probably have."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._extractor = FeatureExtractor(settings.spec)
        self._item_bytes = np.dtype(settings.spec.dtype).itemsize
        self._channel_bytes = lru_cache(_REMEMBERED_LENGTHS)(self._bytes_of_channel)

    def bytes_of(self, item: Item) -> int:
        one_channel = (
            self._settings.mono or self._settings.channel is not None or item.channel is not None
        )
        if item.duration is not None and one_channel:
            seconds, channels = item.duration, 1
        else:
            guess = guess_of(item.path)
            seconds = max(guess.seconds - item.start, 0.0)
            seconds = seconds if item.duration is None else item.duration
            channels = 1 if one_channel else guess.channels
        num_samples = int(seconds * self._settings.spec.sampling_rate)
        return _CLIP_BYTES + channels * self._channel_bytes(num_samples)

    def _bytes_of_channel(self, num_samples: int) -> int:
        try:
            shape = self._extractor.compute_output_shape((num_samples,))
        except ValueError:  # too short for a frame
            return 0
        return math.prod(int(length or 0) for length in shape) * self._item_bytes
