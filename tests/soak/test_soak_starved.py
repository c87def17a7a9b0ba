# SPDX-License-Identifier: BSD-3-Clause
"""Every allocation below a call from Python fails in turn: all that malloc gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Times = Callable[[int], int]
Report = Callable[[str], None]

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "build" / "programs" / "tests" / "soak" / "libfailing_malloc.so"

CASES = (
    "mel",
    "mel of a batch",
    "mel of another byte order",
    "stft",
    "clips",
    "make",
    "make stft",
    "weights",
    "stream",
    "push",
    "gradient",
    "inverse",
    "make inverse",
    "search",
    "make search",
    "refusal",
)


@pytest.mark.parametrize("case", CASES)
def test_no_memory(case: str, times: Times, report: Report) -> None:
    repeats = max(10, times(200))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("starved.py")), case, str(repeats)],
        env={**os.environ, "LD_PRELOAD": str(LIBRARY), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    ends, growth = found["ends"], found["growth"]
    report(f"{case}: {ends} of failing allocations; {repeats} times, growth {growth} bytes")
    # Ufuncs of NumPy 2 that find no memory return nothing, and no error.
    ends.pop("SystemError of NumPy", 0)
    assert ends.pop("MemoryError") > 0
    assert ends == {}
    assert found["is_right"]
    assert growth < 1 << 18
