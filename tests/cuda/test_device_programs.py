# SPDX-License-Identifier: BSD-3-Clause
"""Programs in C and C++ that use a device by the library and the headers of the package."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import host_library


@pytest.mark.parametrize("source", ["device_calls.c", "device_plan.cpp"])
def test_numbers_and_errors(source: str, library: Path, tmp_path: Path) -> None:
    program = host_library.compiled_program(tmp_path, source)
    done = subprocess.run(
        [program, library], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
