# SPDX-License-Identifier: BSD-3-Clause
"""Where a result is written: into a file that is whole or not there, or straight into a device.

A device is whatever is neither a file nor a folder: /dev/null, a named pipe, an open descriptor.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from specfast._cli.errors import Failed
from specfast._cli.input import STANDARD_INPUT

__all__ = ["STANDARD_OUTPUT", "check_target", "is_device", "is_standard_output", "write_whole"]

STANDARD_OUTPUT = "-"
_OUTPUT_NUMBER = 1
_NAMES = {"stdin": 0, "stdout": _OUTPUT_NUMBER, "stderr": 2}


def is_standard_output(path: str) -> bool:
    """Returns whether this is one of the system's names of standard output."""
    return _descriptor(path) == _OUTPUT_NUMBER


def is_device(path: str) -> bool:
    """Returns whether bytes go straight into what has this name."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _descriptor(path: str) -> int | None:
    """Returns the number of an open file that a name such as /dev/fd/3 stands for."""
    found = re.fullmatch(r"/dev/(?:fd/(\d+)|(std(?:in|out|err)))|/proc/self/fd/(\d+)", path)
    if not found:
        return None
    number, name, other = found.groups()
    return _NAMES[name] if name else int(number or other)


def check_target(path: str, *, force: bool, source: str | None = None) -> None:
    """Finds out before the work whether `write_whole` can succeed.

    Args:
        path: The target, or "-" for standard output.
        force: Whether an existing file may be replaced.
        source: What is read, a path or "-"; None: nothing.

    Raises:
        Failed: The target is the source itself, its folder is missing or not writable, it is a
            folder, or it is a file that exists while `force` is false or may not be written.
    """
    if source is not None:
        _check_is_not_source(path, source)
    if path == STANDARD_OUTPUT or is_device(path):
        return
    try:
        target = Path(path).resolve()
        folder = target.parent
        if target.is_dir():
            raise Failed(f"cannot write {path!r}: it is a folder; name a file in it")
        if not folder.is_dir():
            raise Failed(f"cannot write {path!r}: there is no folder {str(folder)!r}")
        if target.exists():
            if not force:
                raise Failed(f"cannot write {path!r}: it exists; --force replaces it")
            if not os.access(target, os.W_OK):
                raise Failed(f"cannot write {path!r}: the file is write-protected")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Failed(f"cannot write {path!r}: folder {str(folder)!r} is not writable")
    # Too long a name, a NUL in it, a loop of links.
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failed(f"cannot write {path!r}: {reason}") from error


def _check_is_not_source(path: str, source: str) -> None:
    """Refuses a file that is read, under whatever name; appended to, it could have no end."""
    number = _OUTPUT_NUMBER if path == STANDARD_OUTPUT else _descriptor(path)
    try:
        target = os.stat(path) if number is None else os.fstat(number)  # noqa: PTH116
        if source != STANDARD_INPUT:
            read = os.stat(source)  # noqa: PTH116
        elif sys.stdin is None:
            return
        else:
            read = os.fstat(sys.stdin.fileno())
    except (OSError, ValueError):
        return
    if stat.S_ISREG(target.st_mode) and os.path.samestat(target, read):
        name = "to standard output" if path == STANDARD_OUTPUT else repr(path)
        raise Failed(f"cannot write {name}: it is the input itself")


def write_whole(path: str, write: Callable[[BinaryIO], None], *, force: bool) -> None:
    """Writes a file so that `path` never holds a part of it; into a device, straight.

    The bytes of a file go to a temporary one in the same folder, are forced to the disk, and only
    then take the name. After a failure the temporary file is gone and what stood at `path`
    before still stands there. A symbolic link is followed and kept, and so are the permissions
    and, where the system lets us, the owner and the attributes of a file that is replaced. Other
    names of that file (hard links) keep the old bytes.

    Args:
        path: The target.
        write: Called once with a file that is open for binary writing.
        force: Whether an existing file may be replaced.

    Raises:
        Failed: See `check_target`; or the disk is full, or another I/O error.
        BrokenPipeError: The reader of a pipe went away.
    """
    check_target(path, force=force)
    try:
        if is_device(path):
            _write_into_device(path, write)
        else:
            _replace(Path(path).resolve(), write, force=force)
    except BrokenPipeError:
        raise
    except FileExistsError as error:
        raise Failed(f"cannot write {path!r}: it exists; --force replaces it") from error
    except OSError as error:
        raise Failed(f"cannot write {path!r}: {error.strerror or error}") from error


def _write_into_device(path: str, write: Callable[[BinaryIO], None]) -> None:
    # Built first: some formats seek, and a failure must not leave half of one in a pipe.
    whole = io.BytesIO()
    write(whole)
    number = _descriptor(path)
    with open(path if number is None else os.dup(number), "wb") as stream:  # noqa: PTH123
        stream.write(whole.getbuffer())


def _replace(target: Path, write: Callable[[BinaryIO], None], *, force: bool) -> None:
    temporary = target.with_name(f".specfast-{secrets.token_hex(6)}.tmp")
    try:
        with _created(temporary, like=target) as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        _take_name(temporary, target, force=force)
        _sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _created(path: Path, *, like: Path) -> Iterator[BinaryIO]:
    """Yields a new file with the owner and the permissions of `like` from its first byte on; where
    there is no such file, those of any new one."""
    try:
        old = like.stat()
    except FileNotFoundError:
        old = None
    mode = 0o666 if old is None else 0o600
    # Never an existing file. The umask is applied to the mode.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, mode), "w+b") as stream:
        if old is not None and sys.platform != "win32":
            # Only the superuser may give a file away.
            with contextlib.suppress(PermissionError):
                os.fchown(stream.fileno(), old.st_uid, old.st_gid)
            _copy_attributes(like, stream.fileno())
            os.fchmod(stream.fileno(), stat.S_IMODE(old.st_mode))
        yield stream


def _copy_attributes(source: Path, handle: int) -> None:
    """Gives a file the access control list and other extended attributes of another, as far as
    the system has them and lets us."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            with contextlib.suppress(OSError):
                os.setxattr(handle, name, os.getxattr(source, name))


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
