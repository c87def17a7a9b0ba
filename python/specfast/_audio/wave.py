# SPDX-License-Identifier: BSD-3-Clause
"""WAV and its relatives: RIFF, RIFX (big-endian), RF64 and BW64 (64-bit sizes), W64 (GUIDs).

The sound is what the data chunk holds. The size of the outermost chunk decides nothing: no reader
needs it, and many writers get it wrong.
"""

from __future__ import annotations

from specfast._audio.chunks import (
    Layout,
    end_of_samples,
    end_of_whole_samples,
    is_unknown,
)
from specfast._audio.errors import Damaged
from specfast._audio.files import File, Piece, Sound

__all__ = ["mend_wave"]

_LITTLE = Layout("little")
_BIG = Layout("big")
_W64 = Layout(
    "little",
    size_bytes=8,
    guid=bytes.fromhex("f3acd3118cd100c04f8edb8a"),
    counts_header=True,
    alignment=8,
)
# The outermost chunk of W64 has a GUID of its own.
_W64_FORM = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_UNKNOWN_32 = 0xFFFFFFFF
_MAX_KEPT_BYTES = 1 << 16
_MAX_32 = _UNKNOWN_32 - 4096
_DS64_CHUNK_BYTES = 36
# Formats of one number for each sample: integers, floats, A-law and mu-law, and "see below".
_PLAIN_TAGS = (1, 3, 6, 7, 0xFFFE)


def mend_wave(file: File) -> Sound:
    """Returns the same sound in a file with a flawless header.

    Raises:
        Damaged: Part of the samples is missing.
    """
    head = file.read(0, 40)
    if head[:4] == b"riff":
        layout, first, form_size = _W64, 40, int.from_bytes(head[16:24], "little") - 8
    else:
        layout, first = _BIG if head[:4] == b"RIFX" else _LITTLE, 12
        form_size = int.from_bytes(head[4:8], layout.order)
    kept: dict[bytes, bytes] = {}
    for chunk in layout.walk(file, first):
        if chunk.name == b"data":
            break
        if chunk.name in (b"fmt ", b"fact", b"ds64"):
            kept[chunk.name] = file.read(chunk.begin, min(chunk.size, _MAX_KEPT_BYTES))
    else:
        raise Damaged("it is cut short, or broken: there is no data chunk")

    promised, size_bytes = chunk.size, layout.size_bytes
    ds64 = kept.pop(b"ds64", b"")
    if len(ds64) >= 16 and promised == _UNKNOWN_32:
        form_size, promised = (int.from_bytes(ds64[at : at + 8], "little") for at in (0, 8))
        size_bytes = 8
    end, remark = end_of_samples(
        file, layout, chunk.begin, promised, size_bytes=size_bytes, end_of_form=form_size + 8
    )
    if is_unknown(promised, size_bytes):
        # The number of samples in this chunk is then no better.
        kept.pop(b"fact", None)
        frame_bytes = _frame_bytes(kept.get(b"fmt ", b""), layout)
        end = end_of_whole_samples(file, range(chunk.begin, end), frame_bytes, layout.alignment)
    return Sound([_rebuilt(layout, head[:4], kept, range(chunk.begin, end))], remark)


def _frame_bytes(fmt: bytes, layout: Layout) -> int:
    """Returns the bytes of a sample of all channels, or 0 where samples come in packets."""
    tag, frame_bytes = (int.from_bytes(fmt[at : at + 2], layout.order) for at in (0, 12))
    return frame_bytes if tag in _PLAIN_TAGS else 0


def _rebuilt(layout: Layout, form: bytes, kept: dict[bytes, bytes], samples: range) -> list[Piece]:
    """Returns the file with the chunks that decoders need, up to the end of the samples."""
    chunks = b"".join(
        layout.chunk(name, kept[name]) for name in (b"fmt ", b"fact") if name in kept
    )
    size = 4 + len(chunks) + layout.header_bytes + len(samples)
    if layout is _W64:
        head = _W64_FORM + (36 + size).to_bytes(8, "little") + b"wave" + layout.guid
        return [head + chunks + layout.header(b"data", len(samples)), samples]
    if size <= _MAX_32:
        head = b"RIFX" if form == b"RIFX" else b"RIFF"
        head += size.to_bytes(4, layout.order) + b"WAVE"
        return [head + chunks + layout.header(b"data", len(samples)), samples]
    sizes = (size + _DS64_CHUNK_BYTES, len(samples), 0)
    ds64 = b"".join(number.to_bytes(8, "little") for number in sizes) + bytes(4)
    head = b"RF64" + b"\xff" * 4 + b"WAVE" + _LITTLE.chunk(b"ds64", ds64)
    return [head + chunks + _LITTLE.header(b"data", _UNKNOWN_32), samples]
