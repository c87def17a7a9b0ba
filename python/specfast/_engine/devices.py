# SPDX-License-Identifier: BSD-3-Clause
"""The GPUs that this process can compute on, and the library that does it.

The library is loaded, and the driver of a GPU started, by the first computation there: a child of
fork() cannot use a driver that its parent has started.
"""

from __future__ import annotations

import importlib
import os
from typing import Any, ClassVar

from specfast import _core

LIBRARY_VARIABLE = "SPECFAST_CUDA_LIBRARY"

_PACKAGES = ("specfast_cuda13", "specfast_cuda12")
_INSTALL = "pip install specfast-cuda13, or specfast-cuda12 for an older driver"


class _InUse:
    """What this process, or the one that it was forked from, has found."""

    devices: ClassVar[set[int]] = set()  # additions are atomic
    library: str | None = None
    process: int | None = None


def require(device: int) -> None:
    """Loads the library and looks for a device of this number.

    Raises:
        RuntimeError: if library, driver or device are missing; it says what to install.
    """
    if device in _InUse.devices:
        return
    try:
        library = _InUse.library if _InUse.devices else _library()
        _core.load_backend(library)
        _core.device_info(device)
    except (RuntimeError, ValueError, ImportError) as error:
        if _InUse.devices and _InUse.process != os.getpid():
            raise  # nothing is missing
        raise RuntimeError(
            f"to compute on a GPU takes one of NVIDIA, its driver and a library ({_INSTALL}). "
            f"Received: device 'cuda:{device}': {error}"
        ) from error
    _InUse.library, _InUse.process = library, os.getpid()
    _InUse.devices.add(device)


def why_missing(device: int) -> str | None:
    """Returns why nothing can be computed on a device, or None where that can be done."""
    try:
        require(device)
    except RuntimeError as error:
        return str(error)
    return None


def number(name: str) -> int:
    """Returns the number of a device: 1 for "cuda:1", 0 for "cuda"."""
    return int(name.partition(":")[2] or 0)


def facts() -> dict[str, Any] | str:
    """Returns what `build_info` says of GPUs."""
    try:
        if _InUse.devices:
            return {
                "library": _InUse.library or "libspecfast_cuda.so",
                **_core.device_info(min(_InUse.devices)),
            }
        library = _library()
    except (RuntimeError, ValueError, ImportError) as error:
        return str(error)
    if library is None:
        return f"no library is installed ({_INSTALL})"
    return f"not in use yet: the first computation on a GPU loads {library}"


def _library() -> str | None:
    """Returns the path of the library; None: the dynamic linker may know it by its name."""
    if path := os.environ.get(LIBRARY_VARIABLE):
        return path
    for name in _PACKAGES:
        try:
            return str(importlib.import_module(name).library)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
    return None
