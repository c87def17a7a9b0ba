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

# What ends the process: pybind11 3.1 notes each object that it makes in a table, and does not
# expect that there is no room in it. Then come the refusals that are no MemoryError: ufuncs of
# NumPy 2 that find no memory return nothing, and no error.
KNOWN = {
    "mel": (0, 0),
    "mel of a batch": (0, 0),
    "mel of another byte order": (0, 0),
    "stft": (0, 0),
    "clips": (0, 1),
    "make": (2, 4),
    "make stft": (2, 4),
    "weights": (1, 0),
    "stream": (2, 0),
    "push": (0, 0),
    "gradient": (0, 0),
    "inverse": (0, 0),
    "search": (0, 2),
    "refusal": (0, 0),
}


@pytest.mark.parametrize("case", KNOWN)
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
    killed, odd = ends.pop("killed", 0), ends.pop("SystemError", 0)
    report(
        f"{case}: {ends} of failing allocations, {odd} SystemError, {killed} kill the process; "
        f"{repeats} times, growth {growth} bytes"
    )
    assert ends.pop("MemoryError") > 0
    assert ends == {}
    assert found["is_right"]
    assert growth < 1 << 18
    assert killed <= KNOWN[case][0]
    assert odd <= KNOWN[case][1]
