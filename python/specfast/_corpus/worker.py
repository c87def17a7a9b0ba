# SPDX-License-Identifier: BSD-3-Clause
"""What a worker does: it computes one shard, writes it, and returns a few numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from specfast._corpus import atomic
from specfast._corpus.checksums import crc32
from specfast._corpus.computing import Computer, Outcome
from specfast._corpus.errors import CorpusError, unwritable
from specfast._corpus.formats.catalogue import format_of
from specfast._corpus.formats.interface import Clip
from specfast._corpus.index import INDEX_SUFFIX, Row, write_index
from specfast._corpus.isolation import outcomes_apart
from specfast._corpus.notes import Note
from specfast._corpus.settings import RunFile, read_run
from specfast._corpus.shards import SHARDS_NAME, Shard
from specfast._corpus.summary import Failure, Summary, facts_of, read_summary, summary_path
from specfast._engine.build import VERSION, build_info
from specfast._spec.feature_spec import FeatureSpec

__all__ = ["Report", "Task", "compute_shard"]

# Held by who computes, in a process whose tasks take turns.
_turn = threading.Lock()
# After so many deaths in a shard, all of it is computed in other processes.
_MAX_DEATHS = 3


@dataclass(frozen=True)
class Task:
    """What a worker is told; it reads all else from the folder of the run.

    Attributes:
        out: That folder, an absolute path that means the same on every worker.
        shard: What to compute.
        run_checksum: The CRC-32 of run.json.
        num_threads: How many threads of the engine a worker uses.
        in_turns: Whether one task at a time computes in a process, so that another thread of it
            waits for the disk meanwhile and for nothing else.
    """

    out: str
    shard: Shard
    run_checksum: int
    num_threads: int
    in_turns: bool = False


@dataclass(frozen=True)
class Report:
    """What a worker returns of a shard: all that client and scheduler ever see of it."""

    shard: Shard
    num_failed: int
    seconds: float
    num_bytes: int

    @classmethod
    def of(cls, shard: Shard, summary: Summary) -> Report:
        return cls(shard, len(summary.failures), summary.seconds, summary.num_bytes)


def compute_shard(task: Task) -> Report:
    """Computes a shard and writes it, or finds that it is done.

    Raises:
        CorpusError: This worker is not of the run's version or instruction set, does not see the
            folder of the run, or cannot write there.
        ImportError: A package is missing.
    """
    out, shard = Path(task.out), task.shard
    run = _checked_run(task.out, task.run_checksum)
    with unwritable(out), Note(out, shard) as note, ExitStack() as turn:
        if task.in_turns:
            turn.enter_context(_turn)
        # Another worker may have done it while this one waited for the note.
        summary = read_summary(out, shard)
        if summary is None:
            summary = _ShardWriter(task, run, note).write(turn.close)
        note.remove()
    return Report.of(shard, summary)


@lru_cache(maxsize=8)
def _checked_run(out: str, checksum: int) -> RunFile:
    run = read_run(Path(out))
    if run is None or crc32(run.to_json().encode()) != checksum:
        raise CorpusError(
            f"a worker finds no such run in {out!r}: every worker must see that folder under this "
            "name"
        )
    mine = {"specfast": VERSION, "the instruction set (SPECFAST_ISA)": str(build_info()["isa"])}
    for (what, have), wanted in zip(mine.items(), (run.version, run.isa), strict=True):
        if have != wanted:
            raise CorpusError(f"a worker has {what} {have}, and the run is of {wanted}")
    return run


@lru_cache(maxsize=8)
def _fingerprint_of(spec: FeatureSpec) -> str:
    return spec.fingerprint()


class _ShardWriter:
    """Computes the clips of a shard one by one, and writes each as soon as it is computed."""

    def __init__(self, task: Task, run: RunFile, note: Note) -> None:
        self._out, self._shard = Path(task.out), task.shard
        self._settings, self._version = run.settings, run.version
        self._num_threads = task.num_threads
        self._note = note
        self._fingerprint = _fingerprint_of(run.settings.spec)
        self._items = list(task.shard.items(self._out))
        if len(self._items) != task.shard.num_clips:
            raise CorpusError(f"the list in {task.out!r} is shorter than the plan of its shards")
        # What the index says of each clip, but for its place.
        self._rows: list[partial[Row]] = []
        self._failures: list[Failure] = []
        self._remarks: list[Failure] = []
        self._num_bytes = 0

    def write(self, computed: Callable[[], object]) -> Summary:
        """Writes the files of the shard, and then the summary that says so.

        Args:
            computed: Is called when all is computed and what is left is to bring it to the disk.
        """
        path = summary_path(self._out, self._shard)
        path.unlink(missing_ok=True)
        container = format_of(self._settings.format)
        folder = self._out / SHARDS_NAME
        data = folder / f"{self._shard.stem}{container.suffix}"
        index = folder / f"{self._shard.stem}{INDEX_SUFFIX}"
        metadata = {"fingerprint": self._fingerprint, "specfast": self._version}
        with atomic.made_whole(data, index) as (new_data, new_index):
            offsets = container.write(new_data, self._clips(), self._items, metadata)
            rows = [row(offset=offset) for row, offset in zip(self._rows, offsets, strict=True)]
            write_index(new_index, rows)
            computed()
        summary = Summary(
            shard=self._shard.number,
            num_clips=self._shard.num_clips,
            seconds=sum(row.seconds for row in rows),
            num_bytes=self._num_bytes,
            files=[*facts_of(data, container.head_bytes(data)), *facts_of(index)],
            failures=self._failures,
            remarks=self._remarks,
        )
        summary.write(path)
        return summary

    def _clips(self) -> Iterator[Clip]:
        """Yields the clips that can be computed, and notes what there is to say of all."""
        for outcome in self._outcomes():
            if outcome.failure is not None:
                self._failures.append(outcome.failure)
            if outcome.remark is not None:
                self._remarks.append(outcome.remark)
            if outcome.clip is not None:
                self._rows.append(self._row(outcome.clip))
                self._num_bytes += outcome.clip.values.nbytes
                yield outcome.clip

    def _outcomes(self) -> Iterator[Outcome]:
        """Yields what becomes of each clip, in the order of the list."""
        settings, num_threads = self._settings, self._num_threads
        if len(self._note.suspects) >= _MAX_DEATHS:
            yield from outcomes_apart(settings, num_threads, self._items)
            return
        suspects = set(self._note.suspects)
        computer = Computer(settings, num_threads)
        for index, item in enumerate(self._items):
            if index in suspects:
                yield from outcomes_apart(settings, num_threads, [item])
            else:
                self._note.begin(index)
                outcome = computer.outcome_of(item)
                self._note.rest()
                yield outcome

    def _row(self, clip: Clip) -> partial[Row]:
        item = clip.item
        return partial(
            Row,
            id=item.id,
            path=item.path,
            start=float(item.start),
            shard=self._shard.number,
            frames=clip.frames,
            channels=clip.values.shape[0] if clip.values.ndim == 3 else 1,
            seconds=clip.seconds,
            rate=clip.rate,
            checksum=crc32(clip.values.data),
            fingerprint=self._fingerprint,
        )
