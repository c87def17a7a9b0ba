# SPDX-License-Identifier: BSD-3-Clause
"""Our Keras layers inside TensorFlow's own machinery: eager mode, `tf.function`, `tf.data`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import specfast


def signals(*shape: int) -> Any:
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("trained", [False, True])
def test_gradients(adapter: ModuleType, compiled: bool, trained: bool) -> None:
    layer = adapter.STFTSpectrogram(mode="psd", frame_length=64)
    x = signals(2, 500, 1)
    layer.build(x.shape)
    plain = specfast.STFTSpectrogram(mode="psd", frame_length=64)
    if trained:
        layer.set_weights([w + 0.1 for w in layer.get_weights()])
    plain.set_weights(layer.get_weights())
    variables = [w.value for w in layer.trainable_weights]

    def gradients(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y**2)
        return tape.gradient(loss, [x, *variables])

    found = (tf.function(gradients) if compiled else gradients)(tf.constant(x))
    y, pullback = plain.vjp(x)
    expected = pullback(2 * y)
    np.testing.assert_array_equal(found[0], expected.signal)
    for gradient, wanted in zip(found[1:], expected.weights, strict=True):
        np.testing.assert_array_equal(gradient, wanted)


def test_a_graph_computes_the_wanted_gradients_only(
    adapter: ModuleType, requested_gradients: list[Any]
) -> None:
    layer = adapter.STFTSpectrogram(mode="psd", frame_length=64)
    layer.build((1, 500, 1))

    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x))
        return tape.gradient(loss, [w.value for w in layer.trainable_weights])

    step(tf.constant(signals(1, 500, 1)))
    assert requested_gradients == [{"signal": False}]


def test_unknown_shapes(adapter: ModuleType) -> None:
    stft, mel = adapter.STFTSpectrogram(frame_length=64), adapter.MelSpectrogram(fft_length=256)
    stft.build((None, None, 1))

    @tf.function(input_signature=[tf.TensorSpec((None, None, 1), tf.float32)])
    def unknown_sizes(x: Any) -> Any:
        y = stft(x)
        assert y.shape.as_list() == [None, None, 33]
        return y

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.float32)])
    def unknown_mel_sizes(x: Any) -> Any:
        y = mel(x)
        assert y.shape.as_list() == [None, 128, None]
        return y

    for shape in ((1, 500, 1), (3, 700, 1)):
        x = signals(*shape)
        np.testing.assert_array_equal(
            unknown_sizes(x), specfast.STFTSpectrogram(frame_length=64)(x)
        )
        expected = specfast.MelSpectrogram(fft_length=256)(x[..., 0])
        np.testing.assert_array_equal(unknown_mel_sizes(x[..., 0]), expected)


def test_pipelines(adapter: ModuleType) -> None:
    x = signals(5, 500, 1)
    stft, mel = adapter.STFTSpectrogram(frame_length=64), adapter.MelSpectrogram(fft_length=256)
    data = tf.data.Dataset.from_tensor_slices(x).batch(2)
    found = np.concatenate([y.numpy() for y in data.map(stft, num_parallel_calls=2)])
    np.testing.assert_array_equal(found, specfast.STFTSpectrogram(frame_length=64)(x))
    data = tf.data.Dataset.from_tensor_slices(x[..., 0]).map(mel)
    plain = specfast.MelSpectrogram(fft_length=256)
    for y, signal in zip(data, x[..., 0], strict=True):
        np.testing.assert_array_equal(y, plain(signal))


def test_xla_is_refused_by_keras(keras: ModuleType, adapter: ModuleType) -> None:
    model = keras.Sequential([keras.Input((500, 1)), adapter.STFTSpectrogram(frame_length=64)])
    model.compile(loss="mean_squared_error")
    assert not model.jit_compile
