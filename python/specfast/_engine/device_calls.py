# SPDX-License-Identifier: BSD-3-Clause
"""Calls of a pipeline on GPUs: on arrays that are there, and on those of the CPU, copied there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from specfast import _core
from specfast._engine.arrays import Array
from specfast._engine.device_array import (
    ITEM_BYTES,
    LEGACY_STREAM,
    STREAM_OF_THREAD,
    contiguous_strides,
)
from specfast._engine.device_views import Kind, Shape, View, kind_of
from specfast._spec import checks


def run(
    plan: _core.DevicePlan,
    x: Any,
    kind: Kind,
    view: View,
    out: Any,
    shape: Shape,
    dtype: str,
    scale: float,
) -> Any:
    """Puts the computation of an array on a device into the stream of its view.

    Args:
        plan: the plan for the view's device.
        x, kind, view: the array, its kind and where it lies.
        out: the array for the result, or None for a new one of x's kind.
        shape, dtype: those of the result.
        scale: the factor of the samples; 0: they are taken as they are.

    Returns:
        `out`, or the new array.

    Raises:
        RuntimeError: if the device fails.
        TypeError, ValueError: for an unfit `out`, or axes of `x` that cannot be read.
    """
    if out is None:
        result, address = kind.empty(x, shape, dtype, view)
        _execute(plan, view, address, dtype, scale)
        return kind.finished(result)
    target = _view_of_out(out, view)
    _check_out(target, view, shape, dtype)
    is_in_order = (target.stream or LEGACY_STREAM) == (view.stream or LEGACY_STREAM)
    if not is_in_order:
        _core.wait_for_stream(target.device, target.stream)
    _execute(plan, view, target.address, dtype, scale)
    if not (is_in_order and kind.frees_in_order):
        _core.wait_for_stream(view.device, view.stream)
    return out


def run_copied(
    plan: _core.DevicePlan, x: Array, device: int, result: Array, scale: float
) -> Array:
    """Returns the result for samples in CPU memory, into which it is copied from the device.

    Copies and work are in the default stream of this thread, and no caller sees them.

    Errors are those of `run`, and MemoryError.
    """
    if result.size == 0:
        return result
    samples = np.ascontiguousarray(x)
    there = _core.DeviceMemory(device, samples.nbytes)
    there.fill(samples, STREAM_OF_THREAD)
    results = _core.DeviceMemory(device, result.nbytes)
    view = View(
        there.address,
        samples.shape,
        samples.strides,
        samples.dtype.name,
        device,
        STREAM_OF_THREAD,
        True,
        there,
    )
    _execute(plan, view, results.address, result.dtype.name, scale)
    results.read(result, STREAM_OF_THREAD)
    return result


def _execute(plan: _core.DevicePlan, x: View, out: int, dtype: str, scale: float) -> None:
    plan.execute(x.address, x.shape, x.strides, x.dtype, out, dtype, x.stream, scale)


# ---- The caller's own array for a result -----------------------------------------------------


def _view_of_out(out: Any, x: View) -> View:
    reason = ""
    try:
        if (kind := kind_of(out)) is not None:
            return kind.read(out, x.stream, x.device)
    except TypeError as error:
        reason = f": {error}"
    raise TypeError(
        f"`out` must be an array on cuda:{x.device}, where `x` is. "
        f"{checks.received('out', out)}{reason}"
    )


def _check_out(out: View, x: View, shape: Shape, dtype: str) -> None:
    """Refuses an `out` into which the result cannot be written as it stands."""
    if out.device != x.device:
        raise ValueError(
            f"`out` must be on cuda:{x.device}, where `x` is. Received: out on cuda:{out.device}"
        )
    if out.dtype != dtype:
        raise TypeError(f"`out` must have dtype {dtype}. Received: out of dtype {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"`out` must have shape {shape}. Received: out of shape {out.shape}")
    if out.is_read_only:
        raise ValueError("`out` must be writable. Received: a read-only array")
    if math.prod(shape) == 0:
        return
    item_bytes = ITEM_BYTES[dtype]
    contiguous = contiguous_strides(shape, item_bytes)
    axes = zip(shape, out.strides, contiguous, strict=True)
    if out.address % item_bytes or any(n > 1 and own != wanted for n, own, wanted in axes):
        raise ValueError(
            "`out` must be C-contiguous and aligned. Received: out at an address that is "
            f"{out.address % item_bytes} modulo {item_bytes}, with strides of {out.strides} bytes"
        )
    begin, end = _extent(x)
    if out.address < end and begin < out.address + math.prod(shape) * item_bytes:
        raise ValueError(
            "`out` must not share memory with `x`. "
            f"Received: out of shape {shape} inside the memory of x of shape {x.shape}"
        )


def _extent(x: View) -> tuple[int, int]:
    """Returns the lowest address of an array, and the one behind its highest."""
    if math.prod(x.shape) == 0:
        return 0, 0
    reaches = [(n - 1) * stride for n, stride in zip(x.shape, x.strides, strict=True)]
    low, high = (x.address + sum(part) for part in _by_sign(reaches))
    return low, high + ITEM_BYTES[x.dtype]


def _by_sign(numbers: list[int]) -> tuple[list[int], list[int]]:
    return [n for n in numbers if n < 0], [n for n in numbers if n > 0]


def check_place(view: View, device: str | None) -> None:
    """Refuses samples that are elsewhere than the layer's argument `device` says, or misaligned.

    Raises:
        ValueError: if they are.
    """
    if device not in (None, "cuda", f"cuda:{view.device}"):
        on_gpu = "" if device == "cpu" else f"on {device}, or "
        raise ValueError(
            f"`x` must be {on_gpu}in CPU memory with device={device!r}. "
            f"Received: x on cuda:{view.device}"
        )
    item_bytes = ITEM_BYTES[view.dtype]
    if view.address % item_bytes:
        raise ValueError(
            "`x` must be aligned to its dtype. Received: x of dtype "
            f"{view.dtype} at an address that is {view.address % item_bytes} modulo {item_bytes}"
        )


def check_in_cpu_memory(x: Any, what: str) -> None:
    """Refuses an array on a GPU, for what is computed on the CPU alone.

    Raises:
        NotImplementedError: It is one.
    """
    if type(x) is not np.ndarray and kind_of(x) is not None:
        raise refuse(what)


def refuse(what: str) -> NotImplementedError:
    """Returns the error for what is computed on the CPU alone."""
    return NotImplementedError(
        f"{what} are computed on the CPU alone: pass arrays in CPU memory to a layer without "
        "`device`"
    )
