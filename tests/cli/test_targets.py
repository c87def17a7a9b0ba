# SPDX-License-Identifier: BSD-3-Clause
"""Where results go: what a replaced file keeps, what is never replaced, devices, signals."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli_runner import LIMIT_SECONDS, environment, run, run_process
from signals import SPEECH
from specfast._cli import errors
from specfast._cli import target as targets

QUIET = ("-q", "--format", "npy")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- What a replaced file keeps ----------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_permissions_stay_from_the_first_byte_on(tmp_path: Path, mode: int) -> None:
    target, seen = tmp_path / "x", []
    target.write_bytes(b"old")
    target.chmod(mode)

    def write(stream: Any) -> None:
        stream.write(b"new")
        seen.extend(mode_of(path) for path in tmp_path.iterdir())

    if os.access(target, os.W_OK):
        targets.write_whole(str(target), write, force=True)
        assert target.read_bytes() == b"new"
        assert seen == [mode, mode]
    else:
        with pytest.raises(errors.Failed, match="write-protected"):
            targets.write_whole(str(target), write, force=True)
        assert target.read_bytes() == b"old"
    assert mode_of(target) == mode


def test_a_write_protected_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "x.npy"
    target.write_bytes(b"old")
    ask = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != target and ask(path, mode))
    assert "write-protected" in run("mel", SPEECH, "-o", target, "--force", exit_code=1).output
    assert target.read_bytes() == b"old"


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="the system has no such attributes")
def test_attributes_and_links_stay(tmp_path: Path) -> None:
    target, link, other = tmp_path / "x", tmp_path / "link", tmp_path / "other"
    target.write_bytes(b"old")
    link.symlink_to("x")
    other.hardlink_to(target)
    try:
        os.setxattr(target, "user.origin", b"here")
    except OSError:
        pytest.skip("nor has the file system")
    targets.write_whole(str(link), lambda stream: stream.write(b"new"), force=True)
    assert os.getxattr(target, "user.origin") == b"here"
    assert (target.read_bytes(), other.read_bytes()) == (b"new", b"old")
    assert link.is_symlink()


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        targets.write_whole(str(tmp_path / "x"), lambda _: None, force=False)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "x") == 0o640


# ---- The input is never the output -------------------------------------------------------------


@pytest.mark.parametrize("how", ["itself", "symbolic link", "hard link", "another spelling"])
def test_the_input_is_not_replaced(tmp_path: Path, how: str) -> None:
    source = tmp_path / "a.wav"
    shutil.copy(SPEECH, source)
    target = tmp_path / "b.npy"
    if how == "itself":
        target = source
    elif how == "symbolic link":
        target.symlink_to(source)
    elif how == "hard link":
        target.hardlink_to(source)
    else:
        target = tmp_path / "." / ".." / tmp_path.name / "a.wav"
    flags = (*QUIET, "--force")
    assert "the input itself" in run("mel", source, "-o", target, *flags, exit_code=1).output
    assert source.read_bytes() == SPEECH.read_bytes()


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "stream"])
@pytest.mark.parametrize("source", ["path", "-"])
def test_the_input_is_not_appended_to(tmp_path: Path, name: str, source: str) -> None:
    """A stream that reads what it prints has no end."""
    recording = tmp_path / "a.wav"
    shutil.copy(SPEECH, recording)
    words = ["mel", "-o", name, "-q"] if name != "stream" else ["stream", "--rate", "16000"]
    words.append("-" if source == "-" else str(recording))
    with recording.open("ab") as output, recording.open("rb") as data:
        done = run_process(*words, stdout=output, stdin=data)
    assert (done.returncode, b"it is the input itself" in done.stderr) == (1, True)
    assert recording.read_bytes() == SPEECH.read_bytes()


def test_redirected_input_is_not_replaced(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    shutil.copy(SPEECH, source)
    with source.open("rb") as stream:
        done = run_process("mel", "-", "-o", source, *QUIET, "--force", stdin=stream)
    assert (done.returncode, b"the input itself" in done.stderr) == (1, True)
    assert source.read_bytes() == SPEECH.read_bytes()


# ---- Devices -----------------------------------------------------------------------------------

EXPECTED = (128, 171)


def test_the_null_device() -> None:
    assert run("mel", SPEECH, "-o", os.devnull, "-q").output == ""
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["npy", "npz", "png"])
def test_names_of_standard_output(tmp_path: Path, name: str, kind: str) -> None:
    done = run_process("mel", SPEECH, "-o", name, "-q", "--format", kind)
    assert (done.returncode, done.stderr) == (0, b"")
    if kind == "npy":
        assert np.load(io.BytesIO(done.stdout)).shape == EXPECTED
        # Behind what is there already, as the shell's >> asks for.
        with (tmp_path / "x").open("wb") as stream:
            stream.write(b"before")
            stream.flush()
            run_process("mel", SPEECH, "-o", name, "-q", "--format", kind, stdout=stream)
        assert (tmp_path / "x").read_bytes() == b"before" + done.stdout
    else:
        assert done.stdout[1:4] in (b"PNG", b"K\x03\x04")


def test_a_named_pipe_and_an_open_descriptor(tmp_path: Path) -> None:
    for name in ("pipe.npy", "pipe.npz", "pipe.PNG", "pipe"):
        pipe = tmp_path / name
        os.mkfifo(pipe)
        received: list[bytes] = []
        reader = threading.Thread(
            target=lambda to, pipe: to.append(pipe.read_bytes()),
            args=(received, pipe),
            daemon=True,
        )
        reader.start()
        assert run_process("mel", SPEECH, "-o", pipe, "-q").returncode == 0
        reader.join(timeout=60)
        if name.endswith("PNG"):
            assert received[0][1:4] == b"PNG"
        else:
            loaded = np.load(io.BytesIO(received[0]))
            assert (loaded["mel"] if name.endswith("npz") else loaded).shape == EXPECTED
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    with (tmp_path / "x").open("w+b") as stream:
        number = stream.fileno()
        done = run_process("mel", SPEECH, "-o", f"/dev/fd/{number}", "-q", pass_fds=[number])
        assert done.returncode == 0, done.stderr
        stream.seek(0)
        assert np.load(stream).shape == EXPECTED


def test_a_descriptor_that_is_not_open_is_named() -> None:
    done = run_process("mel", SPEECH, "-o", "/dev/fd/987", "-q")
    assert (done.returncode, b"'/dev/fd/987'" in done.stderr) == (1, True)


# ---- Signals -----------------------------------------------------------------------------------

SLOW_SAVE = """
import time
import numpy as np
def save(stream, *_, **__):
    stream.write(b"half a file")
    stream.flush()
    print("writing", flush=True)
    time.sleep(60)
np.save = save
from specfast.cli import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_temporary_file(tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "x.npy"
    target.write_bytes(b"old")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_SAVE, "mel", str(SPEECH), "-o", str(target), "--force"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        watchdog = threading.Timer(LIMIT_SECONDS, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"writing\n"
            assert len(list(tmp_path.iterdir())) == 2
            process.send_signal(number)
            status = process.wait(timeout=LIMIT_SECONDS)
        finally:
            watchdog.cancel()
            process.kill()
    assert status == (130 if number == signal.SIGINT else -number)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    code = "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    save = "import numpy as np; np.save = lambda *_, **__: os.kill(os.getpid(), signal.SIGHUP)"
    done = run_process("mel", SPEECH, "-o", tmp_path / "x.npy", "-q", code=f"{code}\n{save}")
    assert (done.returncode, done.stderr) == (0, b"")
