# SPDX-License-Identifier: BSD-3-Clause
"""Measures the error of transforms of hundreds of lengths to 2^20, in a few minutes.

    python tools/measure_accuracy.py

For each kind of lengths it prints the largest relative L2 error, for white noise, and its share of
what is allowed. It exits with 1 if one is larger.
"""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from forward_errors import EPS, PRIMES, allowed_error, forward_error, is_smooth  # noqa: E402


def worst_share(lengths: Iterable[int], dtype: str) -> tuple[float, float, int]:
    """The largest error as a share of what is allowed, in eps sqrt(log2 N), and its length."""
    worst = (0.0, 0.0, 0)
    for length in lengths:
        error = forward_error(length, dtype)
        share = float(np.nan_to_num(error / allowed_error(length, dtype), nan=np.inf))
        worst = max(worst, (share, error / (EPS[dtype] * math.sqrt(math.log2(length))), length))
    return worst


def sampled_lengths(seed: int, count: int, largest: int = 8192) -> list[int]:
    return sorted(map(int, np.random.default_rng(seed).integers(2, largest + 1, count)))


LARGEST_FACTORS = (11**2, 11 * 13, 13**2)
LARGE_PRIMES = (16381, 32749, 65537, 131071, 262139, 524287, 1048573)
LARGE_SMOOTH = (10**4, 10**5, 10**6, 2**4 * 3**9, 7**7, 11**5, 13**5, 3**12, 5**8)
KINDS = {
    "powers of two, 2 to 2^20": [2**power for power in range(1, 21)],
    "sampled lengths to 8192": sampled_lengths(1, 500),
    "even smooth lengths to 8192": [n for n in range(2, 8193, 2) if is_smooth(n)],
    "odd smooth lengths to 8192": [n for n in range(3, 8193, 2) if is_smooth(n)],
    "even, 11 and 13 twice, to 65536": [
        n
        for n in range(2, 2**16 + 1, 2)
        if is_smooth(n) and any(n % factor == 0 for factor in LARGEST_FACTORS)
    ],
    "primes, 17 to 8192": PRIMES[5::5],
    "twice such a prime": [2 * prime for prime in PRIMES[5::10]],
    "large products of small primes": list(LARGE_SMOOTH),
    "large primes": list(LARGE_PRIMES),
    "twice a large prime": [2 * prime for prime in LARGE_PRIMES[:-1]],
}


def main() -> int:
    warnings.simplefilter("ignore")
    failed = False
    for kind, lengths in KINDS.items():
        for dtype in EPS:
            start = time.monotonic()
            share, in_units, length = worst_share(lengths, dtype)
            failed |= share > 1.0
            print(
                f"{kind:32} {dtype} {len(lengths):4} lengths  at most {in_units:.3f} eps "
                f"sqrt(log2 N), {share:4.0%} of the bound, at {length}"
                f"  ({time.monotonic() - start:.0f} s)",
                flush=True,
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
