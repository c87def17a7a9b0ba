# SPDX-License-Identifier: BSD-3-Clause
"""Reads the small part of HDF5 that Keras writes, safely on forged files.

h5py writes the oldest format unless told otherwise, and Keras never tells: superblock 0, groups
as symbol tables, contiguous arrays, strings in global heaps. All else is refused: links of any
kind but hard ones, chunks, filters, external and virtual storage, other types. The HDF5 library
itself is not used, since one changed byte can make it loop for ever (docs/design.md).

Formats: "HDF5 File Format Specification Version 3.0", sections named in the comments. Numbers
are little-endian. Every read is inside the file. One budget bounds all reads of structure and all
that is made of them: texts may share their bytes in a file, so each is paid for again where it is
copied, and objects are paid for by what they take in memory.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from specfast._spec import checks as _checks

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_STRUCTURE_BYTES = 64 << 20
MAX_TEXT_BYTES = 1024  # of the name of a member or an attribute, and of an attribute's value

# About what Python keeps for the smallest message, child of a B-tree and member of a group.
_MESSAGE_COST_BYTES = 64
_CHILD_COST_BYTES = 96
_MEMBER_COST_BYTES = 256
_SUPERBLOCK_BYTES = 96
_SIZES_OF_8 = b"\x08\x08"  # bytes of an address and of a length
_ENTRY_BYTES = 40
_UNDEFINED = (1 << 64) - 1
_MAX_DIMENSIONS = 32

# Types of header messages (IV.A.2).
_DATASPACE, _DATATYPE, _LAYOUT, _ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE = 1, 3, 8, 12, 16, 17
_EXTERNAL, _FILTERS = 7, 11
_SHARED = 2  # flag of a message
_CONTIGUOUS = 1  # class of a layout
_HARD = (0, 1)  # cache types of a symbol: a hard link; 2 is a soft one


class FormatError(ValueError):
    """Raised for a file that is broken, or uses a part of HDF5 that is not read here."""


@dataclass(frozen=True)
class Dataset:
    """An array in the file; `dtype` is void for values of two bytes of an unnamed type."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    address: int


@dataclass(frozen=True)
class _Message:
    kind: int
    flags: int
    body: bytes


class File:
    """A file, open for binary reading and seekable; objects are known by their addresses.

    Raises:
        FormatError: here and from every method, whatever the bytes are.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._num_bytes = stream.seek(0, io.SEEK_END)
        self._budget = MAX_STRUCTURE_BYTES
        self._unread_bytes = self._num_bytes
        self._groups: dict[int, dict[str, int | None]] = {}
        # II.A: version 0 of everything, then the root group's symbol, whose header comes second.
        block = self._read(0, _SUPERBLOCK_BYTES)
        if block[:8] != SIGNATURE or block[8] != 0 or block[13:15] != _SIZES_OF_8:
            raise FormatError("it is no HDF5 file with a superblock of version 0")
        base, _, end = struct.unpack_from("<QQQ", block, 24)
        if base != 0 or end > self._num_bytes:
            raise FormatError(f"it has {self._num_bytes} bytes where {end} should be")
        (self.root,) = struct.unpack_from("<Q", block, 64)

    # ---- Groups ------------------------------------------------------------------------------

    def is_group(self, address: int) -> bool:
        return any(message.kind == _SYMBOL_TABLE for message in self._messages(address))

    def members(self, address: int) -> dict[str, int | None]:
        """Returns the members of a group and their addresses; None is that of a link."""
        if address not in self._groups:
            table = _only(self._messages(address), _SYMBOL_TABLE, 16, "a group as Keras writes it")
            tree, heap = struct.unpack_from("<QQ", table)
            names = self._local_heap(heap)
            members: dict[str, int | None] = {}
            for name_offset, header, cache_type in self._symbols(tree):
                name = _text(names, name_offset)
                self._spend(len(name) + _MEMBER_COST_BYTES)
                if name in members:
                    raise FormatError(f"a group has two members named {_checks.short(name)}")
                members[name] = header if cache_type in _HARD else None
            self._groups[address] = members
        return self._groups[address]

    def _symbols(self, tree: int) -> Iterator[tuple[int, int, int]]:
        """Yields name offset, header address, cache type of symbols below a B-tree (III.A.1)."""
        waiting: list[tuple[int, int | None]] = [(tree, None)]
        while waiting:
            address, wanted_level = waiting.pop()
            signature, kind, level, count = struct.unpack("<4sBBH", self._read(address, 8))
            if signature != b"TREE" or kind != 0 or wanted_level not in (None, level):
                raise FormatError(f"no B-tree of a group at {address}")
            self._spend(_CHILD_COST_BYTES * count)
            # Keys and children take turns, a key first.
            words = struct.unpack(f"<{2 * count}Q", self._read(address + 24, 16 * count))
            if level:
                waiting += [(child, level - 1) for child in words[1::2]]
            else:
                for child in words[1::2]:
                    yield from self._symbol_node(child)

    def _symbol_node(self, address: int) -> Iterator[tuple[int, int, int]]:
        signature, version, count = struct.unpack("<4sBxH", self._read(address, 8))  # III.B
        if signature != b"SNOD" or version != 1:
            raise FormatError(f"no symbols of a group at {address}")
        entries = self._read(address + 8, _ENTRY_BYTES * count)
        for position in range(0, len(entries), _ENTRY_BYTES):
            yield struct.unpack_from("<QQI", entries, position)  # III.C

    def _local_heap(self, address: int) -> bytes:
        signature, size, _, data = struct.unpack("<4s4xQQQ", self._read(address, 32))  # III.D
        if signature != b"HEAP":
            raise FormatError(f"no names of a group at {address}")
        return self._read(data, size)

    # ---- Arrays and attributes ---------------------------------------------------------------

    def dataset(self, address: int) -> Dataset:
        """Returns the description of an object's array; nothing of the array is read."""
        messages = self._messages(address)
        if any(message.kind in (_EXTERNAL, _FILTERS) for message in messages):
            raise FormatError("an array with filters or external storage is not read")
        shape = _shape(_only(messages, _DATASPACE, 4, "an array"))
        dtype = _dtype(_only(messages, _DATATYPE, 8, "an array"))
        layout = _only(messages, _LAYOUT, 2, "an array")
        if layout[0] != 3 or layout[1] != _CONTIGUOUS or len(layout) < 18:  # IV.A.2.i
            raise FormatError("an array that is chunked, compact or virtual is not read")
        data, num_bytes = struct.unpack_from("<QQ", layout, 2)
        wanted = math.prod(shape) * dtype.itemsize
        if num_bytes != wanted or data == _UNDEFINED or data + num_bytes > self._num_bytes:
            raise FormatError(f"an array of {wanted} bytes is not wholly in the file")
        return Dataset(shape, dtype, data)

    def shape(self, address: int) -> tuple[int, ...]:
        """Returns the shape of an object's array, whatever its type and storage."""
        return _shape(_only(self._messages(address), _DATASPACE, 4, "an array"))

    def array(self, dataset: Dataset) -> npt.NDArray[Any]:
        """Returns the values of an array, read only; of all arrays, as much as the file holds."""
        num_bytes = math.prod(dataset.shape) * dataset.dtype.itemsize
        self._unread_bytes -= num_bytes
        if self._unread_bytes < 0:
            raise FormatError("its arrays together are larger than the file: some are the same")
        data = self._exactly(dataset.address, num_bytes)
        return np.frombuffer(data, dataset.dtype).reshape(dataset.shape)

    def has_attribute(self, address: int, name: str) -> bool:
        """Tells whether an object has an attribute of this name, whatever it holds."""
        return any(
            message.kind == _ATTRIBUTE and _attribute(message.body)[0] == name
            for message in self._messages(address)
        )

    def string_attribute(self, address: int, name: str) -> str | None:
        """Returns the text of an attribute of an object, if it has one of this name.

        A string of variable length is the one type of attribute that is read.
        """
        for message in self._messages(address):
            if message.kind == _ATTRIBUTE and not message.flags & _SHARED:
                found, datatype, data = _attribute(message.body)
                if found == name:
                    # IV.A.2.d: class 9, and a string; then length and place in a global heap.
                    if len(data) != 16 or datatype[0] & 15 != 9 or datatype[1] & 15 != 1:
                        raise FormatError(f"the attribute {name!r} is no single string")
                    return self._heap_text(*struct.unpack("<IQI", data))
        return None

    def _heap_text(self, length: int, address: int, index: int) -> str:
        if length > MAX_TEXT_BYTES:
            raise _too_long()
        signature, version, size = struct.unpack("<4sB3xQ", self._read(address, 16))  # III.E
        if signature != b"GCOL" or version != 1 or size < 16:
            raise FormatError(f"no heap of strings at {address}")
        heap = self._read(address, size)
        position = 16
        while position + 16 <= size:
            found, item_size = struct.unpack_from("<H6xQ", heap, position)
            position += 16
            if found == index and length <= item_size <= size - position:
                return _decoded(heap[position : position + length])
            if found == 0 or item_size > size:
                break
            position += (item_size + 7) // 8 * 8
        raise FormatError(f"no string {index} in the heap at {address}")

    # ---- Headers -----------------------------------------------------------------------------

    def _messages(self, address: int) -> list[_Message]:
        """Returns the messages of an object's header, of version 1 (IV.A.1.a)."""
        version, count, size = struct.unpack("<BxH4xI4x", self._read(address, 16))
        if version != 1:
            raise FormatError(f"no object with a header of version 1 at {address}")
        blocks = [(address + 16, size)]
        messages: list[_Message] = []
        while blocks and len(messages) < count:
            block = self._read(*blocks.pop(0))
            position = 0
            while position + 8 <= len(block) and len(messages) < count:
                kind, length, flags = struct.unpack_from("<HHB", block, position)
                body = block[position + 8 : position + 8 + length]
                if len(body) != length:
                    raise FormatError(f"a broken header at {address}")
                self._spend(_MESSAGE_COST_BYTES)
                messages.append(_Message(kind, flags, body))
                position += 8 + length
                if kind == _CONTINUATION and length >= 16:
                    blocks.append(struct.unpack_from("<QQ", body))
        return messages

    def _read(self, address: int, count: int) -> bytes:
        if address + count > self._num_bytes:
            raise FormatError(f"it points to {address}, behind its end")
        self._spend(count + 1)
        return self._exactly(address, count)

    def _spend(self, num_bytes: int) -> None:
        self._budget -= num_bytes
        if self._budget < 0:
            raise FormatError(
                f"its structure is circular or larger than {MAX_STRUCTURE_BYTES} bytes"
            )

    def _exactly(self, address: int, count: int) -> bytes:
        self._stream.seek(address)
        data = self._stream.read(count)
        if len(data) != count:
            raise FormatError("the file became shorter while it was read")
        return data


# ---- Bodies of messages ----------------------------------------------------------------------


def _only(messages: list[_Message], kind: int, min_bytes: int, what: str) -> bytes:
    """Returns the body of the one message of a kind, which makes an object what it must be."""
    found = [message for message in messages if message.kind == kind]
    if len(found) != 1 or len(found[0].body) < min_bytes or found[0].flags & _SHARED:
        raise FormatError(f"an object is not {what}")
    return found[0].body


def _shape(body: bytes) -> tuple[int, ...]:
    version, rank = body[0], body[1]  # IV.A.2.b
    if version != 1 or rank > _MAX_DIMENSIONS or len(body) < 8 + 8 * rank:
        raise FormatError("an array has no shape that is read here")
    return struct.unpack_from(f"<{rank}Q", body, 8)


def _ieee(size: int, exponent: int, mantissa: int, *, big: bool) -> bytes:
    """Returns the datatype message of an IEEE number (IV.A.2.d, class 1, normalised mantissa)."""
    head = struct.pack("<BBBBI", 0x11, 0x20 | big, 8 * size - 1, 0, size)
    bias = (1 << (exponent - 1)) - 1
    return head + struct.pack("<HHBBBBI", 0, 8 * size, mantissa, exponent, 0, mantissa, bias)


_FLOATS = {
    _ieee(size, exponent, mantissa, big=big): np.dtype(f"{'>' if big else '<'}f{size}")
    for size, exponent, mantissa in [(2, 5, 10), (4, 8, 23), (8, 11, 52)]
    for big in (False, True)
}


def _dtype(body: bytes) -> np.dtype[Any]:
    if body[:20] in _FLOATS:
        return _FLOATS[body[:20]]
    if body[0] & 15 == 5 and body[4:8] == b"\x02\0\0\0":  # opaque
        return np.dtype("V2")
    raise FormatError("an array must hold float16, bfloat16, float32 or float64")


def _attribute(body: bytes) -> tuple[str, bytes, bytes]:
    """Returns name, datatype and data of an attribute (IV.A.2.m); version 1 pads to 8 bytes."""
    if len(body) < 8 or body[0] not in (1, 3) or (body[0] == 3 and body[1]):
        raise FormatError("an attribute of a version that is not read")
    sizes = struct.unpack_from("<HHH", body, 2)
    if body[0] == 1:
        position, steps = 8, [(size + 7) // 8 * 8 for size in sizes]
    else:
        position, steps = 9, list(sizes)
    parts = []
    for size, step in zip(sizes, steps, strict=True):
        parts.append(body[position : position + size])
        position += step
    name, datatype, _ = parts
    if position > len(body) or len(datatype) < 8:
        raise FormatError("a broken attribute")
    return _text(name, 0), datatype, body[position:]


def _text(data: bytes, offset: int) -> str:
    """Returns a text that ends with a zero."""
    end = data.find(b"\0", offset, offset + MAX_TEXT_BYTES + 1)
    if end >= 0:
        return _decoded(data[offset:end])
    if len(data) - offset > MAX_TEXT_BYTES:
        raise _too_long()
    raise FormatError("a name without an end")


def _too_long() -> FormatError:
    return FormatError(f"a name or text of more than {MAX_TEXT_BYTES} bytes")


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"a text that is no UTF-8: {_checks.short(data)}") from None
