# SPDX-License-Identifier: BSD-3-Clause
"""Recordings written by libsndfile, and what they must become: all samples, or an AudioError."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest
import soundfile

from specfast.audio import AudioError, read_audio

with_mp3 = pytest.mark.skipif(
    "MP3" not in soundfile.available_formats(), reason="this libsndfile reads no MP3"
)


def encoded(samples: np.ndarray, **kwargs: Any) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, kwargs.pop("rate", 16000), **kwargs)
    return stream.getvalue()


def assert_read(data: bytes, wanted: np.ndarray, wanted_rate: int = 16000) -> None:
    with warnings.catch_warnings():
        # What stands behind the samples may be worth a word.
        warnings.filterwarnings("ignore", "'bytes in memory': .* stand behind the", UserWarning)
        samples, rate = read_audio(data)
    assert rate == wanted_rate
    np.testing.assert_array_equal(samples, wanted)


def assert_refused(data: bytes, said: str = "cut short|no samples|no data chunk|empty") -> None:
    with pytest.raises(AudioError, match=said):
        read_audio(data)


def decoded(data: bytes) -> np.ndarray:
    """What libsndfile makes of a file without any damage."""
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0]
