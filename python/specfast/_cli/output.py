# SPDX-License-Identifier: BSD-3-Clause
"""Where results and reports go: whole files, standard output, standard error."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from specfast._cli.errors import Failed

__all__ = ["check_target", "discard_output", "report", "standard_output", "write_whole"]


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Lends standard output and flushes it when the block ends.

    Everything that a command prints goes through here, so nothing that is complete waits in a
    buffer while the command waits for input. Bytes go to the stream's `buffer`.

    Raises:
        Failed: Standard output is closed or cannot take more, as on a full disk.
        BrokenPipeError: The reader went away.
    """
    if sys.stdout is None:
        raise Failed("cannot write to standard output: it is closed")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise Failed(f"cannot write to standard output: {error.strerror or error}") from error


def discard_output() -> None:
    """Drops what standard output still holds after a failure to write it.

    Python would try once more while it exits, complain, and replace our exit code by its own.
    """
    # Without a file descriptor there is nothing that Python would flush.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def report(line: str) -> None:
    """Tells the user something on standard error; standard output is for data."""
    # A report that nobody can receive must not cost the result.
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def check_target(path: str, *, force: bool) -> None:
    """Finds out before the work whether `write_whole` can succeed.

    Raises:
        Failed: The folder is missing or not writable, the target is no ordinary file,
            or it exists and `force` is false.
    """
    try:
        target = Path(path).resolve()
        folder = target.parent
        if not folder.is_dir():
            raise Failed(f"cannot write {path!r}: there is no folder {str(folder)!r}")
        if target.exists() and not target.is_file():
            raise Failed(f"cannot write {path!r}: it exists and is no ordinary file")
        if target.exists() and not force:
            raise Failed(f"cannot write {path!r}: it exists; --force replaces it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Failed(f"cannot write {path!r}: folder {str(folder)!r} is not writable")
    # Too long a name, a NUL in it, a loop of links.
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failed(f"cannot write {path!r}: {reason}") from error


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
        Failed: See `check_target`; or the disk is full, or another I/O error.
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
        raise Failed(f"cannot write {path!r}: it exists; --force replaces it") from error
    except OSError as error:
        raise Failed(f"cannot write {path!r}: {error.strerror or error}") from error
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
