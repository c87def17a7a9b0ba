# SPDX-License-Identifier: BSD-3-Clause
"""Shards as folders of .npy files: one file a clip, ID.npy, in folders as its id has slashes.

No folder has more files than a shard has clips.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from specfast._corpus.formats.interface import Array, Clip
from specfast._corpus.formats.mapped import MappedFile
from specfast._corpus.item import Item

__all__ = ["Npy"]

_SUFFIX = ".npy"
_LIKE_A_FILE = re.compile(r"\.npy_*(?=/)")


class Npy:
    """See `Format`."""

    name = "npy"
    suffix = ".npys"

    def write(
        self,
        target: Path,
        clips: Iterable[Clip],
        items: Sequence[Item],
        metadata: Mapping[str, str],
    ) -> list[int]:
        target.mkdir()
        places = []
        for clip in clips:
            path = target / _name_of(clip.item.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                np.lib.format.write_array(stream, clip.values, version=(1, 0), allow_pickle=False)
                places.append(stream.tell() - clip.values.nbytes)
        return places

    def head_bytes(self, target: Path) -> int | None:
        return None

    def open(self, target: Path) -> Files:
        return Files(target)


class Files:
    """A folder of files that are mapped into memory when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Returns the array of a clip, read-only, without reading it."""
        return MappedFile(self.file(name)).read(name, offset, shape, dtype)

    def file(self, name: str) -> Path:
        """Returns the file of a clip."""
        return self._folder / _name_of(name)


def _name_of(name: str) -> str:
    """Returns the name of the file of a clip; never that of a folder of another clip."""
    return _LIKE_A_FILE.sub(r"\g<0>_", name) + _SUFFIX
