# SPDX-License-Identifier: BSD-3-Clause
"""One run: the list, the plan, the shards that are missing, the errors at the end."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path

from specfast._corpus import atomic
from specfast._corpus.checksums import crc32
from specfast._corpus.errors import CorpusError, TooManyFailures, unwritable
from specfast._corpus.item import Item
from specfast._corpus.listing import LIST_NAME, write_list
from specfast._corpus.lock import only_run
from specfast._corpus.notes import NOTES_NAME, clear_notes, remove_notes_folder
from specfast._corpus.optional import import_pyarrow, import_soxr
from specfast._corpus.scheduler import Workers, reports_of
from specfast._corpus.settings import RUN_NAME, RunFile, Settings, read_run
from specfast._corpus.shards import (
    PLAN_NAME,
    SHARDS_NAME,
    Shard,
    cutting,
    read_plan,
    sha256_of,
)
from specfast._corpus.summary import Failure, Summary, read_summary, summary_path
from specfast._corpus.worker import Report, Task
from specfast._spec import checks
from specfast._spec.arguments import thread_count
from specfast.layers import FeatureExtractor

__all__ = ["ERRORS_NAME", "REMARKS_NAME", "Limits", "Progress", "RunSummary", "run_corpus"]

ERRORS_NAME = "errors.jsonl"
REMARKS_NAME = "remarks.jsonl"
# So many shards, or a few more where clips are long, have grown to their full size.
_NUM_GROWING = 32


@dataclass(frozen=True)
class RunSummary:
    """What a run came to.

    Attributes:
        out: Its folder.
        num_clips: How many clips its list has.
        num_failed: How many of them have no features; `errors.jsonl` says why.
        num_shards: How many shards there are.
        num_kept: How many of these were done before.
        seconds: How much sound the features are of.
        num_bytes: How large they are.
    """

    out: Path
    num_clips: int
    num_failed: int = 0
    num_shards: int = 0
    num_kept: int = 0
    seconds: float = 0.0
    num_bytes: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        num_clips, num_shards: All of the run.
        done_clips, done_shards: Those that are done, failures and what was kept included.
        num_failed: How many clips have failed so far.
        seconds: How much sound was computed by this call.
        computed_clips: How many clips were, failures included.
        elapsed: How long it has been at work, in seconds.
    """

    num_clips: int
    num_shards: int
    done_clips: int
    done_shards: int
    num_failed: int
    seconds: float
    computed_clips: int
    elapsed: float


@dataclass(frozen=True)
class Limits:
    """What a run may do that has no part in its bytes.

    Attributes:
        num_threads: How many threads of the engine each worker uses.
        max_failures: How many clips may fail before the run ends; None: all.
        retry_failed: Whether shards with failures are computed once more.

    Raises:
        TypeError, ValueError: A value is not what is accepted.
    """

    num_threads: int = 1
    max_failures: int | None = None
    retry_failed: bool = False

    def __post_init__(self) -> None:
        thread_count("num_threads", self.num_threads)
        if self.max_failures is not None:
            checks.integer("max_failures", self.max_failures, minimum=0, maximum=1 << 62)
        checks.strict_flag("retry_failed", self.retry_failed)


def run_corpus(
    items: Iterable[Item],
    out: Path,
    settings: Settings,
    limits: Limits,
    workers: Callable[[ExitStack], Workers],
    progress: Callable[[Progress], None] | None,
) -> RunSummary:
    """Runs to the end what may have been begun before.

    Args:
        items: The clips.
        out: The folder, an absolute path.
        settings, limits: See there.
        workers: Called once there is something to compute; what it puts on the stack is closed at
            the end.
        progress: Called about once a second, and at the end.

    Raises:
        CorpusError, ValueError, TypeError, OSError, ImportError: The run cannot begin or go on.
    """
    import_pyarrow()
    if settings.resample:
        import_soxr()
    FeatureExtractor(settings.spec)  # warns of bands without a bin, once
    with unwritable(out):
        out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with unwritable(out):
            stack.enter_context(only_run(out))
            stack.callback(remove_notes_folder, out)
            run = _begun(_readable(items), out, settings)
        # Opened when the first shard turns out to be missing.
        lazily = _Lazily(workers, stack)
        return _Course(out, run, limits, progress).complete(lazily)


def _begun(items: Iterable[Item], out: Path, settings: Settings) -> RunFile:
    """Returns the run of this folder: begun now, or before by the same command."""
    before = read_run(out)
    if before is None:
        _check_nothing_is_there(out)
    for folder in (out, out / SHARDS_NAME, out / NOTES_NAME):
        folder.mkdir(exist_ok=True)
        atomic.remove_leftovers(folder)
    # Beside the list that may be there, until they have been compared.
    fresh = Path(tempfile.mkdtemp(prefix=".list-", suffix=".tmp", dir=out))
    try:
        run = _listed(items, fresh, settings, is_new=before is None)
        if before is not None:
            before.check_is_continued_by(run, out)
        for name in (LIST_NAME, PLAN_NAME) if before is None else (LIST_NAME,):
            (fresh / name).replace(out / name)
        # The list and its cuts have their names before run.json says that they are there.
        atomic.sync_folder(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if before is not None:
        _check_plan(out, before)
        return before
    run.write(out)
    return run


def _listed(items: Iterable[Item], folder: Path, settings: Settings, *, is_new: bool) -> RunFile:
    """Writes the list into a folder, and if the run is new, its cuts; returns what run.json says.

    Raises:
        CorpusError: There are no clips.
    """
    with cutting(folder, settings) if is_new else contextlib.nullcontext() as cutter:
        listing = write_list(items, folder, None if cutter is None else cutter.add)
    if listing.num_items == 0:
        raise CorpusError("there is no clip in the sources: nothing to compute")
    resampler = str(import_soxr().__version__) if settings.resample else None
    run = RunFile(settings, listing.num_items, listing.sha256, resampler=resampler)
    if cutter is None:
        return run
    return replace(run, num_shards=cutter.num_shards, plan_sha256=cutter.sha256)


def _check_nothing_is_there(out: Path) -> None:
    """Refuses a folder with files that are not those of a run that has hardly begun.

    Shards without a run.json could be of any front end, and could be somebody else's.
    """
    for folder, own in ((out, {LIST_NAME, PLAN_NAME, SHARDS_NAME}), (out / SHARDS_NAME, set())):
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        foreign = [name for name in names if not name.startswith(".") and name not in own]
        if foreign:
            raise CorpusError(
                f"{str(folder)!r} holds other files, such as {min(foreign)!r}, and there is no "
                f"{RUN_NAME}: name a folder that is new or empty"
            )


def _check_plan(out: Path, run: RunFile) -> None:
    """Refuses cuts that are not those of the shards that may be there."""
    if not (out / PLAN_NAME).exists() or sha256_of(out / PLAN_NAME) != run.plan_sha256:
        raise CorpusError(
            f"{str(out / PLAN_NAME)!r} is missing or damaged, and nothing else says how the list "
            "was cut into shards: begin again in another folder"
        )


def _readable(items: Iterable[Item]) -> Iterator[Item]:
    """Yields the clips; a source that the system cannot read is no fault of the folder's."""
    try:
        yield from items
    except OSError as error:
        reason = error.strerror or error
        name = repr(error.filename) if error.filename is not None else "the sources"
        raise CorpusError(f"{name}: {reason}") from error


class _Lazily:
    """Workers that are engaged when the first task is handed out."""

    def __init__(self, engage: Callable[[ExitStack], Workers], stack: ExitStack) -> None:
        self._engage, self._stack = engage, stack
        self._workers: Workers | None = None

    def get(self) -> Workers:
        if self._workers is None:
            self._workers = self._engage(self._stack)
        return self._workers


class _Course:
    """One pass over the shards of a run."""

    def __init__(
        self,
        out: Path,
        run: RunFile,
        limits: Limits,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._out, self._run, self._limits = out, run, limits
        self._progress = progress
        self._summary = RunSummary(out, run.num_clips, num_shards=run.num_shards)
        self._done_clips = self._done_shards = self._computed_clips = 0
        self._computed_seconds = 0.0
        self._begin = self._last_tick = time.monotonic()

    def complete(self, workers: _Lazily) -> RunSummary:
        """Computes what is missing, and merges the failures.

        Raises:
            TooManyFailures: There are more than the limit.
        """
        tasks = self._missing()
        first = next(tasks, None)
        try:
            if first is not None:
                for report in reports_of(chain([first], tasks), workers.get(), self._tick):
                    self._add(report)
        finally:
            # Also of a run that ends early: what has failed so far is there to be read.
            with unwritable(self._out):
                _merge(self._out, ERRORS_NAME, lambda summary: summary.failures)
                _merge(self._out, REMARKS_NAME, lambda summary: summary.remarks)
        # A worker may have died between the end of its shard and that of its note.
        with unwritable(self._out):
            clear_notes(self._out)
        self._tick(at_once=True)
        return self._summary

    def _missing(self) -> Iterator[Task]:
        """Yields the tasks of shards that are not done; counts those that are."""
        checksum = crc32(self._run.to_json().encode())
        shards = read_plan(self._out)
        if self._run.settings.shard_bytes is None:
            shards = _largest_first(shards)
        for shard in shards:
            summary = read_summary(self._out, shard)
            if summary is not None and summary.failures and self._limits.retry_failed:
                with unwritable(self._out):
                    summary_path(self._out, shard).unlink()
                summary = None
            if summary is not None:
                self._count(Report.of(shard, summary))
                self._summary = replace(self._summary, num_kept=self._summary.num_kept + 1)
            else:
                yield Task(str(self._out), shard, checksum, self._limits.num_threads)

    def _add(self, report: Report) -> None:
        self._computed_clips += report.shard.num_clips
        self._computed_seconds += report.seconds
        self._count(report)
        self._tick()

    def _count(self, report: Report) -> None:
        before = self._summary
        self._done_shards += 1
        self._done_clips += report.shard.num_clips
        self._summary = replace(
            before,
            num_failed=before.num_failed + report.num_failed,
            seconds=before.seconds + report.seconds,
            num_bytes=before.num_bytes + report.num_bytes,
        )
        allowed = self._limits.max_failures
        if allowed is not None and self._summary.num_failed > allowed:
            raise TooManyFailures(
                f"{self._summary.num_failed} clips have failed, more than the {allowed} that are "
                f"allowed: see {str(self._out / ERRORS_NAME)!r}. What is done is kept"
            )

    def _tick(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if self._progress is None or (now - self._last_tick < 1.0 and not at_once):
            return
        self._last_tick = now
        self._progress(
            Progress(
                num_clips=self._run.num_clips,
                num_shards=self._run.num_shards,
                done_clips=self._done_clips,
                done_shards=self._done_shards,
                num_failed=self._summary.num_failed,
                seconds=self._computed_seconds,
                computed_clips=self._computed_clips,
                elapsed=now - self._begin,
            )
        )


def _largest_first(shards: Iterator[Shard]) -> Iterator[Shard]:
    """Yields shards so that small ones come last, and the last workers end at the same time.

    Those at the beginning of a list may be smaller, see `Cutter`.
    """
    beginning = list(islice(shards, _NUM_GROWING))
    yield from shards
    yield from reversed(beginning)


def _merge(out: Path, name: str, part: Callable[[Summary], list[Failure]]) -> None:
    """Writes a part of all summaries, line by line in the order of the list; no empty file."""
    lines = _lines(out, part)
    first = next(lines, None)
    if first is None:
        (out / name).unlink(missing_ok=True)
        return
    atomic.write_whole(out / name, lambda stream: stream.writelines(chain([first], lines)))


def _lines(out: Path, part: Callable[[Summary], list[Failure]]) -> Iterator[bytes]:
    for shard in read_plan(out):
        summary = read_summary(out, shard)
        for failure in part(summary) if summary is not None else []:
            yield json.dumps(asdict(failure)).encode() + b"\n"
