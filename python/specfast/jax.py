# SPDX-License-Identifier: BSD-3-Clause
"""Spectrograms as functions of JAX arrays, under `jit`, `vmap` and `grad`.

The engine is called back on the host: nothing is linked, and any device will do. There is a
reverse derivative (`grad`, `vjp`) for samples and kernels, but no forward (`jvp`) or second one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

from specfast._adapters import functional as _functional
from specfast._adapters.functional import SpectrogramFunction
from specfast.layers import mel, stft
from specfast.layers.layer import Layer

__all__ = ["mel_spectrogram", "stft_spectrogram"]


def stft_spectrogram(
    x: Any,
    layer: stft.STFTSpectrogram | None = None,
    *,
    kernels: Sequence[Any] | None = None,
    **arguments: Any,
) -> jax.Array:
    """Returns the STFT spectrogram of `x`, differentiable with respect to `x` and to `kernels`.

    Args:
        x: samples [batch, samples, channels], or [batch, channels, samples] for "channels_first".
        layer: a `specfast.STFTSpectrogram` with the arguments.
        kernels: a sequence of arrays as `layer.weights`, each [frame_length, 1, bins]. None: those
            of the layer. While they are the analytic ones, an FFT runs.
        **arguments: those of `specfast.STFTSpectrogram`, in place of a layer. `dtype` is that of
            `x` by default.

    Returns:
        An array of shape `layer.compute_output_shape(x.shape)` and dtype `layer.compute_dtype`.

    Raises:
        TypeError, ValueError: as the layer does, when it is traced; for both a layer and
            arguments; for a result in float64 without `jax_enable_x64`.
    """
    x = jnp.asarray(x)
    if layer is None:
        function = _from_arguments(stft.STFTSpectrogram, x, arguments)
    else:
        function = _from_layer(stft.STFTSpectrogram, layer, arguments)
        if kernels is None and not layer.is_analytic:
            kernels = layer.get_weights()
    return spectrogram(function, x, () if kernels is None else tuple(map(jnp.asarray, kernels)))


def mel_spectrogram(
    x: Any, layer: mel.MelSpectrogram | None = None, **arguments: Any
) -> jax.Array:
    """Returns the mel spectrogram of `x`, differentiable with respect to `x`.

    Args:
        x: samples [..., samples]. Axes that `jax.vmap` maps over are not part of the batch over
            which `top_db` seeks its maximum.
        layer: a `specfast.MelSpectrogram` with the arguments.
        **arguments: those of `specfast.MelSpectrogram`, in place of a layer. `dtype` is that of
            `x` by default, or float32 for integers.

    Returns, raises:
        As `stft_spectrogram`.
    """
    x = jnp.asarray(x)
    if layer is None:
        return spectrogram(_from_arguments(mel.MelSpectrogram, x, arguments), x, ())
    return spectrogram(_from_layer(mel.MelSpectrogram, layer, arguments), x, ())


def _from_layer(kind: type[Layer], layer: Any, arguments: dict[str, Any]) -> SpectrogramFunction:
    if not isinstance(layer, kind):
        raise TypeError(f"`layer` must be a specfast.{kind.__name__}. Received: layer={layer!r}")
    if arguments:
        raise ValueError(
            "a `layer` must not be followed by arguments, which are its own. "
            f"Received: {', '.join(arguments)}"
        )
    return _functional.from_layer(layer)


def _from_arguments(
    kind: type[Layer], x: jax.Array, arguments: dict[str, Any]
) -> SpectrogramFunction:
    # One name for all: equal arguments must give the same function, for which JAX has compiled.
    named: dict[str, Any] = {"name": "jax", **arguments}
    if named.get("dtype") is None:
        named["dtype"] = x.dtype.name if jnp.issubdtype(x.dtype, jnp.floating) else "float32"
    make: Callable[..., Layer] = kind
    return _functional.from_key(_functional.key_of(make(**named)))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def spectrogram(
    function: SpectrogramFunction, x: jax.Array, kernels: tuple[jax.Array, ...]
) -> jax.Array:
    """Returns the function's output; kernels as it takes them."""
    return _compute(function, x, kernels, keep=False)


def _compute(
    function: SpectrogramFunction, x: jax.Array, kernels: tuple[jax.Array, ...], *, keep: bool
) -> jax.Array:
    dtype = function.dtype
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise ValueError(
            f"a result in {dtype} needs jax.config.update('jax_enable_x64', True). "
            f"Received: dtype={function.layer.compute_dtype!r}"
        )
    shape = function.result(x.shape, x.dtype)
    (result,) = _on_host(
        lambda x, *kernels: [function(x, kernels, keep=keep)], [(shape, dtype)], (x, *kernels)
    )
    return result


def _forward(
    function: SpectrogramFunction, x: Any, kernels: tuple[Any, ...]
) -> tuple[jax.Array, Any]:
    values = tuple(kernel.value for kernel in kernels)
    # Arguments that need no gradient are told by the structure: as values, flags would be traced.
    wanted = (
        () if x.perturbed else None,
        () if any(kernel.perturbed for kernel in kernels) else None,
    )
    keep = wanted != (None, None)
    return _compute(function, x.value, values, keep=keep), (x.value, values, wanted)


def _backward(function: SpectrogramFunction, residuals: Any, cotangent: Any) -> tuple[Any, Any]:
    x, kernels, wanted = residuals
    signal, weights = (flag is not None for flag in wanted)
    if isinstance(cotangent, SymbolicZero) or not (signal or weights):
        return None, None

    def pull_back(x: Any, cotangent: Any, *kernels: Any) -> list[Any]:
        gradients = function.pull_back(x, kernels, cotangent, signal=signal, weights=weights)
        of_signal = [] if gradients.signal is None else [gradients.signal]
        return of_signal + [
            gradient.astype(kernel.dtype, copy=False)
            for gradient, kernel in zip(gradients.weights, kernels if weights else (), strict=True)
        ]

    wanted = signal * (x,) + weights * kernels
    gradients = _on_host(pull_back, [(a.shape, a.dtype) for a in wanted], (x, cotangent, *kernels))
    return gradients[0] if signal else None, tuple(gradients[signal:]) if weights else None


spectrogram.defvjp(_forward, _backward, symbolic_zeros=True)


# ---- Calls of the host -----------------------------------------------------------------------
#
# With `jax.pure_callback`, training stood still on one processor; probably because it hands over
# arrays of JAX, which JAX copies on the threads that wait for the callback (jax issue 24255). The
# primitive below is lowered to the same call and gets NumPy's arrays.


@dataclass(frozen=True, eq=False)
class _HostCall:
    """Calls a function of NumPy arrays, once for each element of the axes that `vmap` adds.

    Attributes:
        call: takes an array for each of `ranks`, returns one for each of `results`.
        ranks: how many axes the arguments have without the mapped ones, which stand before those.
        results: shapes and dtypes of what is returned, without the mapped axes.
    """

    call: Callable[..., Sequence[Any]]
    ranks: tuple[int, ...]
    results: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]

    def mapped(self, arguments: Sequence[Any]) -> tuple[int, ...]:
        """Returns the sizes of the mapped axes; 1 in an argument that does not vary along one."""
        pairs = zip(arguments, self.ranks, strict=True)
        return np.broadcast_shapes(*(a.shape[: len(a.shape) - rank] for a, rank in pairs))

    def __call__(self, *arguments: Any) -> list[Any]:
        mapped = self.mapped(arguments)
        if not mapped:
            return list(self.call(*arguments))
        pairs = zip(arguments, self.ranks, strict=True)
        full = [np.broadcast_to(a, mapped + a.shape[a.ndim - rank :]) for a, rank in pairs]
        results = [np.empty(mapped + shape, dtype) for shape, dtype in self.results]
        for index in np.ndindex(mapped):
            for result, value in zip(results, self.call(*(a[index] for a in full)), strict=True):
                result[index] = value
        return results


def _on_host(
    call: Callable[..., Sequence[Any]],
    results: Sequence[tuple[Sequence[Any], Any]],
    arguments: Sequence[jax.Array],
) -> list[jax.Array]:
    """Returns the result of `call`: arrays of the shapes and dtypes in `results`."""
    ranks = tuple(argument.ndim for argument in arguments)
    described = tuple((tuple(shape), np.dtype(dtype)) for shape, dtype in results)
    returned: list[jax.Array] = _host_call.bind(
        *arguments, host_call=_HostCall(call, ranks, described)
    )
    return returned


_host_call = Primitive("specfast_host_call")
_host_call.multiple_results = True


@_host_call.def_impl
def _call_now(*arguments: Any, host_call: _HostCall) -> list[jax.Array]:
    return [jnp.asarray(result) for result in host_call(*map(np.asarray, arguments))]


@_host_call.def_abstract_eval
def _describe(*arguments: Any, host_call: _HostCall) -> list[Any]:
    mapped = host_call.mapped(arguments)
    return [jax.core.ShapedArray(mapped + shape, dtype) for shape, dtype in host_call.results]


def _lower(context: Any, *arguments: Any, host_call: _HostCall) -> Any:
    results, _, _ = mlir.emit_python_callback(
        context,
        host_call,
        None,
        list(arguments),
        context.avals_in,
        context.avals_out,
        has_side_effect=False,
    )
    return results


def _map(
    arguments: Sequence[Any], axes: Sequence[int | None], *, host_call: _HostCall
) -> tuple[list[jax.Array], list[int]]:
    fronted = [
        jnp.expand_dims(argument, 0) if axis is None else jnp.moveaxis(argument, axis, 0)
        for argument, axis in zip(arguments, axes, strict=True)
    ]
    results = _host_call.bind(*fronted, host_call=host_call)
    return results, [0] * len(results)


mlir.register_lowering(_host_call, _lower)
batching.primitive_batchers[_host_call] = _map
