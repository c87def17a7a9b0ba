# SPDX-License-Identifier: BSD-3-Clause
"""The layers, and the extractor of any specification, as public classes."""

from specfast.layers.features import FeatureExtractor, Features
from specfast.layers.mel import MelSpectrogram
from specfast.layers.stft import STFTSpectrogram

__all__ = ["FeatureExtractor", "Features", "MelSpectrogram", "STFTSpectrogram"]
