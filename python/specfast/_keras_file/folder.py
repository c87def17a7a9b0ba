# SPDX-License-Identifier: BSD-3-Clause
"""Reads the folder that Keras writes with `model.save(path, zipped=False)`."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from specfast._keras_file import formats as _formats
from specfast._keras_file.archive import MAX_CONFIG_BYTES
from specfast._keras_file.errors import CONFIG, WEIGHTS, KerasFileError

_MAX_NAMES = 1000  # that are looked at for a hint; a folder may have millions


class Folder:
    """The two files of a model's folder that are read.

    Raises:
        KerasFileError: if it holds no config.json.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not (path / CONFIG).exists():
            raise KerasFileError(_formats.kind_of_folder(_names(path)))

    def config(self) -> bytes:
        """Returns the content of config.json."""
        with self._open(CONFIG, MAX_CONFIG_BYTES) as stream:
            data = stream.read(MAX_CONFIG_BYTES + 1)
        _check_size(CONFIG, len(data), MAX_CONFIG_BYTES)
        return data

    def weights(self, max_bytes: int) -> BinaryIO:
        """Opens model.weights.h5; it is the caller who closes it."""
        return self._open(WEIGHTS, max_bytes)

    def _open(self, name: str, max_bytes: int) -> BinaryIO:
        path = self._path / name
        # A pipe would be waited for, so the kind is asked before it is opened.
        if not path.is_file():
            raise KerasFileError(f"the folder has no file {name}")
        stream = path.open("rb")
        try:
            _check_size(name, os.fstat(stream.fileno()).st_size, max_bytes)
        except BaseException:
            stream.close()
            raise
        return stream


def _check_size(name: str, num_bytes: int, max_bytes: int) -> None:
    if num_bytes > max_bytes:
        raise KerasFileError(f"{name}: it has {num_bytes} bytes, at most {max_bytes} are read")


def _names(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return [entry.name for entry in islice(entries, _MAX_NAMES)]
