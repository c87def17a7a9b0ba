# SPDX-License-Identifier: BSD-3-Clause
"""`specfast doctor`: the report of the Python function, and exit codes as those of cmp."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import signals
from cli_runner import run, run_process
from specfast import doctor, presets
from specfast.audio import read_audio

SPEECH = signals.SPEECH
MODULE = """
import numpy as np
from specfast import presets

def right(samples):
    print("a remark")
    return presets.get("whisper")(samples)

def wrong(samples, sr):
    assert sr == 16000, sr
    return presets.get("whisper", mel_scale="htk")(samples)

def broken(samples):
    raise RuntimeError("out of order")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "front_of_mine.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return "front_of_mine"


def test_the_report_is_that_of_python() -> None:
    samples, rate = read_audio(SPEECH, mono=True)
    wanted = str(doctor.diagnose("whisper", "nemo", samples, rate=rate))
    assert run("doctor", "whisper", "nemo", SPEECH, exit_code=1).output == wanted + "\n"
    assert "window symmetry: periodic in A, symmetric in B" in wanted


def test_the_same_numbers_have_exit_code_0() -> None:
    assert "Same numbers" in run("doctor", "whisper", "whisper").output


def test_json() -> None:
    result = json.loads(run("doctor", "whisper", "nemo", "--json", exit_code=1).stdout)
    assert result["same"] is False
    assert result["first_difference"]["stage"] == "frames"
    assert "mel norm" not in [cause["name"] for cause in result["causes"]]
    assert result["spec"]["format"] == "specfast.FeatureSpec"


def test_features_of_another_program(tmp_path: Path) -> None:
    samples, _ = read_audio(SPEECH, mono=True)
    np.save(tmp_path / "x.npy", presets.get("whisper", window_periodic=False)(samples).T)
    output = run("doctor", "whisper", tmp_path / "x.npy", SPEECH, exit_code=1).output
    assert "window symmetry: periodic in A, symmetric in B" in output
    assert "layout='frames_first'" in output


def test_a_function_of_the_users(module: str) -> None:
    # In a process of its own: the oldest click that is allowed joins both outputs of a call.
    result = run_process("doctor", "whisper", f"{module}:right", SPEECH)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(b"A: ")
    assert b"a remark" not in result.stdout
    assert b"a remark" in result.stderr
    output = run("doctor", "whisper", f"{module}:wrong", exit_code=1).output
    assert "mel scale: 'slaney' in A, 'htk' in B" in output


def test_a_recording_from_a_pipe() -> None:
    code = f"import sys; sys.stdin = open({str(SPEECH)!r})"
    result = run_process("doctor", "whisper", "whisper", "-", code=code)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("whispr", "whisper"), "Did you mean 'whisper'?"),
        (("whisper", "none.json"), "cannot read 'none.json'"),
        (("whisper", "."), "a folder that holds none"),
        (("whisper", "front_of_mine:broken"), "RuntimeError: out of order"),
        (("whisper", "front_of_mine:missing"), "no attribute 'missing'"),
        (("whisper", "front_of_mine.py"), "not the description of a front end"),
        (("whisper", "nemo", "none.wav"), "none.wav"),
        (("whisper", "nemo", "front_of_mine.py"), "Format not recognised"),
        (("whisper",), "Missing argument 'B'"),
    ],
)
@pytest.mark.usefixtures("module")
def test_trouble_has_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    result = run("doctor", *arguments, exit_code=2)
    assert said in result.output
    assert "Traceback" not in result.output
