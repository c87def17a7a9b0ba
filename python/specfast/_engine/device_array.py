# SPDX-License-Identifier: BSD-3-Clause
"""An array in the memory of a GPU, for callers whose own arrays cannot be made here."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast import _core
from specfast._spec import policy

CUDA = 2  # the number of this kind of device in DLPack
LEGACY_STREAM = 1  # CUDA's default stream, in both protocols
STREAM_OF_THREAD = 2  # that of each thread, likewise

# The bytes of an element of what is read or written on devices.
ITEM_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8, "int16": 2}


class DeviceArray:
    """A C-contiguous array in the memory of a CUDA device; layers return it.

    Other libraries take it without a copy, by `__cuda_array_interface__` (all but bfloat16) or
    DLPack, and keep it alive: `cupy.asarray(y)`, `numba.cuda.as_cuda_array(y)`,
    `torch.from_dlpack(y)`. Both protocols put the reader behind the work that fills the array.

    Attributes:
        shape: its dimensions.
        strides: bytes from one element of an axis to the next.
        dtype: a NumPy dtype; that of bfloat16 needs the package ml_dtypes.
        device: "cuda:0" and so on.
    """

    def __init__(self, shape: tuple[int, ...], dtype: str, device: int, stream: int) -> None:
        """Allocates it; `stream` is where the work will be that fills it."""
        self.shape = shape
        self._dtype = dtype
        self._device = device
        # None once the work is done: a stream may end before this array does.
        self._stream: int | None = stream or LEGACY_STREAM
        self._memory = _core.DeviceMemory(device, self._num_bytes)

    @property
    def strides(self) -> tuple[int, ...]:
        return contiguous_strides(self.shape, ITEM_BYTES[self._dtype])

    @property
    def dtype(self) -> np.dtype[Any]:
        return policy.float_dtype("dtype", self._dtype)

    @property
    def device(self) -> str:
        return f"cuda:{self._device}"

    @property
    def address(self) -> int:
        """The address of its first element."""
        return self._memory.address

    def keep(self, owner: Any) -> None:
        """Keeps an object alive whose memory the work reads that fills this array."""
        self._memory.keeps = owner

    def copy_to_host(self) -> npt.NDArray[Any]:
        """Returns a NumPy array with the same values, once they are there.

        Raises:
            RuntimeError: if the work that computes them has failed.
        """
        values = np.empty(self.shape, self.dtype)
        if values.size:
            self._memory.read(values, self._stream or LEGACY_STREAM)
            self._is_done()
        return values

    def settle(self) -> None:
        """Waits for work in the default stream of this thread, which no other can name."""
        if self._stream == STREAM_OF_THREAD:
            self._wait()

    def _wait(self) -> None:
        if self._stream is not None:
            _core.wait_for_stream(self._device, self._stream)
            self._is_done()

    def _is_done(self) -> None:
        self._stream = None
        self._memory.keeps = None

    @property
    def _num_bytes(self) -> int:
        return math.prod(self.shape) * ITEM_BYTES[self._dtype]

    # ---- Protocols ---------------------------------------------------------------------------

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self._dtype == "bfloat16":
            raise AttributeError("the CUDA array interface has no bfloat16: use DLPack")
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.address if self._num_bytes else 0, False),
            "strides": None,
            "stream": self._stream,
            "version": 3,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return CUDA, self._device

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        if (dl_device is not None and tuple(dl_device) != self.__dlpack_device__()) or copy:
            raise BufferError(
                f"the array is shared where it is, on {self.device}. "
                f"Received: dl_device={dl_device}, copy={copy}"
            )
        if stream == 0:
            raise ValueError(
                "`stream` must be 1 for the legacy default stream, 2 for that of the thread, -1, "
                "or the address of another one. Received: stream=0"
            )
        reader = LEGACY_STREAM if stream is None else stream
        if reader not in (-1, self._stream):
            self._wait()
        versioned = max_version is not None and max_version[0] >= 1
        return _core.to_dlpack(
            self.address, self.shape, self._dtype, CUDA, self._device, self, versioned
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(f"the array is in the memory of {self.device}: call copy_to_host()")

    def __repr__(self) -> str:
        return f"<DeviceArray of shape {self.shape}, {self._dtype}, on {self.device}>"


def contiguous_strides(shape: tuple[int, ...], item_bytes: int) -> tuple[int, ...]:
    """Returns the strides in bytes of a C-contiguous array."""
    counts = itertools.accumulate(reversed(shape[1:]), int.__mul__, initial=item_bytes)
    return tuple(reversed(list(counts))) if shape else ()
