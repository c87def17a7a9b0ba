# SPDX-License-Identifier: BSD-3-Clause
"""`--cases N` leaves something of each test, and of each value of its parameters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest

@pytest.mark.parametrize("outer", range(6))
@pytest.mark.parametrize("inner", range(6))
def test_many(outer, inner):
    pass

@pytest.mark.parametrize("one", [0, 1])
def test_two(one):
    pass

def test_alone():
    pass
"""


def collected(folder: Path, most: str) -> tuple[int, list[str]]:
    """Returns pytest's status and what it would run."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text("utf-8"))
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_all.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", f"--cases={most}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    names = [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    return done.returncode, names


def test_few_cases_of_each_test(tmp_path: Path) -> None:
    status, names = collected(tmp_path, "12")
    many = [name for name in names if "many" in name]
    assert status == 0
    assert len(many) == 12
    assert names[12:] == ["test_two[0]", "test_two[1]", "test_alone"]
    for place in (10, 12):
        assert {name[place] for name in many} == set("012345"), many
    assert collected(tmp_path, "12") == (status, names)


def test_no_cases_are_refused(tmp_path: Path) -> None:
    assert collected(tmp_path, "0") == (4, [])
