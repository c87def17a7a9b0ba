# SPDX-License-Identifier: BSD-3-Clause
"""A file that needs no mending is read by libsndfile itself, and gives what it gives otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recordings import encoded
from signals import SPEECH
from specfast._audio.files import File, Spliced
from specfast.audio import AudioError, read_audio

SPOKEN = soundfile.read(SPEECH, dtype="int16")[0][:20000]
DESCRIPTORS = Path("/proc/self/fd")
FORMATS = ["WAV", "FLAC", "OGG", "MP3", "AIFF", "W64", "CAF"]


def outcome(source: Any) -> Any:
    """Returns the samples, or what is said of the file."""
    try:
        return read_audio(source, name="it")[0]
    except AudioError as error:
        return str(error)


def refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("not to be called")


@pytest.mark.parametrize("form", FORMATS)
def test_a_path_and_its_bytes(form: str, tmp_path: Path) -> None:
    path = tmp_path / "speech"
    path.write_bytes(encoded(SPOKEN, format=form))
    np.testing.assert_array_equal(outcome(path), outcome(path.read_bytes()))


@pytest.mark.parametrize("form", FORMATS)
def test_libsndfile_reads_what_needs_no_mending(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "speech"
    path.write_bytes(encoded(SPOKEN, format=form))
    wanted = outcome(path.read_bytes())
    monkeypatch.setattr(Spliced, "buffered", refuse)
    np.testing.assert_array_equal(outcome(path), wanted)
    # A stream of somebody else's stays as it is.
    with path.open("rb") as stream, pytest.raises(AssertionError, match="not to be called"):
        read_audio(stream)


@pytest.mark.parametrize("form", FORMATS)
def test_damaged_files(form: str, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    whole = encoded(SPOKEN, format=form)
    path = tmp_path / "damaged"
    descriptors = DESCRIPTORS.is_dir() and len(list(DESCRIPTORS.iterdir()))
    for _ in range(30):
        data = bytearray(whole[: random.integers(40, len(whole) + 1)])
        for place in random.integers(0, [*[200] * 2, len(data)]):
            data[place % len(data)] ^= 1 << random.integers(8)
        path.write_bytes(data)
        np.testing.assert_array_equal(outcome(path), outcome(bytes(data)))
    assert (DESCRIPTORS.is_dir() and len(list(DESCRIPTORS.iterdir()))) == descriptors


def test_a_decoder_that_fails_on_the_descriptor_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(encoded(SPOKEN, format="WAV"))
    original, failures = soundfile.SoundFile, []

    def fails_on_numbers(source: Any, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(source, int):
            failures.append(source)
            raise soundfile.LibsndfileError(2)
        return original(source, *arguments, **keywords)

    monkeypatch.setattr(soundfile, "SoundFile", fails_on_numbers)
    np.testing.assert_array_equal(outcome(path), outcome(path.read_bytes()))
    assert len(failures) == 1


def test_what_is_lent_and_where_it_stands_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(100)))
    with path.open("rb") as stream:
        file = File(stream, handle=stream.fileno())
        assert file.read(20, 5) == bytes(range(20, 25))
        for pieces in ([range(100)], [bytes(range(10)), range(10, 100)]):
            with file.lent(pieces) as handle:
                assert handle is not None
                assert os.read(handle, 200) == path.read_bytes()
        assert file.read(25, 5) == bytes(range(25, 30))
        assert stream.read(70) == bytes(range(30, 100))
        others = (
            [range(99)],
            [range(1, 100)],
            [b"other", range(5, 100)],
            [range(50), range(51, 100)],
        )
        for pieces in others:
            with file.lent(pieces) as handle:
                assert handle is None
        for other in (File(stream), file.without(1)):
            with other.lent([range(other.size)]) as handle:
                assert handle is None
