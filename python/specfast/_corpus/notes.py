# SPDX-License-Identifier: BSD-3-Clause
"""The note of a shard: which worker has it, and which clip that worker has begun.

A worker that dies leaves its note behind. Whoever computes the shard next knows from it which clip
was being computed, and tries that one in a process of its own. The lock on the note keeps two
workers from one shard, as when a scheduler takes for dead what only answers slowly.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path
from types import TracebackType

from specfast._corpus.file_locks import open_for_lock, read_start, wait_for_lock, write_at
from specfast._corpus.shards import Shard

__all__ = ["NOTES_NAME", "Note", "clear_notes", "remove_notes_folder"]

NOTES_NAME = ".work"
_NOBODY = -1
_NUMBER = struct.Struct("<q")


class Note:
    """The note of a shard, locked while the context lasts.

    Attributes:
        suspects: The clips, by their place in the shard, at which workers have died before.
    """

    def __init__(self, out: Path, shard: Shard) -> None:
        self._path = out / NOTES_NAME / shard.stem
        self._handle = _NOBODY
        self.suspects: list[int] = []

    def __enter__(self) -> Note:
        self._handle = open_for_lock(self._path)
        wait_for_lock(self._handle)
        content = read_start(self._handle, 1 << 20)
        numbers = [number for (number,) in _NUMBER.iter_unpack(content[: len(content) // 8 * 8])]
        if numbers and numbers[0] != _NOBODY:
            numbers.append(numbers[0])
            write_at(self._handle, _NUMBER.pack(numbers[0]), (len(numbers) - 1) * _NUMBER.size)
        self.suspects = numbers[1:]
        self.rest()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What unwinds has not died of a clip.
        with contextlib.suppress(OSError):
            self.rest()
        os.close(self._handle)

    def begin(self, index: int) -> None:
        """Notes that the clip at this place is being computed, until `rest`."""
        write_at(self._handle, _NUMBER.pack(index), 0)

    def rest(self) -> None:
        """Notes that no clip is being computed."""
        self.begin(_NOBODY)

    def remove(self) -> None:
        """Removes the note of a shard that is done."""
        _unlink(self._path)


def clear_notes(out: Path) -> None:
    """Removes the notes of a run whose shards are all done."""
    for path in (out / NOTES_NAME).glob("shard-*"):
        _unlink(path)


def _unlink(path: Path) -> None:
    """Removes a note; where that is still open, Windows keeps it, for the next run to remove."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        if os.name != "nt":
            raise


def remove_notes_folder(out: Path) -> None:
    """Removes the folder of notes, if it is empty: if no worker has died or is at work."""
    with contextlib.suppress(OSError):
        (out / NOTES_NAME).rmdir()
