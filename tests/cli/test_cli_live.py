# SPDX-License-Identifier: BSD-3-Clause
"""A live stream and its surroundings: nothing waits in a buffer, every end has its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import signals
import specfast
from cli_runner import LIMIT_SECONDS, command_line, environment, live_process, run_process
from signals import SPEECH

RAW = ("--raw", "s16le", "--rate", 16000)
SMALL = ("--fft-length", 512, "--sequence-stride", 1600, "--num-mel-bins", 40)
SECOND = (signals.noise(16000) * 3000).astype("<i2").tobytes()
HEADER = r"# seconds\t.* Hz\n"


def feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    # Not through its buffer, which would be written once more when the pipe is closed.
    while data:
        data = data[os.write(process.stdin.fileno(), data) :]


def read_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode()


def finish(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Ends the input; returns the rest of both outputs."""
    output, errors = process.communicate(timeout=LIMIT_SECONDS)
    return output.decode(), errors.decode()


# ---- Nothing waits in a buffer ------------------------------------------------------------------


def test_the_header_comes_before_any_sample() -> None:
    with live_process("stream", *RAW, *SMALL) as process:
        assert re.fullmatch(HEADER, read_line(process))
        assert finish(process) == ("", "")
    assert process.returncode == 0


@pytest.mark.parametrize("kind", ["text", "draw"])
def test_every_column_comes_before_more_samples_are_asked_for(kind: str) -> None:
    with live_process("stream", *RAW, *SMALL, "--as", kind) as process:
        if kind == "text":
            read_line(process)
        for second in range(3):
            feed(process, SECOND)
            for tenth in range(10):
                assert read_line(process).startswith(f"{second}.{tenth}00")
        rest, errors = finish(process)
        assert rest.startswith("3.000")
        assert errors == ""
    assert process.returncode == 0


def test_a_file_grows_with_the_stream(tmp_path: Path) -> None:
    """What is in the file can be read while the command still waits for samples."""
    path = tmp_path / "levels.txt"
    with path.open("wb") as file, live_process("stream", *RAW, *SMALL, stdout=file) as process:
        feed(process, SECOND)
        with path.open("r") as reader:
            text = ""
            while process.poll() is None and text.count("\n") < 11:
                text += reader.read()
                time.sleep(0.01)
        assert re.match(HEADER, text)
        assert text.count("\n") == 11
        assert text.endswith("\n")


def test_a_warning_comes_before_samples_are_asked_for() -> None:
    with live_process("stft", *RAW, "--fft-length", 300, "-", "-o", "-") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"Warning: `fft_length`")


def test_a_pipe_that_does_not_block_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with (
        os.fdopen(reading, "rb") as stdin,
        live_process("stream", *RAW, *SMALL, stdin=stdin) as process,
        os.fdopen(writing, "wb") as source,
    ):
        read_line(process)
        source.write(SECOND)
        source.flush()
        for _ in range(10):
            assert read_line(process)
        source.close()
        assert finish(process)[0].startswith("1.000")
    assert process.returncode == 0


# ---- Every end ----------------------------------------------------------------------------------


def test_an_interrupt_ends_a_stream_quietly() -> None:
    with live_process("stream", *RAW, *SMALL) as process:
        read_line(process)
        feed(process, SECOND)
        for _ in range(10):
            read_line(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=LIMIT_SECONDS) == 130
        assert finish(process) == ("", "")


def test_an_interrupt_ends_other_commands_alike(tmp_path: Path) -> None:
    with live_process("mel", *RAW, "-", "-o", tmp_path / "x.npy") as process:
        # More than a pipe holds, so the command is reading; then it sleeps until there is more.
        for _ in range(10):
            feed(process, SECOND)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=LIMIT_SECONDS) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["text", "draw"])
def test_a_reader_that_goes_away_ends_the_stream(kind: str) -> None:
    with live_process("stream", *RAW, *SMALL, "--as", kind) as process:
        feed(process, SECOND)
        read_line(process)
        assert process.stdout is not None
        process.stdout.close()
        with pytest.raises(BrokenPipeError):
            feed(process, SECOND * 1000)
        assert process.wait(timeout=LIMIT_SECONDS) == 1
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize("num_bytes", [4 * 7000 + 3, 3])
def test_columns_before_a_broken_sample_are_printed(num_bytes: int) -> None:
    data = SECOND[:num_bytes]
    done = run_process("stream", *RAW, *SMALL, "--channels", 2, "--top-db", "none", input=data)
    assert done.returncode == 1
    assert b"'standard input' ends within a sample: 3 bytes are left over" in done.stderr
    assert b"Traceback" not in done.stderr
    samples = np.frombuffer(data, "<i2", num_bytes // 4 * 2)[::2]
    _, *lines = done.stdout.decode().splitlines()
    if len(samples) == 0:
        assert lines == []
        return
    layer = specfast.MelSpectrogram(
        fft_length=512, sequence_stride=1600, num_mel_bins=40, sampling_rate=16000, top_db=None
    )
    wanted = layer(samples, scale=1 / 32768)
    table = np.array([line.split("\t") for line in lines], float)
    np.testing.assert_allclose(table[:, 1:].T, wanted, rtol=1e-5)


# ---- Standard streams that are not there, or take no more ---------------------------------------


COMMANDS = {
    "mel": ("mel", SPEECH, "-o", "-"),
    "stft": ("stft", SPEECH, "-o", "-"),
    "stream": ("stream", *RAW, "--force-raw", SPEECH),
    "info": ("info",),
    "info as JSON": ("info", "--json"),
    "help": ("--help",),
}
each_command = pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS.keys())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@each_command
def test_a_full_disk_is_told(arguments: tuple[object, ...]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = run_process(*arguments, stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: ")
    assert b"No space left on device" in done.stderr
    assert done.stderr.count(b"\n") == 1


def run_without(descriptor: int, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """Runs a command that begins without one of its standard streams."""
    program = f'exec "$0" "$@" {descriptor}>&-'
    return subprocess.run(
        ["sh", "-c", program, *command_line(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=LIMIT_SECONDS,
        env=environment(),
    )


@pytest.mark.parametrize("name", ["mel", "stft", "stream", "info"])
def test_closed_standard_output_is_told(name: str) -> None:
    done = run_without(1, *COMMANDS[name])
    assert done.returncode == 1
    assert done.stderr == b"Error: cannot write to standard output: it is closed\n"


@pytest.mark.parametrize(
    "arguments", [("mel", "-", "-o", "-"), ("mel", *RAW, "-", "-o", "-"), ("stream", *RAW)]
)
def test_closed_standard_input_is_told(arguments: tuple[object, ...]) -> None:
    done = run_without(0, *arguments)
    assert done.returncode == 1
    assert done.stderr == b"Error: cannot read standard input: it is closed\n"


@pytest.mark.parametrize("name", ["mel", "stft", "stream", "info"])
def test_closed_standard_error_costs_no_result(name: str) -> None:
    done = run_without(2, *COMMANDS[name])
    assert done.returncode == 0
    assert done.stdout == run_process(*COMMANDS[name]).stdout != b""


def test_python_m_specfast_is_the_command() -> None:
    done = subprocess.run(
        command_line("info", "--json"),
        capture_output=True,
        check=True,
        timeout=LIMIT_SECONDS,
        env=environment(),
    )
    assert json.loads(done.stdout)["version"] == specfast.__version__
