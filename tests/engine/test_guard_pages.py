# SPDX-License-Identifier: BSD-3-Clause
"""No call reads or writes a sample before or behind an array: pages there cannot be touched.

`make soak` does the same for every block of memory of a C program, the engine's own included.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "guard_pages.py"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pages are protected by mprotect")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore", str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_nothing_beside_arrays_is_touched() -> None:
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("no guard was touched\n")


@pytest.mark.parametrize("fault", ["before", "behind"])
def test_one_byte_beside_an_array_is_noticed(fault: str) -> None:
    done = run(fault)
    assert done.stdout == "touching a guard\n"
    assert done.returncode != 0
    assert "Segmentation fault" in done.stderr or "SEGV" in done.stderr or "BUS" in done.stderr
