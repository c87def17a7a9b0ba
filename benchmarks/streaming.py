# SPDX-License-Identifier: BSD-3-Clause
"""W5: how long a push of a stream takes.  As a module, times Python's and prints JSON.

The parameters are W3's, a push brings 10 ms (160 samples) of 16 kHz mono and gives one frame.
The same from C++ is timed by ``benchmarks/stream``, built by ``make stream``.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import numpy as np

import specfast

_PUSHES = 100_000
_BLOCK = 160
_PROGRAM = Path("build/programs/benchmarks/stream/stream_latency")


def compiled(root: Path) -> dict[str, float]:
    """Quantiles of the C++ program in seconds; nothing where it is not built."""
    program = root / _PROGRAM
    if not program.is_file():
        return {}
    done = subprocess.run([program], capture_output=True, text=True, timeout=300, check=True)
    row = next(line for line in done.stdout.splitlines() if line.startswith("W5"))
    values = [float(cell) * 1e-6 for cell in row.split()[-3:]]
    return dict(zip(("c_p50_s", "c_p999_s", "c_max_s"), values, strict=True))


def main() -> None:
    """Times pushes from Python, the clock included."""
    layer = specfast.MelSpectrogram(
        fft_length=512, sequence_stride=160, sequence_length=400, num_mel_bins=80, top_db=None
    )
    signal = np.random.default_rng(0).standard_normal(1000 * _BLOCK).astype(np.float32)
    blocks = list(signal.reshape(-1, _BLOCK))
    push, clock = layer.stream().push, time.perf_counter
    times = np.empty(_PUSHES)
    for i in range(_PUSHES):
        block = blocks[i % len(blocks)]
        started = clock()
        push(block)
        times[i] = clock() - started
    p50, p999, longest = np.percentile(times, (50, 99.9, 100))
    print(json.dumps({"python_p50_s": p50, "python_p999_s": p999, "python_max_s": longest}))


if __name__ == "__main__":
    main()
