# SPDX-License-Identifier: BSD-3-Clause
"""What a long list costs: ``python -m benchmarks.corpus.memory 100000 1000000``.

For each length a run in a process of its own, on two workers whose decoder makes noise, so that no
recordings are needed and almost all of the work is ours: list, plan, scheduling, storage. Prints
the memory of the command, in whose process Dask's scheduler lives too, and its processor time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from specfast import FeatureSpec, corpus
from specfast._corpus.clusters import local_workers
from specfast._corpus.listing import write_list
from specfast._corpus.running import Limits, run_corpus
from specfast._corpus.settings import Settings
from specfast._corpus.shards import cutting

SPEC = FeatureSpec(num_mel_bins=2, level="ln", padding="valid")
_SECONDS = 0.1
_LIMIT_SECONDS = 24 * 3600.0


def make_noise() -> None:
    """Replaces the decoder of this process by one that makes noise."""
    from specfast._corpus import decoding

    noise = np.random.default_rng(1).standard_normal(int(_SECONDS * 16000), np.float32) / 4

    def read(_: str, **_others: Any) -> tuple[Any, int, None]:
        return noise, 16000, None

    decoding.read_with_remark = read


def items(count: int) -> Iterator[corpus.Item]:
    """Yields clips of files that there are not."""
    for number in range(count):
        name = f"speaker{number % 9973:04d}/clip{number:09d}"
        yield corpus.Item(name, f"/corpus/{name}.flac", duration=_SECONDS, channel=0)


def run(count: int, *, compute: bool) -> None:
    """Runs in this process, and prints a line of JSON."""
    with tempfile.TemporaryDirectory(prefix="specfast-memory-") as folder:
        out = Path(folder, "out")
        if not compute:
            facts = _listed(count, out)
        else:
            with ExitStack() as stack:
                # As the command has them.
                workers = local_workers(stack, num_workers=2, num_threads=1)
                workers.client.run(make_noise)
                begin, processor = time.perf_counter(), time.process_time()
                summary = run_corpus(
                    items(count), out, Settings(SPEC), Limits(), lambda _: workers, None
                )
                facts = _facts(count, begin, processor)
            facts["workers_us_per_clip"] = round(_of_children() / count * 1e6, 1)
            facts["clips"], facts["shards"] = summary.num_clips, summary.num_shards
            assert summary.num_failed == 0
    print(json.dumps(facts))


def _listed(count: int, out: Path) -> dict[str, Any]:
    """Writes list and plan only."""
    out.mkdir()
    begin, processor = time.perf_counter(), time.process_time()
    with cutting(out, Settings(SPEC)) as cutter:
        write_list(items(count), out, cutter.add)
    return {**_facts(count, begin, processor), "shards": cutter.num_shards}


def _of_children() -> float:
    """Returns the processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _facts(count: int, begin: float, processor: float) -> dict[str, Any]:
    used = time.process_time() - processor
    return {
        "entries": count,
        "seconds": round(time.perf_counter() - begin, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "processor_us_per_clip": round(used / count * 1e6, 1),
    }


def main() -> None:
    """Runs each length in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("entries", nargs="+", type=int)
    parser.add_argument("--list-only", action="store_true", help="write list and plan only")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        run(arguments.entries[0], compute=not arguments.list_only)
        return
    for count in arguments.entries:
        more = ["--list-only"] if arguments.list_only else []
        subprocess.run(
            [sys.executable, "-m", "benchmarks.corpus.memory", str(count), "--inside", *more],
            check=True,
            timeout=_LIMIT_SECONDS,
        )


if __name__ == "__main__":
    main()
