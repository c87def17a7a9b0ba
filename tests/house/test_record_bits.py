# SPDX-License-Identifier: BSD-3-Clause
"""The tool that proves refactorings: equal code gives equal recordings, and a change is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import record_bits
import specfast


def test_recordings_of_the_same_code_are_equal() -> None:
    lines = record_bits.record_here("here")
    assert len(lines) > 300
    names = [line.split("\t")[0] for line in lines]
    assert len(set(names)) == len(names)
    assert record_bits.record_here("here") == lines


def test_one_changed_bit_changes_the_recording() -> None:
    before = record_bits.digest([np.zeros(3, np.float32)])
    assert record_bits.digest([np.zeros(3, np.float32)]) == before
    assert record_bits.digest([np.array([0, 0, -0.0], np.float32)]) != before
    assert record_bits.digest([np.zeros((3, 1), np.float32)]) != before
    assert record_bits.digest([np.zeros(3, np.int32)]) != before
    assert record_bits.digest([np.full(3, np.nan, np.float32)]) != before


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("a x\t1\na y\t2\n", None),
        ("a x\t1\na y\t2\na z\t3\n", None),
        ("a x\t1\na y\t3\n", "differs: a y"),
        ("a x\t1\n", "missing: a y"),
    ],
)
def test_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], new: str, said: str | None
) -> None:
    (tmp_path / "old").write_text("a x\t1\na y\t2\n")
    (tmp_path / "new").write_text(new)
    assert record_bits.compare(tmp_path / "old", tmp_path / "new") == (said is not None)
    assert (said or "2 of 2 equal") in capsys.readouterr().out


def test_an_empty_recording_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    assert record_bits.compare(tmp_path / "empty", tmp_path / "empty") == 1


def test_every_instruction_set_is_recorded(tmp_path: Path) -> None:
    record_bits.record(tmp_path / "bits")
    prefixes = {line.split()[0] for line in (tmp_path / "bits").read_text().splitlines()}
    assert prefixes == set(specfast.build_info()["available_isas"])
