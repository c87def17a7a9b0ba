# SPDX-License-Identifier: BSD-3-Clause
"""Small corpora for tests: recordings, manifests, and what lies in the folder of a run."""

from __future__ import annotations

import gc
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from specfast._corpus.lock import LOCK_NAME

RATE = 16000
# So that a handful of short clips makes several shards.
SHARD_BYTES = 100_000


def noise(num_samples: int, seed: int, channels: int = 1) -> np.ndarray[Any, Any]:
    """Returns float64 noise [samples, channels] below full scale."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (num_samples, channels))


def make_clips(folder: Path, count: int = 12, rate: int = RATE) -> list[str]:
    """Writes clips of noise, no two as long, WAV and FLAC in turn, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f"clip{number:02d}.{('wav', 'flac')[number % 2]}"
        soundfile.write(path, noise(8000 + 700 * number, number), rate)
        paths.append(str(path))
    return paths


def failures(out: Path) -> dict[str, str]:
    """Returns the reason of each clip that failed, by its id."""
    path = out / "errors.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines]
    found = {entry["id"]: entry["reason"] for entry in entries}
    assert len(found) == len(entries), "a clip failed twice"
    return found


def contents(out: Path) -> dict[str, bytes]:
    """Returns the bytes of every file of a run but its lock, by name."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != LOCK_NAME
    }


def differences(a: Path, b: Path, ignored: Iterable[str] = ()) -> list[str]:
    """Returns the names of the files in which two runs differ."""
    mine, others = contents(a), contents(b)
    names = sorted({*mine, *others} - set(ignored))
    return [name for name in names if mine.get(name) != others.get(name)]


def mapped_file(address: int) -> str:
    """Returns the file that is mapped into the memory of this process at an address."""
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        span, *_, name = line.split(maxsplit=5)
        begin, end = (int(place, 16) for place in span.split("-"))
        if begin <= address < end:
            return name
    raise AssertionError("nothing lies there")


def collect_forgotten() -> None:
    """Collects the sockets and loops that old versions of distributed leave open.

    What finalizers let go of is found by the next pass only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(3):
            gc.collect()
