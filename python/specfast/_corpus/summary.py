# SPDX-License-Identifier: BSD-3-Clause
"""The summary of a shard, which is written last: it says that the shard is done, and what of it.

Whoever replaces the files of a shard removes the summary first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from specfast._corpus import atomic
from specfast._corpus.checksums import crc32
from specfast._corpus.shards import SHARDS_NAME, Shard

__all__ = ["Failure", "FileFacts", "Summary", "facts_of", "read_summary", "summary_path"]

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Failure:
    """Why there are no features of a clip, or what is remarkable about its file."""

    id: str
    path: str
    reason: str


@dataclass(frozen=True)
class FileFacts:
    """What a file of a shard must be.

    Attributes:
        name: Its path below the folder of shards.
        num_bytes: Its size.
        checksum: The CRC-32 of its bytes, or of the first of them.
        checked_bytes: How many of them; behind these are features, which have checksums in the
            index.
    """

    name: str
    num_bytes: int
    checksum: int
    checked_bytes: int


@dataclass(frozen=True)
class Summary:
    """What became of a shard.

    Attributes:
        shard: Its number.
        num_clips: How many clips it stands for.
        seconds: How much sound its features are of.
        num_bytes: How large these features are.
        files: What they lie in, the index included.
        failures: The clips that have no features, in the order of the list.
        remarks: What the reader of recordings remarked, clip by clip.
    """

    shard: int
    num_clips: int
    seconds: float
    num_bytes: int
    files: list[FileFacts]
    failures: list[Failure] = field(default_factory=list)
    remarks: list[Failure] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Writes the file that says that the shard is done."""
        text = json.dumps(asdict(self), indent=1).encode() + b"\n"
        atomic.write_whole(path, lambda stream: stream.write(text))

    def missing_or_changed(self, folder: Path) -> str | None:
        """Returns what is wrong with the sizes of the shard's files, if anything."""
        for facts in self.files:
            path = folder / facts.name
            try:
                num_bytes = path.stat().st_size
            except OSError as error:
                return f"{str(path)!r}: {error.strerror}"
            if num_bytes != facts.num_bytes:
                return f"{str(path)!r} has {num_bytes} bytes, expected {facts.num_bytes}"
        return None


def summary_path(out: Path, shard: Shard) -> Path:
    """Returns where the summary of a shard is or will be."""
    return out / SHARDS_NAME / f"{shard.stem}.json"


def read_summary(out: Path, shard: Shard) -> Summary | None:
    """Returns the summary of a shard that is done, with its files in place; None otherwise."""
    try:
        values = json.loads(summary_path(out, shard).read_bytes())
        summary = Summary(
            values["shard"],
            values["num_clips"],
            values["seconds"],
            values["num_bytes"],
            [FileFacts(**facts) for facts in values["files"]],
            [Failure(**failure) for failure in values["failures"]],
            [Failure(**remark) for remark in values["remarks"]],
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if (summary.shard, summary.num_clips) != (shard.number, shard.num_clips):
        return None
    return None if summary.missing_or_changed(out / SHARDS_NAME) else summary


def facts_of(path: Path, head_bytes: int | None = None) -> list[FileFacts]:
    """Returns the facts of a file, or of every file in a folder, under names below its parent.

    Args:
        path: The file or folder.
        head_bytes: How many bytes of a file get a checksum; None: all.
    """
    return [_facts(file, path.parent, head_bytes) for file in _files(path)]


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if not file.is_dir())
    else:
        yield path


def _facts(path: Path, folder: Path, head_bytes: int | None) -> FileFacts:
    num_bytes = path.stat().st_size
    checked_bytes = num_bytes if head_bytes is None else head_bytes
    checksum, left = 0, checked_bytes
    with path.open("rb", buffering=0) as stream:
        while left > 0 and (block := stream.read(min(left, _BLOCK_BYTES))):
            checksum = crc32(block, checksum)
            left -= len(block)
    return FileFacts(path.relative_to(folder).as_posix(), num_bytes, checksum, checked_bytes)
