# SPDX-License-Identifier: BSD-3-Clause
"""The layers, their inverses, and the extractor of any specification, as public classes."""

from specfast.layers.features import FeatureExtractor, Features
from specfast.layers.griffin_lim import GriffinLim
from specfast.layers.inverse import ISTFT
from specfast.layers.mel import MelSpectrogram
from specfast.layers.mel_to_sound import MelToSound
from specfast.layers.stft import STFTSpectrogram

__all__ = [
    "ISTFT",
    "FeatureExtractor",
    "Features",
    "GriffinLim",
    "MelSpectrogram",
    "MelToSound",
    "STFTSpectrogram",
]
