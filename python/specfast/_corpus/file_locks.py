# SPDX-License-Identifier: BSD-3-Clause
"""Small files that one process locks, reads and writes; what differs between systems.

Unix has two kinds of locks, and neither keeps others from reading. Windows has one, which does: so
it is put on a byte far behind the contents.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from pathlib import Path

__all__ = ["begin_lock", "open_for_lock", "read_start", "wait_for_lock", "write_at"]

_BEHIND = 1 << 30
_SECONDS_BETWEEN_TRIALS = 0.05
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def open_for_lock(path: Path) -> int:
    """Opens a file for reading and writing bytes, and makes it if there is none.

    Raises:
        OSError: It cannot be opened or made.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)


def read_start(handle: int, num_bytes: int) -> bytes:
    """Returns at most so many bytes from the beginning of an open file."""
    os.lseek(handle, 0, os.SEEK_SET)
    return os.read(handle, num_bytes)


def write_at(handle: int, data: bytes, place: int) -> None:
    """Writes bytes at a place of an open file."""
    if sys.platform == "win32":
        os.lseek(handle, place, os.SEEK_SET)
        os.write(handle, data)
    else:
        os.pwrite(handle, data, place)


if sys.platform == "win32":
    import msvcrt

    def begin_lock(handle: int) -> bool:
        """Takes the lock of an open file; returns False if another one has it."""
        os.lseek(handle, _BEHIND, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return error.errno not in _HELD
        return True

    def wait_for_lock(handle: int) -> None:
        """Waits for the lock of an open file, where the file system has locks."""
        # What waits in msvcrt gives up after ten seconds, and a shard may take longer.
        while not begin_lock(handle):
            time.sleep(_SECONDS_BETWEEN_TRIALS)

else:
    import fcntl

    def begin_lock(handle: int) -> bool:
        """Takes the lock of an open file; returns False if another process has it.

        The lock is one of POSIX records: a process that is forked does not inherit it, and other
        threads of this process are not kept out. True, too, where the file system has no locks.
        """
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in _HELD
        return True

    def wait_for_lock(handle: int) -> None:
        """Waits for the lock of an open file, where the file system has locks."""
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
