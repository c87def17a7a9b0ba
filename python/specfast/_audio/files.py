# SPDX-License-Identifier: BSD-3-Clause
"""Random access to the bytes of a file, and files put together from parts and new headers."""

from __future__ import annotations

import contextlib
import io
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from os import SEEK_CUR, SEEK_END, SEEK_SET
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["File", "Piece", "Sound", "Spliced", "read_fully"]

# Bytes of a header, or begin and end of a part of the file.
Piece = bytes | range

# libsndfile asks for 8 KiB at a time.
_BUFFER_BYTES = 1 << 18


def read_fully(stream: BinaryIO, num_bytes: int) -> bytes:
    """Reads as many bytes as asked for, or to the end; unbuffered streams return fewer a time.

    Raises:
        OSError: The stream cannot be read. Whatever else a foreign `read` raises is its cause.
        TypeError: The stream gives text.
    """
    blocks = []
    while num_bytes > 0:
        try:
            block = stream.read(num_bytes)
        except (OSError, MemoryError):
            raise
        except Exception as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        if block is None:
            raise OSError("it is non-blocking, and has no bytes at the moment")
        if not isinstance(block, bytes | bytearray | memoryview):
            raise TypeError(
                "`source` must be open for binary reading, as by open(path, 'rb'); its `read` "
                f"returned {type(block).__name__}"
            )
        if not block:
            break
        blocks.append(bytes(block))
        num_bytes -= len(block)
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


class File:
    """The bytes of a seekable stream, from `begin` to its end.

    Args:
        stream: A seekable stream, open for reading bytes.
        begin: Where the file begins in it.
        handle: The descriptor of the stream, if it is an open file that nobody else reads.

    Attributes:
        size: The number of bytes.
    """

    def __init__(self, stream: BinaryIO, begin: int = 0, handle: int | None = None) -> None:
        self._stream = stream
        self._handle = handle
        self._begin = begin
        # What `seek` returns is not to be relied on: old temporary files return None.
        stream.seek(0, SEEK_END)
        self.size = max(stream.tell() - begin, 0)

    def read(self, begin: int, num_bytes: int) -> bytes:
        """Returns `num_bytes` bytes from `begin` on, or those that are there."""
        if not 0 <= begin < self.size:
            return b""
        self._stream.seek(self._begin + begin)
        return read_fully(self._stream, min(num_bytes, self.size - begin))

    def without(self, num_bytes: int) -> File:
        """Returns the file without its first bytes."""
        return File(self._stream, self._begin + num_bytes, self._handle)

    @contextlib.contextmanager
    def lent(self, pieces: Sequence[Piece]) -> Iterator[int | None]:
        """Yields a descriptor at the beginning of the file, for whoever reads it without Python.

        None if there is no descriptor, or if the pieces are not the whole file as it stands.
        """
        if self._handle is None or self._begin != 0 or not self._consists_of(pieces):
            yield None
            return
        # The stream has noted where its descriptor stands, and must find it there.
        place = os.lseek(self._handle, 0, SEEK_CUR)
        os.lseek(self._handle, 0, SEEK_SET)
        try:
            yield self._handle
        finally:
            os.lseek(self._handle, place, SEEK_SET)

    def _consists_of(self, pieces: Sequence[Piece]) -> bool:
        begin = 0
        for piece in pieces:
            if isinstance(piece, bytes):
                if self.read(begin, len(piece)) != piece:
                    return False
            elif piece.start != begin:
                return False
            begin += len(piece)
        return begin == self.size


@dataclass(frozen=True)
class Sound:
    """What a decoder is to read, with every length in it correct.

    Attributes:
        parts: Files to be decoded one after the other, usually one.
        remark: What whoever reads it should know, if anything, as a phrase about "it".
        num_samples: Where the decoder cannot know better: how many samples there are, of each
            channel. What it makes of the rest is no sound.
    """

    parts: list[list[Piece]]
    remark: str | None = None
    num_samples: int | None = None


class Spliced(io.RawIOBase):
    """A file that consists of pieces; what decoders read.

    Attributes:
        failure: What kept bytes from being read, if anything. A decoder written in C only sees
            the end of the file.
    """

    def __init__(self, file: File, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._file = file
        self._pieces = [piece for piece in pieces if len(piece)]
        ends = list(accumulate(map(len, self._pieces)))
        self._begins = [0, *ends[:-1]]
        self._size = ends[-1] if ends else 0
        self._position = 0
        self.failure: OSError | None = None

    def buffered(self) -> io.BufferedReader:
        """Returns the file as a stream whose `readinto` fills its argument."""
        return io.BufferedReader(self, _BUFFER_BYTES)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        origin = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._size}[whence]
        # Beyond either end, libsndfile is to find no bytes rather than an exception.
        self._position = max(origin + offset, 0)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Reads from one piece, from the current position on."""
        if self._position >= self._size:
            return 0
        target = memoryview(buffer).cast("B")
        place = bisect_right(self._begins, self._position) - 1
        inside = self._position - self._begins[place]
        piece = self._pieces[place][inside : inside + len(target)]
        try:
            data = piece if isinstance(piece, bytes) else self._file.read(piece.start, len(piece))
        except OSError as error:
            self.failure = error
            return 0
        target[: len(data)] = data
        self._position += len(data)
        return len(data)
