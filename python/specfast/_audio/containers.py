# SPDX-License-Identifier: BSD-3-Clause
"""Recognises formats by their first bytes, and has each mend what a decoder would misread."""

from __future__ import annotations

from collections.abc import Callable

from specfast._audio.aiff import mend_aiff, mend_au, mend_caf
from specfast._audio.errors import Damaged
from specfast._audio.files import File, Sound
from specfast._audio.flac import mend_flac
from specfast._audio.mpeg import frame_at, mend_mpeg
from specfast._audio.ogg import mend_ogg
from specfast._audio.rare import check_whole
from specfast._audio.wave import mend_wave

__all__ = ["HEAD_BYTES", "bytes_to_judge", "container_of", "mended"]

# As many bytes tell one format from all others, MP3 excepted.
HEAD_BYTES = 12

_MENDERS: dict[str, Callable[[File], Sound]] = {
    "WAV": mend_wave,
    "AIFF": mend_aiff,
    "AU": mend_au,
    "CAF": mend_caf,
    "FLAC": mend_flac,
    "Ogg": mend_ogg,
    "MP3": mend_mpeg,
}
# Place and bytes of what a format begins with; the first that fits counts.
_MARKS: list[tuple[str, int, bytes]] = [
    ("WAV", 0, b"RIFF"),
    ("WAV", 0, b"RIFX"),
    ("WAV", 0, b"RF64"),
    ("WAV", 0, b"BW64"),
    ("WAV", 0, b"riff\x2e\x91\xcf\x11"),
    ("AIFF", 0, b"FORM"),
    ("AU", 0, b".snd"),
    ("AU", 0, b"dns."),
    ("CAF", 0, b"caff"),
    ("FLAC", 0, b"fLaC"),
    ("Ogg", 0, b"OggS"),
    ("MP3", 0, b"ID3"),
    ("MP4", 4, b"ftyp"),
    ("Matroska", 0, b"\x1a\x45\xdf\xa3"),
    ("ASF", 0, b"\x30\x26\xb2\x75"),
    ("FLV", 0, b"FLV\x01"),
    ("WavPack", 0, b"wvpk"),
    ("Monkey's Audio", 0, b"MAC "),
    ("TTA", 0, b"TTA1"),
    ("AMR", 0, b"#!AMR"),
    ("VOC", 0, b"Creative"),
    ("NIST Sphere", 0, b"NIST_1A"),
    ("PVF", 0, b"PVF1"),
    ("PAF", 0, b" paf"),
    ("AVR", 0, b"2BIT"),
    ("NumPy", 0, b"\x93NUMPY"),
]


def container_of(head: bytes) -> str | None:
    """Returns the format that a file begins like, or None. See `bytes_to_judge`."""
    for name, place, mark in _MARKS:
        if head[place : place + len(mark)] == mark:
            return name
    frame = frame_at(head)
    if frame is not None:
        following = frame_at(head, frame.size)
        # Two bytes may be samples; a second header where the first says one stands is none.
        if following is not None and following.kind == frame.kind:
            return "MP3"
    return None


def bytes_to_judge(head: bytes) -> int:
    """Returns how many bytes `container_of` needs, given the first ones."""
    frame = frame_at(head)
    return HEAD_BYTES if frame is None else frame.size + 4


def mended(file: File) -> Sound:
    """Returns what a decoder is to read of a file, with every length in it correct.

    Raises:
        Damaged: Part of the sound is missing, or there are no bytes at all.
        OSError: The stream cannot be read.
    """
    if file.size == 0:
        raise Damaged("the file is empty (0 bytes)")
    head = file.read(0, HEAD_BYTES)
    kind = container_of(head) or ("MP3" if frame_at(head) else "")
    # The letters of RIFF and FORM stand in front of other things as well.
    is_sound = {
        "WAV": head[8:12] == b"WAVE" or head[:4] == b"riff",
        "AIFF": head[8:12] in (b"AIFF", b"AIFC"),
    }
    mend = _MENDERS.get(kind) if is_sound.get(kind, True) else None
    if mend is None:
        check_whole(file)
        return Sound([[range(file.size)]])
    return mend(file)
