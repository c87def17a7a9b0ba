# SPDX-License-Identifier: BSD-3-Clause
"""Complete files with wrong or missing lengths are read in full; cut ones are never, in silence.

The oracle is what was put into a file: either all of its samples come back, or an AudioError does.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import signals
from recordings import assert_read, assert_refused, decoded, encoded
from signals import SPEECH
from specfast._audio.files import File, Spliced
from specfast._audio.wave import mend_wave
from specfast.audio import AudioError, read_audio

PCM = np.random.default_rng(3).integers(-32768, 32768, (3001, 2)).astype(np.int16)
SAMPLES = PCM.astype(np.float32) / np.float32(32768)
# Of 32 and 64 bits: what writers into a pipe put for a length that they do not know.
UNKNOWN_32 = [0, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x7FFFF000, 1 << 31]
UNKNOWN_64 = [0, (1 << 64) - 1, (1 << 63) - 1, 0xFFFFFFFF]

many = settings(max_examples=150, deadline=None, derandomize=True)
some = settings(max_examples=40, deadline=None, derandomize=True)


# ---- WAV and its relatives, written here byte by byte -----------------------------------------


def chunk(name: bytes, body: bytes, big: bool, padded: bool = True) -> bytes:
    size = struct.pack(">I" if big else "<I", len(body))
    return name + size + body + bytes(len(body) % 2 * padded)


@st.composite
def wave_files(draw: st.DrawFn) -> tuple[bytes, int, int, bool, np.ndarray]:
    """Returns a file, where its samples begin and end, whether it states that, and the samples."""
    form = draw(st.sampled_from([b"RIFF", b"RIFX", b"RF64", b"BW64"]))
    big, channels = form == b"RIFX", draw(st.sampled_from([1, 2]))
    pcm = PCM[: draw(st.integers(1, 300)), :channels]
    bits = draw(st.sampled_from([8, 16, 24]))
    wide = (
        (pcm.astype(np.int32) << 16).astype(">i4" if big else "<i4").view(np.uint8).reshape(-1, 4)
    )
    if bits == 8:
        pcm, sound = pcm >> 8 << 8, ((pcm >> 8) + 128).astype(np.uint8).tobytes()
    else:
        kept = slice(0, bits // 8) if big else slice(4 - bits // 8, 4)
        sound = wide[:, kept].tobytes()
    frame = channels * bits // 8
    fmt = struct.pack(
        ">HHIIHH" if big else "<HHIIHH", 1, channels, 16000, 16000 * frame, frame, bits
    )
    padded = draw(st.booleans())
    names = st.sampled_from([b"LIST", b"bext", b"JUNK", b"id3 ", b"cue "])
    others = st.lists(st.tuples(names, st.binary(max_size=41)), max_size=2)
    before = b"".join(chunk(name, body, big, padded) for name, body in draw(others))
    behind = b"".join(chunk(name, body, big, padded) for name, body in draw(others))
    is_known = draw(st.booleans())
    is_64 = form in (b"RF64", b"BW64")
    if is_known:
        size = 0xFFFFFFFF if is_64 else len(sound)
        size_64 = len(sound)
    else:
        behind = b""
        size = 0xFFFFFFFF if is_64 else draw(st.sampled_from(UNKNOWN_32))
        size_64 = draw(st.sampled_from(UNKNOWN_64))
    head = b"WAVE" + chunk(b"ds64", struct.pack("<QQQI", 0, size_64, 0, 0), big) * is_64
    head += chunk(b"fmt ", fmt, big) + before + b"data" + struct.pack("I<>"[big + 1] + "I", size)
    padding = bytes(len(sound) % 2 * (padded or bool(behind)))
    length = len(head) + len(sound) + len(padding) + len(behind)
    wrong = [length + 8, length + 44, 0x70000000, length // 2, 0, 0xFFFFFFFF]
    form_size = draw(st.sampled_from([length, *wrong]))
    whole = form + struct.pack(">I" if big else "<I", form_size) + head + sound + padding + behind
    wanted = pcm.astype(np.float32) / np.float32(32768)
    return whole, 8 + len(head), 8 + len(head) + len(sound), is_known, wanted


@many
@given(wave_files())
def test_the_sound_of_a_wave_file_is_its_data_chunk(
    file: tuple[bytes, int, int, bool, np.ndarray],
) -> None:
    data, _, _, _, wanted = file
    assert_read(data, wanted)


@many
@given(wave_files(), st.data())
def test_a_cut_wave_file_is_never_accepted_in_silence(
    file: tuple[bytes, int, int, bool, np.ndarray], data: st.DataObject
) -> None:
    whole, begin, end, is_known, wanted = file
    cut = data.draw(st.integers(0, len(whole) - 1))
    if cut >= end:
        # What is missing is no sound.
        assert_read(whole[:cut], wanted)
    elif is_known or cut <= begin:
        assert_refused(whole[:cut], "cannot read")
    else:
        # Nothing states how much there was, but half a sample tells.
        frame = (end - begin) // len(wanted)
        there = cut - begin
        assume(there % frame != 1 or frame == 1)
        if there % frame:
            assert_refused(whole[:cut], "ends within a sample")
        else:
            assert_read(whole[:cut], wanted[: there // frame])


WAV = SPEECH.read_bytes()
SPOKEN = signals.read_wav(SPEECH)[:, np.newaxis]


@pytest.mark.parametrize("size", [len(WAV), len(WAV) + 36, 0x70000000, 1000, 0, 0xFFFFFFFF])
def test_the_size_around_the_chunks_decides_nothing(size: int) -> None:
    assert_read(WAV[:4] + struct.pack("<I", size) + WAV[8:], SPOKEN)


@pytest.mark.parametrize("size", UNKNOWN_32)
@pytest.mark.parametrize("form_size", [0, 0xFFFFFFFF, len(WAV) - 8])
def test_a_data_chunk_without_a_size_goes_to_the_end(size: int, form_size: int) -> None:
    sizes = (struct.pack("<I", number) for number in (form_size, size))
    data = WAV[:4] + next(sizes) + WAV[8:40] + next(sizes) + WAV[44:]
    assert_read(data, SPOKEN)


def test_a_size_of_zero_may_be_true() -> None:
    tail = chunk(b"LIST", b"INFOICMT" + struct.pack("<I", 4) + b"none", big=False)
    data = WAV[:40] + bytes(4) + tail
    assert_refused(data[:4] + struct.pack("<I", len(data) - 8) + data[8:], "no samples")


def test_a_size_that_leaves_samples_out_is_contradicted() -> None:
    half = struct.pack("<I", (len(WAV) - 44) // 4 * 2)
    assert_refused(WAV[:40] + half + WAV[44:], "more bytes follow that belong to no chunk")


def test_bytes_that_nothing_accounts_for_are_mentioned() -> None:
    with pytest.warns(UserWarning, match="'bytes in memory': 4 bytes stand behind the 174542"):
        samples, _ = read_audio(WAV + b"\xff\xfe\xfd\xfc")
    np.testing.assert_array_equal(samples, SPOKEN)
    # Zeros and tags are nothing to speak of.
    for behind in (bytes(512), b"TAG" + bytes(125), b"ID3\4\0\0\0\0\0\0"):
        np.testing.assert_array_equal(read_audio(WAV + behind)[0], SPOKEN)


def test_samples_that_look_like_the_name_of_a_chunk_are_samples() -> None:
    letters = np.frombuffer(b"abcdefgh" * 20, "<i2")
    data = encoded(letters, format="WAV")
    assert_read(data[:40] + bytes(4) + data[44:], letters[:, np.newaxis] / np.float32(32768))
    half = struct.pack("<I", 160 // 2)
    assert_refused(data[:40] + half + data[44:], "belong to no chunk")


def test_more_than_four_gibibytes(tmp_path: Path) -> None:
    """Sizes of 32 bits have overflowed; what a decoder gets has 64."""
    num_bytes = 5_000_000_000
    path = tmp_path / "long.wav"
    wrapped = struct.pack("<I", num_bytes % (1 << 32))
    path.write_bytes(WAV[:4] + wrapped + WAV[8:40] + wrapped)
    os.truncate(path, 44 + num_bytes)
    with path.open("rb") as stream:
        file = File(stream)
        (pieces,) = mend_wave(file).parts
        with soundfile.SoundFile(Spliced(file, pieces).buffered()) as sound:
            assert sound.frames == num_bytes // 2


# ---- Other formats: written by libsndfile, then damaged ---------------------------------------

LOSSLESS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC"]
SUBTYPES = [
    "PCM_16",
    "PCM_24",
    "PCM_32",
    "FLOAT",
    "DOUBLE",
    "ULAW",
    "ALAW",
    "IMA_ADPCM",
    "ALAC_16",
]
STATED = [*LOSSLESS, "AVR", "SVX", "MAT4", "MAT5", "MPC2K", "NIST", "VOC", "WVE", "HTK"]


@pytest.mark.parametrize("kind", STATED)
@settings(some)
@given(data=st.data())
def test_any_format_that_states_a_length(kind: str, data: st.DataObject) -> None:
    subtypes = [name for name in soundfile.available_subtypes(kind) if name in SUBTYPES]
    subtype = data.draw(st.sampled_from(subtypes or [soundfile.default_subtype(kind)]))
    channels = data.draw(st.sampled_from([1, 2] if kind in LOSSLESS else [1]))
    whole = encoded(PCM[:700, :channels], format=kind, subtype=subtype)
    wanted = decoded(whole)
    # WVE knows no other rate.
    assert_read(whole, wanted, 8000 if kind == "WVE" else 16000)
    cut = data.draw(st.integers(0, len(whole) - 1))
    try:
        samples, _ = read_audio(whole[:cut])
    except AudioError:
        return
    # What was missing is no sound: padding, or a table of packets.
    np.testing.assert_array_equal(samples, wanted)


@pytest.mark.parametrize("kind", ["AU", "CAF", "W64"])
@settings(some)
@given(data=st.data())
def test_a_format_whose_length_is_unknown_is_read_to_the_end(
    kind: str, data: st.DataObject
) -> None:
    subtype = data.draw(st.sampled_from(["PCM_16", "PCM_24", "FLOAT", "ULAW"]))
    channels = data.draw(st.sampled_from([1, 2]))
    whole = encoded(PCM[:, :channels], format=kind, subtype=subtype)
    wanted = decoded(whole)
    if kind == "AU":
        at, size = 8, data.draw(st.sampled_from(UNKNOWN_32)).to_bytes(4, "big")
    elif kind == "CAF":
        at, size = (
            whole.index(b"data") + 4,
            data.draw(st.sampled_from(UNKNOWN_64)).to_bytes(8, "big"),
        )
    else:
        at = whole.index(b"data\xf3\xac") + 16
        size = data.draw(st.sampled_from(UNKNOWN_64)).to_bytes(8, "little")
    # libsndfile ends some files with a chunk, which nothing could tell from samples.
    frame = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4, "ULAW": 1}[subtype] * channels
    end = at + len(size) + (4 if kind == "CAF" else 16 if kind == "AU" else 0)
    end = int.from_bytes(whole[4:8], "big") if kind == "AU" else end
    end += len(wanted) * frame
    unstated = whole[:at] + size + whole[at + len(size) : end]
    assert_read(unstated, wanted)
    if frame > 1:
        rest = data.draw(st.integers(1, frame - 1))
        assert_refused(unstated[:-rest], "ends within a sample")


@pytest.mark.parametrize("begin", [0, 1, 12, 23])
@pytest.mark.parametrize("size", [1, 2, 0xFFFFFFFF])
def test_au_whose_samples_begin_within_its_header(begin: int, size: int) -> None:
    whole = encoded(PCM, format="AU", subtype="PCM_16")
    data = whole[:4] + struct.pack(">II", begin, size) + whole[12:]
    assert_refused(data, f"begin at byte {begin}, within its header")


@some
@given(
    form=st.sampled_from([0, 1, 0xFFFFFFFF, 0x70000000, None]),
    sound=st.sampled_from([*UNKNOWN_32, None]),
    count=st.sampled_from([0, 0xFFFFFFFF, None]),
    subtype=st.sampled_from(["PCM_16", "PCM_24", "FLOAT", "ULAW"]),
)
def test_aiff_states_its_length_twice(
    form: int | None, sound: int | None, count: int | None, subtype: str
) -> None:
    whole = encoded(PCM, format="AIFF", subtype=subtype)
    end = (
        whole.index(b"SSND")
        + 16
        + PCM.size * {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}.get(subtype, 1)
    )
    wanted = decoded(whole)
    fields = [(4, form), (whole.index(b"COMM") + 10, count), (whole.index(b"SSND") + 4, sound)]
    for at, number in fields:
        if number is not None:
            whole = whole[:at] + struct.pack(">I", number) + whole[at + 4 :]
    assert_read(whole[:end], wanted)
    if sound is None or (sound in UNKNOWN_32 and count is None):
        assert_refused(whole[: end - 100], "cut short")
