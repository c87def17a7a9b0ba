# SPDX-License-Identifier: BSD-3-Clause
"""Workers in other processes: those of executors and of Dask, and what happens when they die."""

from __future__ import annotations

import multiprocessing
import os
import re
import socket
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import soundfile

from corpora import RATE, SHARD_BYTES, differences, failures, noise
from specfast import corpus
from specfast._corpus import clusters, isolation, scheduler
from specfast._corpus.item import Item
from specfast._corpus.settings import Settings, read_run
from specfast._corpus.shards import Shard
from specfast._corpus.worker import Task, compute_shard
from specfast._spec import preset_specs

# What every child process runs first: to open such a file is death. It stands for a decoder that
# crashes, and for a clip that takes more memory than there is.
KILLER = """
import os, signal, sys

def watch(event, arguments):
    if event == "open" and str(arguments[0]).endswith(("killer.wav", "killer.flac")):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
"""


@pytest.fixture(scope="module")
def deadly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Makes files of certain names kill the processes that are started here."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(KILLER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        yield


@pytest.fixture(scope="module")
def client(deadly: None) -> Iterator[Any]:  # noqa: ARG001
    """Two processes of Dask as the command has them, which nannies start again when they die."""
    with ExitStack() as stack:
        yield clusters.local_workers(stack, num_workers=2, num_threads=1).client


def run(paths: Any, out: Path, client: Any, **others: Any) -> corpus.RunSummary:
    return corpus.run(paths, out, "whisper", client, **{"shard_bytes": SHARD_BYTES, **others})


def test_workers_of_the_command_keep_their_memory(client: Any) -> None:
    kept = client.run(os.getenv, "MALLOC_TRIM_THRESHOLD_")
    assert [int(value) for value in kept.values()] == [64 << 20] * 2


def with_killers(reference: Any, folder: Path, places: tuple[int, ...]) -> list[Item]:
    """Returns the clips of the reference, and killers among them."""
    paths = list(reference.paths)
    for place in places:
        path = folder / f"{place}-killer.wav"
        soundfile.write(path, noise(8000, 1), RATE)
        paths.insert(place, str(path))
    return [Item(Path(path).stem, path) for path in paths]


def check_killers(out: Path, reference: Any, places: tuple[int, ...]) -> None:
    found = failures(out)
    assert list(found) == [f"{place}-killer" for place in sorted(places)]
    for reason in found.values():
        assert "killed its process (SIGKILL)" in reason
    entries = corpus.open(out)
    assert [entry.row.path for entry in entries] == reference.paths
    for entry, wanted in zip(entries, corpus.open(reference.out), strict=True):
        assert (entry.values == wanted.values).all()
    assert corpus.verify(out).problems == ()


# ---- Executors ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("deadly")
def test_a_clip_that_kills_its_worker_is_found(reference: Any, tmp_path: Path) -> None:
    """In a pool that breaks: the run goes on in one of its own."""
    places = (7,)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        summary = run(
            with_killers(reference, tmp_path, places), tmp_path / "out", executor, num_workers=1
        )
    assert summary.num_failed == 1
    check_killers(tmp_path / "out", reference, places)


@pytest.mark.usefixtures("deadly")
def test_a_killer_among_others_is_found_by_bisection(reference: Any, tmp_path: Path) -> None:
    spec = preset_specs.spec("whisper")
    items = with_killers(reference, tmp_path, (1,))[:2]
    outcomes = list(isolation.outcomes_apart(Settings(spec), 1, items))
    assert [outcome.failure is not None for outcome in outcomes] == [
        item.id.endswith("killer") for item in items
    ]
    assert [outcome.clip.item for outcome in outcomes if outcome.clip] == [
        item for item in items if not item.id.endswith("killer")
    ]


def test_what_no_clip_is_to_blame_for_is_no_failure_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: Any
) -> None:
    (tmp_path / "soundfile.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    items = [Item("a", reference.paths[0])]
    with pytest.raises(ImportError, match="not here"):
        list(isolation.outcomes_apart(Settings(preset_specs.spec("whisper")), 1, items))


def test_workers_that_die_of_something_else_end_the_run(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hopeless(scheduler.Pool):
        def submit(self, task: Any) -> Any:
            future: Any = scheduler.Future()
            future.set_exception(scheduler.BrokenProcessPool("gone"))
            return future

    monkeypatch.setattr("specfast._corpus.calls.Pool", Hopeless)
    with (
        ProcessPoolExecutor(1) as executor,
        pytest.raises(corpus.CorpusError, match="ended by something else .*gone"),
    ):
        run(reference.paths, tmp_path / "out", executor)


# ---- Dask --------------------------------------------------------------------------------------


def test_dask_gives_the_same_bytes(client: Any, reference: Any, tmp_path: Path) -> None:
    seen: list[corpus.Progress] = []
    summary = run(reference.paths, tmp_path / "out", client, progress=seen.append)
    assert (summary.num_shards, summary.num_kept) == (4, 0)
    assert differences(reference.out, tmp_path / "out") == []
    last = seen[-1]
    assert (last.done_clips, last.done_shards, last.num_failed) == (12, 4, 0)
    assert last.seconds == pytest.approx(summary.seconds)


@pytest.mark.parametrize("in_turns", [False, True])
def test_a_clip_that_kills_workers_of_dask_is_found(
    client: Any,
    reference: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_turns: bool,
) -> None:
    """In turns, a worker has another shard when it dies, which is not to blame."""
    workers = partial(clusters.DaskWorkers, in_turns=in_turns)
    monkeypatch.setattr(clusters, "DaskWorkers", workers)
    run(with_killers(reference, tmp_path, (1, 9)), tmp_path / "out", client)
    check_killers(tmp_path / "out", reference, (1, 9))


def test_workers_of_another_version_are_refused_by_name(
    client: Any, reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "VERSION", "9.9.9")
    named = r"the worker at 'tcp://.*' has specfast .*, and this is specfast 9\.9\.9"
    with pytest.raises(corpus.CorpusError, match=named):
        run(reference.paths, tmp_path / "out", client)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": "9.9.9"}, "specfast .* and the run is of 9.9.9"),
        ({"isa": "abacus"}, "SPECFAST_ISA.* and the run is of abacus"),
    ],
)
def test_a_worker_that_joins_later_finds_out_itself(
    change: Any, named: str, reference: Any, tmp_path: Path
) -> None:
    original = read_run(reference.out)
    assert original is not None
    other = replace(original, **change)
    other.write(tmp_path)
    task = Task(str(tmp_path), Shard(0, 0, 1), zlib.crc32(other.to_json().encode()), 1)
    with pytest.raises(corpus.CorpusError, match=named):
        compute_shard(task)
    (tmp_path / "run.json").unlink()
    with pytest.raises(corpus.CorpusError, match="every worker must see that folder"):
        compute_shard(replace(task, run_checksum=0))


def test_a_scheduler_that_does_not_answer_is_named_within_seconds(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clusters.CONNECT_SECONDS < 10
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{held.getsockname()[1]}"
        begin = time.monotonic()
        with pytest.raises(corpus.CorpusError, match=re.escape(address)):
            run(reference.paths, tmp_path / "out", address)
    assert time.monotonic() - begin < 10
    with pytest.raises(corpus.CorpusError, match="no scheduler answers at 'nonsense'"):
        run(reference.paths, tmp_path / "out", "nonsense")
