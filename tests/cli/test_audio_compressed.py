# SPDX-License-Identifier: BSD-3-Clause
"""FLAC, Ogg and MP3: lengths that are unknown, guessed or wrong; files that are cut or damaged."""

from __future__ import annotations

import inspect
import re
import struct
import subprocess
import warnings
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import signals
from cli_runner import LIMIT_SECONDS
from recordings import assert_read, assert_refused, decoded, encoded, with_mp3
from signals import SPEECH
from specfast._audio.mpeg import frame_at
from specfast.audio import AudioError, read_audio

PCM = np.random.default_rng(3).integers(-32768, 32768, (3001, 2)).astype(np.int16)
SPOKEN = signals.read_wav(SPEECH)[:, np.newaxis]

some = settings(max_examples=40, deadline=None, derandomize=True)


# ---- FLAC --------------------------------------------------------------------------------------


def flac(total: int | None, samples: np.ndarray = PCM, subtype: str = "PCM_16") -> bytes:
    """A FLAC file whose header states `total`; None: the truth."""
    data = encoded(samples, format="FLAC", subtype=subtype)
    if total is None:
        return data
    return (
        data[:21]
        + bytes([data[21] & 0xF0 | total >> 32])
        + struct.pack(">I", total & 0xFFFFFFFF)
        + data[26:]
    )


@pytest.mark.parametrize("num_samples", [1, 16, 4095, 4096, 4097, 8192, 20000])
@pytest.mark.parametrize("total", [0, 1, (1 << 36) - 1])
def test_flac_that_states_no_or_too_small_a_total(num_samples: int, total: int) -> None:
    samples = 0.3 * signals.noise(num_samples, 2)
    for subtype in ("PCM_16", "PCM_24", "PCM_S8"):
        wanted = decoded(flac(None, samples, subtype))
        assert_read(flac(total, samples, subtype), wanted)
        assert_read(flac(total, samples, subtype) + b"TAG" + bytes(125), wanted)


@some
@given(st.data())
def test_flac_that_is_cut(data: st.DataObject) -> None:
    total = data.draw(st.sampled_from([0, None]))
    whole = flac(total, 0.3 * signals.noise(10000))
    assert_refused(whole[: data.draw(st.integers(0, len(whole) - 1))], "cannot read")


# ---- Ogg ---------------------------------------------------------------------------------------

NOISE = 0.1 * signals.noise(60000)
OGG = {subtype: encoded(NOISE, format="OGG", subtype=subtype) for subtype in ("VORBIS", "OPUS")}
each_ogg = pytest.mark.parametrize("subtype", OGG)


@each_ogg
@settings(some)
@given(data=st.data())
def test_ogg_that_is_cut(subtype: str, data: st.DataObject) -> None:
    whole = OGG[subtype]
    cut = data.draw(st.integers(0, len(whole) - 1))
    assume(whole[cut : cut + 4] != b"OggS")
    assert_refused(whole[:cut], "cannot read")


@each_ogg
def test_ogg_without_its_last_page_is_read_to_its_end(subtype: str) -> None:
    whole = OGG[subtype]
    with pytest.warns(UserWarning, match="ends without the last page of its stream"):
        samples, _ = read_audio(whole[: whole.rindex(b"OggS")])
    wanted = decoded(whole)
    assert 40000 < len(samples) < len(wanted)
    np.testing.assert_array_equal(samples[:40000], wanted[:40000])


@each_ogg
def test_ogg_with_a_damaged_page(subtype: str) -> None:
    whole = OGG[subtype]
    pages = [found.start() for found in re.finditer(b"OggS", whole)]
    for page in pages[2:]:
        at = page + 150
        assert_refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], "is damaged")
    # Without a page, no sample is invented for it, and silence about it is none.
    for page, following in pairwise(pages[2:]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises((AudioError, UserWarning), match="are missing|cut short"):
                read_audio(whole[:page] + whole[following:])


@each_ogg
def test_recordings_in_a_chain_are_all_read(subtype: str) -> None:
    whole = OGG[subtype]
    wanted = decoded(whole)
    assert_read(whole + whole, np.concatenate([wanted, wanted]))
    other = encoded(NOISE[:20000], rate=8000, format="OGG", subtype=subtype)
    assert_refused(whole + other, "a chain of 2 recordings, and their rates")


# ---- MP3 ---------------------------------------------------------------------------------------

# What LAME, which libsndfile encodes with, puts in front.
_DELAY = 576


def growing_noise(num_samples: int) -> np.ndarray:
    """Quiet at first: of a guess by the first frames, half of it would be missing."""
    noise = signals.noise(num_samples, seed=5)
    return np.sin(np.arange(num_samples) * 0.1) * 0.25 + noise * 0.05 * (
        np.arange(num_samples) > num_samples / 2
    )


# Tests read such files all the time.
pytestmark = pytest.mark.filterwarnings("ignore:.*it states no length:UserWarning")


@with_mp3
def test_an_mp3_that_states_no_length_says_so() -> None:
    whole, unstated = mp3(16000, 1, None)
    with pytest.warns(UserWarning, match="bytes in memory.*it states no length.*encoder"):
        read_audio(unstated)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_audio(whole)


# Since soundfile 0.13; the default is a variable rate.
HAS_MODES = "bitrate_mode" in inspect.signature(soundfile.write).parameters
MODES = [None, *(["CONSTANT", "AVERAGE", "VARIABLE"] if HAS_MODES else [])]


def mp3(rate: int, channels: int, mode: str | None) -> tuple[bytes, bytes]:
    """An MP3 file of 40000 samples, and the same without the frame that states its length."""
    signal = np.repeat(growing_noise(40000)[:, np.newaxis], channels, axis=1)
    chosen = {} if mode is None else {"bitrate_mode": mode, "compression_level": 0.5}
    whole = encoded(signal, rate=rate, format="MP3", **chosen)
    mark = min(at for name in (b"Xing", b"Info") if (at := whole.find(name)) >= 0)
    return whole, whole[whole.index(whole[:2], mark) :]


@with_mp3
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_mp3_is_counted(rate: int, channels: int, mode: str | None) -> None:
    whole, unstated = mp3(rate, channels, mode)
    wanted, _ = read_audio(whole)
    assert wanted.shape == (40000, channels)
    # Without the first frame, nobody knows that the encoder put some silence in front and behind.
    samples, got_rate = read_audio(unstated)
    assert got_rate == rate
    assert 40000 <= len(samples) < 40000 + 3 * 1152
    np.testing.assert_allclose(samples[_DELAY : _DELAY + 40000], wanted, atol=1e-4)
    # Tags on both sides are no sound.
    tagged = b"ID3\x03\0\0\0\0\x02\x2c" + bytes(300) + unstated + b"TAG".ljust(128, b"\0")
    np.testing.assert_array_equal(read_audio(tagged)[0], samples)


@with_mp3
def test_a_long_mp3_is_read_at_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    whole, _ = mp3(16000, 2, None)
    wanted, _ = read_audio(whole)
    monkeypatch.setattr("specfast.audio._BLOCK_SAMPLES", 5000)
    np.testing.assert_array_equal(read_audio(whole)[0], wanted)
    # libmpg123 prints there what it misses after a seek.
    assert capfd.readouterr().err == ""


@with_mp3
@settings(some)
@given(data=st.data())
def test_mp3_that_is_cut(data: st.DataObject) -> None:
    whole, unstated = mp3(16000, 1, None)
    assert_refused(whole[: data.draw(st.integers(0, len(whole) - 1))], "cannot read")
    cut = data.draw(st.integers(0, len(unstated) - 1))
    assume(unstated[cut : cut + 2] != unstated[:2])
    assert_refused(unstated[:cut], "cannot read")


@with_mp3
def test_a_count_of_frames_may_include_the_first_or_be_too_small(
    capfd: pytest.CaptureFixture[str],
) -> None:
    whole, _ = mp3(16000, 1, None)
    wanted, _ = read_audio(whole)
    at = whole.index(b"Xing") + 8
    count = int.from_bytes(whole[at : at + 4], "big")
    for stated in (count + 1, 1):
        data = whole[:at] + struct.pack(">I", stated) + whole[at + 4 :]
        np.testing.assert_array_equal(read_audio(data)[0], wanted)
    assert_refused(whole[:at] + struct.pack(">I", count + 2) + whole[at + 4 :], "cut short")
    assert capfd.readouterr().err == ""


@with_mp3
@pytest.mark.parametrize("stated", [None, 0])
@pytest.mark.parametrize("behind", [b"", b"\0", b"\xffa", b"\0" * 40])
def test_nothing_but_the_frame_that_counts_the_others(behind: bytes, stated: int | None) -> None:
    whole, _ = mp3(16000, 1, None)
    first = frame_at(whole)
    assert first is not None
    at = whole.index(b"Xing") + 4
    flags = int.from_bytes(whole[at : at + 4], "big") & ~1 | (stated is not None)
    mark = whole[:at] + struct.pack(">II", flags, stated or 0) + whole[at + 8 : first.size]
    assert_refused(mark + behind, "within a frame" if behind[:1] == b"\xff" else "no samples: its")


@with_mp3
def test_the_count_of_another_encoder() -> None:
    """Fraunhofer's frame holds its count in another place."""
    _, unstated = mp3(16000, 1, None)
    wanted, _ = read_audio(unstated)
    header = bytes([*unstated[:2], unstated[2] & 0x0F | 0xE0, unstated[3]])
    first = frame_at(header)
    assert first is not None
    frames, at = 0, 0
    while (frame := frame_at(unstated, at)) is not None:
        frames, at = frames + 1, at + frame.size
    for stated in (frames, 0, 1):
        vbri = b"VBRI" + struct.pack(">HHHII", 1, 0, 0, len(unstated) + first.size, stated)
        whole = (header.ljust(36, b"\0") + vbri).ljust(first.size, b"\0") + unstated
        np.testing.assert_array_equal(read_audio(whole)[0], wanted)
    assert_refused(whole[:50] + struct.pack(">I", frames + 9) + whole[54:], "cut short")


@with_mp3
@pytest.mark.parametrize("rate", [16000, 44100])
def test_layers_without_a_count(ffmpeg: str, rate: int) -> None:
    """MPEG layer II, where a decoder's guess can be too small, and nothing can correct it."""
    command = [ffmpeg, "-v", "error", "-i", str(SPEECH), "-ar", str(rate), "-f", "mp2", "-"]
    data = subprocess.run(command, capture_output=True, check=True, timeout=LIMIT_SECONDS).stdout
    samples, got_rate = read_audio(data)
    seconds = len(samples) / got_rate
    assert got_rate == rate
    assert len(samples) % 1152 == 0
    assert len(SPOKEN) / 16000 <= seconds < len(SPOKEN) / 16000 + 3 * 1152 / rate
    assert_refused(data[:-10], "ends within a frame")
    np.testing.assert_array_equal(read_audio(data + data)[0][: len(samples)], samples)
    assert len(read_audio(data + data)[0]) == 2 * len(samples)
