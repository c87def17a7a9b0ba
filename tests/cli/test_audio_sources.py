# SPDX-License-Identifier: BSD-3-Clause
"""Whatever can be opened for reading is an input, and what cannot is an error that names it."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import signals
from cli_runner import LIMIT_SECONDS, command_line, environment, run, run_process
from signals import SPEECH
from specfast.audio import AudioError, read_audio, read_raw

WAV = SPEECH.read_bytes()
SPOKEN = signals.read_wav(SPEECH)
PCM = WAV[44:]


class OnlyReads:
    """No more than `read`, which returns fewer bytes than asked for."""

    def __init__(self, data: bytes, at_most: int = 1 << 30) -> None:
        self.stream = io.BytesIO(data)
        self.at_most = at_most

    def read(self, size: int = -1) -> bytes:
        return self.stream.read(self.at_most if size < 0 else min(size, self.at_most))


class ShortReads(OnlyReads):
    """Seekable, and still returns few bytes at a time."""

    def seek(self, offset: int, whence: int = 0) -> None:
        self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()


def written_to_pipe(data: bytes) -> Any:
    reading, writing = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    threading.Thread(target=write, daemon=True).start()
    return reading


@contextlib.contextmanager
def child_output(data: bytes) -> Iterator[Any]:
    """Yields the standard output of a child that copies its standard input."""
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as child:
        watchdog = threading.Timer(LIMIT_SECONDS, child.kill)
        watchdog.start()
        try:
            child.stdin.write(data)
            child.stdin.close()
            yield child.stdout
        finally:
            watchdog.cancel()
            child.kill()


def compressed(data: bytes) -> Any:
    return gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data)))


def temporary(data: bytes) -> Any:
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


SOURCES: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "BytesIO": io.BytesIO,
    "buffered": lambda data: io.BufferedReader(io.BytesIO(data)),  # type: ignore[arg-type]
    "only read": OnlyReads,
    "short reads": lambda data: OnlyReads(data, 1000),
    "short seekable reads": lambda data: ShortReads(data, 1000),
    "pipe": lambda data: os.fdopen(written_to_pipe(data), "rb"),
    "unbuffered pipe": lambda data: os.fdopen(written_to_pipe(data), "rb", buffering=0),
    "gzip": compressed,
    "spooled": temporary,
}
each_source = pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES.keys())


@each_source
def test_any_source_of_bytes(make: Callable[[bytes], Any]) -> None:
    for data in (WAV, WAV[:40] + b"\xff" * 4 + PCM):
        source = make(data)
        samples, rate = read_audio(source)
        assert rate == 16000
        np.testing.assert_array_equal(samples[:, 0], SPOKEN)
        if hasattr(source, "close"):
            source.close()
    source = make(PCM)
    np.testing.assert_array_equal(read_raw(source, "s16le")[:, 0], SPOKEN)
    if hasattr(source, "close"):
        source.close()


@each_source
def test_what_is_in_a_source_decides(make: Callable[[bytes], Any]) -> None:
    for data in (b"", b"RIFF", WAV[:50000]):
        source = make(data)
        with pytest.raises(AudioError, match="^cannot read '"):
            read_audio(source)
        if hasattr(source, "close"):
            source.close()


def test_the_output_of_a_child() -> None:
    with child_output(WAV) as stream:
        np.testing.assert_array_equal(read_audio(stream)[0][:, 0], SPOKEN)
    with (
        child_output(WAV[:50000]) as stream,
        pytest.raises(AudioError, match="cannot read 'a stream': it is cut short"),
    ):
        read_audio(stream)


def http_response(body: bytes, length: int) -> http.client.HTTPResponse:
    """The answer of a server that promises `length` bytes and closes after `body`."""
    here, there = socket.socketpair()

    def serve() -> None:
        with contextlib.suppress(OSError), there:
            there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + body)

    threading.Thread(target=serve, daemon=True).start()
    response = http.client.HTTPResponse(here)
    response.begin()
    here.close()
    return response


def test_the_body_of_an_http_response() -> None:
    with http_response(WAV, len(WAV)) as response:
        np.testing.assert_array_equal(read_audio(response)[0][:, 0], SPOKEN)
    with http_response(PCM, len(PCM)) as response:
        np.testing.assert_array_equal(read_raw(response, "s16le")[:, 0], SPOKEN)
    # Raw samples have no header that could tell.
    with (
        http_response(PCM[:1000], len(PCM)) as response,
        pytest.raises(AudioError, match="the connection broke off, .* bytes are missing"),
    ):
        read_raw(response, "s16le")


class Failing:
    """Breaks off, with an error of its own making."""

    def __init__(self, error: Exception, seekable: bool) -> None:
        self.error = error
        self.name = b"broken.wav"
        self.position = 0
        if seekable:
            self.seek = self._seek
            self.tell = lambda: self.position

    def _seek(self, offset: int, whence: int = 0) -> None:
        self.position = len(WAV) if whence == 2 else offset

    def read(self, size: int = -1) -> bytes:
        begin, self.position = self.position, self.position + size
        if self.position > 4000:
            raise self.error
        return WAV[begin : self.position]


@pytest.mark.parametrize("seekable", [False, True])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), EOFError("no end marker")])
def test_a_source_that_breaks_off(error: Exception, seekable: bool) -> None:
    said = "cannot read 'broken.wav': .*(Input/output error|EOFError: no end marker)"
    for read in (read_audio, lambda source: read_raw(source, "s16le", force_raw=True)):
        with pytest.raises(AudioError, match=said):
            read(Failing(error, seekable))


def test_a_pipe_that_has_nothing_yet() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with (
        os.fdopen(writing, "wb"),
        os.fdopen(reading, "rb", buffering=0) as pipe,
        pytest.raises(AudioError, match="non-blocking"),
    ):
        read_audio(pipe)


@pytest.mark.parametrize(
    "source",
    [None, 3, ["a.wav"], np.zeros(4), io.StringIO("RIFF"), object()],
    ids=["None", "int", "list", "array", "text", "object"],
)
def test_what_is_no_source(source: Any) -> None:
    for read in (read_audio, lambda source: read_raw(source, "s16le")):
        with pytest.raises(TypeError, match="`source` must be a path, bytes, or a file object"):
            read(source)


def test_text_is_no_recording() -> None:
    class Text:
        def read(self, size: int = -1) -> str:
            return "RIFF"

    for read in (read_audio, lambda source: read_raw(source, "s16le")):
        with (
            pytest.raises(TypeError, match=r"`source` must be open for binary.*returned str"),
        ):
            read(Text())
        with SPEECH.open("r", encoding="latin-1") as text, pytest.raises(TypeError, match="'rb'"):
            read(text)


def test_names_that_no_file_can_have() -> None:
    with pytest.raises(AudioError, match=r"cannot read 'a\\x00b'"):
        read_audio("a\0b")


# ---- The command line --------------------------------------------------------------------------


def mel(path: str, **kwargs: Any) -> np.ndarray:
    done = run_process("mel", path, "-o", "-", **kwargs)
    assert done.returncode == 0, done.stderr
    return np.load(io.BytesIO(done.stdout))


def test_pipes_with_and_without_a_name(tmp_path: Path) -> None:
    run("mel", SPEECH, "-o", tmp_path / "wanted.npy")
    wanted = np.load(tmp_path / "wanted.npy")
    np.testing.assert_array_equal(mel("/dev/stdin", input=WAV), wanted)
    with SPEECH.open("rb") as file:
        np.testing.assert_array_equal(mel("/dev/stdin", stdin=file), wanted)

    fifo = tmp_path / "fifo.wav"
    os.mkfifo(fifo)
    threading.Thread(target=lambda: fifo.write_bytes(WAV), daemon=True).start()
    np.testing.assert_array_equal(mel(str(fifo)), wanted)

    # What a shell makes of <(cat talk.wav).
    reading = written_to_pipe(WAV)
    try:
        got = mel(f"/dev/fd/{reading}", pass_fds=[reading])
    finally:
        os.close(reading)
    np.testing.assert_array_equal(got, wanted)


def test_a_pipe_that_is_cut_is_told(tmp_path: Path) -> None:
    done = run_process("mel", "/dev/stdin", "-o", tmp_path / "x.npy", input=WAV[:50000])
    assert done.returncode == 1
    assert b"cannot read '/dev/stdin': it is cut short" in done.stderr


def test_a_remark_is_one_line_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "odd.wav").write_bytes(WAV + b"\xff\xfe\xfd\xfc")
    output = run("mel", "-q", tmp_path / "odd.wav", "-o", tmp_path / "x.npy").output
    assert output.startswith("Warning: ")
    assert "4 bytes stand behind" in output
    assert output.count("\n") == 1


def test_process_substitution_of_raw_samples() -> None:
    done = subprocess.run(
        command_line("mel", "--raw", "s16le", "--rate", 16000, "/dev/stdin", "-o", "-"),
        input=PCM,
        capture_output=True,
        check=True,
        timeout=LIMIT_SECONDS,
        env=environment(),
    )
    np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), mel("-", input=WAV))
