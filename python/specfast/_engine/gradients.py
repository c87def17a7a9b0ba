# SPDX-License-Identifier: BSD-3-Clause
"""Vector-Jacobian products of a layer: NumPy arrays in and out, no framework."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from specfast import _core
from specfast._engine import arrays as _arrays
from specfast._engine.arrays import Array
from specfast._spec import policy as _policy
from specfast.layers import weights as _weights


class Gradients(NamedTuple):
    """What a pullback returns.

    Attributes:
        signal: the gradient of the samples, in the shape of `x` and, where `x` has a floating
            point dtype, in that; else in the layer's. None if it was not asked for.
        weights: the gradients of `layer.weights`, in their order, shapes and dtype. Empty for a
            layer without weights, or if they were not asked for.
    """

    signal: Array | None
    weights: list[Array]


class Pullback(Protocol):
    """See `Layer.vjp`."""

    def __call__(
        self, cotangent: Any, *, signal: bool = True, weights: bool = True
    ) -> Gradients: ...


def pullback(
    plan: _core.Plan,
    policy: _policy.Policy,
    x: Array,
    signal_dtype: np.dtype[Any],
    shape: tuple[int, ...],
    num_threads: int,
    kept: Array | None = None,
) -> Pullback:
    """The pullback of a call that made an output of this shape from `x`, as the engine read it.

    `kept` is what `plan.call_keeping` returned; without it, it is computed once more.
    """
    plan_dtype = np.dtype(policy.plan_dtype)

    def pull_back(cotangent: Any, *, signal: bool = True, weights: bool = True) -> Gradients:
        given = _arrays.view(cotangent, lists=True)
        if given.dtype.kind not in "fiub" and given.dtype.name != "bfloat16":
            raise TypeError(
                "`cotangent` must be an array of real numbers. "
                f"Received: cotangent of dtype {given.dtype} and shape {given.shape}"
            )
        if given.shape != shape:
            raise ValueError(
                f"`cotangent` must have the shape of the output, {shape}. "
                f"Received: cotangent of shape {given.shape}"
            )
        try:
            with np.errstate(over="ignore"):
                rows = np.ascontiguousarray(given, dtype=plan_dtype)
            if not rows.flags.aligned:
                rows = rows.copy()
            samples, kernels = plan.pull_back(x, rows, signal, weights, num_threads, kept)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for gradients of x of shape {x.shape}. "
                f"Received: cotangent of shape {shape}"
            ) from error
        if samples is not None:
            samples = _rounded(samples, signal_dtype)
        if not kernels:
            return Gradients(samples, [])
        dtype = _weights.variable_dtype(policy)
        return Gradients(samples, [_rounded(kernel, dtype) for kernel in kernels])

    return pull_back


def _rounded(array: Array, dtype: np.dtype[Any]) -> Array:
    return array if array.dtype == dtype else _arrays.rounded(array, dtype, None)
