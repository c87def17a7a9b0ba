# SPDX-License-Identifier: BSD-3-Clause
"""Finds the first key that comes twice, among more keys than memory holds."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["PlacesOfKeys"]

# 16 bytes a key lie in memory up to here, and then in files that are looked at one by one.
_CHUNK_KEYS = 1 << 18
_NUM_FILES = 64

_RECORD = np.dtype([("hash", np.int64), ("place", np.int64)])


class PlacesOfKeys:
    """Remembers where each key stands, by 64 bits of its hash.

    Memory stays at some megabytes up to 10**7 keys, and grows by a quarter of a byte with each
    further one; the files, which have no name and vanish with the process, by 16.

    Args:
        folder: Where the files lie.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = folder
        self._hashes, self._places = array("q"), array("q")
        self._files: list[IO[bytes]] = []

    def add(self, key: str, place: int) -> None:
        """Remembers a key; places must ascend."""
        self._hashes.append(hash(key))
        self._places.append(place)
        if len(self._places) == _CHUNK_KEYS:
            self._spill()

    def groups(self) -> Iterator[Iterator[list[int]]]:
        """Yields the places of keys that have the same hash, ascending.

        Such groups come in some iterators, each in the order of the second place of a group.
        """
        if not self._files:
            yield _groups_of(self._taken())
            return
        self._spill()
        for file in self._files:
            file.seek(0)
            yield _groups_of(np.frombuffer(file.read(), _RECORD))

    def close(self) -> None:
        """Gives the files back."""
        for file in self._files:
            file.close()

    def _taken(self) -> npt.NDArray[np.void]:
        records = np.empty(len(self._places), _RECORD)
        records["hash"], records["place"] = self._hashes, self._places
        self._hashes, self._places = array("q"), array("q")
        return records

    def _spill(self) -> None:
        if not self._files:
            self._files = [_nameless_file(self._folder) for _ in range(_NUM_FILES)]
        records = self._taken()
        numbers = records["hash"] % _NUM_FILES
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=_NUM_FILES))
        for file, part in zip(self._files, np.split(records[order], ends[:-1]), strict=True):
            file.write(part.tobytes())


def _nameless_file(folder: str | os.PathLike[str]) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)


def _groups_of(records: npt.NDArray[np.void]) -> Iterator[list[int]]:
    # Stable: of equal hashes, the places still ascend.
    records = records[np.argsort(records["hash"], kind="stable")]
    hashes, places = records["hash"], records["place"]
    begins = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    ends = np.concatenate([begins[1:], [len(hashes)]])
    several = ends - begins > 1
    begins, ends = begins[several], ends[several]
    for group in np.argsort(places[begins + 1]):
        yield places[begins[group] : ends[group]].tolist()
