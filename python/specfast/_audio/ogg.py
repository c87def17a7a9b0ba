# SPDX-License-Identifier: BSD-3-Clause
"""Ogg: pages that a file is read to the end of, and chains of recordings (RFC 3533)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from specfast._audio.crc import crc_of_ogg
from specfast._audio.errors import Damaged
from specfast._audio.files import File, Sound

__all__ = ["mend_ogg"]

_HEADER_BYTES, _CRC_AT = 27, 22
_MAX_PAGE_BYTES = _HEADER_BYTES + 255 + 255 * 255
_WINDOW_BYTES = 1 << 20
_CUT = "it is cut short, it ends within a page of Ogg"
_BEGINS_STREAM = 2
_ENDS_STREAM = 4


@dataclass(frozen=True)
class _Page:
    begin: int
    end: int
    flags: int
    serial: bytes
    number: int


def mend_ogg(file: File) -> Sound:
    """Returns the recordings of a file, one after the other.

    Raises:
        Damaged: The file ends within a page, or a page does not fit its CRC. Decoders skip it.
    """
    begins: list[int] = []
    next_number: dict[bytes, int] = {}  # of the streams that have not ended
    in_head = has_gap = False
    page = None
    for page in _pages(file):
        if page.flags & _BEGINS_STREAM:
            # Several streams that run side by side all begin before the first goes on.
            if not in_head:
                begins.append(page.begin)
                next_number.clear()
        elif page.number != next_number.get(page.serial, page.number):
            has_gap = True
        in_head = bool(page.flags & _BEGINS_STREAM)
        next_number[page.serial] = page.number + 1
        if page.flags & _ENDS_STREAM:
            del next_number[page.serial]
    if page is None or not begins:
        return Sound([[range(file.size)]])
    ends = [*begins[1:], page.end]
    remark = None
    if has_gap:
        remark = "pages of its stream are missing; what is there was read"
    elif next_number:
        remark = "it ends without the last page of its stream; what is there was read"
    return Sound([[range(begin, end)] for begin, end in zip(begins, ends, strict=True)], remark)


def _pages(file: File) -> Iterator[_Page]:
    """Yields the pages of a file; what stands between them is skipped, as decoders do."""
    window, window_begin, position = b"", 0, 0
    while position < file.size:
        at = position - window_begin
        if at + _MAX_PAGE_BYTES > len(window) and window_begin + len(window) < file.size:
            window, window_begin, at = file.read(position, _WINDOW_BYTES), position, 0
        if window[at : at + 4] != b"OggS":
            found = window.find(b"OggS", at)
            # A capture pattern may begin in the last three bytes of the window.
            position = window_begin + (found if found >= 0 else len(window) - 3)
            if found < 0 and window_begin + len(window) >= file.size:
                return
            continue
        header = window[at : at + _HEADER_BYTES]
        if len(header) < _HEADER_BYTES:
            raise Damaged(_CUT)
        num_segments = header[26]
        segments = window[at + _HEADER_BYTES : at + _HEADER_BYTES + num_segments]
        size = _HEADER_BYTES + num_segments + sum(segments)
        page = window[at : at + size]
        if len(page) < size:
            raise Damaged(_CUT)
        crc = page[_CRC_AT : _CRC_AT + 4]
        without_crc = page[:_CRC_AT] + bytes(4) + page[_CRC_AT + 4 :]
        if crc_of_ogg(without_crc) != int.from_bytes(crc, "little"):
            raise Damaged("a page of its stream is damaged")
        number = int.from_bytes(header[18:22], "little")
        yield _Page(position, position + size, header[5], header[14:18], number)
        position += size
