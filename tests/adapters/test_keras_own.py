# SPDX-License-Identifier: BSD-3-Clause
"""Keras' own tests of its layers, from the installed Keras, with our classes in their place."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from specfast import keras as adapter

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras' own tests mind no warnings

FOLDER = "keras.src.layers.preprocessing"


class _Layers:
    """`keras.src.layers`, in which two names are ours."""

    STFTSpectrogram = adapter.STFTSpectrogram
    MelSpectrogram = adapter.MelSpectrogram

    def __init__(self, original: ModuleType) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def _tests(module_name: str, class_name: str) -> type:
    module = importlib.import_module(f"{FOLDER}.{module_name}")
    module.layers = _Layers(module.layers)
    tests: type = getattr(module, class_name)
    return tests


TestSpectrogram = _tests("stft_spectrogram_test", "TestSpectrogram")
TestMelSpectrogram = _tests("mel_spectrogram_test", "MelSpectrogramTest")
