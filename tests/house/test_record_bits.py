# SPDX-License-Identifier: BSD-3-Clause
"""The tool that proves refactorings: equal code gives equal recordings, and a change is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import record_bits
import specfast


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """A recording of the installed package."""
    return record_bits.record_here()


def test_recordings_of_the_same_code_are_equal(lines: list[str]) -> None:
    assert 300 <= len(lines) <= 600
    names = [line.split("\t")[0] for line in lines]
    assert len(set(names)) == len(names)
    assert lines == sorted(lines)
    assert record_bits.record_here() == lines


def test_another_instruction_set_than_the_one_asked_for_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPECFAST_ISA", "another")
    with pytest.raises(RuntimeError, match="SPECFAST_ISA is 'another', but"):
        record_bits.record_here()


def test_one_changed_bit_changes_the_recording() -> None:
    before = record_bits.digest([np.zeros(3, np.float32)])
    assert record_bits.digest([np.zeros(3, np.float32)]) == before
    assert record_bits.digest([np.array([0, 0, -0.0], np.float32)]) != before
    assert record_bits.digest([np.zeros((3, 1), np.float32)]) != before
    assert record_bits.digest([np.zeros(3, np.int32)]) != before
    assert record_bits.digest([np.full(3, np.nan, np.float32)]) != before


@pytest.mark.parametrize(
    ("new", "status", "said"),
    [
        ("a x\t1\na y\t2\n", 0, "2 of 2 equal, 0 new\n"),
        ("a x\t1\na y\t2\na z\t3\n", 0, "new: a z\n2 of 2 equal, 1 new\n"),
        ("a x\t1\na y\t3\n", 1, "differs: a y\n1 of 2 equal, 0 new\n"),
        ("a x\t1\n", 1, "missing: a y\n1 of 2 equal, 0 new\n"),
    ],
)
def test_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], new: str, status: int, said: str
) -> None:
    (tmp_path / "old").write_text("a x\t1\na y\t2\n")
    (tmp_path / "new").write_text(new)
    assert record_bits.compare(tmp_path / "old", tmp_path / "new") == status
    assert capsys.readouterr().out == said


def test_an_empty_recording_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    assert record_bits.compare(tmp_path / "empty", tmp_path / "empty") == 1


def test_every_instruction_set_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    """Each in a process of its own, which records what this process does."""
    record_bits.record(tmp_path / "all", all_isas=True)
    monkeypatch.setattr(record_bits, "record_here", lambda: lines)
    record_bits.record(tmp_path / "one", all_isas=False)
    assert record_bits.read(tmp_path / "one") == lines
    of_all = record_bits.read(tmp_path / "all")
    build = specfast.build_info()
    assert {line.split()[0] for line in of_all} == set(build["available_isas"])
    in_use = {f"{build['isa']} {line}" for line in lines}
    assert in_use == {line for line in of_all if line.startswith(f"{build['isa']} ")}
