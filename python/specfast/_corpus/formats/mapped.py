# SPDX-License-Identifier: BSD-3-Clause
"""Files of arrays that are mapped into memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from specfast._corpus.formats.interface import Array
from specfast._corpus.optional import import_pyarrow

__all__ = ["MappedFile"]


class MappedFile:
    """A file of arrays, mapped into memory; no descriptor stays open for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        pyarrow, _ = import_pyarrow()
        with pyarrow.memory_map(os.fspath(path)) as file:
            self._buffer = file.read_buffer()

    def read(self, name: str, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Returns the array that begins at a byte of the file, read-only, without reading it."""
        return np.ndarray(shape, dtype, buffer=self._buffer, offset=offset)

    def file(self, name: str) -> Path:
        """Returns the file, which holds all clips."""
        return self._path
