# SPDX-License-Identifier: BSD-3-Clause
"""Spectrograms as functions of JAX arrays, under `jit`, `vmap` and derivatives of every kind.

The engine is called back on the host: nothing is linked, and any device will do. It computes
values and reverse derivatives (`grad`, `vjp`) of samples and kernels; forward and second ones are
those of the same function composed of JAX's own operations, and so is what `jax.export` writes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from specfast._adapters import functional as _functional
from specfast._adapters import jax_composed as _composed
from specfast._adapters.functional import SpectrogramFunction
from specfast._adapters.jax_calls import HostCall
from specfast._engine import arrays
from specfast._spec import checks
from specfast.layers import mel, stft
from specfast.layers.features import FeatureExtractor
from specfast.layers.layer import Layer

__all__ = ["extract_features", "mel_spectrogram", "stft_spectrogram"]


def stft_spectrogram(
    x: Any,
    layer: stft.STFTSpectrogram | None = None,
    *,
    kernels: Sequence[Any] | None = None,
    portable: bool = False,
    **arguments: Any,
) -> jax.Array:
    """Returns the STFT spectrogram of `x`, differentiable with respect to `x` and to `kernels`.

    Args:
        x: samples [batch, samples, channels], or [batch, channels, samples] for "channels_first".
        layer: a `specfast.STFTSpectrogram` with the arguments.
        kernels: a sequence of arrays as `layer.weights`, each [frame_length, 1, bins]. None: those
            of the layer. While they are the analytic ones, an FFT runs.
        portable: whether JAX computes in place of the engine, on its device and without Python:
            slower, equal but for rounding.
        **arguments: those of `specfast.STFTSpectrogram`, in place of a layer. `dtype` is that of
            `x` by default.

    Returns:
        An array of shape `layer.compute_output_shape(x.shape)` and dtype `layer.compute_dtype`.

    Raises:
        TypeError, ValueError: as the layer does, when it is traced; for both a layer and
            arguments; for a result in float64 without `jax_enable_x64`.
    """
    x = _array(x)
    if layer is None:
        function = _from_arguments(stft.STFTSpectrogram, x, arguments)
    else:
        function = _from_layer(stft.STFTSpectrogram, layer, arguments)
        if kernels is None and not layer.is_analytic:
            kernels = layer.get_weights()
    values = () if kernels is None else tuple(map(jnp.asarray, kernels))
    return spectrogram(function, x, values, portable=portable)


def mel_spectrogram(
    x: Any,
    layer: mel.MelSpectrogram | None = None,
    *,
    portable: bool = False,
    **arguments: Any,
) -> jax.Array:
    """Returns the mel spectrogram of `x`, differentiable with respect to `x`.

    Args:
        x: samples [..., samples]. Axes that `jax.vmap` maps over are not part of the batch over
            which `top_db` seeks its maximum.
        layer: a `specfast.MelSpectrogram` with the arguments.
        portable: as for `stft_spectrogram`.
        **arguments: those of `specfast.MelSpectrogram`, in place of a layer. `dtype` is that of
            `x` by default, or float32 for integers.

    Returns, raises:
        As `stft_spectrogram`.
    """
    x = _array(x)
    if layer is None:
        function = _from_arguments(mel.MelSpectrogram, x, arguments)
    else:
        function = _from_layer(mel.MelSpectrogram, layer, arguments)
    return spectrogram(function, x, (), portable=portable)


def extract_features(x: Any, extractor: FeatureExtractor) -> jax.Array:
    """Returns the features of `x`, differentiable in reverse with respect to `x`.

    Args:
        x: samples [..., samples], integers included. Axes that `jax.vmap` maps over are not part
            of a batch that shares a maximum.
        extractor: a `specfast.FeatureExtractor`.

    Returns:
        An array of shape `extractor.compute_output_shape(x.shape)` and dtype
        `extractor.spec.dtype`.

    Raises:
        TypeError, ValueError: as the extractor does, when it is traced; ValueError too for a
            result in float64 without `jax_enable_x64`, and for a gradient through a step without
            one.
        NotImplementedError: for exports, forward and second derivatives.
    """
    if not isinstance(extractor, FeatureExtractor):
        raise TypeError(
            "`extractor` must be a specfast.FeatureExtractor. "
            f"{checks.received('extractor', extractor)}"
        )
    return spectrogram(_functional.from_layer(extractor), _array(x), ())


def _array(x: Any) -> jax.Array:
    """Returns samples as JAX's array; what it can make none of gets our message."""
    if not (isinstance(x, jax.Array) or hasattr(x, "__jax_array__")):
        x = arrays.view(x, lists=True)
        if x.dtype.kind in "OSUV" and not jnp.issubdtype(x.dtype, jnp.number):
            arrays.samples(x, integers=True, scaled=False, dtype="float32")  # which raises
    return jnp.asarray(x)


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
    named = dict(arguments)
    if named.get("dtype") is None:
        named["dtype"] = x.dtype.name if jnp.issubdtype(x.dtype, jnp.floating) else "float32"
    # With types, since 1, 1.0 and True are equal and not all of them are accepted everywhere.
    given = tuple((name, type(value), value) for name, value in sorted(named.items()))
    try:
        hash(given)
    except TypeError:  # a window given as an array, for instance
        return _made(kind, given)
    remembered: Callable[..., SpectrogramFunction] = _made_once
    return remembered(kind, given)


def _made(kind: type[Layer], given: tuple[tuple[str, type, Any], ...]) -> SpectrogramFunction:
    # One name for all: equal arguments must give the same function, for which JAX has compiled.
    named = {"name": "jax", **{name: value for name, _, value in given}}
    make: Callable[..., Layer] = kind
    return _functional.from_key(_functional.key_of(make(**named)))


_made_once = functools.lru_cache(maxsize=256)(_made)


def spectrogram(
    function: SpectrogramFunction,
    x: jax.Array,
    kernels: tuple[jax.Array, ...],
    *,
    portable: bool = False,
) -> jax.Array:
    """Returns the function's output; kernels as it takes them, `portable` as for the layers."""
    dtype = function.dtype
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise ValueError(
            f"a result in {dtype} needs jax.config.update('jax_enable_x64', True). "
            f"Received: dtype={dtype.name!r}"
        )
    if not isinstance(portable, bool):
        raise TypeError(f"`portable` must be True or False. Received: portable={portable!r}")
    function.check_samples(x.shape, x.dtype)
    if portable:
        return _composed.spectrogram(function, x, kernels)
    if all(type(size) is int for size in x.shape):
        shape = function.result(x.shape, x.dtype)
    else:  # an expression of unknown sizes, for an export
        shape = jax.eval_shape(
            functools.partial(_composed.spectrogram, function), x, kernels
        ).shape
    ranks = (x.ndim, *(kernel.ndim for kernel in kernels))
    shapes = [(a.shape, a.dtype) for a in (x, *kernels)]

    def call(differentiable: tuple[int, ...] = ()) -> HostCall:
        keep, frozen = bool(differentiable), differentiable == (0,)
        return HostCall(
            lambda x, *kernels: [function(x, kernels, keep=keep, frozen=frozen)],
            lambda x, *kernels: [_composed.spectrogram(function, x, kernels)],
            ranks,
            ((tuple(shape), dtype),),
            reverse=functools.partial(_reverse, function, shapes, len(shape)),
            differentiated=call,
        )

    return call().bind(x, *kernels)[0]


def _reverse(
    function: SpectrogramFunction,
    shapes: Sequence[tuple[Any, Any]],
    rank: int,
    places: tuple[int, ...],
) -> HostCall:
    """Returns the reverse derivative with respect to the arguments at these places.

    Args:
        function: see there.
        shapes: shapes and dtypes of samples and kernels.
        rank: how many axes the output has.
        places: 0 for the samples, 1 and 2 for the kernels.
    """

    def pull_back(x: Any, *others: Any) -> list[Any]:
        *kernels, cotangent = others
        signal, weights = 0 in places, places[-1] > 0
        found = function.pull_back(x, kernels, cotangent, signal=signal, weights=weights)
        gradients: list[Any] = [found.signal, *found.weights]
        return [gradients[place].astype(shapes[place][1], copy=False) for place in places]

    def composed(*arguments: Any) -> list[jax.Array]:
        *primals, cotangent = arguments

        def of_some(*some: Any) -> jax.Array:
            full = list(primals)
            for place, argument in zip(places, some, strict=True):
                full[place] = argument
            return _composed.spectrogram(function, full[0], full[1:])

        _, pull = jax.vjp(of_some, *(primals[place] for place in places))
        return list(pull(cotangent))

    ranks = (*(len(shape) for shape, _ in shapes), rank)
    return HostCall(pull_back, composed, ranks, tuple(shapes[place] for place in places))
