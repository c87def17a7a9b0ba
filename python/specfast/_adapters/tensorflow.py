# SPDX-License-Identifier: BSD-3-Clause
"""Runs the Keras layers on TensorFlow, in eager mode, `tf.function` and `tf.data`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from specfast._adapters.functional import SpectrogramFunction
from specfast._engine import advice


def spectrogram(
    function: SpectrogramFunction, x: Any, kernels: Sequence[Any], *, keep: bool = False
) -> Any:
    """Returns the function's output, differentiable with respect to samples and kernels.

    Args:
        function: see there.
        x: a tensor of samples; in a graph, dimensions may be unknown.
        kernels: tensors or variables, as the function takes them.
        keep: whether gradients are likely to be asked for.
    """
    _check_is_dense(x)
    # The output's shape as far as it is known; samples known to be bad are refused.
    shape = tf.TensorShape(function.result(x.shape.as_list(), x.dtype.as_numpy_dtype))

    @tf.custom_gradient
    def differentiable(x: Any, *kernels: Any) -> Any:
        output = _on_host(
            lambda x, *k: function(x, k, keep=keep), [x, *kernels], tf.as_dtype(function.dtype)
        )
        output.set_shape(shape)

        def gradient(cotangent: Any) -> Any:
            # Two calls: a graph leaves out the one whose result nobody needs.
            def of_signal(x: Any, cotangent: Any, *kernels: Any) -> Any:
                return function.pull_back(x, kernels, cotangent, weights=False).signal

            def of_kernels(x: Any, cotangent: Any, *kernels: Any) -> Any:
                found = function.pull_back(x, kernels, cotangent, signal=False).weights
                return [g.astype(k.dtype) for g, k in zip(found, kernels, strict=True)]

            arguments = [x, cotangent, *kernels]
            signal = None
            if x.dtype.is_floating:
                signal = _on_host(of_signal, arguments, x.dtype)
                signal.set_shape(x.shape)
            if not kernels:
                return signal
            weights = _on_host(of_kernels, arguments, [kernel.dtype for kernel in kernels])
            for weight, kernel in zip(weights, kernels, strict=True):
                weight.set_shape(kernel.shape)
            return signal, *weights

        return output, gradient

    return differentiable(x, *(tf.convert_to_tensor(kernel) for kernel in kernels))


def _check_is_dense(x: Any) -> None:
    if isinstance(x, tf.RaggedTensor):
        raise TypeError(
            f"`x` is ragged; {advice.UNEQUAL_CLIPS}: x.to_tensor() pads. "
            f"Received: x of dtype {x.dtype.name} and shape {x.shape}"
        )
    if x.dtype == tf.string:
        raise TypeError(
            f"{advice.ENCODED[0].upper()}{advice.ENCODED[1:]}. "
            f"Received: x of dtype string and shape {x.shape}"
        )


def _on_host(call: Callable[..., Any], arguments: list[Any], dtypes: Any) -> Any:
    """Calls a function of NumPy arrays: at once in eager mode, else as a node of the graph."""
    if tf.executing_eagerly():
        result = call(*(argument.numpy() for argument in arguments))
        if isinstance(result, list):
            return [tf.convert_to_tensor(array) for array in result]
        return tf.convert_to_tensor(result)
    return tf.numpy_function(call, arguments, dtypes, stateful=False)
