# SPDX-License-Identifier: BSD-3-Clause
"""Finds model_config.yaml in a .nemo file, a tar archive that may be packed with gzip.

The archive is walked from header to header; only the content of that member is kept, and nothing
is written to disk. How much is unpacked depends on the size of the file, which no header can lie
about.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import BinaryIO

from specfast._front_file.yaml_text import MAX_BYTES
from specfast._spec import checks as _checks

MEMBER = "model_config.yaml"

GZIP_MAGIC = b"\x1f\x8b"
MAX_MEMBERS = 10_000
# Weights hardly get smaller when they are packed; what grows more than this is a bomb.
MAX_EXPANSION = 4
HARMLESS_BYTES = 64 << 20

_BLOCK = 512
_MAX_HEADER_BYTES = 1 << 16  # of a pax header, which holds a time and perhaps a size
_CHUNK = 1 << 20
_REGULAR = (b"0", b"\0")
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"


def is_archive(start: bytes) -> bool:
    """Returns whether a file that starts with these bytes, at least 512, is tar or gzip."""
    return start.startswith(GZIP_MAGIC) or (len(start) >= _BLOCK and _is_header(start[:_BLOCK]))


def config(path: Path) -> bytes:
    """Returns the content of model_config.yaml.

    Raises:
        ValueError: if the archive is broken, is too large, or has no such member.
    """
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        if not packed:
            return _find(_Plain(file, path.stat().st_size))
        limit = HARMLESS_BYTES + MAX_EXPANSION * path.stat().st_size
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _find(_Packed(unpacked, limit))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"broken gzip: {_checks.clipped(str(error))}") from None


class _Plain:
    """Reads and skips in a file of known size."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def read(self, count: int) -> bytes:
        return self._file.read(count)

    def skip(self, count: int) -> None:
        if count > self._size - self._file.tell():
            raise ValueError("a tar archive that ends within a member")
        self._file.seek(count, 1)


class _Packed:
    """Reads and skips in what gzip unpacks, up to a limit."""

    def __init__(self, file: gzip.GzipFile, limit: int) -> None:
        self._file, self._left = file, limit

    def read(self, count: int) -> bytes:
        self._left -= count
        if self._left < 0:
            raise ValueError(f"gzip that grows to more than {MAX_EXPANSION} times its size")
        return self._file.read(count)

    def skip(self, count: int) -> None:
        while count:
            chunk = self.read(min(count, _CHUNK))
            if not chunk:
                raise ValueError("a tar archive that ends within a member")
            count -= len(chunk)


def _find(source: _Plain | _Packed) -> bytes:
    size_of_next = None  # from a pax header, where the field of the header is too small
    for _ in range(MAX_MEMBERS):
        header = source.read(_BLOCK)
        if len(header) < _BLOCK or not header.strip(b"\0"):
            break
        if not _is_header(header):
            raise ValueError("a broken tar archive")
        kind, size = header[156:157], _number(header[124:136])
        if kind in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
            content = _content(source, size, _MAX_HEADER_BYTES)
            size_of_next = _pax_size(content) if kind == _PAX else size_of_next
            continue
        size = size if size_of_next is None else size_of_next
        size_of_next = None
        if _name(header) == MEMBER and kind in _REGULAR:
            return _content(source, size, MAX_BYTES)
        source.skip(_padded(size))
    raise ValueError(f"a tar archive without {MEMBER}, so no model of NeMo")


def _content(source: _Plain | _Packed, size: int, maximum: int) -> bytes:
    if size > maximum:
        raise ValueError(f"a member of a tar archive has {size} bytes, where {maximum} may be")
    content = source.read(_padded(size))[:size]
    if len(content) < size:
        raise ValueError("a tar archive that ends within a member")
    return content


def _is_header(block: bytes) -> bool:
    """Returns whether the checksum of a block is that of a header."""
    try:
        checksum = _number(block[148:156])
    except ValueError:
        return False
    return checksum == sum(block[:148]) + 8 * ord(" ") + sum(block[156:])


def _number(field: bytes) -> int:
    """Returns a number of a header: octal digits, or binary where they do not suffice."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip() or b"0"
    if not re.fullmatch(rb"[0-7]+", digits):
        raise ValueError("a broken tar archive")
    return int(digits, 8)


def _name(header: bytes) -> str:
    return header[:100].split(b"\0", 1)[0].decode("latin-1").removeprefix("./")


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _pax_size(content: bytes) -> int | None:
    """Returns the `size` of a pax header, whose records are `length key=value` lines."""
    for record in content.split(b"\n"):
        key, _, value = record.partition(b" ")[2].partition(b"=")
        if key == b"size" and value.isdigit() and len(value) < 20:
            return int(value)
    return None
