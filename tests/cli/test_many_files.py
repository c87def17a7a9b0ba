# SPDX-License-Identifier: BSD-3-Clause
"""`specfast mel A B C -o FOLDER/`: a file for each, and what one lacks the others do not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from cli_runner import run
from signals import SPEECH


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with three recordings."""
    (tmp_path / "x").mkdir()
    for name in ("a.wav", "two words.wav", "x/b.wav"):
        shutil.copy(SPEECH, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


FILES = ("a.wav", "two words.wav", "x/b.wav")


@pytest.mark.parametrize("flags", [("mel",), ("stft",), ("mel", "--front", "whisper")])
def test_each_gets_the_file_that_a_call_of_its_own_gives(flags: tuple[str, ...]) -> None:
    command, *settings = flags
    said = run(command, *FILES, "-o", "new/", *settings).output
    assert said.count("float32") == 3
    assert names("new") == ["a.npy", "b.npy", "two words.npy"]
    run(command, "a.wav", "-o", "one.npy", *settings)
    for name in names("new"):
        assert Path("new", name).read_bytes() == Path("one.npy").read_bytes()


def test_formats_and_one_file_alone() -> None:
    Path("out").mkdir()
    # A pattern may fit one file; a folder that exists needs no slash.
    assert run("mel", "a.wav", "-o", "out", "--format", "npz", "-q").output == ""
    run("mel", "x/b.wav", "a.wav", "-o", "./out", "--format", "png")
    assert names("out") == ["a.npz", "a.png", "b.png"]
    assert np.load("out/a.npz")["mel"].shape == (128, 171)


def test_a_bad_file_does_not_end_the_others() -> None:
    Path("cut.wav").write_bytes(SPEECH.read_bytes()[:1000])
    Path("out").mkdir()
    Path("out/a.npy").write_bytes(b"precious")
    bad = ("gone.wav", "cut.wav", "x", "a.wav")
    said = run("mel", "gone.wav", "x/b.wav", *bad[1:], "two words.wav", "-o", "out", exit_code=3)
    errors = [line for line in said.output.splitlines() if line.startswith("Error: ")]
    for name, line in zip(bad, errors, strict=False):
        assert name in line
    assert "it exists; --force replaces it" in errors[3]
    assert errors[4:] == ["Error: 4 of 6 recordings failed; see above"]
    assert names("out") == ["a.npy", "b.npy", "two words.npy"]
    assert Path("out/a.npy").read_bytes() == b"precious"
    run("mel", "a.wav", "-o", "out", "--force")
    assert np.load("out/a.npy").shape == (128, 171)


@pytest.mark.parametrize("flags", [("--sampling-rate", 8000), ("--num-mel-bins", 0)])
def test_where_nothing_can_be_written_the_command_failed(flags: tuple[str, int]) -> None:
    said = run("mel", *FILES, "-o", "out/", *flags, exit_code=1).output
    assert said.count("Error: ") == 4
    assert all(repr(name) in said for name in FILES)
    assert "Error: nothing was written to 'out/'; see above" in said
    assert names("out") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (*FILES, "-o", "x.npy"),
            "-o 'x.npy' is no folder, and IN are 3 files: a.wav, 'two words",
        ),
        ((*FILES, "-o", "-"), "-o '-' is no folder"),
        (("a.wav", "-", "-o", "new/"), "IN '-' is standard input, which has no name"),
        (("a.wav", "a.wav", "-o", "new/"), "'a.wav' and 'a.wav' would both be written to 'new/a."),
        (("a.wav", "x/a.mp3", "-o", "new/"), "'a.wav' and 'x/a.mp3' would both"),
        ((*FILES, "-o", "new/", "--rate", "8000"), "--rate 8000 only applies to --raw"),
        ((*FILES, "-o", "new/", "--front", "wisper"), "did you mean 'whisper'"),
        ((*FILES, "-o", "new/", "--size", "500", "500"), "only applies to pictures"),
    ],
)
def test_what_is_wrong_for_all_is_said_once_and_nothing_is_made(
    arguments: tuple[str, ...], message: str
) -> None:
    said = run("mel", *arguments, exit_code=2).output
    assert message in said
    assert said.count("Error") == 1
    assert names(".") == ["a.wav", "two words.wav", "x"]


def test_settings_of_stft_are_wrong_for_all() -> None:
    said = run("stft", *FILES, "-o", "new/", "--frame-length", "0", exit_code=2).output
    assert said.count("Error") == 1
    assert not Path("new").exists()


def test_a_folder_that_cannot_be_made() -> None:
    said = run("mel", *FILES, "-o", "no/such/", exit_code=1).output
    assert said == "Error: cannot make the folder 'no/such/': No such file or directory\n"
    said = run("mel", *FILES, "-o", "a.wav/", exit_code=1).output
    assert said == "Error: cannot make the folder 'a.wav/': File exists\n"
