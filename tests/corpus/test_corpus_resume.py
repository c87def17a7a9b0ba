# SPDX-License-Identifier: BSD-3-Clause
"""Whatever interrupts a run, the same call again gives the bytes of an undisturbed one."""

from __future__ import annotations

import errno
import itertools
import os
import random
import shutil
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpora import SHARD_BYTES, contents, differences
from specfast import corpus
from specfast._corpus import atomic, scheduler
from specfast._corpus.computing import Computer
from specfast._corpus.formats.safetensors import Safetensors
from specfast._corpus.notes import Note
from specfast._corpus.shards import Shard, read_plan
from specfast._corpus.summary import summary_path
from specfast._corpus.worker import Report, Task, compute_shard


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(3) as executor:
        yield executor


def run(reference: Any, out: Path, client: Any, **others: Any) -> corpus.RunSummary:
    return corpus.run(reference.paths, out, "whisper", client, shard_bytes=SHARD_BYTES, **others)


def test_workers_and_their_order_have_no_part_in_the_bytes(
    reference: Any, threads: Executor, tmp_path: Path
) -> None:
    class Backwards(Executor):
        """Computes the newest task first, in the caller's thread, when results are asked for."""

        def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Future[Any]:
            future: Future[Any] = Future()
            waiting.append((future, function, arguments))
            if len(waiting) == 4:
                while waiting:
                    later, work, its = waiting.pop()
                    later.set_result(work(*its))
            return future

    waiting: list[Any] = []
    summary = run(reference, tmp_path / "threads", threads)
    assert summary.num_shards % 4 == 0
    assert summary.num_kept == 0
    run(reference, tmp_path / "backwards", Backwards(), num_workers=2)
    assert differences(reference.out, tmp_path / "threads") == []
    assert differences(reference.out, tmp_path / "backwards") == []


def test_a_full_disk_at_every_moment(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th time that something is forced to the disk, there is no room, for each n."""
    few = replace(reference, paths=reference.paths[:3], out=tmp_path / "whole")
    left = 0

    def fsync(_: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    num_failures = 0
    with ThreadPoolExecutor(1) as one:
        whole = run(few, few.out, one)
        for place in itertools.count(1):
            out = tmp_path / f"out{place}"
            left = place
            try:
                run(few, out, one)
                if left > 0:
                    break
            except corpus.CorpusError as error:
                assert "No space left" in str(error)  # noqa: PT017
                assert str(out) in str(error)  # noqa: PT017
                num_failures += 1
            one.submit(int).result(timeout=60)  # what was handed out has ended too
            if out.exists():
                assert [name for name in contents(out) if name.endswith(".tmp")] == []
            run(few, out, one)
            assert differences(few.out, out) == []
    # List, plan and run.json, each with its folder, and the folder of the run before run.json;
    # data, index and their folder, then summary and folder of each shard.
    assert num_failures == 7 + 5 * whole.num_shards


@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL])
def test_folders_that_cannot_be_synced_are_no_folders_that_fail(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    fsync = os.fsync

    def refusing(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink().is_dir():
            raise OSError(number, os.strerror(number))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refusing)
    few = replace(reference, paths=reference.paths[:1])
    with ThreadPoolExecutor(1) as one:
        if number == errno.EINVAL:
            run(few, tmp_path / "out", one)
        else:
            with pytest.raises(corpus.CorpusError, match="Input/output error"):
                run(few, tmp_path / "out", one)
    assert (tmp_path / "out" / "run.json").exists() == (number == errno.EINVAL)


def test_an_error_is_that_of_its_shard(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that raises gives its turn back, and the tasks beside it end."""
    out = tmp_path / "out"
    with ThreadPoolExecutor(1) as one:
        run(reference, out, one)
    for path in (out / "shards").iterdir():
        path.unlink()
    (out / ".work").mkdir()
    outcome_of = Computer.outcome_of

    def failing(computer: Computer, item: Any) -> Any:
        if item.path == reference.paths[0]:
            raise RuntimeError("none of a clip's own")
        return outcome_of(computer, item)

    monkeypatch.setattr(Computer, "outcome_of", failing)
    checksum = zlib.crc32((out / "run.json").read_bytes())
    tasks = [Task(str(out), shard, checksum, 1, in_turns=True) for shard in read_plan(out)]
    with ThreadPoolExecutor(2) as two:
        promises = [two.submit(compute_shard, task) for task in tasks]
        with pytest.raises(RuntimeError, match="none of a clip's own"):
            promises[0].result(timeout=60)
        for promise in promises[1:]:
            promise.result(timeout=60)
    missing = {name for name in differences(reference.out, out) if not name.startswith(".work")}
    assert missing == {name for name in contents(reference.out) if "shard-000000" in name}


def test_runs_of_another_schema_are_refused_by_name(reference: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(reference.out, out)
    text = (out / "run.json").read_text("utf-8")
    assert '"schema": 2' in text
    (out / "run.json").write_text(text.replace('"schema": 2', '"schema": 1'), "utf-8")
    with (
        ThreadPoolExecutor(1) as one,
        pytest.raises(corpus.CorpusError, match="it states schema 1, and must state 2"),
    ):
        run(reference, out, one)


def test_an_interrupt(reference: Any, threads: Executor, tmp_path: Path) -> None:
    out = tmp_path / "out"

    class Interrupted(Executor):
        """Ctrl-C while the third task is handed out."""

        def __init__(self) -> None:
            self.count = 0

        def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Future[Any]:
            self.count += 1
            if self.count == 3:
                raise KeyboardInterrupt
            future = threads.submit(function, *arguments)
            future.exception(timeout=60)
            return future

    with pytest.raises(KeyboardInterrupt):
        run(reference, out, Interrupted())
    summary = run(reference, out, threads)
    assert (summary.num_kept, summary.num_shards) == (2, 4)
    assert differences(reference.out, out) == []


def test_what_is_damaged_is_computed_again(
    reference: Any, threads: Executor, tmp_path: Path
) -> None:
    """After every kind of loss; leftovers of killed processes go too."""
    out = tmp_path / "out"
    run(reference, out, threads)
    names = sorted(path.name for path in (out / "shards").iterdir())
    chance = random.Random(1)
    for _ in range(20):
        name = chance.choice(names)
        path = out / "shards" / name
        action = chance.randrange(4)
        if action == 0:
            path.unlink()
        elif action == 1:
            os.truncate(path, chance.randrange(path.stat().st_size))
        elif action == 2:
            (out / "shards" / f".{name}-0123456789ab.tmp").write_bytes(b"half")
        else:
            (out / "shards" / f".{name}-0123456789ab.tmp").mkdir(exist_ok=True)
        run(reference, out, threads)
        assert differences(reference.out, out) == [], (name, action)
    (out / ".work").mkdir()
    (out / ".work" / "shard-000001").write_bytes(b"\2" + bytes(7))
    (out / "manifest.jsonl").write_bytes(b"{}")
    run(reference, out, threads)
    assert differences(reference.out, out) == []
    assert not (out / ".work").exists()
    (out / "plan.jsonl").write_bytes(b"{}")
    with pytest.raises(corpus.CorpusError, match="missing or damaged"):
        run(reference, out, threads)
    # Shards could be of any front end.
    (out / "run.json").unlink()
    with pytest.raises(corpus.CorpusError, match=r"such as 'shard-000000\.json'"):
        run(reference, out, threads)
    shutil.rmtree(out / "shards")
    run(reference, out, threads)
    assert differences(reference.out, out) == []


def test_tasks_are_handed_out_a_few_at_a_time(reference: Any) -> None:
    """A list of any length costs client and scheduler the same memory."""
    handed_out = 0

    def tasks() -> Iterator[Task]:
        nonlocal handed_out
        shards = list(read_plan(reference.out))
        for number in range(1000):
            handed_out += 1
            yield Task("", shards[number % len(shards)], 0, 1)

    class Instant:
        def submit(self, task: Task) -> Future[Report]:
            future: Future[Report] = Future()
            future.set_result(Report(task.shard, 0, 0.0, 0))
            return future

        def cancel(self, future: Future[Report]) -> None: ...

        def window(self) -> int:
            return 7

        def is_loss(self, error: BaseException) -> bool:
            return False

        def check(self) -> None: ...

    came_in = 0
    for _ in scheduler.reports_of(tasks(), Instant(), lambda: None):
        came_in += 1
        assert handed_out - came_in <= 7
    assert came_in == 1000


def test_a_note_names_the_clips_at_which_workers_died(tmp_path: Path) -> None:
    (tmp_path / ".work").mkdir()
    shard = Shard(3, 0, 10)

    def die_at(index: int) -> None:
        child = os.fork()
        if child == 0:
            with Note(tmp_path, shard) as note:
                note.begin(index)
                os._exit(1)
        os.waitpid(child, 0)

    def fail() -> None:
        with Note(tmp_path, shard) as note:
            note.begin(6)
            raise KeyError

    with Note(tmp_path, shard) as note:
        assert note.suspects == []
    die_at(4)
    die_at(0)
    with Note(tmp_path, shard) as note:
        assert note.suspects == [4, 0]
        note.begin(5)
        note.rest()
    # An exception is no death.
    with pytest.raises(KeyError):
        fail()
    with Note(tmp_path, shard) as note:
        assert note.suspects == [4, 0]
        note.remove()
    with Note(tmp_path, shard) as note:
        assert note.suspects == []


def test_who_dies_while_a_clip_is_written_accuses_none(reference: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with ThreadPoolExecutor(1) as one:
        run(reference, out, one)
    (out / ".work").mkdir()
    shard = next(read_plan(out))
    summary_path(out, shard).unlink()
    child = os.fork()
    if child == 0:

        def write(*arguments: Any) -> None:
            next(iter(arguments[2]))
            os._exit(3)

        Safetensors.write = write  # type: ignore[assignment]
        compute_shard(Task(str(out), shard, zlib.crc32((out / "run.json").read_bytes()), 1))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    with Note(out, shard) as note:
        assert note.suspects == []


# ---- What the disk has when -------------------------------------------------------------------


def test_a_shard_is_done_when_its_bytes_are_on_the_disk(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes, names, their folder; then the summary's bytes, its name, and its folder."""
    seen: list[tuple[str, str]] = []
    fsync, replace_file = os.fsync, Path.replace

    def recorded_fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        fsync(handle)
        seen.append(("sync", _kind_of(path)))

    def recorded_replace(path: Path, target: Path) -> Path:
        seen.append(("name", _kind_of(path)))
        return replace_file(path, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "replace", recorded_replace)
    few = replace(reference, paths=reference.paths[:1])
    with ThreadPoolExecutor(1) as one:
        run(few, tmp_path / "out", one)
    assert seen[-8:] == [
        ("sync", ".safetensors"),
        ("sync", ".parquet"),
        ("name", ".safetensors"),
        ("name", ".parquet"),
        ("sync", "shards"),
        ("sync", ".json"),
        ("name", ".json"),
        ("sync", "shards"),
    ]
    # The list and its cuts have their names on the disk before run.json has its own.
    begun = seen[:-8]
    names = [what for what in begun if what[0] == "name"]
    assert names[-1] == ("name", ".json")
    assert begun[-4:] == [("sync", "out"), ("sync", ".json"), ("name", ".json"), ("sync", "out")]


def _kind_of(path: Path) -> str:
    """Returns the suffix of a file, behind which a temporary name has more; a folder's name."""
    return Path(path.name.rpartition("-")[0]).suffix if path.suffix == ".tmp" else path.name


def test_while_one_shard_goes_to_the_disk_another_is_computed(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In turns two threads never compute at once, and a slow disk keeps neither from computing."""
    computing = at_once = 0
    overlapped = threading.Event()
    in_sync = threading.Semaphore(0)
    outcome_of, sync = Computer.outcome_of, atomic._sync_tree
    guard = threading.Lock()

    def watched(computer: Computer, item: Any) -> Any:
        nonlocal computing, at_once
        with guard:
            computing += 1
            at_once = max(at_once, computing)
        # Two clips in a row, while the other thread is at the disk.
        if in_sync.acquire(blocking=False):
            overlapped.set()
        outcome = outcome_of(computer, item)
        with guard:
            computing -= 1
        return outcome

    def slow(path: Path) -> None:
        if path.name.startswith(".shard") and not overlapped.is_set():
            in_sync.release()
            assert overlapped.wait(timeout=20)
        sync(path)

    class InTurns(scheduler.Pool):
        def submit(self, task: Task) -> Future[Report]:
            return super().submit(replace(task, in_turns=True))

    monkeypatch.setattr(Computer, "outcome_of", watched)
    monkeypatch.setattr(atomic, "_sync_tree", slow)
    monkeypatch.setattr("specfast._corpus.calls.Pool", InTurns)
    with ThreadPoolExecutor(2) as two:
        run(reference, tmp_path / "out", two, num_workers=2)
    assert overlapped.is_set()
    assert at_once == 1
    assert differences(reference.out, tmp_path / "out") == []
