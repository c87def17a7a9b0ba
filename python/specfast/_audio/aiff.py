# SPDX-License-Identifier: BSD-3-Clause
"""AIFF and AIFF-C, CAF and AU: big-endian formats in which two numbers may state the length."""

from __future__ import annotations

from specfast._audio.chunks import (
    Chunk,
    Layout,
    end_of_samples,
    end_of_whole_samples,
    is_unknown,
)
from specfast._audio.errors import Damaged
from specfast._audio.files import File, Sound

__all__ = ["mend_aiff", "mend_au", "mend_caf"]

_AIFF = Layout("big")
_CAF = Layout("big", size_bytes=8, alignment=1)
# AU has no chunks; nothing can follow the samples.
_AU = {b".snd": Layout("big", alignment=1), b"dns.": Layout("little", alignment=1)}

# Of the compressions of AIFF-C, those with a fixed number of bytes for each sample; None: COMM
# states the bits.
_SAMPLE_BYTES: dict[bytes, int | None] = {
    **dict.fromkeys((b"NONE", b"twos", b"sowt", b"raw ", b"in24", b"in32", b"42ni", b"23ni")),
    **dict.fromkeys((b"fl32", b"FL32"), 4),
    **dict.fromkeys((b"fl64", b"FL64"), 8),
    **dict.fromkeys((b"ulaw", b"ULAW", b"alaw", b"ALAW"), 1),
}
# By the number of the encoding; the others come in packets.
_AU_SAMPLE_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
_SSND_HEAD_BYTES = 8
_CAF_HEAD_BYTES = 8
_CAF_EDIT_BYTES = 4


def mend_aiff(file: File) -> Sound:
    """Returns the same sound with correct lengths.

    Raises:
        Damaged: Part of the samples is missing.
    """
    head = file.read(0, 12)
    kept: dict[bytes, bytes] = {}
    sound: Chunk | None = None
    for chunk in _AIFF.walk(file, 12):
        if chunk.name in (b"COMM", b"FVER"):
            kept[chunk.name] = file.read(chunk.begin, min(chunk.size, 1 << 16))
        elif chunk.name == b"SSND" and sound is None:
            sound = chunk
            if b"COMM" in kept:
                break
    comm = kept.get(b"COMM", b"")
    if sound is None or len(comm) < 18:
        raise Damaged("it is cut short, or broken: there is no SSND chunk, or no COMM chunk")

    num_samples = int.from_bytes(comm[2:6], "big")
    frame_bytes = _frame_bytes(comm, head[8:12])
    offset = int.from_bytes(file.read(sound.begin, 4), "big")
    begin = min(sound.begin + _SSND_HEAD_BYTES + offset, file.size)
    promised = sound.size - (begin - sound.begin)
    by_count = num_samples * frame_bytes
    if is_unknown(sound.size, 4):
        promised = 0 if is_unknown(num_samples, 4) else by_count
    elif 0 <= promised < by_count <= file.size - begin:
        # Both numbers are there, and the larger one is kept.
        promised = by_count
    form_end = int.from_bytes(head[4:8], "big") + 8
    end, remark = end_of_samples(file, _AIFF, begin, promised, end_of_form=form_end)
    if is_unknown(promised, 4):
        end = end_of_whole_samples(file, range(begin, end), frame_bytes, alignment=2)
    samples = range(begin, end)
    if frame_bytes:
        count = len(samples) // frame_bytes
        comm = comm[:2] + count.to_bytes(4, "big") + comm[6:]
    chunks = b"".join(
        _AIFF.chunk(name, {**kept, b"COMM": comm}[name])
        for name in (b"FVER", b"COMM")
        if name in kept
    )
    sound_header = _AIFF.header(b"SSND", _SSND_HEAD_BYTES + len(samples)) + bytes(8)
    size = 4 + len(chunks) + len(sound_header) + len(samples)
    form = _AIFF.header(b"FORM", size) + head[8:12]
    return Sound([[form + chunks + sound_header, samples]], remark)


def _frame_bytes(comm: bytes, form: bytes) -> int:
    """Returns the bytes of a sample of all channels, or 0 where samples come in packets."""
    channels, bits = (int.from_bytes(comm[at : at + 2], "big") for at in (0, 6))
    compression = comm[18:22] if form == b"AIFC" else b"NONE"
    if compression not in _SAMPLE_BYTES:
        return 0
    return channels * (_SAMPLE_BYTES[compression] or -(-bits // 8))


def mend_caf(file: File) -> Sound:
    """Returns the same sound with a correct length; it needs the chunks on both sides.

    Raises:
        Damaged: Part of the samples is missing.
    """
    frame_bytes = 0
    for chunk in _CAF.walk(file, _CAF_HEAD_BYTES):
        if chunk.name == b"data":
            break
        if chunk.name == b"desc":
            # 0 where packets differ in size.
            frame_bytes = int.from_bytes(file.read(chunk.begin + 16, 4), "big")
    else:
        raise Damaged("it is cut short, or broken: there is no data chunk")
    end, remark = end_of_samples(file, _CAF, chunk.begin, chunk.size)
    if is_unknown(chunk.size, 8):
        begin = min(chunk.begin + _CAF_EDIT_BYTES, end)
        end = end_of_whole_samples(file, range(begin, end), frame_bytes)
    size = max(end - chunk.begin, _CAF_EDIT_BYTES)
    before = range(chunk.begin - _CAF.header_bytes)
    behind = range(end, file.size) if remark is None else b""
    header = _CAF.header(b"data", size)
    return Sound([[before, header, range(chunk.begin, end), behind]], remark)


def mend_au(file: File) -> Sound:
    """Returns the same sound with a correct length.

    Raises:
        Damaged: Part of the samples is missing.
    """
    head = file.read(0, 24)
    if len(head) < 24:
        raise Damaged("it is cut short: it ends within its header")
    layout = _AU[head[:4]]
    begin, promised = (int.from_bytes(head[at : at + 4], layout.order) for at in (4, 8))
    encoding, channels = (int.from_bytes(head[at : at + 4], layout.order) for at in (12, 20))
    # libsndfile would take the header for samples.
    if begin < len(head):
        raise Damaged(f"it is broken: its samples begin at byte {begin}, within its header")
    begin = min(begin, file.size)
    end, remark = end_of_samples(file, layout, begin, promised)
    if is_unknown(promised, 4):
        frame_bytes = channels * _AU_SAMPLE_BYTES.get(encoding, 0)
        end = end_of_whole_samples(file, range(begin, end), frame_bytes)
    size = min(end - begin, 0xFFFFFFFF).to_bytes(4, layout.order)
    return Sound([[head[:8], size, range(12, end)]], remark)
