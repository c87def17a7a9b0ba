# SPDX-License-Identifier: BSD-3-Clause
"""Several files, folders and patterns are refused with what to do instead, which works."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cli_runner import LIMIT_SECONDS, environment, run
from signals import SPEECH

EXPECTED = (128, 171)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two recordings and an empty folder, which is the current one."""
    for name in ("a.wav", "two words.wav"):
        shutil.copy(SPEECH, tmp_path / name)
    (tmp_path / "my results").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_shell(line: str, tmp_path: Path) -> str:
    """Runs a line that calls `specfast` and returns what it printed on standard error."""
    program = tmp_path / "bin" / "specfast"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m specfast "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{environment()['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=tmp_path,
        env=environment(PATH=path),
        check=True,
        capture_output=True,
        timeout=LIMIT_SECONDS,
    )
    return done.stderr.decode()


def test_the_loop_for_several_files_works(here: Path) -> None:
    for name in ("a", "two words"):
        run("mel", f"{name}.wav", "-o", f"{name}.npy")
    flags = ["--sampling-rate", 16000, "--iterations", 1]
    said = run("sound", "a.npy", "two words.npy", "-o", "x.wav", *flags, exit_code=2).output
    assert "IN must be one file. Received 2: 'a.npy', 'two words.npy'." in said
    _, found, loop = said.rstrip("\n").partition("for each: ")
    assert found
    in_shell(loop.replace("-o", f"{' '.join(map(str, flags))} -o"), here)
    for result in ("a.npy.wav", "two words.npy.wav"):
        assert (here / result).stat().st_size > 0


def test_many_files_are_counted() -> None:
    names = [f"{n}.npy" for n in range(5000)]
    said = run("sound", *names, "-o", "x.wav", exit_code=2).output
    assert "Received 5000: '0.npy', '1.npy', '2.npy' and 4997 more. " in said
    assert len(said) < 500
    assert 'do specfast stream "$f"' in run("stream", "a", "b", "--rate", 8000, exit_code=2).output
    assert "unexpected extra argument" in run("info", "a", exit_code=2).output


@pytest.mark.parametrize("output", ["my results", "my results/", "no such folder/"])
def test_an_output_that_is_a_folder(here: Path, output: str) -> None:
    calls = [("mel", "-", "npy", "out", 1), ("sound", "a.wav", "wav", "a", 1)]
    for command, source, kind, stem, exit_code in calls:
        said = run(command, source, "-o", output, exit_code=exit_code).output
        assert said == (
            f"Error: cannot write '{output}': it is a folder; name a file in it, such as "
            f"'{output.rstrip('/')}/{stem}.{kind}'\n"
        )
    assert len(list(here.iterdir())) == 3


@pytest.mark.parametrize("command", ["mel", "stream"])
@pytest.mark.parametrize(
    ("source", "reason", "pattern"),
    [
        ("my results", "it is a folder", "'my results'/*.wav"),
        (".", "it is a folder", "./*.wav"),
        ("*.flac", "there is no such file", "*.flac"),
        ("*.wav", "there is no such file", "*.wav"),
        ("take[12].wav", "there is no such file", "take[12].wav"),
    ],
)
@pytest.mark.usefixtures("here")
def test_an_input_that_is_no_single_file(
    command: str, source: str, reason: str, pattern: str
) -> None:
    rest = ["-o", "x.npy"] if command == "mel" else ["--rate", 16000]
    said = run(command, source, *rest, exit_code=1).output
    assert said.startswith(f"Error: cannot read '{source}': {reason}")
    assert said.endswith(f'for f in {pattern}; do specfast ... "$f" ...; done\n')


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(here: Path) -> None:
    shutil.copy(SPEECH, here / "what?[1]*.wav")
    run("mel", "what?[1]*.wav", "-o", "x.npy")
    assert np.load(here / "x.npy").shape == EXPECTED
    for name in ("missing.wav", "", "missing/"):
        assert "No such file" in run("mel", name, "-o", "y.npy", exit_code=1).output
    assert "cannot read" in run("mel", "a\0b*", "-o", "y.npy", exit_code=1).output
