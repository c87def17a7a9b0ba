# SPDX-License-Identifier: BSD-3-Clause
"""Faults at random moments of a run: ``python -m benchmarks.corpus.faults``.

Each fault is done so many times to runs on a scheduler and two workers, which are processes of
their own. After each, whatever stands in the folder must be whole, and after the same command once
more, or after the run has got over it by itself, every byte must be that of an undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.corpus.clips import SPEECH, cut_clips
from benchmarks.corpus.cluster import Cluster, children_of, workers_of
from specfast import corpus

SHARD_BYTES = 1 << 18
_LIMIT_SECONDS = 300.0


@dataclass
class Tally:
    """What a fault has done.

    Attributes:
        times: How often it was done.
        ends: How runs ended, by exit code.
        done: How many shards were done when it struck.
        wrong: What should not have happened, a sentence each.
    """

    times: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    done: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Bench:
    """The clips, the undisturbed run, and the cluster."""

    def __init__(self, folder: Path, num_clips: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.clips = folder / "clips"
        cut_clips(self.clips, num_clips, [SPEECH], (1.0, 4.0), seed)
        with ThreadPoolExecutor(1) as executor:
            corpus.run(self.clips, folder / "whole", "whisper", executor, shard_bytes=SHARD_BYTES)
        self.whole = contents(folder / "whole")
        self.num_shards = sum(name.endswith(".safetensors") for name in self.whole)
        self.cluster = Cluster(2, folder)
        self._number = 0

    def fresh(self) -> Path:
        """Returns the name of a folder for a run."""
        self._number += 1
        return self.folder / f"out{self._number}"

    def start(self, out: Path, *more: str, local: bool = False) -> subprocess.Popen[bytes]:
        """Starts the command."""
        where = ("--workers", "2") if local else ("--scheduler", self.cluster.address)
        words = ("batch", str(self.clips), "-o", str(out), "--front", "whisper", *where, *more)
        return subprocess.Popen(
            [sys.executable, "-m", "specfast", *words, "--shard-bytes", str(SHARD_BYTES)],
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, out: Path, *more: str) -> int:
        """Runs the command to its end and returns its exit code."""
        return ended(self.start(out, *more))

    def when_some_are_done(self, out: Path, child: subprocess.Popen[bytes]) -> int:
        """Waits until a random number of shards is done, and a random moment more."""
        wanted = self.chance.randrange(self.num_shards)
        wait_while(lambda: num_done(out) < wanted or not out.exists(), child)
        time.sleep(self.chance.uniform(0.0, 0.03))
        return num_done(out)


def wait_while(condition: Callable[[], bool], child: subprocess.Popen[bytes]) -> None:
    """Waits until a condition no longer holds, or the command ends.

    Raises:
        TimeoutError: Neither happens.
    """
    end = time.monotonic() + _LIMIT_SECONDS
    while condition() and child.poll() is None:
        if time.monotonic() > end:
            child.kill()
            raise TimeoutError(f"{child.args} has come to nothing in {_LIMIT_SECONDS:g} s")
        time.sleep(0.002)


def contents(out: Path) -> dict[str, bytes]:
    """Returns the bytes of every file of a run but its lock."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def num_done(out: Path) -> int:
    """Returns how many shards of a run are done."""
    return len(list(out.glob("shards/shard-*.json")))


def ended(child: subprocess.Popen[bytes]) -> int:
    """Waits for the end of a command."""
    try:
        child.communicate(timeout=_LIMIT_SECONDS)
    finally:
        child.kill()
    return child.returncode


def half_written(bench: Bench, out: Path) -> Iterator[str]:
    """Yields the files that have their name, and not the bytes that belong there."""
    for name, content in contents(out).items() if out.exists() else ():
        path = Path(name)
        is_of_run = not path.name.startswith(".") and not name.startswith(".")
        if is_of_run and name in bench.whole and content != bench.whole[name]:
            yield f"{name} is half-written"


def compared(bench: Bench, out: Path) -> Iterator[str]:
    """Yields in what a run differs from the undisturbed one."""
    found = contents(out)
    yield from (f"{name} is lost" for name in bench.whole if name not in found)
    yield from (f"{name} is too many" for name in found if name not in bench.whole)
    yield from (
        f"{name} has other bytes"
        for name, content in found.items()
        if content != bench.whole.get(name, content)
    )
    yield from corpus.verify(out).problems
    ids = Counter(entry.id for entry in corpus.open(out))
    yield from (f"{name} is there {count} times" for name, count in ids.items() if count > 1)


# ---- The faults: each returns how the disturbed run ended, and how much was done ----------------

Fault = Callable[[Bench, Path, Tally], None]


def kill_worker(bench: Bench, out: Path, tally: Tally) -> None:
    """SIGKILL of a worker: the run gets over it."""
    child = bench.start(out)
    tally.done.append(bench.when_some_are_done(out, child))
    victims = bench.cluster.workers()
    os.kill(bench.chance.choice(victims), signal.SIGKILL)
    code = ended(child)
    tally.ends[code] += 1
    if code != 0:
        tally.wrong.append(f"the run ended with {code}")


def kill_own_worker(bench: Bench, out: Path, tally: Tally) -> None:
    """SIGKILL of a worker that the command has started itself, with up to two shards in it."""
    child = bench.start(out, local=True)
    tally.done.append(bench.when_some_are_done(out, child))
    victims = workers_of(child.pid)
    if victims:
        os.kill(bench.chance.choice(victims), signal.SIGKILL)
    else:
        tally.wrong.append("the run had ended: no worker was left to kill")
    code = ended(child)
    tally.ends[code] += 1
    if code != 0:
        tally.wrong.append(f"the run ended with {code}")


def kill_scheduler(bench: Bench, out: Path, tally: Tally) -> None:
    """SIGKILL of the scheduler: the run ends, and goes on with another."""
    child = bench.start(out)
    tally.done.append(bench.when_some_are_done(out, child))
    bench.cluster.scheduler.kill()
    tally.ends[ended(child)] += 1
    bench.cluster.stop()
    tally.wrong += half_written(bench, out)
    bench.cluster.start()


def kill_client(bench: Bench, out: Path, tally: Tally) -> None:
    """SIGKILL of the command, while its workers live on."""
    child = bench.start(out)
    tally.done.append(bench.when_some_are_done(out, child))
    child.kill()
    tally.ends[ended(child)] += 1
    tally.wrong += half_written(bench, out)


def kill_all(bench: Bench, out: Path, tally: Tally) -> None:
    """SIGKILL of the command and of the processes that it has started itself."""
    child = bench.start(out, local=True)
    tally.done.append(bench.when_some_are_done(out, child))
    victims = [*children_of(child.pid), child.pid]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    tally.ends[ended(child)] += 1
    tally.wrong += half_written(bench, out)


_ON_A_SMALL_DISK = """
import pathlib, shutil, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from specfast import corpus
clips, disk, out, size, shard_bytes = sys.argv[1:]
mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", disk]
subprocess.run(mount, check=True, timeout=60)
status = 0
try:
    with ThreadPoolExecutor(2) as executor:
        corpus.run(clips, disk + "/out", "whisper", executor, shard_bytes=int(shard_bytes))
except corpus.CorpusError as error:
    assert "No space left" in str(error), error
    status = 1
left = pathlib.Path(disk, "out")
if left.exists():
    shutil.copytree(left, out)
sys.exit(status)
"""


def fill_disk(bench: Bench, out: Path, tally: Tally) -> None:
    """A disk that is full after a random number of bytes: a small tmpfs."""
    disk = bench.folder / "disk"
    disk.mkdir(exist_ok=True)
    size = bench.chance.randrange(4, sum(map(len, bench.whole.values())) // 1024)
    arguments = (bench.clips, disk, out, size, SHARD_BYTES)
    child = subprocess.Popen(
        ["unshare", "-Urm", sys.executable, "-c", _ON_A_SMALL_DISK, *map(str, arguments)],
        stderr=subprocess.PIPE,
    )
    code = ended(child)
    tally.ends[code] += 1
    tally.done.append(num_done(out))
    if code not in (0, 1):
        tally.wrong.append(f"the run ended with {code}")
    # What stood on the disk has been copied off it, and goes on here.
    tally.wrong += half_written(bench, out)


def forbid_writing(bench: Bench, out: Path, tally: Tally) -> None:
    """The folder becomes read-only, for a user whom that stops."""
    program = (
        "import sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from specfast import corpus\n"
        "with ThreadPoolExecutor(2) as executor:\n"
        "    try:\n"
        f"        corpus.run(*sys.argv[1:], executor, shard_bytes={SHARD_BYTES})\n"
        "    except corpus.CorpusError as error:\n"
        "        sys.exit(1 if 'Permission denied' in str(error) else 2)\n"
    )
    # Permissions do not stop root, unless it gives away the power to ignore them.
    powerless = ["setpriv", "--bounding-set", "-dac_override"] if os.getuid() == 0 else []
    child = subprocess.Popen(
        [*powerless, sys.executable, "-c", program, str(bench.clips), str(out), "whisper"],
        stderr=subprocess.PIPE,
    )
    tally.done.append(bench.when_some_are_done(out, child))
    folders = [path for path in (out, out / "shards") if path.exists()]
    for path in folders:
        path.chmod(0o555)
    code = ended(child)
    tally.ends[code] += 1
    if code not in (0, 1):
        tally.wrong.append(f"the run ended with {code}")
    tally.wrong += half_written(bench, out)
    for path in folders:
        path.chmod(0o755)


def _with_bad_file(bench: Bench, out: Path, tally: Tally, spoil: Callable[[Path], None]) -> None:
    """A file goes bad while the run is on; later it is good again, and failures are retried."""
    suffix = ".flac" if spoil is _truncate else ""
    path = bench.chance.choice(sorted(bench.clips.glob(f"*{suffix}")))
    content, times = path.read_bytes(), path.stat()
    child = bench.start(out)
    tally.done.append(bench.when_some_are_done(out, child))
    # Shards are cut by the lengths that files have when the run begins.
    wait_while(lambda: not (out / "run.json").exists(), child)
    spoil(path)
    try:
        code = ended(child)
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    tally.ends[code] += 1
    errors = out / "errors.jsonl"
    failed = [json.loads(line) for line in errors.open()] if errors.exists() else []
    if (
        code not in (0, 3)
        or len(failed) != (code == 3)
        or (failed and failed[0]["path"] != str(path))
    ):
        tally.wrong.append(f"the run ended with {code}, and failures {failed}")
    again = bench.run(out, "--retry-failed")
    if again != 0:
        tally.wrong.append(f"the run with the file as it was ended with {again}")


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def lose_file(bench: Bench, out: Path, tally: Tally) -> None:
    """A file vanishes, and comes back."""
    _with_bad_file(bench, out, tally, Path.unlink)


def truncate_flac(bench: Bench, out: Path, tally: Tally) -> None:
    """A FLAC file is cut in half, and made whole."""
    _with_bad_file(bench, out, tally, _truncate)


def run_twice(bench: Bench, out: Path, tally: Tally) -> None:
    """The same command twice at once: one is refused, or finds all done."""
    first = bench.start(out)
    time.sleep(bench.chance.uniform(0.0, 0.5))
    tally.done.append(num_done(out))
    second = bench.start(out)
    _, told = second.communicate(timeout=_LIMIT_SECONDS)
    _, told_first = first.communicate(timeout=_LIMIT_SECONDS)
    codes = sorted((first.returncode, second.returncode))
    tally.ends[codes[1]] += 1
    refused = codes == [0, 1] and b"another run is writing" in told + told_first
    if codes != [0, 0] and not refused:
        tally.wrong.append(f"the runs ended with {codes}")


FAULTS: dict[str, Fault] = {
    "SIGKILL of a worker": kill_worker,
    "SIGKILL of a worker of the command's own": kill_own_worker,
    "SIGKILL of the scheduler": kill_scheduler,
    "SIGKILL of the command": kill_client,
    "SIGKILL of the command and its own workers": kill_all,
    "full disk": fill_disk,
    "read-only folder": forbid_writing,
    "vanished file": lose_file,
    "truncated FLAC": truncate_flac,
    "two runs at once": run_twice,
}


def main() -> None:
    """Does every fault, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(FAULTS), action="append")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="specfast-faults-") as name:
        folder = Path(name)
        bench = Bench(folder, arguments.clips, arguments.seed)
        print(f"{arguments.clips} clips, {bench.num_shards} shards, seed {arguments.seed}\n")
        print(
            "| fault | times | shards done at that moment | exit codes | lost | doubled | "
            "half-written | other bytes after the same command |"
        )
        print("|---|---|---|---|---|---|---|---|")
        wrong = []
        with bench.cluster:
            for title in arguments.only or FAULTS:
                tally = Tally()
                for _ in range(arguments.times):
                    one(bench, FAULTS[title], tally)
                print(row(title, tally), flush=True)
                wrong += [f"{title}: {sentence}" for sentence in tally.wrong]
    print("\n".join(["", *wrong]))
    sys.exit(bool(wrong))


def one(bench: Bench, fault: Fault, tally: Tally) -> None:
    """Does a fault once, and completes what it has left."""
    out = bench.fresh()
    tally.times += 1
    fault(bench, out, tally)
    code = bench.run(out)
    if code != 0:
        tally.wrong.append(f"the same command ended with {code}")
    tally.wrong += compared(bench, out)
    subprocess.run(["rm", "-rf", out], check=True, timeout=60)


def row(title: str, tally: Tally) -> str:
    """Returns a line of the table."""
    ends = ", ".join(f"{code} ({count})" for code, count in sorted(tally.ends.items()))
    counts = [
        sum(words in sentence for sentence in tally.wrong)
        for words in ("is lost", "times", "half-written", "other bytes")
    ]
    done = f"{min(tally.done)} to {max(tally.done)}"
    return f"| {title} | {tally.times} | {done} | {ends} | {' | '.join(map(str, counts))} |"


if __name__ == "__main__":
    main()
