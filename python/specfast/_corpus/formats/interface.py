# SPDX-License-Identifier: BSD-3-Clause
"""What a format of shards is: it writes the clips of one shard, and reads one clip of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from specfast._corpus.item import Item

__all__ = ["Array", "Clip", "Format", "Store"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Clip:
    """The features of a clip.

    Attributes:
        item: Which clip it is.
        values: What the front end returned for it, C-contiguous: [rows, frames] or [frames, rows];
            in front of them an axis of channels where there are several.
        frames: How many frames they are.
        seconds: How long the clip is.
        rate: The sampling rate of its file, in Hz.
        frames_first: Whether the values are [frames, rows].
    """

    item: Item
    values: Array
    frames: int
    seconds: float
    rate: int
    frames_first: bool = True


class Store(Protocol):
    """A shard that is open for reading."""

    def read(self, name: str, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Returns the values of a clip, read-only, mapped into memory and not yet read.

        Args:
            name: The clip's id.
            offset: What `write` returned for it.
            shape, dtype: Those of the values.
        """
        ...

    def file(self, name: str) -> Path:
        """Returns the file in which the values of a clip lie."""
        ...


class Format(Protocol):
    """One way to lay out a shard.

    Attributes:
        name: What users call it.
        suffix: How the names of its shards end; a shard is one file or one folder.
    """

    name: str
    suffix: str

    def write(
        self,
        target: Path,
        clips: Iterable[Clip],
        items: Sequence[Item],
        metadata: Mapping[str, str],
    ) -> list[int]:
        """Writes a shard. The same arguments give the same bytes, on any day and machine.

        Args:
            target: The name of the file or folder, which does not exist: a temporary one. The
                caller forces it to the disk and gives it its name.
            clips: What it is to hold, in this order; may be none. They are computed while they
                are iterated over, so a format that writes each and lets it go takes little memory.
            items: All clips of the shard; those that fail are not among `clips`.
            metadata: What to say of the shard as a whole, where the format has a place for it.

        Returns:
            The place of the values of each clip, in bytes from the beginning of its file.

        Raises:
            OSError: It cannot be written.
        """
        ...

    def open(self, target: Path) -> Store:
        """Opens a shard for reading."""
        ...

    def head_bytes(self, target: Path) -> int | None:
        """Returns how many bytes stand in a shard's file before features and nothing else.

        These alone get a checksum, as the features of each clip have one; None: all of the shard.
        """
        ...
