# SPDX-License-Identifier: BSD-3-Clause
"""Arrays of other libraries in the memory of a GPU: where they lie, and new ones of their kind.

No library is imported here: an array can only be of one that the caller has imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfast import _core
from specfast._engine import arrays, tensors
from specfast._engine.device_array import (
    CUDA,
    LEGACY_STREAM,
    DeviceArray,
    contiguous_strides,
)
from specfast._spec import checks, policy

Shape = tuple[int, ...]

# Kinds of devices in DLPack. The memory of the first is that of the CPU, or can be read by it.
_OF_CPU = (1, 3, 11, 13)
_OTHERS = {4: "OpenCL", 7: "Vulkan", 8: "Metal", 9: "VPI", 10: "ROCm", 14: "oneAPI", 15: "WebGPU"}


@dataclass(frozen=True)
class View:
    """Where an array lies.

    Attributes:
        address: that of its first element.
        shape: its dimensions.
        strides: bytes from one element of an axis to the next.
        dtype: the name of its dtype.
        device: the number of the CUDA device.
        stream: the stream in which it may be used: its address, or 1 or 2 as in both protocols.
        is_read_only: whether it must not be written to.
        owner: an object that keeps the memory alive.
    """

    address: int
    shape: Shape
    strides: Shape
    dtype: str
    device: int
    stream: int
    is_read_only: bool
    owner: Any


@dataclass(frozen=True)
class Kind:
    """What is special about the arrays of a library.

    Attributes:
        read: `read(x, stream, device)` returns the view of an array that is to be used in a
            stream; None: in the one that is the caller's, and that the view then names. `device`
            is where an array is that does not say.
        empty: `empty(x, shape, dtype, view)` returns a new array like `x`, and its address.
        finished: `finished(y)` returns what the caller gets for it once the work is in the stream.
        frees_in_order: whether memory that the caller lets go is used for something else only
            behind the work in the current stream.
    """

    read: Callable[[Any, int | None, int], View]
    empty: Callable[[Any, Shape, str, View], tuple[Any, int]]
    finished: Callable[[Any], Any]
    frees_in_order: bool


def kind_of(x: Any) -> Kind | None:
    """Returns the kind of an array in the memory of a CUDA device, None for anything else.

    Raises:
        TypeError: for an array in the memory of a device of another maker.
    """
    if isinstance(x, np.ndarray | np.generic | list | tuple) or arrays.has_no_numbers(x):
        return None
    if tensors.is_tensor(x):
        return _TORCH if x.device.type == "cuda" and _is_on_cuda(x) else None
    if _is_of(x, "cupy", "ndarray"):
        return _CUPY if _is_on_cuda(x) else None
    if _is_of(x, "jax", "Array"):
        return _JAX if _is_on_cuda(x) else None
    if isinstance(x, DeviceArray):
        return _DLPACK  # by its interface it could not be bfloat16
    if hasattr(x, "__cuda_array_interface__"):
        return _INTERFACE
    return _DLPACK if hasattr(x, "__dlpack_device__") and _is_on_cuda(x) else None


def _is_of(x: Any, module: str, name: str) -> bool:
    return isinstance(x, getattr(sys.modules.get(module), name, ()))


def _is_on_cuda(x: Any) -> bool:
    try:
        kind = int(x.__dlpack_device__()[0])
    except Exception:
        return False  # what it is instead, `arrays.view` finds out
    if kind != CUDA and kind not in _OF_CPU:
        raise TypeError(
            "`x` must be in the memory of the CPU or of a GPU of NVIDIA. Received: x of type "
            f"{type(x).__name__} on a device of {_OTHERS.get(kind, 'another maker')} "
            f"(DLPack device {kind})"
        )
    return kind == CUDA


# ---- torch -----------------------------------------------------------------------------------


def _read_torch(x: Any, stream: int | None, device: int) -> View:
    del stream, device  # everything of torch is in its current stream
    tensor = tensors.plain(x)
    item_bytes = tensor.element_size()
    return View(
        tensor.data_ptr(),
        tuple(tensor.shape),
        tuple(stride * item_bytes for stride in tensor.stride()),
        str(tensor.dtype).removeprefix("torch."),
        tensor.device.index,
        sys.modules["torch"].cuda.current_stream(tensor.device).cuda_stream,
        tensor.data_ptr() != x.data_ptr(),  # what is written to a copy does not reach x
        tensor,
    )


def _empty_torch(x: Any, shape: Shape, dtype: str, view: View) -> tuple[Any, int]:
    del view
    torch = sys.modules["torch"]
    result = torch.empty(shape, dtype=getattr(torch, dtype), device=x.device)
    return result, result.data_ptr()


# ---- CuPy ------------------------------------------------------------------------------------


def _read_cupy(x: Any, stream: int | None, device: int) -> View:
    del stream, device  # everything of CuPy is in its current stream
    with x.device:
        current = sys.modules["cupy"].cuda.get_current_stream().ptr
    return View(x.data.ptr, x.shape, x.strides, _name_of(x.dtype), x.device.id, current, False, x)


def _empty_cupy(x: Any, shape: Shape, dtype: str, view: View) -> tuple[Any, int]:
    del view
    with x.device:
        result = sys.modules["cupy"].empty(shape, policy.float_dtype("dtype", dtype))
    return result, result.data.ptr


# ---- Protocols -------------------------------------------------------------------------------


def _read_interface(x: Any, stream: int | None, device: int) -> View:
    facts = x.__cuda_array_interface__
    dtype = np.dtype(facts["typestr"])
    if facts.get("mask") is not None:
        raise TypeError(
            "`x` has a mask, and a spectrum has no way to leave samples out. "
            f"{checks.received('x', x)}"
        )
    address, is_read_only = facts["data"]
    shape = tuple(facts["shape"])
    strides = facts.get("strides") or contiguous_strides(shape, dtype.itemsize)
    if hasattr(x, "__dlpack_device__"):
        device = x.__dlpack_device__()[1]
    own = facts.get("stream") or stream or LEGACY_STREAM
    return View(address, shape, tuple(strides), _name_of(dtype), device, own, is_read_only, x)


def _read_dlpack(x: Any, stream: int | None, device: int) -> View:
    reader = stream or LEGACY_STREAM
    try:
        try:
            capsule = x.__dlpack__(stream=reader, max_version=(1, 0))
        except TypeError:  # from before DLPack had versions
            capsule = x.__dlpack__(stream=reader)
        array = _core.DlpackArray(capsule)
        kind, device = array.device
        if kind != CUDA:
            raise BufferError(f"its DLPack capsule is of device {kind}, not {CUDA}")
    except Exception as error:
        raise TypeError(
            f"`x` must be an array that shares its memory. {checks.received('x', x)}: "
            f"{checks.clipped(str(error))}"
        ) from error
    is_read_only = array.is_read_only or _is_of(x, "jax", "Array")
    return View(
        array.address, array.shape, array.strides, array.dtype, device, reader, is_read_only, array
    )


def _empty_device_array(x: Any, shape: Shape, dtype: str, view: View) -> tuple[Any, int]:
    result = DeviceArray(shape, dtype, view.device, view.stream)
    result.keep((x, view.owner))
    return result, result.address


def _same(y: Any) -> Any:
    return y


def _settled(y: DeviceArray) -> DeviceArray:
    y.settle()
    return y


def _to_jax(y: Any) -> Any:
    return sys.modules["jax"].dlpack.from_dlpack(y)


def _name_of(dtype: np.dtype[Any]) -> str:
    return dtype.name if dtype.isnative else dtype.str


_TORCH = Kind(_read_torch, _empty_torch, _same, frees_in_order=True)
_CUPY = Kind(_read_cupy, _empty_cupy, _same, frees_in_order=True)
_JAX = Kind(_read_dlpack, _empty_device_array, _to_jax, frees_in_order=False)
_INTERFACE = Kind(_read_interface, _empty_device_array, _settled, frees_in_order=False)
_DLPACK = Kind(_read_dlpack, _empty_device_array, _settled, frees_in_order=False)
