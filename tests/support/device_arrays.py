# SPDX-License-Identifier: BSD-3-Clause
"""NumPy arrays that say of themselves that they are on a CUDA device, by either protocol."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CUDA = 2

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = ctypes.c_void_p
_pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
_name_of = ctypes.pythonapi.PyCapsule_GetName
_name_of.restype = ctypes.c_char_p
_name_of.argtypes = [ctypes.py_object]

# Where structures of DLPack say what the device, the code of the type and the flags are.
_OFFSETS = {
    b"dltensor": {"device": 8, "code": 20},
    b"dltensor_versioned": {"device": 40, "code": 52, "flags": 24},
}

# Dtypes that no NumPy, or not each, has in capsules: their code, and integers of the same size.
_WITHOUT_NUMPY = {"bfloat16": (4, np.dtype(np.int16)), "bool": (6, np.dtype(np.uint8))}


class Interface:
    """Has the CUDA array interface."""

    def __init__(
        self, values: Array, *, stream: int | None = 1, read_only: bool = False, **others: Any
    ) -> None:
        self.values = values
        self._facts = {
            **values.__array_interface__,
            "data": (values.__array_interface__["data"][0], read_only),
            "stream": stream,
            "version": 3,
            **others,
        }

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self._facts


class Dlpack:
    """Has DLPack: NumPy's own capsule, in which the device is another.

    Attributes:
        streams: those for which it was asked.
    """

    def __init__(
        self,
        values: Array,
        *,
        device: tuple[int, int] = (CUDA, 0),
        versioned: bool = True,
        read_only: bool = False,
    ) -> None:
        self._code, integers = _WITHOUT_NUMPY.get(values.dtype.name, (None, values.dtype))
        self.values = values.view(integers)
        self._device = device
        self._versioned = versioned
        self._read_only = read_only
        self.streams: list[Any] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self, *, stream: Any = None, **others: Any) -> Any:
        if not self._versioned and others:
            raise TypeError("max_version is not known here")
        capsule = self.values.__dlpack__(**others)
        self.streams.append(stream)
        self._change(capsule)
        return capsule

    def _change(self, capsule: Any) -> None:
        name = _name_of(capsule)
        address = _pointer_of(capsule, name)
        offsets = _OFFSETS[name]
        for place, number in zip((0, 4), self._device, strict=True):
            ctypes.c_int32.from_address(address + offsets["device"] + place).value = number
        if self._code is not None:
            ctypes.c_uint8.from_address(address + offsets["code"]).value = self._code
        if self._read_only:
            ctypes.c_uint64.from_address(address + offsets["flags"]).value |= 1
