# SPDX-License-Identifier: BSD-3-Clause
"""A function of samples and kernels on tensors of torch: the way of a call, and its gradients.

The engine computes values and first gradients, also those that `torch.func.vmap` asks for. Every
other derivative is taken of the composed function. So the graph that `torch.compile` makes holds
the operators `specfast::spectrogram` and `specfast::spectrogram_pull_back`, and what is traced or
exported holds torch's own operations only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from specfast._adapters import functional as _functional
from specfast._adapters import torch_composed as _composed
from specfast._adapters.functional import SpectrogramFunction
from specfast._engine import devices as _devices
from specfast._engine import tensors as _tensors
from specfast._spec import policy as _policy

Tensors = Sequence[torch.Tensor]


def spectrogram(
    function: SpectrogramFunction, x: torch.Tensor, kernels: Tensors, *, portable: bool = False
) -> torch.Tensor:
    """Returns the function's output, differentiable with respect to samples and kernels.

    Args:
        function: see there.
        x: samples, as the layer takes them.
        kernels: as the function takes them.
        portable: whether torch computes instead of the engine, on any device.

    On a GPU of NVIDIA the engine computes only what needs no gradient, with kernels that are the
    analytic ones; torch computes the rest there.
    """
    if portable or leaves_python():
        return _by_torch(function, x, kernels)
    if x.device.type == "cuda" and function.is_composable:
        return _on_gpu(function, x, kernels)
    _check_device(x, function)
    weights = any(kernel.requires_grad for kernel in kernels)
    keep = torch.is_grad_enabled() and (weights or x.requires_grad)
    if is_transformed():
        if torch.compiler.is_compiling() or _is_forward_mode():
            return _by_torch(function, x, kernels)
    elif torch.compiler.is_compiling():
        return _operator(x, kernels, function.key, keep, not weights)
    elif not keep:
        return _values(x, kernels, function, keep=False, frozen=True)
    result: torch.Tensor = _Spectrogram.apply(function, keep, not weights, x, *kernels)
    return result


def _on_gpu(function: SpectrogramFunction, x: torch.Tensor, kernels: Tensors) -> torch.Tensor:
    """Computes where x is: by the engine without gradients and training, by torch otherwise."""
    tensors = (x, *kernels)
    if torch.compiler.is_compiling() or is_transformed():
        return _by_torch(function, x, kernels)
    if why := _devices.why_missing(x.device.index or 0):
        raise TypeError(f"{_elsewhere(x)}. The engine cannot compute there: {why}")
    wants_gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    if wants_gradient or not all(_holds_numbers(tensor, "cuda") for tensor in tensors):
        return _by_torch(function, x, kernels)
    if not _are_analytic(function, kernels):
        return _by_torch(function, x, kernels)
    result: torch.Tensor = function.on_device(x.detach())
    return result


# The analytic kernels of a function on each device.
_analytic: weakref.WeakKeyDictionary[SpectrogramFunction, dict[torch.device, list[torch.Tensor]]]
_analytic = weakref.WeakKeyDictionary()


def _are_analytic(function: SpectrogramFunction, kernels: Tensors) -> bool:
    """Tells whether kernels on a GPU are the analytic ones, for which it waits."""
    if not kernels:
        return True
    known = _analytic.setdefault(function, {})
    device = kernels[0].device
    if device not in known:
        known[device] = [_tensor(array).to(device) for array in function.analytic_kernels()]
    return all(map(torch.equal, kernels, known[device]))


def _by_torch(function: SpectrogramFunction, x: torch.Tensor, kernels: Tensors) -> torch.Tensor:
    if torch.compiler.is_dynamo_compiling():
        in_graph: torch.Tensor = _by_torch_in_graph(function.key, x, *kernels)
        return in_graph
    function.check_samples(x.shape, numpy_dtype(x.dtype))
    return _composed.spectrogram(function, x, kernels)


@torch.compiler.allow_in_graph
def _by_torch_in_graph(key: str, x: torch.Tensor, *kernels: torch.Tensor) -> torch.Tensor:
    """Is not read by `torch.compile`, which would take NumPy's calls for its own, but recorded."""
    return _by_torch(_functional.from_key(key), x, kernels)


# ---- What surrounds a call -------------------------------------------------------------------


def leaves_python() -> bool:
    """Tells whether the call is recorded for a program that may run where there is no Python."""
    return bool(torch.jit.is_tracing() or torch.compiler.is_exporting())


def is_transformed() -> bool:
    return bool(torch._C._are_functorch_transforms_active()) or _is_forward_mode()


def _is_forward_mode() -> bool:
    return bool(torch.autograd.forward_ad._current_level >= 0)


def _is_plain(tensor: torch.Tensor) -> bool:
    """Tells whether a tensor holds numbers that may be read now, unseen by torch."""
    return _holds_numbers(tensor, "cpu")


def _holds_numbers(tensor: torch.Tensor, device_type: str) -> bool:
    return (
        type(tensor) in (torch.Tensor, torch.nn.Parameter)
        and tensor.device.type == device_type
        and not torch._C._len_torch_dispatch_stack()
    )


def _check_device(x: torch.Tensor, function: SpectrogramFunction) -> None:
    if x.device.type in ("cpu", "meta"):
        return
    if function.is_composable:
        raise TypeError(_elsewhere(x))
    raise TypeError(
        "a FeatureExtractor computes on the CPU: pass x.cpu(), or keep this module in front of "
        f"the data transfer. Received: x on device {x.device}"
    )


def _elsewhere(x: torch.Tensor) -> str:
    return (
        "specfast computes on the CPU: pass x.cpu(), keep this module in front of the data "
        "transfer, or make it with portable=True, with which torch computes where x is. "
        f"Received: x on device {x.device}"
    )


# ---- Autograd and function transforms --------------------------------------------------------


class _Spectrogram(torch.autograd.Function):
    """The output by the engine, with the engine's gradient."""

    @staticmethod
    def forward(
        function: SpectrogramFunction,
        keep: bool,
        frozen: bool,
        x: torch.Tensor,
        *kernels: torch.Tensor,
    ) -> torch.Tensor:
        return _values(x, kernels, function, keep=keep, frozen=frozen)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        del output
        ctx.function = inputs[0]
        ctx.save_for_backward(*inputs[3:])

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        x, *kernels = ctx.saved_tensors
        wants_x, *wants_kernels = ctx.needs_input_grad[3:]
        found = iter(_gradients(ctx.function, x, kernels, cotangent, wants_x, any(wants_kernels)))
        of_x = next(found) if wants_x else None
        return None, None, None, of_x, *(next(found, None) for _ in kernels)

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        function: SpectrogramFunction,
        keep: bool,
        frozen: bool,
        x: torch.Tensor,
        *kernels: torch.Tensor,
    ) -> tuple[torch.Tensor, int]:
        del keep, frozen  # the call below knows
        x_axis, *kernel_axes = in_dims[3:]

        def call(x: torch.Tensor, *kernels: torch.Tensor) -> tuple[torch.Tensor]:
            return (spectrogram(function, x, kernels),)

        one_call = not function.shares_maximum and _are_none(kernel_axes)
        function.check_samples(_example(x, x_axis), numpy_dtype(x.dtype))
        (result,) = _mapped(call, info.batch_size, [x], [x_axis], kernels, kernel_axes, one_call)
        return result, 0


class _Gradients(torch.autograd.Function):
    """The engine's gradient; its own derivatives are those of the composed function."""

    @staticmethod
    def forward(
        function: SpectrogramFunction,
        signal: bool,
        weights: bool,
        x: torch.Tensor,
        cotangent: torch.Tensor,
        *kernels: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        tensors = (x, cotangent, *kernels)
        if all(map(_is_plain, tensors)):
            found = _pull_back(function, x, kernels, cotangent, signal, weights)
        else:
            operator = torch.ops.specfast.spectrogram_pull_back
            found = operator(x, kernels, cotangent, function.key, signal, weights)
        return tuple(found)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        del output
        ctx.function, ctx.signal, ctx.weights = inputs[:3]
        ctx.save_for_backward(*inputs[3:])

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[Any, ...]:
        x, cotangent, *kernels = ctx.saved_tensors
        return None, None, None, *_second(ctx, x, cotangent, kernels, cotangents)

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        function: SpectrogramFunction,
        signal: bool,
        weights: bool,
        x: torch.Tensor,
        cotangent: torch.Tensor,
        *kernels: torch.Tensor,
    ) -> tuple[tuple[torch.Tensor, ...], tuple[int, ...]]:
        axes, kernel_axes = list(in_dims[3:5]), in_dims[5:]

        def call(
            x: torch.Tensor, cotangent: torch.Tensor, *kernels: torch.Tensor
        ) -> tuple[torch.Tensor, ...]:
            return _gradients(function, x, kernels, cotangent, signal, weights)

        # Gradients of kernels are sums over a call.
        one_call = not (weights or function.shares_maximum) and _are_none(kernel_axes)
        found = _mapped(
            call, info.batch_size, [x, cotangent], axes, kernels, kernel_axes, one_call
        )
        return found, (0,) * len(found)


def _values(
    x: torch.Tensor, kernels: Tensors, function: SpectrogramFunction, *, keep: bool, frozen: bool
) -> torch.Tensor:
    if all(map(_is_plain, (x, *kernels))):
        return _compute(function, x, kernels, keep, frozen)
    return _operator(x, kernels, function.key, keep, frozen)


def _operator(*arguments: Any) -> torch.Tensor:
    result: torch.Tensor = torch.ops.specfast.spectrogram(*arguments)
    return result


def _gradients(
    function: SpectrogramFunction,
    x: torch.Tensor,
    kernels: Tensors,
    cotangent: torch.Tensor,
    signal: bool,
    weights: bool,
) -> tuple[torch.Tensor, ...]:
    """Returns the gradient of the samples if `signal`, and those of the kernels if `weights`."""
    is_batched = torch._C._functorch.is_legacy_batchedtensor(cotangent)
    if is_batched or _is_forward_mode():
        compute = _composed.gradients_of_batched if is_batched else _composed.gradients
        return compute(function, x, kernels, cotangent)[not signal : None if weights else 1]
    result: tuple[torch.Tensor, ...] = _Gradients.apply(
        function, signal, weights, x, cotangent, *kernels
    )
    return result


def _second(
    ctx: Any, x: torch.Tensor, cotangent: torch.Tensor, kernels: Tensors, cotangents: Tensors
) -> tuple[torch.Tensor, ...]:
    """Pulls gradients of `_gradients` back to samples, cotangent and kernels."""

    def gradients(x: Any, cotangent: Any, *kernels: Any) -> tuple[torch.Tensor, ...]:
        found = _composed.gradients(ctx.function, x, kernels, cotangent)
        return found[not ctx.signal : None if ctx.weights else 1]

    _, pull_back = torch.func.vjp(gradients, x, cotangent, *kernels)
    found: tuple[torch.Tensor, ...] = pull_back(tuple(cotangents))
    return found


# ---- Mapped axes -----------------------------------------------------------------------------


def _are_none(axes: Sequence[int | None]) -> bool:
    return all(axis is None for axis in axes)


def _example(tensor: torch.Tensor, axis: int | None) -> Sequence[int]:
    """Returns the shape of an element of a mapped tensor."""
    return list(tensor.shape if axis is None else tensor.select(axis, 0).shape)


def _mapped(
    call: Callable[..., tuple[torch.Tensor, ...]],
    size: int,
    signals: Tensors,
    axes: Sequence[int | None],
    kernels: Tensors,
    kernel_axes: Sequence[int | None],
    one_call: bool,
) -> tuple[torch.Tensor, ...]:
    """Returns the results of a function for each element of mapped axes, along the first axis.

    Args:
        call: takes signals, whose first axis is that of a batch, and kernels.
        size: how many elements are mapped.
        signals, axes: the tensors, and which of their axes is mapped, if any.
        kernels, kernel_axes: the same.
        one_call: whether the mapped axis may join that of the batch.
    """
    if one_call:
        pairs = zip(signals, axes, strict=True)
        full = [
            x.expand(size, *x.shape) if axis is None else x.movedim(axis, 0) for x, axis in pairs
        ]
        if full[0].ndim == 2:  # single signals: the mapped axis is their batch
            return call(*full, *kernels)
        sizes = full[0].shape[:2]
        found = call(*(x.reshape((-1, *x.shape[2:])) for x in full), *kernels)
        return tuple(x.reshape((*sizes, *x.shape[1:])) for x in found)
    tensors, every = (*signals, *kernels), (*axes, *kernel_axes)
    each = [
        call(
            *(
                x if axis is None else x.select(axis, index)
                for x, axis in zip(tensors, every, strict=True)
            )
        )
        for index in range(size)
    ]
    return tuple(map(torch.stack, zip(*each, strict=True)))


# ---- Operators -------------------------------------------------------------------------------
#
# Defined through the library object and not by decorators: half the time of a call.

_library = torch.library.Library("specfast", "DEF")
_library.define(
    "spectrogram(Tensor x, Tensor[] kernels, str key, bool keep, bool frozen) -> Tensor"
)
_library.define(
    "spectrogram_pull_back(Tensor x, Tensor[] kernels, Tensor cotangent, str key, bool signal, "
    "bool weights) -> Tensor[]"
)


def _compute(
    function: SpectrogramFunction, x: torch.Tensor, kernels: Tensors, keep: bool, frozen: bool
) -> torch.Tensor:
    arrays = [_array(kernel) for kernel in kernels]
    return _tensor(function(_array(x), arrays, keep=keep, frozen=frozen))


def _compute_by_key(
    x: torch.Tensor, kernels: Tensors, key: str, keep: bool, frozen: bool
) -> torch.Tensor:
    return _compute(_functional.from_key(key), x, kernels, keep, frozen)


def _describe(x: torch.Tensor, kernels: Tensors, key: str, *others: bool) -> torch.Tensor:
    del kernels, others
    function = _functional.from_key(key)
    function.check_dtype(numpy_dtype(x.dtype), x.shape)
    shape = function.symbolic_result(x.shape)
    return x.new_empty(shape, dtype=getattr(torch, function.dtype.name))


def _pull_back(
    function: SpectrogramFunction,
    x: torch.Tensor,
    kernels: Tensors,
    cotangent: torch.Tensor,
    signal: bool,
    weights: bool,
) -> list[torch.Tensor]:
    gradients = function.pull_back(
        _array(x),
        [_array(kernel) for kernel in kernels],
        _array(cotangent),
        signal=signal,
        weights=weights,
    )
    of_signal = [] if gradients.signal is None else [gradients.signal]
    return [_tensor(gradient) for gradient in of_signal + gradients.weights]


def _pull_back_by_key(
    x: torch.Tensor, kernels: Tensors, cotangent: torch.Tensor, key: str, *wanted: bool
) -> list[torch.Tensor]:
    return _pull_back(_functional.from_key(key), x, kernels, cotangent, *wanted)


def _describe_pull_back(x: torch.Tensor, kernels: Tensors, *others: Any) -> list[torch.Tensor]:
    _cotangent, _key, signal, weights = others
    wanted = ([x] if signal else []) + (list(kernels) if weights else [])
    return [tensor.new_empty(tensor.shape) for tensor in wanted]


def _save(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    del output
    x, kernels, ctx.key, *_ = inputs
    ctx.save_for_backward(x, *kernels)


def _backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
    x, *kernels = ctx.saved_tensors
    signal = ctx.needs_input_grad[0]
    weights = any(ctx.needs_input_grad[1])
    gradients = torch.ops.specfast.spectrogram_pull_back(
        x, kernels, cotangent, ctx.key, signal, weights
    )
    of_kernels = gradients[signal:] if weights else [None] * len(kernels)
    return gradients[0] if signal else None, of_kernels, None, None, None


def _save_for_second(ctx: Any, inputs: tuple[Any, ...], output: list[torch.Tensor]) -> None:
    del output
    x, kernels, cotangent, key, ctx.signal, ctx.weights = inputs
    ctx.function = _functional.from_key(key)
    ctx.save_for_backward(x, cotangent, *kernels)


def _second_backward(ctx: Any, cotangents: list[torch.Tensor]) -> tuple[Any, ...]:
    x, cotangent, *kernels = ctx.saved_tensors
    of_x, of_cotangent, *of_kernels = _second(ctx, x, cotangent, kernels, cotangents)
    return of_x, of_kernels, of_cotangent, None, None, None


_library.impl("spectrogram", _compute_by_key, "CPU")
_library.impl("spectrogram_pull_back", _pull_back_by_key, "CPU")
torch.library.register_fake("specfast::spectrogram", _describe, lib=_library)
torch.library.register_fake("specfast::spectrogram_pull_back", _describe_pull_back, lib=_library)
torch.library.register_autograd(
    "specfast::spectrogram", _backward, setup_context=_save, lib=_library
)
torch.library.register_autograd(
    "specfast::spectrogram_pull_back",
    _second_backward,
    setup_context=_save_for_second,
    lib=_library,
)


def _array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    return _tensors.to_array(tensor.detach())


def _tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    """Returns NumPy's dtype of this name."""
    name = str(dtype).removeprefix("torch.")
    return _policy.bfloat16() if name == "bfloat16" else np.dtype(name)
