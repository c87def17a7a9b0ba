# SPDX-License-Identifier: BSD-3-Clause
"""The command line and its surroundings: whole files or none, pipes, missing packages."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import signals
import specfast
from cli_runner import LIMIT_SECONDS, command_line, environment, run, run_process
from signals import SPEECH
from specfast._cli import errors
from specfast._cli import target as targets

# ---- Whole files or none -----------------------------------------------------------------------


def test_an_existing_file_is_kept_without_force(tmp_path: Path) -> None:
    target = tmp_path / "mel.npy"
    target.write_bytes(b"precious")
    assert "--force" in run("mel", SPEECH, "-o", target, exit_code=1).output
    assert target.read_bytes() == b"precious"
    run("mel", SPEECH, "-o", target, "--force")
    assert np.load(target).shape[0] == 128
    assert [path.name for path in tmp_path.iterdir()] == ["mel.npy"]


@pytest.mark.parametrize("exists", [False, True])
def test_a_failure_while_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    def save_half(stream: Any, *_: Any, **__: Any) -> None:
        stream.write(b"half a file")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "mel.npy"
    if exists:
        target.write_bytes(b"precious")
    monkeypatch.setattr(np, "save", save_half)
    output = run("mel", SPEECH, "-o", target, "--force", exit_code=1).output
    assert "No space left" in output
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"precious"] * exists


def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(stream: Any) -> None:
        stream.write(b"ours")
        (tmp_path / "x").write_bytes(b"theirs")

    with pytest.raises(errors.Failed, match="it exists"):
        targets.write_whole(str(tmp_path / "x"), write, force=False)

    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "x").unlink()
    with pytest.raises(errors.Failed, match="it exists"):
        targets.write_whole(str(tmp_path / "x"), write, force=False)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"theirs"]
    targets.write_whole(str(tmp_path / "y"), lambda _: None, force=False)
    assert (tmp_path / "y").read_bytes() == b""


def test_links_permissions_and_odd_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real.npy").write_bytes(b"old")
    (tmp_path / "link.npy").symlink_to("real.npy")
    run("mel", SPEECH, "-o", tmp_path / "link.npy", "--force")
    assert (tmp_path / "link.npy").is_symlink()
    assert np.load(tmp_path / "real.npy").shape[0] == 128
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "real.npy").stat().st_mode == (tmp_path / "plain").stat().st_mode

    for target, said in (
        (tmp_path / "missing" / "x.npy", "there is no folder"),
        (tmp_path / "plain" / "x.npy", "there is no folder"),
        (tmp_path / ("x" * 300), "cannot write"),
    ):
        flags = ("--format", "npy", "--force")
        assert said in run("mel", SPEECH, "-o", target, *flags, exit_code=1).output
    monkeypatch.setattr(os, "access", lambda *_: False)
    output = run("mel", SPEECH, "-o", tmp_path / "x.npy", exit_code=1).output
    assert "is not writable" in output


# ---- Real processes ----------------------------------------------------------------------------


def test_pipes(tmp_path: Path) -> None:
    done = run_process("mel", "-", "-o", "-", input=SPEECH.read_bytes())
    assert done.returncode == 0, done.stderr
    wanted = specfast.MelSpectrogram()(signals.read_wav(SPEECH))
    np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), wanted)
    assert b"standard output: mel 128 x 171" in done.stderr

    done = run_process("mel", "-", "-o", "-", "--format", "npz", "-q", input=SPEECH.read_bytes())
    assert done.stderr == b""
    with np.load(io.BytesIO(done.stdout)) as file:
        np.testing.assert_array_equal(file["mel"], wanted)

    done = run_process("mel", "-", "-o", tmp_path / "x.npy", input=b"")
    assert done.returncode == 1
    assert b"'standard input': the file is empty" in done.stderr


def test_a_reader_that_goes_away() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            command_line("mel", SPEECH, "-o", "-", "-q"),
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
            timeout=LIMIT_SECONDS,
            env=environment(),
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("module", "target", "extra"),
    [
        ("click", "x.npy", "specfast[cli]"),
        ("soundfile", "x.npy", "specfast[audio]"),
        ("matplotlib.figure", "x.png", "specfast[plot]"),
    ],
)
def test_a_missing_package_is_named(tmp_path: Path, module: str, target: str, extra: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None"
    done = run_process("mel", SPEECH, "-o", tmp_path / target, code=code)
    assert done.returncode == 1
    assert f'pip install "{extra}"'.encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import atexit, sys\n"
        "heavy = ('soundfile', 'matplotlib', 'scipy', 'keras')\n"
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules]))"
    )
    done = run_process("mel", "--help", code=code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(b"[]\n")


def test_info() -> None:
    facts = json.loads(run("info", "--json").output)
    for key, value in specfast.build_info().items():
        assert facts[key] == value
    assert facts["numpy"] == np.__version__
    text = run("info").output
    assert f"isa{' ' * 13}{facts['isa']}" in text


def test_an_instruction_set_that_is_not_there() -> None:
    done = run_process("info", env=environment(SPECFAST_ISA="abacus"))
    assert done.returncode == 1
    assert b"abacus" in done.stderr
    assert b"Traceback" not in done.stderr


def test_version_and_script() -> None:
    assert specfast.__version__ in run("--version").output
    scripts = entry_points(group="console_scripts", name="specfast")
    assert [script.value for script in scripts] == ["specfast.cli:main"]
