# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.keras.FeatureExtractor` in tapes, graphs and pipelines of TensorFlow."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from feature_cases import spec_of

import specfast
from specfast import presets


@pytest.mark.parametrize("in_graph", [False, True])
def test_gradients_on_tensorflow(
    adapter: ModuleType, rng: np.random.Generator, in_graph: bool
) -> None:
    def gradient(layer: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(layer(x))
        return tape.gradient(y, x)

    call = tf.function(gradient, autograph=False) if in_graph else gradient
    x = tf.constant(rng.standard_normal((2, 2000)).astype("float32"))
    y, pullback = specfast.FeatureExtractor(spec_of("kaldi_fbank")).vjp(x.numpy())
    found = call(adapter.FeatureExtractor(spec_of("kaldi_fbank")), x)
    np.testing.assert_array_equal(found, pullback(np.ones_like(y)).signal)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="pcen"):
        call(adapter.FeatureExtractor(spec_of("pcen")), x)


def test_in_a_pipeline_of_tensorflow(adapter: ModuleType, rng: np.random.Generator) -> None:
    x = rng.standard_normal((4, 2000)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices(x).batch(2)
    batches = list(data.map(adapter.FeatureExtractor(spec_of("nemo"))))
    expected = specfast.FeatureExtractor(spec_of("nemo"))(x)
    np.testing.assert_array_equal(np.concatenate(batches), expected)


def test_exports_are_refused(adapter: ModuleType) -> None:
    call = tf.function(adapter.FeatureExtractor(spec_of("nemo")))
    with pytest.raises(NotImplementedError, match="compute its features before it"):
        call.get_concrete_function(tf.TensorSpec((None, 2000), tf.float32))


def test_lengths_that_vary(adapter: ModuleType, rng: np.random.Generator) -> None:
    layer, plain = adapter.FeatureExtractor(spec_of("whisper")), presets.get("whisper")
    call = tf.function(layer, input_signature=[tf.TensorSpec((None, None), tf.float32)])
    for length in (2000, 4001):
        x = rng.standard_normal((2, length)).astype("float32")
        np.testing.assert_array_equal(call(x), plain(x))
