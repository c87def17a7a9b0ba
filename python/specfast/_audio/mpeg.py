# SPDX-License-Identifier: BSD-3-Clause
"""MP3 and its relatives, whose length nothing but a count of their frames tells.

ISO/IEC 11172-3 and 13818-3: a frame begins with a header of four bytes, from which its length
follows. Encoders put a frame in front that decodes to silence and states how many follow, marked
"Xing", "Info" or "VBRI". Without it decoders guess from the first frame, and stop there.
"""

from __future__ import annotations

from dataclasses import dataclass

from specfast._audio.errors import Damaged, cut_short
from specfast._audio.files import File, Sound
from specfast._audio.tags import end_of_sound

__all__ = ["Frame", "frame_at", "mend_mpeg"]

# kbit/s by layer, for MPEG 1 and for MPEG 2 and 2.5; 0 is "free".
_KBITS = {
    (1, True): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (2, True): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, True): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (1, False): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, False): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (3, False): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# Samples by layer, for MPEG 1 and for the others.
_SAMPLES = {1: (384, 384), 2: (1152, 1152), 3: (1152, 576)}
_RATES_HZ = (44100, 48000, 32000)
# Bytes before "Xing": header and side information, by (MPEG 1, mono).
_SIDE_BYTES = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}
_HEADER_BYTES = 4
_VBRI_AT = 36
_VBRI_COUNT_AT = 14
_HAS_COUNT, _HAS_BYTES = 1, 2
_HIGHEST_KBITS = 14
_UNSTATED = (
    "it states no length, so that the silence that its encoder put in front and behind, some "
    "hundred samples each, is read as sound"
)


@dataclass(frozen=True)
class Frame:
    """What the header of a frame says.

    Attributes:
        size: In bytes, the header included.
        samples: Of each channel.
        layer: 1, 2 or 3.
        kind: The bits that all frames of a recording share: version, layer, rate.
        mark_at: Where "Xing" stands in a frame that states the length.
    """

    size: int
    samples: int
    layer: int
    kind: int
    mark_at: int


def frame_at(data: bytes, begin: int = 0) -> Frame | None:
    """Returns the frame whose header stands at `begin`, if one does; of no "free" bit rate."""
    bits = int.from_bytes(data[begin : begin + _HEADER_BYTES], "big")
    version, layer_code = bits >> 19 & 3, bits >> 17 & 3
    rate_code, kbits_code = bits >> 10 & 3, bits >> 12 & 15
    if bits >> 21 != 0x7FF or version == 1 or layer_code == 0:
        return None
    if rate_code == 3 or kbits_code in (0, 15):
        return None
    layer, is_first = 4 - layer_code, version == 3
    rate_hz = _RATES_HZ[rate_code] >> {3: 0, 2: 1, 0: 2}[version]
    samples = _SAMPLES[layer][not is_first]
    slot_bytes = 4 if layer == 1 else 1
    slots = samples // 8 * _KBITS[layer, is_first][kbits_code] * 1000 // rate_hz // slot_bytes
    is_mono, has_crc = bits >> 6 & 3 == 3, not bits >> 16 & 1
    return Frame(
        size=(slots + (bits >> 9 & 1)) * slot_bytes,
        samples=samples,
        layer=layer,
        kind=bits & 0xFFFE0C00,
        mark_at=_HEADER_BYTES + _SIDE_BYTES[is_first, is_mono] + 2 * has_crc,
    )


def mend_mpeg(file: File) -> Sound:
    """Returns the same sound with the number of its frames in front.

    Raises:
        Damaged: Frames are missing, or the last one is cut.
    """
    data = file.read(0, end_of_sound(file))
    first = frame_at(data)
    if first is None:
        # A "free" bit rate, perhaps: the decoder finds out.
        return Sound([[range(file.size)]])
    count, end = _count_frames(data, first)
    is_cut = end > len(data) or data[end : end + 1] == b"\xff"
    mark, count_at = _mark_of(data[: first.size], first)
    count -= bool(mark)
    if count_at:
        stated = int.from_bytes(data[count_at : count_at + 4], "big")
        whole = max(count - is_cut, 0)
        # Some encoders count this frame as well; the number of bytes shows it.
        counts_itself = stated == whole + 1 and _stated_bytes(data, count_at, mark) == end
        if stated > whole and not counts_itself:
            raise cut_short(stated, whole, "frames")
    if is_cut:
        raise Damaged("it is cut short, it ends within a frame")
    if count == 0:
        raise Damaged("it holds no samples: its only frame describes the others")
    # libsndfile's decoder knows nothing of VBRI.
    if count_at and mark != b"VBRI":
        corrected = count.to_bytes(4, "big")
        return Sound([[data[:count_at], corrected, data[count_at + 4 : end]]])
    if mark:
        data = data[first.size :]
    if first.layer == 3:
        return Sound([[_frame_with_count(data, first, count), data]], None if mark else _UNSTATED)
    # No such frame exists in these layers. Repeated frames move the guess beyond the true end.
    return Sound(
        [[data, data[: first.size] * (2 + count // 10)]], num_samples=count * first.samples
    )


def _count_frames(data: bytes, first: Frame) -> tuple[int, int]:
    """Returns the number of frames, and where the last one ends or would end."""
    count = position = 0
    while position + _HEADER_BYTES <= len(data):
        frame = frame_at(data, position)
        if frame is None or frame.kind != first.kind:
            position = _next_frame(data, position + 1, first)
            continue
        position += frame.size
        count += 1
    return count, position


def _next_frame(data: bytes, begin: int, first: Frame) -> int:
    """Returns where two frames in a row begin next, as decoders look for them."""
    while (begin := data.find(b"\xff", begin)) >= 0:
        frame = frame_at(data, begin)
        if frame is not None and frame.kind == first.kind:
            following = frame_at(data, begin + frame.size)
            if following is not None and following.kind == first.kind:
                return begin
        begin += 1
    return len(data)


def _mark_of(data: bytes, frame: Frame) -> tuple[bytes, int | None]:
    """Returns the mark of a frame that precedes the sound, and where it states their number."""
    at = frame.mark_at
    mark = data[at : at + 4]
    if mark in (b"Xing", b"Info"):
        return mark, at + 8 if data[at + 7 : at + 8] and data[at + 7] & _HAS_COUNT else None
    if data[_VBRI_AT : _VBRI_AT + 4] == b"VBRI":
        return b"VBRI", _VBRI_AT + _VBRI_COUNT_AT
    return b"", None


def _stated_bytes(data: bytes, count_at: int, mark: bytes) -> int | None:
    """Returns how many bytes all frames have, this one included, where the first one states it."""
    at = count_at - 4 if mark == b"VBRI" else count_at + 4
    if mark != b"VBRI" and not data[count_at - 1] & _HAS_BYTES:
        return None
    return int.from_bytes(data[at : at + 4], "big")


def _frame_with_count(data: bytes, like: Frame, count: int) -> bytes:
    """Returns a frame like the first that states how many follow."""
    # Without a CRC, and with the highest bit rate, so that it is long enough.
    header = bytes((data[0], data[1] | 1, data[2] & 0x0F | _HIGHEST_KBITS << 4, data[3]))
    frame = frame_at(header) or like
    mark = b"Xing" + _HAS_COUNT.to_bytes(4, "big") + count.to_bytes(4, "big")
    return (header.ljust(frame.mark_at, b"\0") + mark).ljust(frame.size, b"\0")
