# SPDX-License-Identifier: BSD-3-Clause
"""Reading recordings: exact samples, and a message for whatever cannot be read."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import signals
import specfast
from recordings import encoded, with_mp3
from signals import SPEECH
from specfast.audio import AudioError, read_audio, read_raw


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
    path.write_bytes(encoded(wanted, rate=44100, format=kind, subtype=subtype))
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


# ---- MP3, where this libsndfile reads it --------------------------------------------------------


@with_mp3
def test_mp3_is_read() -> None:
    wanted = signals.read_wav(SPEECH)
    whole = encoded(wanted, format="MP3")
    # An ID3v2 tag in front, of 300 bytes, and an ID3v1 tag behind.
    tagged = b"ID3\x03\0\0\0\0\x02\x2c" + bytes(300) + whole + b"TAG".ljust(128, b"\0")
    for data in (whole, tagged):
        samples, rate = read_audio(io.BytesIO(data))
        assert rate == 16000
        assert samples.shape == (len(wanted), 1)
        assert np.corrcoef(samples[:, 0], wanted)[0, 1] > 0.98


@with_mp3
def test_a_cut_mp3_is_told() -> None:
    data = encoded(signals.read_wav(SPEECH), format="MP3")
    with pytest.raises(AudioError, match="cut short, its header promises 154 frames and 73 are"):
        read_audio(io.BytesIO(data[: len(data) // 2]))


# ---- Channels -----------------------------------------------------------------------------------

STEREO = np.stack([signals.chirp(6000), 0.01 * signals.noise(6000)], axis=1)
WAYS = {
    "audio": lambda **choice: read_audio(
        io.BytesIO(encoded(STEREO, format="WAV", subtype="FLOAT")), **choice
    )[0],
    "raw": lambda **choice: read_raw(io.BytesIO(STEREO.tobytes()), "f32le", 2, **choice),
}
both_ways = pytest.mark.parametrize("read", WAYS.values(), ids=WAYS.keys())


@both_ways
def test_mono_and_channel_give_one_axis(read: Callable[..., np.ndarray]) -> None:
    np.testing.assert_array_equal(read(), STEREO)
    for choice, wanted in (
        ({"mono": False, "channel": None}, STEREO),
        ({"mono": True}, STEREO.mean(axis=1)),
        ({"channel": 0}, STEREO[:, 0]),
        ({"channel": np.int64(1)}, STEREO[:, 1]),
    ):
        samples = read(**choice)
        np.testing.assert_array_equal(samples, wanted)
        assert samples.dtype == np.float32
        assert samples.flags.c_contiguous


def test_mono_feeds_both_layers() -> None:
    """The example of the module's docstring."""
    samples, rate = read_audio(SPEECH, mono=True)
    assert specfast.MelSpectrogram(sampling_rate=rate)(samples).shape == (128, 171)
    spectrum = specfast.STFTSpectrogram()(samples[np.newaxis, :, np.newaxis])
    assert spectrum.shape == (1, 680, 129)
    np.testing.assert_array_equal(samples, read_audio(SPEECH)[0][:, 0])
    np.testing.assert_array_equal(samples, read_audio(SPEECH, channel=0)[0])


@both_ways
@pytest.mark.parametrize(
    ("choice", "error", "said"),
    [
        ({"mono": True, "channel": 1}, ValueError, "exclude each other.*mono=True, channel=1"),
        ({"mono": "yes"}, TypeError, "`mono`.*mono='yes'"),
        ({"channel": -1}, ValueError, "`channel`.*channel=-1"),
        ({"channel": 0.0}, TypeError, "`channel`.*channel=0.0"),
        ({"channel": 2}, AudioError, "cannot read channel 2 of .*its last channel is 1"),
    ],
)
def test_wrong_choices_are_named(
    read: Callable[..., np.ndarray], choice: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        read(**choice)


# ---- Files --------------------------------------------------------------------------------------


def test_more_than_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = read_audio(SPEECH)
    for block in (len(whole), len(whole) // 2, 1000):
        monkeypatch.setattr("specfast.audio._BLOCK_SAMPLES", block)
        np.testing.assert_array_equal(read_audio(SPEECH)[0], whole)


WAV = SPEECH.read_bytes()
FLAC = encoded(signals.noise(20000) * 0.1, format="FLAC")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"RIFF", "accepted: a complete WAV, FLAC, OGG"),
        (b"no sound at all " * 50, "accepted: a complete WAV, FLAC, OGG"),
        (WAV[:20], "cut short"),
        (WAV[:50000], "cut short"),
        (FLAC[: len(FLAC) // 2], "accepted: a complete WAV, FLAC, OGG"),
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
