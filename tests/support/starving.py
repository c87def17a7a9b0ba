# SPDX-License-Identifier: BSD-3-Clause
"""Runs tests/soak/starved.py, in which every allocation of a call fails in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["starved"]

PROGRAM = Path(__file__).resolve().parents[1] / "soak" / "starved.py"


def starved(library: Path, case: str, repeats: int, timeout: float) -> Any:
    """Returns what the program prints of a case.

    Args:
        library: What makes allocations fail, loaded before all others.
        case: What is called.
        repeats: How often all of it is done again.
        timeout: In seconds.
    """
    done = subprocess.run(
        [sys.executable, PROGRAM, case, str(repeats)],
        env={**os.environ, "LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
