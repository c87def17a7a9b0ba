# SPDX-License-Identifier: BSD-3-Clause
"""Computes vector-Jacobian products of a layer, on NumPy arrays and without a framework."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from specfast import _core
from specfast._engine import arrays
from specfast._engine.arrays import Array
from specfast._spec.policy import Policy


class Gradients(NamedTuple):
    """The gradients that a pullback returns.

    Attributes:
        signal: the gradient of the samples, in the shape of `x` and, where `x` has a floating
            point dtype, in that; else in the layer's. None if it was not requested.
        weights: the gradients of `layer.weights`, in their order, shapes and dtype. Empty for a
            layer without weights, or if they were not requested.
    """

    signal: Array | None
    weights: list[Array]


class Pullback(Protocol):
    """Maps the gradient of an output to those of samples and weights; see `Layer.vjp`."""

    def __call__(
        self, cotangent: Any, *, signal: bool = True, weights: bool = True
    ) -> Gradients: ...


def pullback(
    plan: _core.Plan,
    policy: Policy,
    x: Array,
    signal_dtype: np.dtype[Any],
    shape: tuple[int, ...],
    num_threads: int,
    spectra: Array | None,
) -> Pullback:
    """Returns the pullback of a call.

    Args:
        plan: the plan that computed the output.
        policy: the precision of the layer.
        x: the samples of the call as the engine read them.
        signal_dtype: the dtype for the gradient of the samples.
        shape: the shape of the output.
        num_threads: threads for the pullback; 0: the global setting.
        spectra: those that `plan.call_keeping` returned; None: they are recomputed.
    """
    plan_dtype = np.dtype(policy.plan_dtype)

    def pull_back(cotangent: Any, *, signal: bool = True, weights: bool = True) -> Gradients:
        output_gradient = arrays.real_numbers("cotangent", cotangent)
        if output_gradient.shape != shape:
            raise ValueError(
                f"`cotangent` must have the shape of the output, {shape}. "
                f"Received: cotangent of shape {output_gradient.shape}"
            )
        try:
            with np.errstate(over="ignore"):
                rows = np.ascontiguousarray(output_gradient, dtype=plan_dtype)
            if not rows.flags.aligned:
                rows = rows.copy()
            samples, kernels = plan.pull_back(x, rows, signal, weights, num_threads, spectra)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for gradients of x of shape {x.shape}. "
                f"Received: cotangent of shape {shape}"
            ) from error
        if samples is not None:
            samples = _rounded(samples, signal_dtype)
        if not kernels:
            return Gradients(samples, [])
        dtype = policy.weights_dtype
        return Gradients(samples, [_rounded(kernel, dtype) for kernel in kernels])

    return pull_back


def _rounded(array: Array, dtype: np.dtype[Any]) -> Array:
    return array if array.dtype == dtype else arrays.rounded(array, dtype, None)
