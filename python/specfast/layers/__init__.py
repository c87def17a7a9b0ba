# SPDX-License-Identifier: BSD-3-Clause
"""The layers, as public classes."""

from specfast.layers.mel import MelSpectrogram
from specfast.layers.stft import STFTSpectrogram

__all__ = ["MelSpectrogram", "STFTSpectrogram"]
