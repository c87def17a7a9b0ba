# SPDX-License-Identifier: BSD-3-Clause
"""Files of chunks, each with a name and a size, and how much sound such a file holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from specfast._audio.errors import Damaged, cut_short
from specfast._audio.files import File
from specfast._audio.tags import is_padding_or_tag

__all__ = ["Chunk", "Layout", "end_of_samples", "end_of_whole_samples", "is_unknown"]

# Names without letters or with odd ones are no names: samples, or a position between chunks.
_NAME_BYTES = frozenset(
    b" -_().#0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\xa9"
)
# Chunks that stand behind the samples even where their sizes are wrong or part of them is missing.
_USUAL_NAMES = frozenset(
    name.ljust(4)
    for name in (
        b"LIST INFO fact cue id3 ID3 bext JUNK junk PAD FLLR PEAK iXML axml aXML _PMX acid inst "
        b"smpl afsp umid cart levl DISP strc plst MD5 COMM FVER ANNO NAME AUTH (c) MARK INST "
        b"COMT MIDI APPL pakt kuki chan free uuid info mark regn strg"
    ).split()
)
# How far writers into a pipe stay below or above a power of two: a header, or a round number.
_MARGIN_BYTES = 1 << 16


@dataclass(frozen=True)
class Chunk:
    """One chunk of a file.

    Attributes:
        name: As it stands in the file, without the fixed part of a GUID.
        begin: Where its contents begin.
        size: The number of bytes that its header states, whether or not they are there.
    """

    name: bytes
    begin: int
    size: int


@dataclass(frozen=True)
class Layout:
    """How the chunks of a family of formats are laid out.

    Attributes:
        order: Of the bytes in a size.
        size_bytes: Of the field that states a size.
        guid: What follows the four letters of each name.
        counts_header: Whether a size counts the header of its chunk.
        alignment: Chunks begin at multiples of it.
    """

    order: Literal["little", "big"]
    size_bytes: int = 4
    guid: bytes = b""
    counts_header: bool = False
    alignment: int = 2

    @property
    def header_bytes(self) -> int:
        return 4 + len(self.guid) + self.size_bytes

    def header(self, name: bytes, size: int) -> bytes:
        """Returns the header of a chunk with `size` bytes of contents."""
        size += self.header_bytes * self.counts_header
        return name + self.guid + size.to_bytes(self.size_bytes, self.order)

    def chunk(self, name: bytes, contents: bytes) -> bytes:
        """Returns a whole chunk."""
        return self.header(name, len(contents)) + contents + bytes(self._padding(len(contents)))

    def at(self, file: File, position: int) -> Chunk | None:
        """Returns the chunk whose header stands at a position, if one does."""
        header = file.read(position, self.header_bytes)
        name, guid = header[:4], header[4 : 4 + len(self.guid)]
        if len(header) < self.header_bytes or not _NAME_BYTES.issuperset(name):
            return None
        if guid != self.guid:
            return None
        size = int.from_bytes(header[-self.size_bytes :], self.order)
        size -= self.header_bytes * self.counts_header
        return Chunk(name, position + self.header_bytes, size)

    def after(self, file: File, end: int) -> Chunk | None:
        """Returns the chunk that follows contents which end at `end`, if one does."""
        # Some writers forget to fill up contents of an odd length.
        places = dict.fromkeys((end + self._padding(end), end))
        found = [chunk for place in places if (chunk := self.at(file, place))]
        fitting = [chunk for chunk in found if chunk.begin + chunk.size <= file.size]
        return next(iter([*fitting, *found]), None)

    def walk(self, file: File, position: int) -> Iterator[Chunk]:
        """Yields the chunks from a position on, up to one that the file does not hold."""
        chunk = self.at(file, position)
        while chunk is not None:
            yield chunk
            if chunk.size < 0:
                return
            chunk = self.after(file, chunk.begin + chunk.size)

    def _padding(self, end: int) -> int:
        return -end % self.alignment


def is_unknown(size: int, size_bytes: int) -> bool:
    """Returns whether a size is one that writers put where they cannot know it.

    That is 0, the highest number with or without a sign, or one that falls short of these by a
    header or was rounded: 0xFFFFFFFF, 0x7FFFFFFF - 36, 0x7FFFF000, 0x80000000.
    """
    top = 1 << 8 * size_bytes
    return (
        size <= 0
        or top - size <= _MARGIN_BYTES
        or abs(top // 2 - size) <= _MARGIN_BYTES
        # 64 bits in which someone stored the -1 of 32 bits.
        or (size_bytes == 8 and abs(size - 0xFFFFFFFF) <= _MARGIN_BYTES)
    )


def end_of_samples(
    file: File,
    layout: Layout,
    begin: int,
    promised: int,
    *,
    size_bytes: int = 0,
    end_of_form: int | None = None,
) -> tuple[int, str | None]:
    """Returns where the samples end that begin at `begin`, and what their reader should know.

    Args:
        file: The file.
        layout: Of the chunks that may follow.
        begin: Where the samples begin.
        promised: The number of bytes that the header states.
        size_bytes: Of the field that states it. Default: that of `layout`.
        end_of_form: Where the outermost chunk ends, according to its header.

    Raises:
        Damaged: The header promises more than there is, or is contradicted.
    """
    size_bytes = size_bytes or layout.size_bytes
    end = begin + promised
    if is_unknown(promised, size_bytes):
        # A file that was closed may hold no samples, or happen to be that large.
        closed = promised >= 0 and end < file.size and _is_chunks(file, layout, end)
        return (end if closed else file.size), None
    if end > file.size:
        raise cut_short(promised, file.size - begin, "bytes of samples")
    behind = file.size - end
    if behind <= layout.alignment or _begins_chunk(file, layout, end):
        return end, None
    if behind % (1 << 8 * size_bytes) <= layout.alignment:
        # More than 4 GiB, in a field of 32 bits.
        return file.size, None
    if is_padding_or_tag(file, end):
        return end, None
    if end_of_form is not None and abs(end_of_form - file.size) <= layout.alignment:
        raise Damaged(
            f"its header promises {promised} bytes of samples, but {behind} more bytes follow "
            "that belong to no chunk"
        )
    return end, (
        f"{behind} bytes stand behind the {promised} bytes of samples that its header promises, "
        "and are left out"
    )


def end_of_whole_samples(file: File, samples: range, frame_bytes: int, alignment: int = 1) -> int:
    """Returns the end of the last whole sample of all channels, where no length is stated.

    Args:
        file: The file.
        samples: The bytes up to the end of the file.
        frame_bytes: Of one sample of all channels; 0 where samples come in packets.
        alignment: What the samples may be filled up to, with zeros.

    Raises:
        Damaged: Bytes are left over, so more was to come.
    """
    rest = len(samples) % frame_bytes if frame_bytes else 0
    is_padding = (
        rest < alignment
        and len(samples) % alignment == 0
        and not any(file.read(samples.stop - rest, rest))
    )
    if rest and not is_padding:
        raise Damaged(
            f"it is cut short, it ends within a sample: {rest} of {frame_bytes} bytes are there"
        )
    return samples.stop - rest


def _begins_chunk(file: File, layout: Layout, end: int) -> bool:
    """Returns whether a chunk follows, rather than samples whose bytes look like a name."""
    chunk = layout.after(file, end)
    if chunk is None:
        return False
    return chunk.name in _USUAL_NAMES or chunk.begin + chunk.size <= file.size


def _is_chunks(file: File, layout: Layout, position: int) -> bool:
    """Returns whether whole chunks stand from a position to the end of the file, at least one."""
    chunks = list(layout.walk(file, position + -position % layout.alignment))
    if not chunks:
        return False
    end = chunks[-1].begin + chunks[-1].size
    return abs(file.size - end) <= layout.alignment
