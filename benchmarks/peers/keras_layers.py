# SPDX-License-Identifier: BSD-3-Clause
"""The Keras layers on the backend that the environment names (KERAS_BACKEND).

Compiled where the backend compiles (tf.function with and without XLA, jax.jit); torch runs
eagerly in inference mode.  The input is the backend's own tensor, made before the clock starts.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..workloads import Workload
from .base import Call, flattened, versions_of

_BACKEND = os.environ["KERAS_BACKEND"]


class Adapter:
    """Keras on one backend."""

    def __init__(self, threads: int) -> None:
        # Thread pools must be sized before Keras touches the backend.
        if _BACKEND == "tensorflow":
            import tensorflow as tf

            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        elif _BACKEND == "torch":
            import torch

            torch.set_num_threads(threads)
            torch.set_num_interop_threads(1)
        import keras

        self._keras = keras

    def versions(self) -> dict[str, str]:
        names = {"tensorflow": "tensorflow-cpu", "jax": "jax", "torch": "torch"}
        return versions_of("keras", names[_BACKEND])

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        kind = "STFTSpectrogram" if work.layer == "stft" else "MelSpectrogram"
        params = dict(work.params)
        if work.layer == "mel" and work.compute_dtype == "float64":
            params["ref_power"] = np.float64(1.0)  # TensorFlow fails on the default, a float
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an FFT length of 400 is meant
            layer = getattr(self._keras.layers, kind)(**params, dtype=work.compute_dtype)
        if _BACKEND == "jax":
            # float64 exists in JAX only under this switch; the other workloads run without it.
            import jax

            config: Any = jax.config
            config.update("jax_enable_x64", x.dtype == np.float64)
        layer.build(x.shape)
        work.prepare_kernels(layer)
        if work.gradient:
            cotangent = work.make_cotangent(tuple(layer.compute_output_shape(x.shape)))
            differentiate = {
                "tensorflow": _tensorflow_gradient,
                "jax": _jax_gradient,
                "torch": _torch_gradient,
            }[_BACKEND]
            return differentiate(layer, x, cotangent)
        prepare = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[_BACKEND]
        return prepare(layer, x)

    def result(self, value: Any) -> NDArray[Any]:
        if isinstance(value, list):
            return flattened(value)
        return np.asarray(value)


def _tensorflow(layer: Any, x: NDArray[Any]) -> dict[str, Call]:
    import tensorflow as tf

    tensor = tf.constant(x)
    graph = tf.function(lambda value: layer(value), autograph=False)
    compiled = tf.function(lambda value: layer(value), autograph=False, jit_compile=True)
    # .numpy() waits for the result; on a CPU it does not copy.
    return {
        "tf.function": lambda: graph(tensor).numpy(),
        "tf.function, XLA": lambda: compiled(tensor).numpy(),
    }


def _jax(layer: Any, x: NDArray[Any]) -> dict[str, Call]:
    import jax

    tensor = jax.device_put(x)
    compiled = jax.jit(lambda value: layer(value))
    return {"jit": lambda: compiled(tensor).block_until_ready()}


def _torch(layer: Any, x: NDArray[Any]) -> dict[str, Call]:
    import torch

    tensor = torch.from_numpy(x)

    def call() -> Any:
        with torch.inference_mode():
            return layer(tensor).numpy(force=True)

    return {"inference mode": call}


# Gradients of the input and of the kernels, as a list of arrays.


def _tensorflow_gradient(layer: Any, x: NDArray[Any], cotangent: NDArray[Any]) -> dict[str, Call]:
    import tensorflow as tf

    tensor, rows = tf.constant(x), tf.constant(cotangent)
    variables = [variable.value for variable in layer.trainable_variables]

    def gradients(value: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(value)
            output = layer(value)
        return tape.gradient(output, [value, *variables], rows)

    graph = tf.function(gradients, autograph=False)
    compiled = tf.function(gradients, autograph=False, jit_compile=True)
    return {
        "tf.function": lambda: [found.numpy() for found in graph(tensor)],
        "tf.function, XLA": lambda: [found.numpy() for found in compiled(tensor)],
    }


def _jax_gradient(layer: Any, x: NDArray[Any], cotangent: NDArray[Any]) -> dict[str, Call]:
    import jax

    tensor, rows = jax.device_put(x), jax.device_put(cotangent)
    kernels = [variable.value for variable in layer.trainable_variables]

    def gradients(value: Any, weights: Any) -> Any:
        _, pullback = jax.vjp(lambda v, w: layer.stateless_call(w, [], v)[0], value, weights)
        signal, found = pullback(rows)
        return [signal, *found]

    compiled = jax.jit(gradients)
    return {"jit": lambda: jax.block_until_ready(compiled(tensor, kernels))}


def _torch_gradient(layer: Any, x: NDArray[Any], cotangent: NDArray[Any]) -> dict[str, Call]:
    import torch

    tensor, rows = torch.from_numpy(x).requires_grad_(), torch.from_numpy(cotangent)
    variables = [variable.value for variable in layer.trainable_variables]

    def call() -> Any:
        found = torch.autograd.grad(layer(tensor), [tensor, *variables], rows)
        return [gradient.numpy(force=True) for gradient in found]

    return {"autograd": call}
