# SPDX-License-Identifier: BSD-3-Clause
"""The recordings below a folder, always in the same order."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence

__all__ = ["AUDIO_SUFFIXES", "Search"]

# Of what `specfast.audio` reads, the usual ones.
AUDIO_SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc"),
    *(".au", ".snd", ".caf", ".w64", ".rf64", ".sph", ".voc"),
)

_SHOWN_SUFFIXES = 3
_COUNTED_SUFFIXES = 1000

_Identity = tuple[int, int]


class Search:
    """Looks for recordings below a folder, and knows what it has seen.

    Entries come in the order of their names, those of a folder inside at its place. Links are
    followed, but one that leads back to a folder it lies in is passed over: what is there, is
    found there. Hidden files and folders, whose names begin with a full stop, are passed over.

    Args:
        folder: Where to look.
        suffixes: The ends of names to look for, in lower case; names may be in upper case.
    """

    def __init__(self, folder: str, suffixes: Sequence[str] = AUDIO_SUFFIXES) -> None:
        self._folder = folder
        self._suffixes = tuple(suffixes)
        self._num_files = 0
        self._others: Counter[str] = Counter()

    def paths(self) -> Iterator[str]:
        """Yields the path of each recording, the folder's included.

        Raises:
            OSError: A folder cannot be read; the message has its name.
        """
        # One iterator for each folder on the way down: no depth is too great, and memory is that
        # of the names in these folders.
        way = [self._entries(self._folder)]
        above = [_identity(self._folder)]
        while way:
            entry = next(way[-1], None)
            if entry is None:
                way.pop()
                above.pop()
            elif _is_folder(entry):
                identity = _identity(entry.path)
                if not (entry.is_symlink() and identity in above):
                    way.append(self._entries(entry.path))
                    above.append(identity)
            elif self._is_wanted(entry):
                yield entry.path

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                found = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise _unreadable(folder, error) from error
        found.sort(key=_name_of)
        return iter(found)

    def _is_wanted(self, entry: os.DirEntry[str]) -> bool:
        self._num_files += 1
        name = entry.name.lower()
        if not name.endswith(self._suffixes):
            suffix = os.path.splitext(name)[1]  # noqa: PTH122
            if suffix in self._others or len(self._others) < _COUNTED_SUFFIXES:
                self._others[suffix] += 1
            return False
        # A pipe would keep its reader waiting; a link that leads nowhere is reported when read.
        try:
            return entry.is_file() or entry.is_symlink()
        except OSError:
            return True

    def why_empty(self) -> str:
        """Returns what was seen, for a message that nothing was found."""
        if not self._num_files:
            return "there are no files in it"
        seen = ", ".join(
            f"{count} {suffix or 'without a suffix'}"
            for suffix, count in self._others.most_common(_SHOWN_SUFFIXES)
        )
        rest = self._num_files - sum(
            count for _, count in self._others.most_common(_SHOWN_SUFFIXES)
        )
        more = f", {rest} others" if rest else ""
        return (
            f"{self._num_files} files were looked at, and none is a recording ({seen}{more}); "
            f"looked for: {', '.join(self._suffixes)}"
        )


def _name_of(entry: os.DirEntry[str]) -> str:
    return entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(folder: str) -> _Identity:
    try:
        status = os.stat(folder)  # noqa: PTH116
    except OSError as error:
        raise _unreadable(folder, error) from error
    return status.st_dev, status.st_ino


def _unreadable(folder: str, error: OSError) -> OSError:
    return OSError(error.errno, f"the folder cannot be read: {error.strerror}", folder)
