# SPDX-License-Identifier: BSD-3-Clause
"""STFT and mel spectrograms with the numbers of the Keras layers, on NumPy arrays.

Importing this needs NumPy and nothing else; everything optional is imported where it is used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from specfast._engine.build import VERSION as __version__
from specfast._engine.build import build_info, get_num_threads, set_num_threads
from specfast._engine.device_array import DeviceArray
from specfast._engine.filterbank import EmptyBandsWarning, linear_to_mel_weight_matrix
from specfast._engine.gradients import Gradients
from specfast._engine.inverse_pipeline import LostSamplesWarning
from specfast._engine.library import get_cmake_dir, get_include
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers import (
    ISTFT,
    FeatureExtractor,
    Features,
    GriffinLim,
    MelSpectrogram,
    MelToSound,
    STFTSpectrogram,
)

if TYPE_CHECKING:
    from specfast import corpus, doctor, plot, presets
    from specfast.front_files import load_front
    from specfast.keras_files import from_keras, load_keras

__all__ = [
    "ISTFT",
    "DeviceArray",
    "EmptyBandsWarning",
    "FeatureExtractor",
    "FeatureSpec",
    "Features",
    "Gradients",
    "GriffinLim",
    "LostSamplesWarning",
    "MelSpectrogram",
    "MelToSound",
    "STFTSpectrogram",
    "__version__",
    "build_info",
    "corpus",
    "doctor",
    "from_keras",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "linear_to_mel_weight_matrix",
    "load_front",
    "load_keras",
    "plot",
    "presets",
    "set_num_threads",
]

# Where names are that are imported when they are first asked for.
_LAZY = {"from_keras": "keras_files", "load_keras": "keras_files", "load_front": "front_files"}
_MODULES = ("corpus", "doctor", "plot", "presets")


def __getattr__(name: str) -> Any:
    """Imports what few programs need when it is first asked for."""
    if name in _MODULES:
        return importlib.import_module(f"specfast.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"specfast.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
