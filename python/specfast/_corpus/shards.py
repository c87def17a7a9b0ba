# SPDX-License-Identifier: BSD-3-Clause
"""Cuts the list of a run into shards, by the bytes that their features will probably have.

`plan.jsonl` holds the cuts. They are made once: a file that vanishes later moves none of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from specfast._corpus import atomic
from specfast._corpus.durations import guess_of
from specfast._corpus.item import Item
from specfast._corpus.listing import LIST_NAME, read_places
from specfast._corpus.settings import Settings
from specfast.layers import FeatureExtractor

__all__ = ["PLAN_NAME", "SHARDS_NAME", "Shard", "cut", "read_plan", "sha256_of"]

PLAN_NAME = "plan.jsonl"
SHARDS_NAME = "shards"
# What a clip costs beside its features, in headers and indexes; also bounds the clips of a shard.
_CLIP_BYTES = 1024
_BLOCK_BYTES = 1 << 20


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
        places = read_places(out / LIST_NAME, offset=self.offset)
        for _, (_, item) in zip(range(self.num_clips), places, strict=False):
            yield item


def cut(out: Path, settings: Settings) -> tuple[int, str]:
    """Cuts the list in the folder of a run and writes the plan.

    Returns:
        The number of shards, and the SHA-256 of the plan.
    """
    num_shards = 0

    def write(stream: BinaryIO) -> None:
        nonlocal num_shards
        for shard in _shards(out, settings):
            line = json.dumps({"offset": shard.offset, "num_clips": shard.num_clips})
            stream.write(line.encode() + b"\n")
            num_shards += 1

    atomic.write_whole(out / PLAN_NAME, write)
    return num_shards, sha256_of(out / PLAN_NAME)


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


def _shards(out: Path, settings: Settings) -> Iterator[Shard]:
    estimate = _Estimate(settings)
    number = begin = num_clips = num_bytes = 0
    for offset, item in read_places(out / LIST_NAME):
        more = estimate.bytes_of(item)
        if num_clips and num_bytes + more > settings.shard_bytes:
            yield Shard(number, begin, num_clips)
            number, begin, num_clips, num_bytes = number + 1, offset, 0, 0
        num_clips += 1
        num_bytes += more
    if num_clips:
        yield Shard(number, begin, num_clips)


class _Estimate:
    """How many bytes the features of a clip will probably have."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._extractor = FeatureExtractor(settings.spec)
        self._item_bytes = np.dtype(settings.spec.dtype).itemsize

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
        try:
            shape = self._extractor.compute_output_shape((num_samples,))
        except ValueError:  # too short for a frame
            return _CLIP_BYTES
        num_values = np.prod([int(length or 0) for length in shape], dtype=np.int64)
        return _CLIP_BYTES + channels * int(num_values) * self._item_bytes
