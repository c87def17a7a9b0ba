# SPDX-License-Identifier: BSD-3-Clause
"""Runs every target for some seconds, two at a time, and says what each has found.

    python tests/fuzz/run.py BUILD [--seconds 5] [--only NAME ...]

BUILD is the folder in which CMake has built the targets in C++. There, `corpus/NAME` keeps inputs
that reached new code, for the next run to begin with, and `findings` what broke something. Exit
status 1 if a target found something or could not run.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

READERS = Path(__file__).with_name("readers.py")
IN_PYTHON = ("audio", "clips", "fronts", "keras")
IN_CXX = ("batches", "calls", "instruction_sets", "parameters", "states", "streams")
# Behind the end of an input, numbers are drawn from an engine: longer ones do the same.
MAX_CXX_BYTES = 512
NUM_SEEDS = 16
STARTING_SECONDS = 120  # of Python and its packages, on a busy machine


@dataclass(frozen=True)
class Outcome:
    name: str
    executions: int
    failed: bool
    log: Path


def program_of(name: str, build: Path) -> list[str]:
    if name in IN_PYTHON:
        return [sys.executable, str(READERS), name]
    return [str(build / f"tests/fuzz/fuzz_{name}")]


def sow(corpus: Path) -> None:
    """Writes the same seeds in each run: any bytes are arguments, so that these reach far."""
    for number in range(NUM_SEEDS):
        content = random.Random(number).randbytes(16 << (number % 6))
        (corpus / f"seed-{number:02d}").write_bytes(content)


def run(name: str, build: Path, seconds: int) -> Outcome:
    corpus, findings = build / "corpus" / name, build / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    log = build / f"{name}.log"
    options = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={findings}/{name}-",
        "-timeout=60",
        "-print_funcs=0",
        "-print_final_stats=1",
    ]
    if name in IN_CXX:
        sow(corpus)
        # How often a branch is taken says how many values there are: it leads to large inputs.
        options += [f"-max_len={MAX_CXX_BYTES}", "-use_counters=0"]
    environment = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}
    with log.open("wb") as stream:
        try:
            status = subprocess.run(
                [*program_of(name, build), str(corpus), *options],
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=seconds + STARTING_SECONDS,
            ).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            stream.write(f"{error}\n".encode())
            status = 1
    text = log.read_text("utf-8", "replace")
    found = re.search(r"stat::number_of_executed_units: +(\d+)", text)
    executions = int(found[1]) if found else 0
    return Outcome(name, executions, status != 0 or executions == 0, log)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=(*IN_CXX, *IN_PYTHON))
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    names = arguments.only or (*IN_PYTHON, *IN_CXX)
    if importlib.util.find_spec("atheris") is None:
        print("atheris is missing: nothing runs of", *IN_PYTHON)
        names = [name for name in names if name in IN_CXX]
        if not names:
            return 1
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda name: run(name, build, arguments.seconds), names))
    for outcome in outcomes:
        verdict = "FAILED" if outcome.failed else "no findings"
        print(f"{outcome.name:<18} {outcome.executions:>9} executions  {verdict}")
    failed = [outcome for outcome in outcomes if outcome.failed]
    for outcome in failed:
        print(f"\n===== {outcome.name}: the end of {outcome.log} =====")
        print("\n".join(outcome.log.read_text("utf-8", "replace").splitlines()[-60:]))
        for path in sorted((build / "findings").glob(f"{outcome.name}-*")):
            print("to see it again:", *program_of(outcome.name, build), path)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
