# SPDX-License-Identifier: BSD-3-Clause
"""Cyclic redundancy checks as FLAC and Ogg use them: highest bit first, beginning with 0."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["crc_of_ogg", "crc_remainder"]

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ONES = 0xFFFFFFFF
# NumPy takes longer to begin than these take one by one.
_FEW_BYTES = 32


def crc_of_ogg(page: bytes) -> int:
    """Returns the CRC of a page whose own CRC is 0, with the polynomial 0x04C11DB7."""
    # zlib's is its mirror image, and begins and ends with a negation.
    mirrored = zlib.crc32(page.translate(_MIRRORED), _ONES) ^ _ONES
    return int(f"{mirrored:032b}"[::-1], 2)


def crc_remainder(data: bytes, bits: int, polynomial: int) -> int:
    """Returns the CRC of some bytes, which is 0 where they end with their own CRC.

    A CRC that begins with 0 is linear and does not see zeros in front. So neighbouring bytes are
    joined to pairs, pairs to fours and so on, all of them at once: what the left one of two
    contributes is a table of its remainder.

    Args:
        data: Any number of bytes.
        bits: Of the CRC: 8 or 16.
        polynomial: Without its highest term.
    """
    if bits == 8 and len(data) <= _FEW_BYTES:
        remainders = _remainders_of_bytes(polynomial)
        remainder = 0
        for byte in data:
            remainder = remainders[remainder ^ byte]
        return remainder
    if not data:
        return 0
    levels = (len(data) - 1).bit_length()
    joined = np.zeros(1 << levels, np.uint16)
    joined[-len(data) :] = np.frombuffer(data, np.uint8)
    single, *shifts = _tables(bits, polynomial, levels)
    joined = single[joined]
    for high, low in shifts:
        left, right = joined[0::2], joined[1::2]
        joined = high[left >> 8] ^ low[left & 0xFF] ^ right
    return int(joined[0])


@lru_cache(maxsize=4)
def _remainders_of_bytes(polynomial: int) -> list[int]:
    """Returns those of 8 bits, of each byte alone."""
    return [int(remainder) for remainder in _tables(8, polynomial, 0)[0]]


@lru_cache(maxsize=64)
def _tables(bits: int, polynomial: int, levels: int) -> tuple[Any, ...]:
    """Returns the remainders of a byte, and for each level what 2^level bytes behind a remainder
    make of it, by its upper and its lower byte."""
    values = np.arange(256, dtype=np.uint32) << (bits - 8)
    for _ in range(8):
        overflows = values >> (bits - 1) & 1
        values = (values << 1 ^ overflows * polynomial) & ((1 << bits) - 1)
    single = values.astype(np.uint16)
    numbers = np.arange(256, dtype=np.uint16)
    # One byte behind a remainder shifts it by 8 bits.
    shift = (np.zeros_like(single), single) if bits == 8 else (single, numbers << 8)
    shifts = []
    for _ in range(levels):
        shifts.append(shift)
        high, low = shift
        shift = tuple(high[part >> 8] ^ low[part & 0xFF] for part in shift)
    return single, *shifts
