# SPDX-License-Identifier: BSD-3-Clause
"""Calls of the host from JAX, with values, derivatives and exports of the same function.

Three primitives would be one if JAX let a function have two derivatives. A call of the host is
one; its tangents are another, which is computed by JAX's own operations and transposed into a
call of the host. So `grad` runs the engine forwards and backwards, and every other derivative,
by `jvp` or of any higher order, is that of the composed function.

`jax.pure_callback` is not used. With it, training stood still on one processor; probably because
it hands over arrays of JAX, which JAX copies on the threads that wait for the callback (jax issue
24255). The primitive below is lowered to the same call and gets NumPy's arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Arrays = Sequence[Any]


@dataclass(frozen=True, eq=False)
class HostCall:
    """A function of arrays, computed by the host, once for each element of axes from `vmap`.

    Attributes:
        call: takes a NumPy array for each of `ranks`, returns one for each of `results`.
        composed: the same of JAX's operations and arrays.
        ranks: how many axes the arguments have without the mapped ones, which stand before those.
        results: shapes and dtypes of what is returned, without the mapped axes.
        reverse: returns the reverse derivative with respect to some arguments, given their
            positions: a call that takes all arguments and a cotangent of the only result, and
            returns gradients of those. None: every derivative is that of `composed`.
        differentiated: returns the call to use in place of this one where a derivative with
            respect to some arguments may follow, given their positions.
    """

    call: Callable[..., Sequence[Any]]
    composed: Callable[..., Sequence[Any]]
    ranks: tuple[int, ...]
    results: tuple[tuple[tuple[Any, ...], np.dtype[Any]], ...]
    reverse: Callable[[tuple[int, ...]], HostCall] | None = field(default=None)
    differentiated: Callable[[tuple[int, ...]], HostCall] | None = field(default=None)

    def bind(self, *arguments: Any) -> list[jax.Array]:
        """Returns the results for arguments that may have mapped axes in front."""
        results: list[jax.Array] = _host_call.bind(*arguments, host_call=self)
        return results

    def __call__(self, *arguments: Any) -> list[Any]:
        mapped = _mapped(self.ranks, arguments)
        if not mapped:
            return list(self.call(*arguments))
        pairs = zip(arguments, self.ranks, strict=True)
        full = [np.broadcast_to(a, mapped + a.shape[a.ndim - rank :]) for a, rank in pairs]
        results = [np.empty(mapped + shape, dtype) for shape, dtype in self.results]
        for index in np.ndindex(mapped):
            for result, value in zip(results, self.call(*(a[index] for a in full)), strict=True):
                result[index] = value
        return results

    def by_jax(self, *arguments: Any) -> list[jax.Array]:
        """As a call, by JAX's operations."""
        return _for_each(self.composed, self.ranks, arguments)

    def describe(self, mapped: tuple[Any, ...]) -> list[Any]:
        """Returns what JAX calls abstract values of the results, with these mapped axes."""
        return [jax.core.ShapedArray(mapped + shape, dtype) for shape, dtype in self.results]


def _mapped(ranks: Sequence[int], arguments: Arrays) -> tuple[Any, ...]:
    """Returns the sizes of the mapped axes; 1 in an argument that does not vary along one."""
    pairs = zip(arguments, ranks, strict=True)
    shapes = (a.shape[: len(a.shape) - rank] for a, rank in pairs)
    # Sizes may be expressions, which are not compared.
    return tuple(
        next((n for n in sizes if type(n) is not int or n != 1), 1)
        for sizes in zip(*shapes, strict=True)
    )


def _for_each(
    function: Callable[..., Sequence[Any]], ranks: Sequence[int], arguments: Arrays
) -> list[jax.Array]:
    """Returns the results of a function of JAX's arrays for each element of the mapped axes."""
    if len(arguments[0].shape) == ranks[0]:
        return list(function(*arguments))
    (size, *_) = _mapped(ranks, arguments)
    axes = tuple(0 if a.shape[0] == size else None for a in arguments)
    each = [a[0] if axis is None else a for a, axis in zip(arguments, axes, strict=True)]
    rest = jax.vmap(lambda *arguments: _for_each(function, ranks, arguments), in_axes=axes)
    return list(rest(*each))


# ---- The call --------------------------------------------------------------------------------

_host_call = Primitive("specfast_host_call")
_host_call.multiple_results = True


@_host_call.def_impl
def _call_now(*arguments: Any, host_call: HostCall) -> list[jax.Array]:
    return [jnp.asarray(result) for result in host_call(*map(np.asarray, arguments))]


@_host_call.def_abstract_eval
def _describe(*arguments: Any, host_call: HostCall) -> list[Any]:
    return host_call.describe(_mapped(host_call.ranks, arguments))


def _lower(context: Any, *arguments: Any, host_call: HostCall) -> Any:
    if context.module_context.lowering_parameters.for_export:
        # An exported program runs where this process is not.
        return mlir.lower_fun(host_call.by_jax, multiple_results=True)(context, *arguments)
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


def _fronted(arguments: Arrays, axes: Sequence[int | None]) -> list[jax.Array]:
    return [
        jnp.expand_dims(argument, 0) if axis is None else jnp.moveaxis(argument, axis, 0)
        for argument, axis in zip(arguments, axes, strict=True)
    ]


def _map(
    arguments: Arrays, axes: Sequence[int | None], *, host_call: HostCall
) -> tuple[list[jax.Array], list[int]]:
    results = host_call.bind(*_fronted(arguments, axes))
    return results, [0] * len(results)


def _differentiate(
    primals: Arrays, tangents: Arrays, *, host_call: HostCall
) -> tuple[list[jax.Array], list[jax.Array]]:
    places = tuple(i for i, tangent in enumerate(tangents) if type(tangent) is not ad.Zero)
    call = host_call.differentiated(places) if host_call.differentiated else host_call
    results = call.bind(*primals)
    moved = [tangents[place] for place in places]
    if host_call.reverse is None:
        return results, _tangents(*primals, *moved, host_call=host_call, places=places)
    found = _tangent_call.bind(*primals, *moved, host_call=host_call, places=places)
    return results, found


mlir.register_lowering(_host_call, _lower)
batching.primitive_batchers[_host_call] = _map
ad.primitive_jvps[_host_call] = _differentiate


# ---- Its tangents ----------------------------------------------------------------------------

_tangent_call = Primitive("specfast_tangents")
_tangent_call.multiple_results = True


def _tangents(*arguments: Any, host_call: HostCall, places: tuple[int, ...]) -> list[jax.Array]:
    """Returns the tangents of the results, given all arguments and the tangents of some."""

    def of_element(*arguments: Any) -> list[jax.Array]:
        primals, moved = arguments[: -len(places)], arguments[-len(places) :]

        def function(*some: Any) -> Sequence[Any]:
            full = list(primals)
            for place, argument in zip(places, some, strict=True):
                full[place] = argument
            return list(host_call.composed(*full))

        _, found = jax.jvp(function, tuple(primals[place] for place in places), moved)
        return list(found)

    return _for_each(of_element, _ranks(host_call, places), arguments)


def _ranks(host_call: HostCall, places: tuple[int, ...]) -> tuple[int, ...]:
    return host_call.ranks + tuple(host_call.ranks[place] for place in places)


@_tangent_call.def_abstract_eval
def _describe_tangents(*arguments: Any, host_call: HostCall, places: tuple[int, ...]) -> list[Any]:
    return host_call.describe(_mapped(_ranks(host_call, places), arguments))


def _transpose(
    cotangents: Arrays, *arguments: Any, host_call: HostCall, places: tuple[int, ...]
) -> list[Any]:
    primals = arguments[: -len(places)]
    wanted = [argument.aval for argument in arguments[-len(places) :]]
    (cotangent,) = cotangents
    nothing = [None] * len(primals)
    if type(cotangent) is ad.Zero:
        return nothing + list(map(ad.Zero, wanted))
    assert host_call.reverse is not None
    found = host_call.reverse(places).bind(*primals, cotangent)
    # A tangent that does not vary along a mapped axis gets the sum.
    return nothing + [
        gradient.sum(_constant_axes(aval.shape, gradient.shape), keepdims=True)
        for aval, gradient in zip(wanted, found, strict=True)
    ]


def _constant_axes(shape: Sequence[Any], full: Sequence[Any]) -> tuple[int, ...]:
    return tuple(i for i, (n, m) in enumerate(zip(shape, full, strict=True)) if n != m)


def _map_tangents(
    arguments: Arrays, axes: Sequence[int | None], **parameters: Any
) -> tuple[list[jax.Array], list[int]]:
    results = _tangent_call.bind(*_fronted(arguments, axes), **parameters)
    return results, [0] * len(results)


def _differentiate_tangents(
    primals: Arrays, tangents: Arrays, **parameters: Any
) -> tuple[list[jax.Array], list[jax.Array]]:
    def function(*arguments: Any) -> list[jax.Array]:
        return _tangents(*arguments, **parameters)

    full = tuple(ad.instantiate_zeros(tangent) for tangent in tangents)
    results, found = jax.jvp(function, tuple(primals), full)
    return list(results), list(found)


_tangent_call.def_impl(_tangents)
mlir.register_lowering(_tangent_call, mlir.lower_fun(_tangents, multiple_results=True))
batching.primitive_batchers[_tangent_call] = _map_tangents
ad.primitive_jvps[_tangent_call] = _differentiate_tangents
ad.primitive_transposes[_tangent_call] = _transpose
