# SPDX-License-Identifier: BSD-3-Clause
"""Encodings of samples without a header, under the names that ffmpeg has for them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from specfast._audio.containers import container_of

if TYPE_CHECKING:
    import numpy.typing as npt

    # float32, or float64 where float32 would lose digits; [samples]
    Decoded = npt.NDArray[Any]

__all__ = ["RAW_ENCODINGS", "Encoding", "encoding_meant", "header_refusal"]


@dataclass(frozen=True)
class Encoding:
    """How numbers are stored.

    Attributes:
        sample_bytes: The bytes of one number.
        decode: Returns the numbers in some bytes, in [-1, 1) where they are integers: [samples],
            float32, or float64 where float32 would lose digits.
    """

    sample_bytes: int
    decode: Callable[[bytes], Decoded]


def _floats(data: bytes, dtype: np.dtype[Any]) -> Decoded:
    numbers = np.frombuffer(data, dtype)
    return numbers.astype(dtype.newbyteorder("="), copy=False)


def _integers(
    data: bytes, num_bytes: int, order: Literal["little", "big"], is_unsigned: bool
) -> Decoded:
    """Returns integers divided by their full scale; the middle of unsigned ones becomes 0."""
    # As the upper bytes of a wider integer, so that one sign and one scale fit all.
    width = 4 if num_bytes == 3 else num_bytes
    digits = np.frombuffer(data, np.uint8).reshape(-1, num_bytes)
    if width > num_bytes:
        low = np.zeros((len(digits), width - num_bytes), np.uint8)
        digits = np.concatenate([low, digits] if order == "little" else [digits, low], axis=1)
    kind = "u" if is_unsigned else "i"
    sign = "<" if order == "little" else ">"
    integers = np.ascontiguousarray(digits).view(f"{sign}{kind}{width}")[:, 0]
    # Scaling by a power of two is exact; so is the difference, of 24 bits in a float32.
    numbers: Decoded = integers.astype(np.float64 if num_bytes == 4 else np.float32)
    numbers *= 2.0 ** (1 - 8 * width)
    return numbers - 1 if is_unsigned else numbers


def _from_table(data: bytes, table: npt.NDArray[np.float32]) -> Decoded:
    return table[np.frombuffer(data, np.uint8)]


def _mu_law_table() -> npt.NDArray[np.float32]:
    """Returns the values of the 256 codes of mu-law, as 16-bit integers over 32768 (G.711)."""
    code = ~np.arange(256) & 0xFF
    magnitude = (((code & 15) << 3) + 132 << ((code & 0x70) >> 4)) - 132
    return (np.where(code & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def _a_law_table() -> npt.NDArray[np.float32]:
    """Returns the values of the 256 codes of A-law, as 16-bit integers over 32768 (G.711)."""
    code = np.arange(256) ^ 0x55
    segment = (code & 0x70) >> 4
    step = ((code & 15) << 4) + 8
    magnitude = np.where(segment, step + 256 << np.maximum(segment - 1, 0), step)
    return (np.where(code & 0x80, magnitude, -magnitude) / 32768).astype(np.float32)


def _every_encoding() -> dict[str, Encoding]:
    encodings = {}
    orders: tuple[tuple[str, Literal["little", "big"]], ...] = (("le", "little"), ("be", "big"))
    for kind in ("u", "s"):
        for num_bytes in (1, 2, 3, 4):
            for suffix, order in orders if num_bytes > 1 else (("", orders[0][1]),):
                decode = partial(
                    _integers, num_bytes=num_bytes, order=order, is_unsigned=kind == "u"
                )
                encodings[f"{kind}{8 * num_bytes}{suffix}"] = Encoding(num_bytes, decode)
    for num_bytes in (4, 8):
        for suffix, sign in (("le", "<"), ("be", ">")):
            decode = partial(_floats, dtype=np.dtype(f"{sign}f{num_bytes}"))
            encodings[f"f{8 * num_bytes}{suffix}"] = Encoding(num_bytes, decode)
    encodings["mulaw"] = Encoding(1, partial(_from_table, table=_mu_law_table()))
    encodings["alaw"] = Encoding(1, partial(_from_table, table=_a_law_table()))
    return encodings


RAW_ENCODINGS: dict[str, Encoding] = _every_encoding()

# What other programs call them, once "pcm", blanks, hyphens and underscores are gone.
_OTHER_NAMES = {
    "ulaw": "mulaw", "mulaw": "mulaw", "µlaw": "mulaw", "u": "mulaw", "g711u": "mulaw",
    "alaw": "alaw", "a": "alaw", "g711a": "alaw",
    **{f"{word}{bits}": f"s{bits}le" for word in ("s", "int", "i") for bits in (16, 24, 32)},
    **{f"{word}{bits}": f"f{bits}le" for word in ("f", "float") for bits in (32, 64)},
    "int8": "s8", "i8": "s8", "uint8": "u8", "16": "s16le", "float": "f32le", "double": "f64le",
}  # fmt: skip


def encoding_meant(name: str) -> str | None:
    """Returns the encoding that someone meant by another name for it, if that can be told."""
    plain = name.lower()
    for nothing in ("pcm", " ", "-", "_"):
        plain = plain.replace(nothing, "")
    if plain in RAW_ENCODINGS:
        return plain
    close = difflib.get_close_matches(plain, RAW_ENCODINGS, n=1, cutoff=0.8)
    return _OTHER_NAMES.get(plain) or (close[0] if close else None)


def header_refusal(head: bytes) -> str | None:
    """Returns why bytes are not taken for samples: they begin like a file with a header.

    Args:
        head: The first bytes, as many as `bytes_to_judge` says, or all there are.
    """
    kind = container_of(head)
    if kind is None:
        return None
    article = "an" if kind[0] in "AO" or kind in ("MP3", "MP4", "FLV") else "a"
    return f"it begins like {article} {kind} file"
