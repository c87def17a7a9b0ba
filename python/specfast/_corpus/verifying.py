# SPDX-License-Identifier: BSD-3-Clause
"""Checks a run on the disk: every byte against its checksum, every clip against the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specfast._corpus.checksums import crc32
from specfast._corpus.errors import CorpusError
from specfast._corpus.listing import LIST_NAME
from specfast._corpus.reader import Entry, ShardReader, run_of
from specfast._corpus.settings import RunFile
from specfast._corpus.shards import PLAN_NAME, SHARDS_NAME, Shard, read_plan, sha256_of
from specfast._corpus.summary import Summary, facts_of, read_summary, summary_path

__all__ = ["Verification", "verify"]


@dataclass(frozen=True)
class Verification:
    """What a check of a run has found.

    Attributes:
        num_shards, num_clips: How many have been checked.
        num_failed: How many clips have no features, which is no problem of the files.
        problems: What is wrong, a sentence each; none: all is as it was written.
    """

    num_shards: int
    num_clips: int
    num_failed: int
    problems: tuple[str, ...]


def verify(out: Path, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Reads every file of a run and compares it with what was written.

    Args:
        out: The folder of the run.
        progress: Called with the number of shards that are checked, and that of all.

    Raises:
        CorpusError: There is no run.
    """
    run = run_of(out)
    problems = list(_of_lists(out, run))
    if problems:
        # Lines that are damaged cannot be compared with anything.
        return Verification(0, 0, 0, tuple(problems))
    num_shards = num_clips = num_failed = 0
    for shard in read_plan(out):
        num_shards += 1
        summary = read_summary(out, shard)
        if summary is None:
            problems.append(_missing(out, shard))
        else:
            num_clips += summary.num_clips
            num_failed += len(summary.failures)
            problems += _of_shard(out, run, shard, summary)
        if progress is not None:
            progress(num_shards, run.num_shards)
    return Verification(num_shards, num_clips, num_failed, tuple(problems))


def _missing(out: Path, shard: Shard) -> str:
    if not summary_path(out, shard).exists():
        return f"{shard.stem} is not done; the command that began the run goes on"
    return (
        f"{shard.stem} is damaged: a file is missing or has another size; the command that began "
        "the run computes it again"
    )


def _of_lists(out: Path, run: RunFile) -> Iterator[str]:
    """Yields what is wrong with the list of the run and with its plan."""
    for name, wanted in ((LIST_NAME, run.list_sha256), (PLAN_NAME, run.plan_sha256)):
        try:
            found = sha256_of(out / name)
        except OSError as error:
            yield f"{str(out / name)!r} cannot be read: {error.strerror}"
            continue
        if found != wanted:
            yield f"{str(out / name)!r} is not what the run began with"


def _of_shard(out: Path, run: RunFile, shard: Shard, summary: Summary) -> Iterator[str]:
    """Yields what is wrong with the files of a shard that is done."""
    again = f"remove {str(summary_path(out, shard))!r}, and the run computes the shard again"
    for wanted in summary.files:
        path = out / SHARDS_NAME / wanted.name
        try:
            (found,) = facts_of(path, wanted.checked_bytes)
        except OSError as error:
            yield f"{str(path)!r} cannot be read: {error.strerror}"
            return
        if (found.num_bytes, found.checksum) != (wanted.num_bytes, wanted.checksum):
            yield f"{str(path)!r} has other bytes than were written: {again}"
            return
    try:
        reader = ShardReader(out, run, shard)
    except CorpusError as error:
        yield str(error)
        return
    failed = {failure.id for failure in summary.failures}
    listed = [item.id for item in shard.items(out) if item.id not in failed]
    if [row.id for row in reader.rows] != listed:
        yield f"the index of {shard.stem} has other clips than the list: {again}"
    for entry in reader:
        if _checksum(entry) != entry.row.checksum:
            place = f"{entry.id!r} in {str(entry.file)!r}"
            yield f"the features of {place} have another checksum: {again}"


def _checksum(entry: Entry) -> int:
    return crc32(np.ascontiguousarray(entry.values).data)
