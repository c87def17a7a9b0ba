# SPDX-License-Identifier: BSD-3-Clause
"""Runs the Keras layers on TensorFlow, in eager mode, `tf.function` and `tf.data`.

The engine is called as a function of Python. Second and forward derivatives are those of the same
function composed of TensorFlow's own operations, and so is what XLA compiles and what leaves the
process: SavedModel, TFLite, ONNX.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import forwardprop_util
from tensorflow.python.ops import control_flow_util

from specfast._adapters import tensorflow_composed as _composed
from specfast._adapters.functional import SpectrogramFunction
from specfast._engine import advice

# Where a graph cannot do with Python, TensorFlow's message has nothing but the name of the node.
_NAME_OF_NODES = "set_layer.portable_to_run_without_Python"


def spectrogram(
    function: SpectrogramFunction,
    x: Any,
    kernels: Sequence[Any],
    *,
    keep: bool = False,
    portable: bool = False,
) -> Any:
    """Returns the function's output, differentiable with respect to samples and kernels.

    Args:
        function: see there.
        x: a tensor of samples; in a graph, dimensions may be unknown.
        kernels: tensors or variables, as the function takes them.
        keep: whether gradients are likely to be asked for.
        portable: whether TensorFlow computes in place of the engine.
    """
    _check_is_dense(x)
    # The output's shape as far as it is known; samples known to be bad are refused.
    shape = tf.TensorShape(function.result(x.shape.as_list(), x.dtype.as_numpy_dtype))
    kernels = [tf.convert_to_tensor(kernel) for kernel in kernels]
    if portable or _leaves_the_process() or _have_tangents([x, *kernels]):
        output = _composed.spectrogram(function, x, kernels)
        output.set_shape(shape)
        return output
    if tf.inside_function():
        _bind_to_process()

    @tf.custom_gradient
    def differentiable(x: Any, *kernels: Any) -> Any:
        output = _on_host(
            lambda x, *k: function(x, k, keep=keep), [x, *kernels], tf.as_dtype(function.dtype)
        )
        output.set_shape(shape)

        def gradient(cotangent: Any) -> Any:
            # Two calls: a graph leaves out the one whose result nobody needs.
            signal = None
            if x.dtype.is_floating:
                signal = _gradient_of_signal(function, x, kernels, cotangent)
            return [signal, *_gradient_of_kernels(function, x, kernels, cotangent)]

        return output, gradient

    return _as_node(differentiable)(x, *kernels)


def _gradient_of_signal(
    function: SpectrogramFunction, x: Any, kernels: Sequence[Any], cotangent: Any
) -> Any:
    @tf.custom_gradient
    def differentiable(x: Any, cotangent: Any, *kernels: Any) -> Any:
        def on_host(x: Any, cotangent: Any, *kernels: Any) -> Any:
            return function.pull_back(x, kernels, cotangent, weights=False).signal

        signal = _on_host(on_host, [x, cotangent, *kernels], x.dtype)
        signal.set_shape(x.shape)
        return signal, lambda *up: _second(function, True, x, cotangent, kernels, up)

    return _as_node(differentiable)(x, cotangent, *kernels)


def _gradient_of_kernels(
    function: SpectrogramFunction, x: Any, kernels: Sequence[Any], cotangent: Any
) -> Any:
    if not kernels:
        return []

    @tf.custom_gradient
    def differentiable(x: Any, cotangent: Any, *kernels: Any) -> Any:
        def on_host(x: Any, cotangent: Any, *kernels: Any) -> Any:
            found = function.pull_back(x, kernels, cotangent, signal=False).weights
            return [g.astype(k.dtype) for g, k in zip(found, kernels, strict=True)]

        weights = _on_host(on_host, [x, cotangent, *kernels], [k.dtype for k in kernels])
        for weight, kernel in zip(weights, kernels, strict=True):
            weight.set_shape(kernel.shape)
        return weights, lambda *up: _second(function, False, x, cotangent, kernels, up)

    return _as_node(differentiable)(x, cotangent, *kernels)


@functools.partial(tf.function, reduce_retracing=True, autograph=False)
def _second(
    function: SpectrogramFunction,
    of_signal: bool,
    x: Any,
    cotangent: Any,
    kernels: Sequence[Any],
    upstream: Sequence[Any],
) -> Any:
    """Returns the gradients of a gradient with respect to samples, cotangent and kernels.

    Where TensorFlow has None for what flows back to a gradient, so may be some of `upstream`.
    """
    # Symbolic gradients: a tape does not record while a ForwardAccumulator looks on.
    output = _composed.spectrogram(function, x, kernels)
    found = tf.gradients(output, [x] if of_signal else list(kernels), cotangent)
    used = [(f, u) for f, u in zip(found, upstream, strict=True) if u is not None]
    return tf.gradients([f for f, _ in used], [x, cotangent, *kernels], [u for _, u in used])


def _as_node(call: Callable[..., Any]) -> Callable[..., Any]:
    """Makes one node of a graph of a function with a gradient of its own.

    Otherwise TensorFlow fails where such functions are nested: in second derivatives of `tf.cond`,
    and under a ForwardAccumulator outside of the graph.
    """
    if tf.executing_eagerly():
        return call
    made: Callable[..., Any] = tf.function(call, autograph=False)
    return made


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
    return tf.numpy_function(call, arguments, dtypes, stateful=False, name=_NAME_OF_NODES)


def _have_tangents(tensors: Sequence[Any]) -> bool:
    """Tells whether a ForwardAccumulator follows one of these tensors.

    In a graph it overlooks the gradients of `tf.custom_gradient`, and finds zeros.
    """
    return bool(forwardprop_util.pack_tangents(list(tensors)).tangents)


def _leaves_the_process() -> bool:
    """Tells whether the graph that is being built may run where no Python is.

    So it is where XLA compiles it, in graphs of TensorFlow 1, and in every `ConcreteFunction` that
    is asked for, which is how all exports begin. Nothing but the stack tells of the latter.
    """
    if tf.executing_eagerly():
        return False
    graph = tf.compat.v1.get_default_graph()
    return (
        not tf.inside_function()
        or control_flow_util.GraphOrParentsInXlaContext(graph)
        or _is_asked_for_concrete_function()
    )


def _is_asked_for_concrete_function() -> bool:
    names = ("get_concrete_function", "_get_concrete_function_garbage_collected")
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, inner = frame.f_back, frame
        module = frame.f_globals.get("__name__", "")
        is_entry = inner.f_code.co_name in names and frame.f_code.co_name not in names
        if is_entry and not module.startswith("tensorflow.python.data"):
            return True
    return False


class _Resource(tf.saved_model.experimental.TrackableResource):
    """What a function that calls the engine captures, and no SavedModel can hold."""

    def _create_resource(self) -> Any:
        return tf.raw_ops.VarHandleOp(dtype=tf.bool, shape=(), shared_name="specfast")

    def __repr__(self) -> str:
        return (
            "a layer of specfast.keras, whose computation is part of this process: set "
            "`layer.portable = True` and call a new tf.function, or get_concrete_function before "
            "the first call, so that the function holds TensorFlow's own operations"
        )


def _bind_to_process() -> None:
    """Makes the function that is being traced one that `tf.saved_model.save` refuses."""
    with tf.init_scope():
        if not tf.executing_eagerly():  # a function within a graph of TensorFlow 1
            return
        handle = _resource().resource_handle
    tf.identity(handle)


@functools.cache
def _resource() -> _Resource:
    return _Resource()
