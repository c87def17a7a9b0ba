# SPDX-License-Identifier: BSD-3-Clause
"""Every allocation while objects are made fails in turn; `make soak` does so for all calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compilers import cxx_command
from starving import starved

SOAK = Path(__file__).resolve().parents[1] / "soak"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can load a library first")
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="a sanitizer is loaded first")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            "make stft",
            marks=pytest.mark.skipif(
                np.lib.NumpyVersion(np.__version__) < "2.0.0",
                reason="NumPy 1.23 ends the process where np.any finds no memory",
            ),
        ),
        "stream",
    ],
)
def test_an_object_without_memory_is_an_error(case: str, tmp_path: Path) -> None:
    library = tmp_path / "libfailing_malloc.so"
    compiled = [*cxx_command(), "-shared", "-fPIC", SOAK / "failing_malloc.cpp", "-o", library]
    subprocess.run(compiled, check=True, timeout=60)
    found = starved(library, case, repeats=0, timeout=60)
    assert found["ends"].pop("MemoryError") >= 8
    assert not found["ends"].keys() - {"SystemError of NumPy"}
    assert found["is_right"]
