# SPDX-License-Identifier: BSD-3-Clause
"""Samples without a header: every encoding of ffmpeg's, and headers that are taken for samples."""

from __future__ import annotations

import io
import re
import subprocess
import warnings
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import signals
import specfast
from cli_runner import LIMIT_SECONDS, live_process, run, run_process
from recordings import encoded
from signals import SPEECH
from specfast.audio import RAW_ENCODINGS, AudioError, read_raw

WAV = SPEECH.read_bytes()
many = settings(max_examples=60, deadline=None, derandomize=True)
INTEGERS = {
    name: (name[0] == "u", int(re.sub(r"\D", "", name)), name[-2:] == "be")
    for name in RAW_ENCODINGS
    if name[0] in "us"
}
FLOATS = {"f32le": "<f4", "f32be": ">f4", "f64le": "<f8", "f64be": ">f8"}


def stored(values: list[int], name: str) -> bytes:
    """Integers from -2**(bits - 1) on as bytes, by Python's own means."""
    unsigned, bits, big = INTEGERS[name]
    middle = 1 << (bits - 1) if unsigned else 0
    return b"".join(
        (value + middle).to_bytes(bits // 8, "big" if big else "little", signed=not unsigned)
        for value in values
    )


def test_the_names_are_those_of_ffmpeg() -> None:
    assert set(RAW_ENCODINGS) == {*INTEGERS, *FLOATS, "mulaw", "alaw"}
    assert set(INTEGERS) == {"u8", "s8"} | {
        f"{sign}{bits}{order}" for sign in "us" for bits in (16, 24, 32) for order in ("le", "be")
    }


@pytest.mark.parametrize("name", INTEGERS)
@many
@given(data=st.data())
def test_integers_are_divided_by_their_full_scale(name: str, data: st.DataObject) -> None:
    full = 1 << (INTEGERS[name][1] - 1)
    number = st.integers(-full, full - 1) | st.sampled_from([-full, -1, 0, 1, full - 1])
    values = data.draw(st.lists(number, min_size=1, max_size=40))
    got = read_raw(stored(values, name), name, force_raw=True)
    assert got.dtype == np.float32
    # The quotient is exact in float64, so it is rounded once.
    wanted = (np.array(values, np.float64) / full).astype(np.float32)
    np.testing.assert_array_equal(got[:, 0], wanted)


@pytest.mark.parametrize("name", FLOATS)
@many
@given(data=st.data())
def test_floats_are_taken_as_they_are(name: str, data: st.DataObject) -> None:
    width = 8 * int(FLOATS[name][-1])
    values = data.draw(st.lists(st.floats(width=width), min_size=1, max_size=40))
    array = np.array(values, FLOATS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = read_raw(array.tobytes(), name, force_raw=True)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got[:, 0], array.astype(np.float32))


@pytest.mark.parametrize(("name", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW")])
def test_telephone_codes_are_those_of_libsndfile(name: str, subtype: str) -> None:
    codes = bytes(range(256))
    form = {"format": "RAW", "samplerate": 8000, "channels": 1, "subtype": subtype}
    wanted, _ = soundfile.read(io.BytesIO(codes), dtype="int16", **form)
    got = read_raw(codes, name)[:, 0]
    np.testing.assert_array_equal(got * 32768, wanted)
    # The ends of the scale, and the steps around zero, of G.711.
    assert np.abs(got).max() * 32768 == {"mulaw": 32124, "alaw": 32256}[name]
    assert np.abs(got).min() * 32768 == {"mulaw": 0, "alaw": 8}[name]


@pytest.mark.parametrize("name", RAW_ENCODINGS)
def test_ffmpeg_writes_the_same(ffmpeg: str, name: str) -> None:
    command = [ffmpeg, "-v", "error", "-i", str(SPEECH), "-f", name, "-"]
    data = subprocess.run(command, capture_output=True, check=True, timeout=LIMIT_SECONDS).stdout
    wanted = signals.read_wav(SPEECH)
    error = np.abs(read_raw(data, name)[:, 0] - wanted)
    # Rounded to 8 bits, or to the steps of a logarithm; all else holds 16 bits exactly.
    limit = {"u8": 1 / 128, "s8": 1 / 128, "mulaw": 0.02, "alaw": 0.02}.get(name, 0.0)
    assert error.max() <= limit


@pytest.mark.parametrize("name", RAW_ENCODINGS)
def test_channels_of_any_encoding(name: str) -> None:
    size = RAW_ENCODINGS[name].sample_bytes
    data = bytes(range(16)) * 3 * size
    both = read_raw(data, name, 2)
    assert both.shape == (24, 2)
    np.testing.assert_array_equal(both.ravel(), read_raw(data, name)[:, 0])
    np.testing.assert_array_equal(read_raw(data, name, 2, channel=1), both[:, 1])
    with pytest.raises(AudioError, match=rf"expected one or more samples of 5 \* {size} bytes"):
        read_raw(data, name, 5)


@pytest.mark.parametrize("name", ["u8", "s24be", "s32le", "mulaw", "f64be"])
def test_commands_read_every_encoding(name: str) -> None:
    data = np.random.default_rng(1).integers(0, 128, 24000, np.uint8).tobytes()
    raw = ("--raw", name, "--rate", 16000)
    samples = read_raw(data, name, mono=True)
    layer = specfast.MelSpectrogram(
        fft_length=512, sequence_stride=160, num_mel_bins=40, top_db=None
    )
    small = ("--fft-length", 512, "--sequence-stride", 160, "--num-mel-bins", 40)
    done = run_process("mel", *raw, *small, "--top-db", "none", "-", "-o", "-", input=data)
    np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), layer(samples))
    done = run_process("stream", *raw, *small, "--top-db", "none", input=data)
    table = np.loadtxt(io.BytesIO(done.stdout))[:, 1:].T
    np.testing.assert_allclose(table, layer(samples), rtol=1e-5)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="`encoding`.*'s16le'.*'mp3'"):
        read_raw(bytes(4), "mp3")
    with pytest.raises(ValueError, match="`channels`.*channels=0"):
        read_raw(bytes(4), "s16le", 0)
    with pytest.raises(TypeError, match="`force_raw`.*'no'"):
        read_raw(bytes(4), "s16le", force_raw="no")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ulaw", "mulaw"),
        ("PCM_MULAW", "mulaw"),
        ("pcmu", "mulaw"),
        ("a-law", "alaw"),
        ("pcma", "alaw"),
        ("s16", "s16le"),
        ("S16_LE", "s16le"),
        ("pcm_s24be", "s24be"),
        ("int16", "s16le"),
        ("float32", "f32le"),
        ("uint8", "u8"),
        ("s61le", "s16le"),
    ],
)
def test_another_name_is_answered_with_ours(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{meant}'.*encoding='{name}'"):
        read_raw(bytes(4), name)


# ---- Headers -----------------------------------------------------------------------------------


HEADERS = {
    "a WAV": [b"RIFF\0\0\0\0WAVE", b"RIFX....WAVE", b"RF64....WAVE", b"BW64....WAVE"],
    "a FLAC": [b"fLaC\0\0\0\x22"],
    "an Ogg": [b"OggS\0\2"],
    "an AIFF": [b"FORM....AIFF", b"FORM....AIFC"],
    "an AU": [b".snd\0\0\0\x18"],
    "an MP3": [b"ID3\x03\0\0\0\0\0\0", b"ID3\x04\0\0\0\0\0\0"],
    "a CAF": [b"caff\0\1\0\0"],
    "an MP4": [b"\0\0\0\x20ftypM4A ", b"\0\0\0\x1cftypisom"],
    "a Matroska": [b"\x1a\x45\xdf\xa3\x9f\x42"],
}
WRITTEN = {
    "a WAV": ["WAV", "WAVEX", "RF64", "W64"],
    "an AIFF": ["AIFF"],
    "an AU": ["AU"],
    "a CAF": ["CAF"],
    "a FLAC": ["FLAC"],
    "an Ogg": ["OGG"],
    "an MP3": ["MP3"] if "MP3" in soundfile.available_formats() else [],
    "a VOC": ["VOC"],
    "a NIST": ["NIST"],
}
BEGINNINGS = [
    *((kind, head + bytes(100)) for kind, heads in HEADERS.items() for head in heads),
    *(
        (kind, encoded(signals.chirp(4000), format=name))
        for kind, names in WRITTEN.items()
        for name in names
    ),
]


@pytest.mark.parametrize(("kind", "data"), BEGINNINGS)
def test_a_header_is_not_taken_for_samples(kind: str, data: bytes) -> None:
    for name in ("s16le", "mulaw", "f32be"):
        data = data[: len(data) // 4 * 4]
        said = f"cannot read 'call' as raw samples: it begins like {kind} .*file.*force_raw=True"
        with pytest.raises(AudioError, match=said):
            read_raw(data, name, name="call")
        assert len(read_raw(data, name, force_raw=True)) > 20


@given(st.binary(min_size=1, max_size=200))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_samples_are_not_taken_for_a_header(data: bytes) -> None:
    assert len(read_raw(data, "u8")) == len(data)
    # Loud and soft, constant and alternating: the usual beginnings of a recording.
    for byte in (data[:1], b"\xff", b"\x7f", b"\0"):
        assert len(read_raw(byte * 4000, "mulaw")) == 4000
        assert len(read_raw((byte + b"\xfb") * 4000, "s16le")) == 4000


def test_commands_refuse_a_header(tmp_path: Any) -> None:
    raw = ("--raw", "s16le", "--rate", 8000)
    flags = ("mel", *raw, SPEECH, "-o", tmp_path / "x.npy")
    assert "begins like a WAV file" in run(*flags, exit_code=1).output
    run(*flags, "--force-raw")
    for source in ({"input": WAV}, {"stdin": SPEECH.open("rb")}):
        with source.get("stdin", io.BytesIO()):
            done = run_process("stream", *raw, **source)
        assert done.returncode == 1
        assert b"begins like a WAV file" in done.stderr
        assert b"--force-raw" in done.stderr
    assert run_process("stream", *raw, SPEECH).stdout == b""
    done = run_process("stream", *raw, "--force-raw", SPEECH)
    assert done.returncode == 0
    assert done.stdout.count(b"\n") > 100


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3"])
def test_a_header_that_arrives_byte_by_byte_is_seen(kind: str) -> None:
    if kind not in soundfile.available_formats():
        pytest.skip("this libsndfile writes no such file")
    data = encoded(signals.chirp(4000), format=kind)
    command = ("stream", "--rate", 16000, "--fft-length", 64, "--sequence-stride", 1)
    with live_process(*command) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for byte in data[:600]:
            try:
                process.stdin.write(bytes([byte]))
                process.stdin.flush()
            except BrokenPipeError:
                break
        assert b"begins like" in process.stderr.read()
        assert process.wait(timeout=LIMIT_SECONDS) == 1
        columns = [line for line in process.stdout.read().splitlines() if line[:1] != b"#"]
        assert columns == []


def test_a_few_bytes_are_samples_too() -> None:
    raw = ("--raw", "u8", "--rate", 16000, "--fft-length", 64, "--sequence-stride", 1)
    done = run_process("stream", *raw, input=b"\x80\x90\xa0")
    assert done.returncode == 0
    layer = specfast.MelSpectrogram(fft_length=64, sequence_stride=1)
    wanted = layer(read_raw(b"\x80\x90\xa0", "u8", mono=True)).shape[1]
    assert done.stdout.count(b"\n") == wanted + 1
