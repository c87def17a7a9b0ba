# SPDX-License-Identifier: BSD-3-Clause
"""Calls of tf.signal, as YAMNet and the documentation combine them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from programs import Original, Result


def of_tf_signal(
    frame: tuple[int, int, int],
    bank: tuple[int, float, float],
    offset: float,
    dtype: str = "float32",
) -> Original:
    """`frame` is length, step and points of the transform; `bank` bands and edges in Hz."""

    def call(clip: Any) -> Result:
        import tensorflow as tf

        num_bands, low, high = bank
        magnitude = tf.abs(tf.signal.stft(clip.astype(dtype), *frame))
        matrix = tf.signal.linear_to_mel_weight_matrix(
            num_bands, frame[2] // 2 + 1, 16000.0, low, high, tf.as_dtype(dtype)
        )
        return np.asarray(tf.math.log(tf.tensordot(magnitude, matrix, 1) + offset), np.float32)

    name = "tensorflow-cpu"
    return Original(f"{name} {version(name)}", call)
