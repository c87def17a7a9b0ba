# SPDX-License-Identifier: BSD-3-Clause
"""Writes a result to a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

__all__ = ["OutputError", "check_target", "write_whole"]


class OutputError(Exception):
    """A result cannot be written. The message names the target and what is wrong."""


def check_target(path: str, *, force: bool) -> None:
    """Tells before the work whether `write_whole` has a chance.

    Raises:
        OutputError: The folder is missing or not writable, the target is no ordinary file,
            or it exists and `force` is false.
    """
    try:
        target = Path(path).resolve()
        folder = target.parent
        if not folder.is_dir():
            raise OutputError(f"cannot write {path!r}: there is no folder {str(folder)!r}")
        if target.exists() and not target.is_file():
            raise OutputError(f"cannot write {path!r}: it exists and is no ordinary file")
        if target.exists() and not force:
            raise OutputError(f"cannot write {path!r}: it exists; --force replaces it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write {path!r}: folder {str(folder)!r} is not writable")
    # Too long a name, a NUL in it, a loop of links.
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {path!r}: {reason}") from error


def write_whole(path: str, write: Callable[[BinaryIO], None], *, force: bool) -> None:
    """Writes a file so that `path` never holds a part of it.

    The bytes go to a temporary file in the same folder, are forced to the disk, and only
    then take the name. After a failure the temporary file is gone and what stood at `path`
    before still stands there. A symbolic link is followed and kept.

    Args:
        path: The target.
        write: Called once with the temporary file, open for binary writing.
        force: Whether an existing file may be replaced.

    Raises:
        OutputError: See `check_target`; or the disk is full, or another I/O error.
    """
    check_target(path, force=force)
    target = Path(path).resolve()
    temporary = target.with_name(f".specfast-{secrets.token_hex(6)}.tmp")
    try:
        # "x": never an existing file. Permissions follow the umask, as for any new file.
        with temporary.open("xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        _take_name(temporary, target, force=force)
        _sync_folder(target.parent)
    except FileExistsError as error:
        raise OutputError(f"cannot write {path!r}: it exists; --force replaces it") from error
    except OSError as error:
        raise OutputError(f"cannot write {path!r}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _take_name(temporary: Path, target: Path, *, force: bool) -> None:
    if not force:
        # A hard link fails if the name exists: no gap between looking and writing.
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except (OSError, AttributeError, NotImplementedError):
            # This file system or platform has no hard links.
            if target.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        else:
            return
    temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    """Forces the new name to the disk, where a folder can be opened and synced.

    Windows and some network file systems refuse; the file is whole there all the same.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
