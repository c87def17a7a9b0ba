# SPDX-License-Identifier: BSD-3-Clause
"""Raw samples from a pipe, and columns of a signal that does not end."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import signals
import specfast
from cli_runner import (
    LIMIT_SECONDS,
    command_line,
    environment,
    live_process,
    run,
    run_process,
)
from signals import SPEECH

SPEECH_PCM = (signals.read_wav(SPEECH) * 32768).astype("<i2")
RAW = ("--raw", "s16le", "--rate", 16000)
SMALL = ("--fft-length", 512, "--sequence-stride", 160, "--num-mel-bins", 40)
LAYER = specfast.MelSpectrogram(
    fft_length=512, sequence_stride=160, num_mel_bins=40, top_db=None, sampling_rate=16000
)


# ---- Raw samples --------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["s16le", "f32le", "f64le"])
@pytest.mark.parametrize("command", ["mel", "stft"])
def test_raw_samples_are_those_of_the_file(tmp_path: Path, encoding: str, command: str) -> None:
    samples = SPEECH_PCM if encoding == "s16le" else SPEECH_PCM / 32768
    data = samples.astype({"s16le": "<i2", "f32le": "<f4", "f64le": "<f8"}[encoding]).tobytes()
    run(command, SPEECH, "-o", tmp_path / "wanted.npy")
    wanted = np.load(tmp_path / "wanted.npy")
    done = run_process(command, "--raw", encoding, "--rate", 16000, "-", "-o", "-", input=data)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), wanted)
    (tmp_path / "x.raw").write_bytes(data)
    run(command, "--raw", encoding, "--rate", 16000, tmp_path / "x.raw", "-o", tmp_path / "x.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), wanted)


def test_raw_channels(tmp_path: Path) -> None:
    pair = np.stack([SPEECH_PCM, SPEECH_PCM[::-1]], axis=1)
    (tmp_path / "pair.raw").write_bytes(pair.tobytes())
    run("mel", *RAW, "--channels", 2, tmp_path / "pair.raw", "-o", tmp_path / "x.npy")
    wanted = specfast.MelSpectrogram()(np.ascontiguousarray(pair.T), scale=1 / 32768)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), wanted)


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--raw", "s16le"), 2, "--raw s16le requires --rate"),
        (("--rate", 16000), 2, "--rate 16000 only applies to --raw"),
        (("--channels", 2), 2, "--channels 2 only applies to --raw"),
        (("--raw", "mp3", "--rate", 1), 2, "s16le"),
        (("--raw", "pcm_s24", "--rate", 1), 2, "did you mean 's24le'?"),
        (("--force-raw",), 2, "--force-raw only applies to --raw"),
        (("--raw", "f64le", "--rate", 1), 1, "10 bytes, expected one or more samples of 1 * 8"),
        ((*RAW, "--channels", 3), 1, "expected one or more samples of 3 * 2 bytes"),
        ((*RAW, "--sampling-rate", 8000), 1, "--sampling-rate 8000 is not the rate"),
    ],
)
def test_wrong_use(tmp_path: Path, flags: tuple[object, ...], code: int, said: str) -> None:
    (tmp_path / "ten.raw").write_bytes(bytes(10))
    arguments = ("mel", *flags, tmp_path / "ten.raw", "-o", tmp_path / "x.npy")
    assert said in run(*arguments, exit_code=code).output
    assert not (tmp_path / "x.npy").exists()


@pytest.mark.parametrize("command", [("mel",), ("stream", "--max-db", "0")])
def test_ffmpeg(ffmpeg: str, command: tuple[str, ...], tmp_path: Path) -> None:
    """Decoded, mixed to stereo and back by ffmpeg: the samples are still those of the file."""
    decode = [
        ffmpeg,
        "-v",
        "error",
        "-i",
        str(SPEECH),
        "-f",
        "s16le",
        "-ac",
        "1",
        "-ar",
        "16000",
        "-",
    ]
    out = [] if command[0] == "stream" else ["-o", tmp_path / "x.npy"]
    with subprocess.Popen(decode, stdout=subprocess.PIPE) as source:
        try:
            done = subprocess.run(
                command_line(*command, *RAW, *SMALL, "--top-db", "none", "-", *out),
                stdin=source.stdout,
                capture_output=True,
                check=False,
                timeout=LIMIT_SECONDS,
                env=environment(),
            )
            source.wait(timeout=LIMIT_SECONDS)
        finally:
            source.kill()
    assert done.returncode == source.returncode == 0, done.stderr
    wanted = LAYER(SPEECH_PCM, scale=1 / 32768)
    if out:
        np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), wanted)
    else:
        got = np.loadtxt(io.BytesIO(done.stdout))[:, 1:].T
        np.testing.assert_allclose(got, wanted, rtol=1e-5)


# ---- specfast stream ----------------------------------------------------------------------------


def stream(*flags: object, data: bytes, returncode: int = 0) -> list[str]:
    done = run_process("stream", *RAW, *SMALL, *flags, input=data)
    assert done.returncode == returncode, done.stderr
    return (done.stdout if returncode == 0 else done.stderr).decode().splitlines()


def test_stream_prints_what_the_layer_computes() -> None:
    head, *lines = stream("--top-db", "none", data=SPEECH_PCM.tobytes())
    assert head.startswith("# seconds\t")
    assert head.count("\t") == 40
    table = np.array([line.split("\t") for line in lines], float)
    wanted = LAYER(SPEECH_PCM, scale=1 / 32768)
    np.testing.assert_allclose(table[:, 1:].T, wanted, rtol=1e-5)
    np.testing.assert_allclose(table[:, 0], np.arange(wanted.shape[1]) * 0.01, atol=6e-4)


def test_stream_takes_one_of_several_channels() -> None:
    pair = np.stack([SPEECH_PCM[::-1], SPEECH_PCM], axis=1)
    both = stream("--channels", 2, "--channel", 1, data=pair.tobytes())
    assert both == stream(data=SPEECH_PCM.tobytes())


def test_stream_draws() -> None:
    tone = (20000 * np.sin(2 * np.pi * 0.1 * np.arange(16000))).astype("<i2")
    lines = stream("--as", "draw", "--top-db", "none", data=tone.tobytes())
    assert len(lines) == 101
    assert all(re.fullmatch(r"\d\.\d{3} \|[ .:\-=+*#%@]{40}\|", line) for line in lines)
    peak = np.argmax(LAYER(tone, scale=1 / 32768)[:, 50])
    assert lines[50].index("@") - len("0.500 |") == peak
    silent = stream("--as", "draw", "--db-range", -20, 0, data=bytes(32000))
    assert {line.partition("|")[2] for line in silent} == {" " * 40 + "|"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--channel", 1), "--channel 1 must be less than --channels 1"),
        (("--db-range", 0, -80), "--db-range 0 -80"),
        (("--max-db", "loud"), "loud"),
        (("--num-mel-bins", 0), "num_mel_bins"),
    ],
)
def test_stream_refuses(flags: tuple[object, ...], said: str) -> None:
    assert said in "\n".join(stream(*flags, data=b"", returncode=2))


def test_stream_says_what_was_left_over() -> None:
    assert "3 bytes are left over" in stream("--channels", 2, data=bytes(103), returncode=1)[-1]
    done = run_process("stream", "--rate", 16000, "missing.raw")
    assert done.returncode == 1
    assert b"No such file" in done.stderr


def test_stream_is_live_and_does_not_grow() -> None:
    """Columns come while the pipe is open, and an hour takes the memory of ten seconds."""
    second = np.ascontiguousarray(signals.noise(16000) * 3000).astype("<i2").tobytes()
    command = ("stream", *RAW, *SMALL, "--sequence-stride", 1600)
    with live_process(*command, stderr=None, limit_seconds=600) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()

        def feed(seconds: int) -> None:
            for _ in range(seconds):
                process.stdin.write(second)  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                for _ in range(10):
                    assert process.stdout.readline()  # type: ignore[union-attr]

        def peak_kib() -> int:
            status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
            return int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]

        feed(10)
        before = peak_kib()
        feed(3600)
        assert peak_kib() - before < 2048
        process.stdin.close()
        process.stdout.read()
        assert process.wait(timeout=LIMIT_SECONDS) == 0
