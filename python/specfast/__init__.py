# SPDX-License-Identifier: BSD-3-Clause
"""STFT and mel spectrograms with the numbers of the Keras layers, on NumPy arrays.

Importing this needs NumPy and nothing else; everything optional is imported where it is used.
"""

from specfast._engine import build_info, get_num_threads, set_num_threads
from specfast._library import get_cmake_dir, get_include
from specfast._vjp import Gradients
from specfast.mel import MelSpectrogram, linear_to_mel_weight_matrix
from specfast.stft import STFTSpectrogram

__version__ = "0.1.0"

__all__ = [
    "Gradients",
    "MelSpectrogram",
    "STFTSpectrogram",
    "__version__",
    "build_info",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "linear_to_mel_weight_matrix",
    "set_num_threads",
]
