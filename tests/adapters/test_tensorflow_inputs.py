# SPDX-License-Identifier: BSD-3-Clause
"""Tensors of TensorFlow that hold no samples are refused with the way out, in graphs too."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import tensorflow as tf

import specfast

UNEQUAL = "padded with zeros to one length"


@pytest.mark.parametrize("shape", [(2, None), None])
def test_bytes_in_graphs(adapter: ModuleType, shape: tuple[int | None, ...] | None) -> None:
    """Keras itself would make floats of them there."""
    layer = adapter.MelSpectrogram(top_db=None)
    signature = [tf.TensorSpec(shape, tf.uint8)]
    with pytest.raises(TypeError, match="numpy.frombuffer"):
        tf.function(layer, input_signature=signature).get_concrete_function()
    data = tf.data.Dataset.from_tensors(np.zeros((2, 4000), np.uint8))
    with pytest.raises(TypeError, match=r"numpy\.frombuffer"):
        data.map(layer)
    levels = next(iter(data.map(lambda x: layer((tf.cast(x, tf.float32) - 128) / 128))))
    expected = specfast.MelSpectrogram(top_db=None)(np.full((2, 4000), -1.0, np.float32))
    np.testing.assert_array_equal(levels, expected)


def test_text_and_ragged_tensors(adapter: ModuleType) -> None:
    """Asked for the memory of text by DLPack, TensorFlow would end the process."""
    ragged, text = tf.ragged.constant([[1.0, 2.0], [3.0]]), tf.constant([b"RIFF"])
    for layer in (specfast.MelSpectrogram(), adapter.MelSpectrogram()):
        with pytest.raises(TypeError, match=rf"ragged; .*{UNEQUAL}.*x\.to_tensor\(\) pads"):
            layer(ragged)
        with pytest.raises(TypeError, match=r"(?i)encoded files are no samples.*decode_raw"):
            layer(text)
    with pytest.raises(TypeError, match="encoded files are no samples"):
        specfast.MelSpectrogram(top_db=None).stream().push(text)
