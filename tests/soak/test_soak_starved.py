# SPDX-License-Identifier: BSD-3-Clause
"""Every allocation below a call from Python fails in turn: all that malloc gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from starving import starved

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
    found = starved(LIBRARY, case, repeats, timeout=3600)
    ends, growth = found["ends"], found["growth"]
    report(f"{case}: {ends} of failing allocations; {repeats} times, growth {growth} bytes")
    # Ufuncs of NumPy 2 that find no memory return nothing, and no error.
    ends.pop("SystemError of NumPy", 0)
    assert ends.pop("MemoryError") > 0
    assert ends == {}
    assert found["is_right"]
    assert growth < 1 << 18
