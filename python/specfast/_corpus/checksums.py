# SPDX-License-Identifier: BSD-3-Clause
"""CRC-32, which has the same value whoever computes it: by isal where it is installed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

__all__ = ["crc32"]

crc32: Callable[..., int] = zlib.crc32
try:
    # Carry-less multiplication: 20 GB/s, and zlib has 2.5.
    from isal import isal_zlib
except ImportError:
    pass
else:
    crc32 = isal_zlib.crc32
