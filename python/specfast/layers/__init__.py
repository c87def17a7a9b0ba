# SPDX-License-Identifier: BSD-3-Clause
"""The layers: public classes, and what they have in common."""

from specfast.layers.mel import MelSpectrogram, linear_to_mel_weight_matrix
from specfast.layers.stft import STFTSpectrogram

__all__ = ["MelSpectrogram", "STFTSpectrogram", "linear_to_mel_weight_matrix"]
