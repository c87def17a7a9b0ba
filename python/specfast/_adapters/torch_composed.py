# SPDX-License-Identifier: BSD-3-Clause
"""torch's own operations, of which the layers' computation is composed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from specfast._adapters.functional import SpectrogramFunction
from specfast._engine.arrays import Array


class _Operations:
    """`specfast._adapters.composed.Operations` on tensors of torch."""

    where = staticmethod(torch.where)
    maximum = staticmethod(torch.maximum)
    sqrt = staticmethod(torch.sqrt)
    log = staticmethod(torch.log)
    arctan2 = staticmethod(torch.arctan2)

    def cast(self, x: torch.Tensor, dtype: str) -> torch.Tensor:
        return x.to(getattr(torch, dtype))

    def constant(self, values: Array, like: torch.Tensor) -> torch.Tensor:
        # `from_numpy` warns that a trace keeps the values, which is what it shall do.
        take = torch.from_dlpack if torch.jit.is_tracing() else torch.from_numpy
        return take(values).to(like.device)

    def arange(self, count: Any, like: torch.Tensor) -> torch.Tensor:
        return torch.arange(count, device=like.device)

    def integer(self, number: Any, like: torch.Tensor) -> torch.Tensor:
        return torch.full((), number, dtype=torch.int64, device=like.device)

    def take(self, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        # Exports of any size need the first, and hessians by forward mode, which cannot derive its
        # gradient, the second.
        if torch.jit.is_tracing() or torch.compiler.is_compiling():
            return x[..., index]
        return x.index_select(-1, index.flatten()).unflatten(-1, index.shape)

    def product(self, x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        # With a plain matrix torch joins all other axes and parts them again, which it cannot do
        # with sizes that are expressions of an unknown one.
        return x @ (matrix[None] if torch.compiler.is_compiling() else matrix)

    def pad(self, x: torch.Tensor, before: Any, after: Any) -> torch.Tensor:
        return torch.nn.functional.pad(x, (before, after))

    def moveaxis(self, x: torch.Tensor, source: int, destination: int) -> torch.Tensor:
        # The older exporter to ONNX takes no axis that is counted from the end.
        return x.movedim(source % x.ndim, destination % x.ndim)

    def join(self, x: torch.Tensor, axis: int) -> torch.Tensor:
        return x.flatten(axis, axis + 1)

    def concatenate(self, tensors: Sequence[torch.Tensor], axis: int) -> torch.Tensor:
        return torch.cat(list(tensors), axis)

    def largest(self, x: torch.Tensor, axes: tuple[int, ...] | None) -> torch.Tensor:
        return torch.amax(x, dim=axes or tuple(range(x.ndim)), keepdim=True)

    def constant_of(self, x: torch.Tensor) -> torch.Tensor:
        return x.detach()


_OPERATIONS = _Operations()


def spectrogram(
    function: SpectrogramFunction, x: torch.Tensor, kernels: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Returns the function's output on any device, by torch alone."""
    result: torch.Tensor = function.composed(_OPERATIONS, x, kernels)
    return result


def gradients(
    function: SpectrogramFunction,
    x: torch.Tensor,
    kernels: Sequence[torch.Tensor],
    cotangent: torch.Tensor,
) -> tuple[torch.Tensor, ...]:
    """Returns the gradients of samples and kernels, which torch can derive further."""
    _, pull_back = torch.func.vjp(
        lambda x, *kernels: spectrogram(function, x, kernels), x, *kernels
    )
    found: tuple[torch.Tensor, ...] = pull_back(cotangent)
    return found


def gradients_of_batched(
    function: SpectrogramFunction,
    x: torch.Tensor,
    kernels: Sequence[torch.Tensor],
    cotangent: torch.Tensor,
) -> tuple[torch.Tensor, ...]:
    """As `gradients`, for a cotangent to which `torch.autograd` itself has added an axis.

    `is_grads_batched` and `vectorize` do so, in a way that `torch.func` is slow with.
    """
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        inputs = [
            tensor.view_as(tensor)
            if create_graph and tensor.requires_grad
            else tensor.detach().requires_grad_()
            for tensor in (x, *kernels)
        ]
        output = spectrogram(function, inputs[0], inputs[1:])
    return tuple(torch.autograd.grad(output, inputs, cotangent, create_graph=create_graph))
