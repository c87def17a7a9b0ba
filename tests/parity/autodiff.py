# SPDX-License-Identifier: BSD-3-Clause
"""Keras' own gradients of a layer, by the automatic differentiation of its backend."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def gradients(
    keras: ModuleType, layer: Any, x: Array, cotangent: Array
) -> tuple[Array, list[Array]]:
    """Those of `x` and of the layer's trainable weights, for a cotangent of the output."""
    backend = keras.backend.backend()
    if not layer.built:
        layer.build(x.shape)
    if backend == "jax":
        return _by_jax(layer, x, cotangent)
    if backend == "tensorflow":
        return _by_tensorflow(layer, x, cotangent)
    if backend == "torch":
        return _by_torch(layer, x, cotangent)
    raise RuntimeError(f"no automatic differentiation on {backend}: use jax, tensorflow or torch")


def _by_jax(layer: Any, x: Array, cotangent: Array) -> tuple[Array, list[Array]]:
    import jax

    def call(x: Any, weights: Any) -> Any:
        if not weights:
            return layer.call(x)
        return layer.stateless_call(weights, [], x)[0]

    weights = [variable.value for variable in layer.trainable_variables]
    output, pullback = jax.vjp(call, jax.numpy.asarray(x), weights)
    signal, kernels = pullback(jax.numpy.asarray(cotangent, output.dtype))
    return np.asarray(signal), [np.asarray(kernel) for kernel in kernels]


def _by_tensorflow(layer: Any, x: Array, cotangent: Array) -> tuple[Array, list[Array]]:
    import tensorflow as tf

    samples = tf.convert_to_tensor(x)
    variables = [variable.value for variable in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(samples)
        output = layer(samples)
    found = tape.gradient(
        output, [samples, *variables], tf.convert_to_tensor(cotangent, output.dtype)
    )
    signal, *kernels = (np.asarray(gradient) for gradient in found)
    return signal, kernels


def _by_torch(layer: Any, x: Array, cotangent: Array) -> tuple[Array, list[Array]]:
    import torch

    samples = torch.tensor(x, requires_grad=True)
    variables = [variable.value for variable in layer.trainable_variables]
    output = layer(samples)
    found = torch.autograd.grad(
        output, [samples, *variables], torch.tensor(cotangent, dtype=output.dtype)
    )
    signal, *kernels = (gradient.detach().numpy() for gradient in found)
    return signal, kernels
