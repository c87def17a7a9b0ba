# SPDX-License-Identifier: BSD-3-Clause
"""Tags that stand in front of sound and behind it, in files of any format."""

from __future__ import annotations

from specfast._audio.files import File

__all__ = ["begin_of_sound", "end_of_sound", "is_padding_or_tag"]

_ID3V1_BYTES = 128
_FOOTER_BYTES = 32
_LYRICS_FOOT = b"LYRICS200"


def begin_of_sound(file: File) -> int:
    """Returns where the ID3v2 tags end with which a file begins."""
    begin = 0
    while (head := file.read(begin, 10))[:3] == b"ID3" and len(head) == 10:
        has_footer = bool(head[5] & 0x10)
        begin += 10 + _synchsafe(head[6:]) + 10 * has_footer
    return begin


def end_of_sound(file: File) -> int:
    """Returns where the tags begin with which a file ends: ID3v1, APE, Lyrics3, ID3v2."""
    end = file.size
    while length := _length_of_tag(file, end):
        end -= length
    return end


def _length_of_tag(file: File, end: int) -> int:
    """Returns the length of the tag that ends at `end`, or 0."""
    length = 0
    foot = file.read(max(end - _FOOTER_BYTES, 0), min(_FOOTER_BYTES, end))
    if end >= _ID3V1_BYTES and file.read(end - _ID3V1_BYTES, 3) == b"TAG":
        length = _ID3V1_BYTES
    elif foot[:8] == b"APETAGEX":
        has_header = bool(foot[23] & 0x80)
        length = int.from_bytes(foot[12:16], "little") + _FOOTER_BYTES * has_header
    elif foot[-9:] == _LYRICS_FOOT and foot[-15:-9].isdigit():
        length = int(foot[-15:-9]) + 15
    elif foot[-10:-7] == b"3DI":
        length = _synchsafe(foot[-4:]) + 20
    return length if length <= end else 0


def is_padding_or_tag(file: File, begin: int) -> bool:
    """Returns whether nothing but zeros and tags stand behind the sound, from `begin` on."""
    tag = file.read(begin, 8)
    if tag[:3] in (b"ID3", b"TAG") or tag == b"APETAGEX" or tag[:6] == b"LYRICS":
        return True
    while block := file.read(begin, 1 << 20):
        if block.strip(b"\0"):
            return False
        begin += len(block)
    return True


def _synchsafe(digits: bytes) -> int:
    """Returns the number in four bytes of seven bits each."""
    return sum((byte & 127) << 7 * (3 - place) for place, byte in enumerate(digits))
