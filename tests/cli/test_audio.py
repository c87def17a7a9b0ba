# SPDX-License-Identifier: BSD-3-Clause
"""Reading recordings: exact samples, and a message for whatever cannot be read."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import signals
from signals import SPEECH
from specfast.audio import AudioError, read_audio


def encoded(samples: np.ndarray, rate: int = 16000, **kwargs: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, **kwargs)
    return stream.getvalue()


def test_pcm_is_scaled_by_its_full_scale() -> None:
    samples, rate = read_audio(SPEECH)
    assert rate == 16000
    assert samples.dtype == np.float32
    assert samples.flags.c_contiguous
    assert samples.shape[1] == 1
    # Read by the standard library and divided by 32768: not one bit may differ.
    np.testing.assert_array_equal(samples[:, 0], signals.read_wav(SPEECH))


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("WAV", "FLOAT")],
)
def test_lossless_formats_give_the_same_samples(tmp_path: Path, kind: str, subtype: str) -> None:
    pcm = np.random.default_rng(1).integers(-32768, 32768, (3000, 2)).astype(np.int16)
    wanted = pcm.astype(np.float32) / np.float32(32768)
    path = tmp_path / "clip"
    path.write_bytes(encoded(wanted, 44100, format=kind, subtype=subtype))
    samples, rate = read_audio(path)
    assert rate == 44100
    np.testing.assert_array_equal(samples, wanted)


def test_ogg_is_read() -> None:
    wanted = signals.read_wav(SPEECH)
    samples, rate = read_audio(io.BytesIO(encoded(wanted, format="OGG", subtype="VORBIS")))
    assert rate == 16000
    assert samples.shape == (len(wanted), 1)
    # Vorbis is lossy; the waveform is still the same sound.
    assert np.corrcoef(samples[:, 0], wanted)[0, 1] > 0.98


def test_more_than_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = read_audio(SPEECH)
    for block in (len(whole), len(whole) // 2, 1000):
        monkeypatch.setattr("specfast.audio._BLOCK_SAMPLES", block)
        np.testing.assert_array_equal(read_audio(SPEECH)[0], whole)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_written_into_a_pipe_has_no_size(size: int) -> None:
    data = bytearray(SPEECH.read_bytes())
    data[4:8] = size.to_bytes(4, "little")
    data[40:44] = size.to_bytes(4, "little") if size else b"\xff\xff\xff\xff"
    np.testing.assert_array_equal(read_audio(io.BytesIO(bytes(data)))[0], read_audio(SPEECH)[0])


WAV = SPEECH.read_bytes()
FLAC = encoded(signals.noise(20000) * 0.1, format="FLAC")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"RIFF", "accepted: a complete WAV, FLAC or OGG file"),
        (b"no sound at all " * 50, "accepted: a complete WAV, FLAC or OGG file"),
        (WAV[:20], "cut short"),
        (WAV[:50000], "cut short"),
        (FLAC[: len(FLAC) // 2], "accepted: a complete WAV, FLAC or OGG file"),
        (encoded(np.zeros((0, 1)), format="WAV"), "no samples"),
    ],
    ids=["empty", "four bytes", "text", "half a header", "cut WAV", "cut FLAC", "no samples"],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(data)
    with pytest.raises(AudioError, match=reason) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)
    with pytest.raises(AudioError, match=reason) as caught:
        read_audio(io.BytesIO(data), name="the upload")
    assert "the upload" in str(caught.value)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="No such file"):
        read_audio(tmp_path / "missing.wav")
    with pytest.raises(AudioError, match=r"(?i)directory|permission"):
        read_audio(tmp_path)


def test_raw_samples_have_no_rate(tmp_path: Path) -> None:
    path = tmp_path / "clip.raw"
    path.write_bytes(bytes(4000))
    with pytest.raises(AudioError, match=r"clip\.raw"):
        read_audio(path)


def test_without_soundfile_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['soundfile'] = None\n"
        "import specfast.audio\n"
        "try: specfast.audio.read_audio('x.wav')\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert 'pip install "specfast[audio]"' in done.stdout
