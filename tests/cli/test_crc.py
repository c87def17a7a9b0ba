# SPDX-License-Identifier: BSD-3-Clause
"""Checks of recordings against their definition, bit by bit."""

from __future__ import annotations

import random

import pytest

from specfast._audio.crc import crc8, crc16


def by_definition(data: bytes, bits: int, polynomial: int) -> int:
    remainder = 0
    for byte in data:
        for place in range(7, -1, -1):
            overflow = (remainder >> (bits - 1) & 1) ^ (byte >> place & 1)
            remainder = (remainder << 1 & (1 << bits) - 1) ^ (polynomial if overflow else 0)
    return remainder


@pytest.mark.parametrize(("bits", "polynomial"), [(8, 0x07), (16, 0x8005), (16, 0x1021)])
def test_remainders_are_those_of_the_definition(bits: int, polynomial: int) -> None:
    crc = {8: crc8, 16: crc16}[bits]
    chance = random.Random(bits)
    for length in (0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 100, 1023, 1024, 1025):
        data = chance.randbytes(length)
        remainder = by_definition(data, bits, polynomial)
        assert crc(data, polynomial) == remainder
        assert crc(data + remainder.to_bytes(bits // 8, "big"), polynomial) == 0
