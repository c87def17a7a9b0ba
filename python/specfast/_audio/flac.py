# SPDX-License-Identifier: BSD-3-Clause
"""FLAC, whose header need not state the number of samples: the last frame knows it.

RFC 9639: a frame begins with a synchronisation code and the number of its first sample, or of the
frame; its header ends with a CRC-8, and the frame with a CRC-16.
"""

from __future__ import annotations

from collections.abc import Iterator

from specfast._audio.crc import crc8, crc16
from specfast._audio.errors import Damaged
from specfast._audio.files import File, Sound
from specfast._audio.tags import end_of_sound

__all__ = ["mend_flac"]

_STREAMINFO_BYTES = 42  # with the marker and the header of the block
_MAX_TOTAL = (1 << 36) - 1
_WINDOW_BYTES = 1 << 16
_BLOCK_SIZES = {1: 192, **{code: 144 << code for code in range(2, 6)}} | {
    code: 1 << code for code in range(8, 16)
}


def mend_flac(file: File) -> Sound:
    """Returns the same sound with the number of samples in its header.

    Raises:
        Damaged: The header does not state that number, and the file ends within a frame.
    """
    head = file.read(0, _STREAMINFO_BYTES)
    whole = Sound([[range(file.size)]])
    if len(head) < _STREAMINFO_BYTES or head[4] & 0x7F:
        return whole
    stated = int.from_bytes(head[21:26], "big") & _MAX_TOTAL
    if stated == _MAX_TOTAL:
        # 0 stands for "unknown", but some writers mean it by -1.
        stated = 0
    end = end_of_sound(file)
    counted = _count(file, head, end, stated)
    if counted is None:
        if stated:
            # The decoder finds out whether that many samples are there.
            return whole
        raise Damaged(
            "it is cut short: its header does not state the number of samples, and it does not "
            "end with a whole frame"
        )
    if counted <= stated:
        return whole
    info = int.from_bytes(head[18:26], "big") & ~_MAX_TOTAL | counted
    return Sound([[head[:18], info.to_bytes(8, "big"), range(26, end)]])


def _count(file: File, head: bytes, end: int, stated: int) -> int | None:
    """Returns the number of samples up to the end of the last frame; None if there is none.

    A frame that ends with the sample that the file says is its last is believed without its
    CRC-16, which takes a sixth of the time of a short file, and which the decoder checks.
    """
    block_size = int.from_bytes(head[10:12], "big")
    # No frame is longer than its samples as they are, at most 8 channels of 32 bits.
    largest = block_size * 8 * 5
    for frame in _last_frames(file, end, largest):
        first, length = _numbers(frame)
        if not length:
            continue
        is_variable = frame[1] & 1
        counted = (first if is_variable else first * block_size) + length
        if counted == stated or not crc16(frame, 0x8005):
            return counted
    return None


def _last_frames(file: File, end: int, largest: int) -> Iterator[bytes]:
    """Yields what may be the last frame: from each synchronisation code on, the last one first."""
    data = b""
    begin = end
    while begin > _STREAMINFO_BYTES and len(data) <= largest + _WINDOW_BYTES:
        size = min(_WINDOW_BYTES, begin - _STREAMINFO_BYTES)
        begin -= size
        known = len(data)
        data = file.read(begin, size) + data
        at = len(data)
        while (at := data.rfind(b"\xff", 0, at)) >= 0:
            # A code that crosses into what was known has not been seen yet.
            if at >= size and known:
                continue
            if data[at + 1 : at + 2] in (b"\xf8", b"\xf9"):
                yield data[at:]


def _numbers(frame: bytes) -> tuple[int, int]:
    """Returns the number of the first sample or of the frame, and the samples in it.

    Both are 0 where this is no header of a frame.
    """
    # The number is coded as UTF-8 codes characters, in up to seven bytes.
    lead = frame[4] if len(frame) > 4 else 0xFF
    more = 0
    while lead & (0x80 >> more):
        more += 1
    if more == 1 or more > 7:
        return 0, 0
    tail = frame[5 : 5 + max(more - 1, 0)]
    number = lead & (0x7F >> more)
    for byte in tail:
        number = number << 6 | (byte & 0x3F)
    at = 5 + len(tail)
    code = frame[2] >> 4
    # 6 and 7: less one, in one or two bytes behind the number.
    size_bytes = {6: 1, 7: 2}.get(code, 0)
    length = _BLOCK_SIZES.get(code, 0)
    if size_bytes:
        length = int.from_bytes(frame[at : at + size_bytes], "big") + 1
    rate_bytes = {12: 1, 13: 2, 14: 2}.get(frame[2] & 15, 0)
    header = frame[: at + size_bytes + rate_bytes + 1]
    if crc8(header, 0x07):
        return 0, 0
    return number, length
