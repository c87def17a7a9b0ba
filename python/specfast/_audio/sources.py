# SPDX-License-Identifier: BSD-3-Clause
"""Whatever bytes can be read from: paths, pipes, memory, file objects with or without seeking."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from os import SEEK_END, PathLike
from typing import Any, BinaryIO, TypeAlias

from specfast._audio.errors import AudioError
from specfast._audio.files import read_fully
from specfast._spec import checks

__all__ = ["Source", "opened", "read_to_end", "seekable"]

Source: TypeAlias = str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO

# Not everything at once: an interrupt is noticed between two blocks.
_BLOCK_BYTES = 1 << 20


@contextlib.contextmanager
def opened(source: Source, name: str | None) -> Iterator[tuple[BinaryIO, str]]:
    """Yields a stream of bytes and what messages call it; turns errors of reading into ours.

    Raises:
        AudioError: The source cannot be opened or read.
        TypeError: It is nothing that bytes can be read from.
    """
    try:
        if isinstance(source, str | PathLike):
            name = name or os.fsdecode(source)
            with _open(source) as stream:
                yield stream, name
        else:
            name = name or _name_of(source)
            yield _stream_of(source), name
    except OSError as error:
        raise AudioError(f"cannot read {name!r}: {error.strerror or error}") from error


def read_to_end(stream: BinaryIO) -> bytes:
    """Returns all bytes from the current position on.

    Raises:
        OSError: The stream cannot be read, or breaks off.
    """
    blocks = []
    while block := read_fully(stream, _BLOCK_BYTES):
        blocks.append(block)
    # Asked for blocks, this class does not tell that the connection broke off.
    http = sys.modules.get("http.client")
    if http is not None and isinstance(stream, http.HTTPResponse) and stream.length:
        raise OSError(f"the connection broke off, {stream.length} bytes are missing")
    return b"".join(blocks)


def seekable(stream: BinaryIO) -> BinaryIO:
    """Returns the stream, or a copy of its bytes in memory if it cannot be sought."""
    try:
        if hasattr(stream, "seekable") and not stream.seekable():
            return io.BytesIO(read_to_end(stream))
        stream.seek(0, SEEK_END)
        stream.tell()
        stream.seek(0)
    # ValueError: some raise io.UnsupportedOperation, others what it derives from.
    except (OSError, ValueError, AttributeError, NotImplementedError):
        return io.BytesIO(read_to_end(stream))
    return stream


def _open(path: str | PathLike[str]) -> BinaryIO:
    try:
        return open(path, "rb")  # noqa: PTH123, a path of bytes has no Path
    except ValueError as error:  # a null character in it
        raise OSError(str(error)) from error


def _stream_of(source: Any) -> BinaryIO:
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if isinstance(source, io.TextIOBase) or not callable(getattr(source, "read", None)):
        raise TypeError(
            "`source` must be a path, bytes, or a file object open for binary reading, as by "
            f"open(path, 'rb'). {checks.received('source', source)}"
        )
    stream: BinaryIO = source
    return stream


def _name_of(source: Any) -> str:
    if isinstance(source, bytes | bytearray | memoryview):
        return f"{type(source).__name__} in memory"
    # Of a pipe, it is a number.
    name = getattr(source, "name", None)
    return os.fsdecode(name) if isinstance(name, str | bytes) else "a stream"
