# SPDX-License-Identifier: BSD-3-Clause
"""Cyclic redundancy checks as FLAC and Ogg use them: highest bit first, beginning with 0."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["crc8", "crc16", "crc_of_ogg"]

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ONES = 0xFFFFFFFF


def crc_of_ogg(page: bytes) -> int:
    """Returns the CRC of a page whose own CRC is 0, with the polynomial 0x04C11DB7."""
    # zlib's is its mirror image, and begins and ends with a negation.
    mirrored = zlib.crc32(page.translate(_MIRRORED), _ONES) ^ _ONES
    return int(f"{mirrored:032b}"[::-1], 2)


def crc8(data: bytes, polynomial: int) -> int:
    """Returns the CRC of some bytes, which is 0 where they end with their own.

    Args:
        data: A few bytes.
        polynomial: Without its highest term.
    """
    remainders = _remainders_of_bytes(8, polynomial)
    remainder = 0
    for byte in data:
        remainder = remainders[remainder ^ byte]
    return int(remainder)


def crc16(data: bytes, polynomial: int) -> int:
    """Returns the CRC of any number of bytes, which is 0 where they end with their own.

    A CRC that begins with 0 is linear and does not see zeros in front. So neighbouring bytes are
    joined to pairs, pairs to fours and so on, all of them at once: what the left one of two
    contributes is a table of its remainder.
    """
    if not data:
        return 0
    levels = (len(data) - 1).bit_length()
    joined = np.zeros(1 << levels, np.uint16)
    joined[-len(data) :] = np.frombuffer(data, np.uint8)
    joined = _remainders_of_bytes(16, polynomial)[joined]
    for high, low in _shifts(polynomial, levels):
        left, right = joined[0::2], joined[1::2]
        joined = high[left >> 8] ^ low[left & 0xFF] ^ right
    return int(joined[0])


@lru_cache(maxsize=8)
def _remainders_of_bytes(bits: int, polynomial: int) -> Any:
    """Returns the remainder of each single byte."""
    values = np.arange(256, dtype=np.uint32) << (bits - 8)
    for _ in range(8):
        overflows = values >> (bits - 1) & 1
        values = (values << 1 ^ overflows * polynomial) & ((1 << bits) - 1)
    return values.astype(np.uint16)


@lru_cache(maxsize=64)
def _shifts(polynomial: int, levels: int) -> list[tuple[Any, Any]]:
    """Returns for each level what 2^level bytes behind a remainder of 16 bits make of it, by its
    upper and its lower byte."""
    # One byte behind a remainder shifts it by 8 bits.
    shift = (_remainders_of_bytes(16, polynomial), np.arange(256, dtype=np.uint16) << 8)
    shifts = []
    for _ in range(levels):
        shifts.append(shift)
        high, low = shift
        shift = (high[high >> 8] ^ low[high & 0xFF], high[low >> 8] ^ low[low & 0xFF])
    return shifts
