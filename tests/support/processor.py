# SPDX-License-Identifier: BSD-3-Clause
"""The register that tells how a thread computes: MXCSR of x86-64."""

from __future__ import annotations

import ctypes
import mmap
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Reader(Protocol):
    """Reads the register of the calling thread, without the flags of past operations."""

    def __call__(self) -> int: ...


def is_known() -> bool:
    """Whether this processor has that register."""
    return platform.machine() in ("x86_64", "AMD64")


@contextmanager
def control_register() -> Iterator[Reader]:
    """Yields what reads it; only where `is_known()`."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("0fae1fc3"))  # stmxcsr [rdi]; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    function = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint32))(address)

    def read() -> int:
        value = ctypes.c_uint32()
        function(ctypes.byref(value))
        return value.value & ~0x3F

    yield read
    code.flush()
