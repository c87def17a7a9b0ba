# SPDX-License-Identifier: BSD-3-Clause
"""The command `specfast batch`."""

from __future__ import annotations

import logging
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest
import soundfile

from cli_runner import LIMIT_SECONDS, command_line, environment, run
from corpora import SHARD_BYTES, differences, make_clips, noise
from specfast import MelSpectrogram, corpus
from specfast._cli.progress import line_of, shown_progress
from specfast.audio import read_audio

WHISPER = ("--front", "whisper", "--shard-bytes", SHARD_BYTES)


def test_a_run_on_processes_of_this_machine(reference: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("batch", *reference.paths, "-o", out, *WHISPER, "--workers", 1)
    assert differences(reference.out, out) == []
    assert re.fullmatch(
        rf"{re.escape(str(out))}: 12 clips, 4 shards, 0.15 minutes of audio, 0.3 MB; [\d.]+ s\n",
        ran.output,
    )
    again = run("batch", *reference.paths, "-o", out, *WHISPER)
    assert "4 shards (4 done before)" in again.output
    assert run("batch", *reference.paths, "-o", out, *WHISPER, "-q").output == ""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers of Dask as processes of their own; yields the address."""
    folder = tmp_path_factory.mktemp("cluster")
    address_file = folder / "scheduler.json"
    common = ["--scheduler-file", str(address_file)]
    worker = ["distributed.cli.dask_worker", *common, "--nthreads", "1", "--no-dashboard"]
    commands = [
        ["distributed.cli.dask_scheduler", *common, "--port", "0", "--no-dashboard"],
        [*worker, "--no-nanny", "--local-directory", str(folder)],
        [*worker, "--no-nanny", "--local-directory", str(folder)],
    ]
    children = []
    try:
        for words in commands:
            children.append(  # noqa: PERF401, all that are started are ended
                subprocess.Popen(
                    [sys.executable, "-m", *words],
                    env=environment(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        begin = time.monotonic()
        while not (text := address_file.read_text() if address_file.exists() else ""):
            assert time.monotonic() - begin < LIMIT_SECONDS
            time.sleep(0.05)
        yield re.findall(r'"address": "([^"]+)"', text)[0]
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait(timeout=LIMIT_SECONDS)


def test_a_run_on_a_scheduler_and_two_workers(
    cluster: str, reference: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run("batch", *reference.paths, "-o", out, *WHISPER, "--scheduler", cluster)
    assert differences(reference.out, out) == []


@pytest.mark.usefixtures("own_threads")
def test_the_layer_s_own_options(tmp_path: Path) -> None:
    (path,) = make_clips(tmp_path, 1)
    run("batch", path, "-o", tmp_path / "out", "--num-mel-bins", 40, "--sequence-stride", 160)
    (entry,) = corpus.open(tmp_path / "out")
    layer = MelSpectrogram(num_mel_bins=40, sequence_stride=160)
    assert (entry.values == layer(read_audio(path, mono=True)[0])).all()


@pytest.mark.usefixtures("own_threads")
def test_folders_lists_and_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_clips(tmp_path / "clips" / "deep", 3)
    soundfile.write(tmp_path / "clips" / "high.wav", noise(9000, 1), 48000)
    ran = run("batch", "clips", "-o", "out", *WHISPER, exit_code=3)
    assert "4 clips, 1 failed, see out/errors.jsonl" in ran.output
    assert [entry.id for entry in corpus.open("out")] == [f"deep/clip0{n}" for n in range(3)]
    ran = run("batch", "clips", "-o", "few", *WHISPER, "--max-failures", 0, exit_code=1)
    assert "more than the 0 that are allowed" in ran.output
    run("batch", "clips", "-o", "high", *WHISPER, "--resample")
    run("batch", "clips", "-o", "flac", *WHISPER, "--suffix", ".flac")
    assert len(corpus.open("flac")) == 1
    (tmp_path / "list.csv").write_text("id,path,duration\nx,clips/high.wav,0.1\n")
    run("batch", "list.csv", "-o", "csv", *WHISPER, "--resample", "--mono")
    assert corpus.open("csv").by_id("x").row.seconds == 0.1


@pytest.mark.usefixtures("own_threads")
def test_wrong_use_and_what_cannot_be_done(reference: Any, tmp_path: Path) -> None:
    path, out = reference.paths[0], tmp_path / "out"
    for named, exit_code, arguments in [
        ("SOURCE is missing", 2, ("-o", out)),
        ("-o is missing", 2, (path,)),
        ("exclude each other", 2, (path, "-o", out, "--mono", "--channel", 0)),
        ("--workers 2 only applies", 2, (path, "-o", out, "--workers", 2, "--scheduler", "x")),
        ("--num-mel-bins contradicts", 2, (path, "-o", out, "--num-mel-bins", 3, *WHISPER)),
        ("takes no SOURCE: it computes nothing", 2, ("--verify", out, path)),
        ("takes no -o: it computes nothing", 2, ("--verify", out, "-o", out)),
        ("takes no --retry-failed: it", 2, ("--verify", out, "--retry-failed")),
        ("takes no --front: it", 2, ("--verify", out, *WHISPER)),
        ("takes no --num-mel-bins: it", 2, ("--verify", out, "--num-mel-bins", 3)),
        ("float32 or float64", 2, (path, "-o", out, "--dtype", "float16")),
        ("'none.wav'", 1, ("none.wav", "-o", out)),
        ("did you mean 'whisper'", 2, (path, "-o", out, "--front", "wisper")),
        ("no scheduler answers at 'tcp:x'", 1, (path, "-o", out, "--scheduler", "tcp:x")),
        ("other files", 1, (path, "-o", Path(path).parent)),
        ("holds a run with", 1, (path, "-o", reference.out)),
        ("no run.json", 1, ("--verify", tmp_path)),
    ]:
        ran = run("batch", *arguments, exit_code=exit_code)
        assert named in ran.output, ran.output
        assert "Traceback" not in ran.output


def test_verify(reference: Any, tmp_path: Path) -> None:
    ran = run("batch", "--verify", reference.out)
    assert "4 shards, 12 clips, 0 of them without features; every byte is as it" in ran.output
    copy = tmp_path / "out"
    subprocess.run(["cp", "-r", reference.out, copy], check=True, timeout=60)
    (copy / "shards" / "shard-000001.parquet").unlink()
    ran = run("batch", "--verify", copy, exit_code=1)
    assert "1 problem:\nshard-000001 is damaged" in ran.output


def test_a_run_that_is_told_to_end_goes_on_later(reference: Any, tmp_path: Path) -> None:
    """SIGTERM in the middle: no process is left, and the same command completes the run."""
    out = tmp_path / "out"
    words = command_line("batch", *reference.paths, "-o", out, *WHISPER, "--workers", 1)
    with subprocess.Popen(words, env=environment(), start_new_session=True) as child:
        begin = time.monotonic()
        while not list(out.glob("shards/*.json")) and child.poll() is None:
            assert time.monotonic() - begin < LIMIT_SECONDS
            time.sleep(0.01)
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=LIMIT_SECONDS)
    while True:
        try:
            os.killpg(child.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() - begin < LIMIT_SECONDS
        time.sleep(0.05)
    corpus.run(reference.paths, out, "whisper", _inline(), shard_bytes=SHARD_BYTES)
    assert differences(reference.out, out) == []


def _inline() -> Any:
    from concurrent.futures import Executor, Future

    class Inline(Executor):
        def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Any:
            future: Any = Future()
            future.set_result(function(*arguments))
            return future

    return Inline()


# ---- Progress ----------------------------------------------------------------------------------

HALF = corpus.Progress(
    num_clips=1000,
    num_shards=10,
    done_clips=600,
    done_shards=6,
    num_failed=2,
    seconds=7200.0,
    computed_clips=200,
    elapsed=100.0,
)


def test_a_line_of_a_log_says_speed_failures_and_time_left() -> None:
    assert line_of(HALF) == (
        "600 of 1000 clips, 0.020 hours of audio a second, 2 failed, 3 min 20 s left"
    )


def test_a_log_has_a_line_a_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("specfast._cli.progress.time.monotonic", lambda: now)
    with shown_progress(quiet=False) as show:
        assert show is not None
        for _ in range(300):
            now += 1
            show(HALF)
    assert capsys.readouterr().err.count("\n") == 5
    with shown_progress(quiet=True) as show:
        assert show is None


def test_a_terminal_gets_a_bar() -> None:
    program = (
        "import sys, test_corpus_batch as t\n"
        "with t.shown_progress(quiet=False) as show:\n"
        "    show(t.HALF)\n"
    )
    shown, own = pty.openpty()
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stderr=own,
        env=environment(PYTHONPATH=path, TERM="xterm", COLUMNS="120"),
    ) as child:
        os.close(own)
        text = b""
        while select.select([shown], [], [], LIMIT_SECONDS)[0]:
            try:
                text += os.read(shown, 4096)
            except OSError:  # its other end is closed
                break
        assert child.wait(timeout=LIMIT_SECONDS) == 0
    os.close(shown)
    plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text.decode())
    assert "600/1000" in plain
    assert "0.020 hours of audio a second, 2 failed" in plain


def test_a_scheduler_that_dies_ends_the_run_in_one_line(
    reference: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever Dask logs of it; the run of a client whose connection is lost."""
    from specfast._corpus import clusters

    class Lost:
        status = "connecting"
        scheduler = None

        def submit(self, *_: Any, **__: Any) -> Any:
            logging.getLogger("distributed.client").error("Traceback ...")
            return self

        def add_done_callback(self, deliver: Any) -> None:
            deliver(self)

        def result(self) -> None:
            raise distributed.CancelledError

        def nthreads(self) -> dict[str, int]:
            return {}

        def run(self, *_: Any, **__: Any) -> dict[str, Any]:
            return {}

        def scheduler_info(self) -> dict[str, str]:
            return {"address": "tcp://10.0.0.1:8786"}

    monkeypatch.setattr(clusters, "connected", lambda *_: clusters.DaskWorkers(Lost()))
    words = ("batch", *reference.paths, "-o", tmp_path / "out", *WHISPER, "--scheduler", "x")
    ran = run(*words, exit_code=1)
    assert ran.output.startswith("Error: the scheduler at 'tcp://10.0.0.1:8786' is gone.")
    assert ran.output.count("\n") == 1
