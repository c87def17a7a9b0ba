# SPDX-License-Identifier: BSD-3-Clause
"""How fast a run is: ``python -m benchmarks.corpus.speed [RECORDING...]``.

Clips are cut from the recordings, WAV and FLAC in turn. Runs with the workers of the command are
compared with a bare loop that decodes the same clips and computes the same features on one thread,
and keeps nothing; and, where they are installed, with lhotse's and torchaudio's own fbank in loops
of theirs. "On one core" means command, scheduler, worker and disk together. Rounds take turns;
workers have been started, and have computed something, before they are timed.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.corpus.clips import SPEECH, cut_clips
from specfast import presets
from specfast._corpus.clusters import local_workers
from specfast._corpus.fronts import spec_of
from specfast._corpus.running import Limits, run_corpus
from specfast._corpus.scheduler import Pool, Workers
from specfast._corpus.settings import Settings
from specfast._corpus.sources import find_items
from specfast.audio import read_audio

FRONT = "kaldi_fbank"  # which lhotse and torchaudio have too


def bare(clips: Path) -> None:
    """Decodes and computes, and keeps nothing."""
    extractor = presets.get(FRONT, num_threads=1)
    for path in sorted(clips.iterdir()):
        extractor(read_audio(path, mono=True)[0])


def lhotse_loop(clips: Path) -> None:
    """lhotse, its own fbank, one thread: every clip into its storage of many clips a file."""
    import torch
    from lhotse import CutSet, Fbank, LilcomChunkyWriter, Recording

    torch.set_num_threads(1)
    cuts = CutSet.from_cuts(Recording.from_file(path).to_cut() for path in sorted(clips.iterdir()))
    with tempfile.TemporaryDirectory() as folder:
        cuts.compute_and_store_features(
            Fbank(), f"{folder}/features", num_jobs=1, storage_type=LilcomChunkyWriter
        )


def torchaudio_loop(clips: Path) -> None:
    """torchaudio's Kaldi fbank, one thread, read by soundfile; nothing is kept."""
    import soundfile
    import torch
    from torchaudio.compliance.kaldi import fbank

    torch.set_num_threads(1)
    for path in sorted(clips.iterdir()):
        samples, rate = soundfile.read(path, dtype="float32")
        fbank(torch.from_numpy(samples)[None], num_mel_bins=80, sample_frequency=rate)


class Inline(Executor):
    """Computes at once, in the caller's thread."""

    def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments, **keywords))
        return future


class Runs:
    """Runs on so many processes as the command has them; on none: in this one.

    Args:
        num_workers: How many.
        processors: Where they, and whoever starts them, may run.
    """

    def __init__(self, num_workers: int, processors: set[int], clips: Path, folder: Path) -> None:
        self._processors = processors
        self._clips, self._out = clips, folder / f"out{num_workers}-{len(processors)}"
        self._stack = ExitStack()
        with on_processors(processors):
            self._workers: Workers = (
                local_workers(self._stack, num_workers, num_threads=1)
                if num_workers
                else Pool(Inline(), num_workers=1)
            )
        self()

    def __call__(self) -> None:
        with on_processors(self._processors):
            run_corpus(
                find_items([str(self._clips)]),
                self._out,
                Settings(spec_of(FRONT)),
                Limits(),
                lambda _: self._workers,
                None,
            )

    def clear(self) -> None:
        """Removes the result, which is no part of the time."""
        shutil.rmtree(self._out, ignore_errors=True)

    def close(self) -> None:
        """Ends the processes."""
        self._stack.close()


@contextmanager
def on_processors(processors: set[int]) -> Iterator[None]:
    """Keeps this thread, and what it starts, to these."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def runs_of(clips: Path, folder: Path, *, by_time: bool) -> dict[str, Runs]:
    """Returns what is timed, by title."""
    every = os.sched_getaffinity(0)
    if not by_time:
        return {"run": Runs(0, every, clips, folder)}
    if len(every) < 2:
        raise SystemExit("it takes two processors to compare one with two")
    one, two = {min(every)}, set(sorted(every)[:2])
    return {
        "run on one core": Runs(1, one, clips, folder),
        "run, one process": Runs(1, two, clips, folder),
        "run, two": Runs(2, two, clips, folder),
    }


def timed(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Returns seconds."""
    begin = clock()
    work()
    return clock() - begin


def main() -> None:
    """Times everything, and prints clips a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="*", type=Path, default=[SPEECH])
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", action="store_true", help="lhotse and torchaudio too")
    parser.add_argument(
        "--clock",
        choices=("time", "processor"),
        default="time",
        help="processor time of one process, for a machine with other work",
    )
    arguments = parser.parse_args()
    # Dask reports that its workers end.
    logging.disable(logging.INFO)
    by_time = arguments.clock == "time"
    clock = time.perf_counter if by_time else time.process_time
    with tempfile.TemporaryDirectory(prefix="specfast-speed-") as name:
        folder = Path(name)
        clips = folder / "clips"
        cut_clips(clips, arguments.clips, arguments.recordings, (2.0, 6.0))
        runs = runs_of(clips, folder, by_time=by_time)
        works: dict[str, Callable[[], object]] = {"bare loop": lambda: bare(clips), **runs}
        if arguments.peers:
            works["lhotse"] = lambda: lhotse_loop(clips)
            works["torchaudio"] = lambda: torchaudio_loop(clips)
        times: dict[str, list[float]] = {title: [] for title in works}
        try:
            for _ in range(arguments.rounds):
                for title, work in works.items():
                    if isinstance(work, Runs):
                        work.clear()
                    times[title].append(timed(work, clock))
        finally:
            for run in runs.values():
                run.close()
    bare_time = statistics.median(times["bare loop"])
    unit = f"clips, front end {FRONT}, {arguments.clock}; median of {arguments.rounds} rounds"
    print(f"{arguments.clips} {unit}")
    for title, values in times.items():
        middle = statistics.median(values)
        print(
            f"{title:16} {middle:7.3f} s, {arguments.clips / middle:7.0f} clips a second, "
            f"{bare_time / middle:5.2f} of the bare loop; fastest {min(values):.3f} s"
        )


if __name__ == "__main__":
    main()
