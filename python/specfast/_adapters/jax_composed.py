# SPDX-License-Identifier: BSD-3-Clause
"""JAX's own operations, of which the layers' computation is composed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from specfast._adapters.composed import Composed
from specfast._adapters.functional import SpectrogramFunction
from specfast._engine.arrays import Array


class _Operations:
    """`specfast._adapters.composed.Operations` on arrays of JAX."""

    where = staticmethod(jnp.where)
    maximum = staticmethod(jnp.maximum)
    sqrt = staticmethod(jnp.sqrt)
    log = staticmethod(jnp.log)
    arctan2 = staticmethod(jnp.arctan2)
    moveaxis = staticmethod(jnp.moveaxis)
    concatenate = staticmethod(jnp.concatenate)
    constant_of = staticmethod(jax.lax.stop_gradient)

    def cast(self, x: Any, dtype: str) -> Any:
        return x.astype(dtype)

    def constant(self, values: Array, like: Any) -> Any:
        return jnp.asarray(values)

    def arange(self, count: Any, like: Any) -> Any:
        return jnp.arange(count)

    def integer(self, number: Any, like: Any) -> Any:
        return jnp.asarray(number)

    def take(self, x: Any, index: Any) -> Any:
        return x.at[..., index].get(mode="promise_in_bounds")

    def product(self, x: Any, matrix: Any) -> Any:
        # Without this, some devices round the factors.
        return jnp.matmul(x, matrix, precision="highest")

    def pad(self, x: Any, before: Any, after: Any) -> Any:
        widths = [(0, 0, 0)] * (x.ndim - 1) + [(before, after, 0)]
        return jax.lax.pad(x, jnp.zeros((), x.dtype), widths)

    def join(self, x: Any, axis: int) -> Any:
        sizes = x.shape
        return x.reshape((*sizes[:axis], sizes[axis] * sizes[axis + 1], *sizes[axis + 2 :]))

    def largest(self, x: Any, axes: tuple[int, ...] | None) -> Any:
        return jnp.max(x, axis=axes, keepdims=True)


_OPERATIONS = _Operations()


def spectrogram(
    function: SpectrogramFunction, x: jax.Array, kernels: Sequence[jax.Array]
) -> jax.Array:
    """Returns the function's output on any device, by JAX alone."""
    return _compiled(function.composed, x, tuple(kernels))


# Outside `jit` too, since a transform of operations one by one is slow. JAX holds on to the first
# argument, which has no samples.
@functools.partial(jax.jit, static_argnums=0)
def _compiled(composed: Composed, x: jax.Array, kernels: tuple[jax.Array, ...]) -> jax.Array:
    result: jax.Array = composed(_OPERATIONS, x, kernels)
    return result
