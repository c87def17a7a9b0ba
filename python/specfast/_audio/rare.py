# SPDX-License-Identifier: BSD-3-Clause
"""Rare formats that decoders read well, but whose missing ends they do not notice.

AVR, 8SVX, MAT (versions 4 and 5), MPC 2000, NIST Sphere, VOC and WVE state how much there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from specfast._audio.chunks import Layout, is_unknown
from specfast._audio.errors import cut_short
from specfast._audio.files import File

__all__ = ["check_whole"]

_Order = Literal["little", "big"]
_SVX = Layout("big")
# Bytes of a number in a matrix of version 4, by the tens digit of its type.
_MAT4_BYTES = (8, 4, 4, 2, 2, 1)
_MAT4_HEAD_BYTES = 20
_MAT5_HEAD_BYTES, _MAT5_MATRIX = 128, 14
_VOC_END, _VOC_BLOCK_BYTES = 0, 4


def check_whole(file: File) -> None:
    """Refuses a file of a rare format that is shorter than its header states.

    Raises:
        Damaged: Part of the samples is missing.
    """
    head = file.read(0, 32)
    for begins_like, end_of in _ENDS:
        if begins_like(head):
            end = end_of(file)
            if end > file.size:
                raise cut_short(end, file.size, "bytes")


def _number(file: File, at: int, num_bytes: int, order: _Order) -> int:
    return int.from_bytes(file.read(at, num_bytes), order)


def _end_of_avr(file: File) -> int:
    is_stereo, bits, frames = (
        _number(file, at, n, "big") for at, n in ((12, 2), (14, 2), (26, 4))
    )
    return 128 + frames * (1 + bool(is_stereo)) * -(-bits // 8)


def _end_of_svx(file: File) -> int:
    for chunk in _SVX.walk(file, 12):
        if chunk.name == b"BODY" and not is_unknown(chunk.size, 4):
            return chunk.begin + chunk.size
    return 0


def _end_of_nist(file: File) -> int:
    head = file.read(0, 1024)
    fields = {name: int(digits) for name, digits in re.findall(rb"(\w+) -\w+ (\d+)", head)}
    head_bytes = int(head[8:16]) if head[8:16].strip().isdigit() else 0
    frame_bytes = fields.get(b"sample_n_bytes", 0) * fields.get(b"channel_count", 1)
    return head_bytes + fields.get(b"sample_count", 0) * frame_bytes


def _end_of_voc(file: File) -> int:
    position = _number(file, 20, 2, "little")
    while position < file.size and _number(file, position, 1, "little") != _VOC_END:
        position += _VOC_BLOCK_BYTES + _number(file, position + 1, 3, "little")
    return position


def _end_of_mpc(file: File) -> int:
    is_stereo = _number(file, 21, 1, "little") != 0
    return 42 + _number(file, 30, 4, "little") * 2 * (1 + is_stereo)


def _end_of_wve(file: File) -> int:
    return 32 + _number(file, 18, 4, "big")


def _end_of_mat4(file: File) -> int:
    order: _Order = "little" if file.read(0, 4) == bytes(4) else "big"
    position = 0
    while position + _MAT4_HEAD_BYTES <= file.size:
        kind, rows, columns, has_imaginary, name_bytes = (
            _number(file, position + at, 4, order) for at in range(0, _MAT4_HEAD_BYTES, 4)
        )
        number_bytes = _MAT4_BYTES[min(kind // 10 % 10, len(_MAT4_BYTES) - 1)]
        position += _MAT4_HEAD_BYTES + name_bytes
        position += rows * columns * number_bytes * (1 + bool(has_imaginary))
    return position


def _end_of_mat5(file: File) -> int:
    """Returns where the last numbers end; the sizes of the matrices may be wrong."""
    order: _Order = "little" if file.read(126, 2) == b"IM" else "big"
    position = _MAT5_HEAD_BYTES
    end = 0
    while position + 8 <= file.size:
        kind, size = _number(file, position, 4, order), _number(file, position + 4, 4, order)
        if kind == _MAT5_MATRIX:
            # Its elements follow: flags, dimensions, name, numbers.
            position += 8
            continue
        is_small = kind >> 16
        end = position + 8 + (0 if is_small else size)
        position = end + -end % 8
    return end


_MAT4_HEADS = (b"\0\0\x03\xe8" + b"\0\0\0\x01" * 2, bytes(4) + b"\x01\0\0\0" * 2)
_ENDS: list[tuple[Callable[[bytes], bool], Callable[[File], int]]] = [
    (lambda head: head[:4] == b"2BIT", _end_of_avr),
    (lambda head: head[:4] == b"FORM" and head[8:12] in (b"8SVX", b"16SV"), _end_of_svx),
    (lambda head: head[:7] == b"NIST_1A", _end_of_nist),
    (lambda head: head[:8] == b"Creative", _end_of_voc),
    (lambda head: head[:4] == b"\x01\x04  ", _end_of_mpc),
    (lambda head: head[:8] == b"ALawSoun", _end_of_wve),
    (lambda head: head[:12] in _MAT4_HEADS, _end_of_mat4),
    (lambda head: head[:8] == b"MATLAB 5", _end_of_mat5),
]
