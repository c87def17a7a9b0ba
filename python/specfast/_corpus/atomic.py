# SPDX-License-Identifier: BSD-3-Clause
"""Files and folders that appear under their name whole, or not at all.

Bytes go under a temporary name in the same folder and are forced to the disk; then the name is
taken, and the folder is forced to the disk too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = [
    "made_whole",
    "remove_leftovers",
    "sync_folder",
    "temporary_name",
    "write_whole",
]

_TEMPORARY = ".{name}-{token}.tmp"
# What systems answer that do not sync folders; anything else is a fault of the disk.
_CANNOT_BE_SYNCED = {
    errno.EACCES,
    errno.EBADF,
    errno.EINVAL,
    errno.EISDIR,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EPERM,
}


def write_whole(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes a file; one of that name is replaced.

    Args:
        target: Its name.
        write: Is called once with a file open for binary writing.

    Raises:
        OSError: The disk is full, or another I/O error. No temporary file is left behind.
    """
    with made_whole(target) as (temporary,), temporary.open("xb") as stream:
        write(stream)


@contextlib.contextmanager
def made_whole(*targets: Path) -> Iterator[list[Path]]:
    """Yields the names under which the block makes files or folders, and then gives them theirs.

    All bytes are on the disk before the first name is taken.

    Args:
        targets: Their names, in one folder.

    Raises:
        OSError: As `write_whole`.
    """
    temporaries = [temporary_name(target) for target in targets]
    try:
        yield temporaries
        for temporary in temporaries:
            _sync_tree(temporary)
        for temporary, target in zip(temporaries, targets, strict=True):
            _take_name(temporary, target)
        sync_folder(targets[0].parent)
    finally:
        for temporary in temporaries:
            _remove(temporary)


def temporary_name(target: Path) -> Path:
    """Returns a name beside the target that no other process has, and `remove_leftovers` knows."""
    return target.with_name(_TEMPORARY.format(name=target.name, token=secrets.token_hex(6)))


def _take_name(temporary: Path, target: Path) -> None:
    """Gives a finished file, or a folder of files, its name.

    What had that name is replaced. Between a folder's removal and its successor there is nothing
    under the name, so whoever replaces one must have said before that it is not complete.
    """
    if target.is_dir() and not target.is_symlink():
        old = temporary_name(target)
        target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old)
    else:
        temporary.replace(target)


def _sync_tree(path: Path) -> None:
    if not path.is_dir():
        _sync(path)
        return
    for folder, _, names in os.walk(path):
        for name in names:
            _sync(Path(folder, name))
        sync_folder(Path(folder))


def _sync(path: Path) -> None:
    # Windows syncs only what may be written, and elsewhere a folder can only be read.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Forces new names to the disk, where a folder can be opened and synced.

    Windows and some network file systems refuse; the files are whole there all the same.

    Raises:
        OSError: The disk has failed.
    """
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _CANNOT_BE_SYNCED:
            raise


def remove_leftovers(folder: Path) -> None:
    """Removes what processes that were killed have left under temporary names."""
    for path in folder.glob(".*.tmp"):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
