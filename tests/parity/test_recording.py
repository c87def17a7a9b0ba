# SPDX-License-Identifier: BSD-3-Clause
"""Both errors on the repository's recording: the table in docs/numerics.md, printed at the end."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import oracle
import signals
import specfast

pytestmark = pytest.mark.keras

Figures = dict[str, tuple[float, float]]


def results(keras: ModuleType, name: str, x: Any, **arguments: Any) -> tuple[Any, Any]:
    theirs = getattr(keras.layers, name)(**arguments)(x)
    ours = getattr(specfast, name)(**arguments)(x)
    return ours, keras.ops.convert_to_numpy(theirs)


def test_stft(keras: ModuleType, recording_figures: Figures) -> None:
    x = signals.read_wav(signals.SPEECH).reshape(1, -1, 1)
    expected = oracle.stft_spectrogram(x, mode="stft")
    ours, theirs = (
        float(np.linalg.norm(y - expected) / np.linalg.norm(expected))
        for y in results(keras, "STFTSpectrogram", x, mode="stft")
    )
    recording_figures['STFTSpectrogram(mode="stft"), relative L2'] = ours, theirs
    assert ours <= 0.1 * theirs
    expected = oracle.stft_spectrogram(x)
    ours, theirs = (
        float(np.abs(y - expected).max()) for y in results(keras, "STFTSpectrogram", x)
    )
    recording_figures["STFTSpectrogram(), largest difference"] = ours, theirs
    assert ours <= 0.1 * theirs


def test_mel(keras: ModuleType, recording_figures: Figures) -> None:
    x = signals.read_wav(signals.SPEECH)
    expected = oracle.mel_spectrogram(x)
    both = results(keras, "MelSpectrogram", x)
    ours, theirs = (float(np.sqrt(np.mean((y - expected) ** 2))) for y in both)
    recording_figures["MelSpectrogram(), root mean square, dB"] = ours, theirs
    assert ours <= theirs
    # Of a single band far below the loudest: which of the two is smaller is chance.
    ours, theirs = (float(np.abs(y - expected).max()) for y in both)
    recording_figures["MelSpectrogram(), largest difference, dB"] = ours, theirs
    assert ours <= 1e-3
