# SPDX-License-Identifier: BSD-3-Clause
"""Times one layer on the CPU and on a GPU as the batch grows: from where on a GPU pays.

    python -m benchmarks.gpu.crossover

A row is a number of clips of ten seconds; its columns are milliseconds of a whole call: on the
CPU with all of its threads, on the GPU with samples and results in CPU memory, and with both of
them there, as tensors of torch, if that is installed.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import specfast

BATCHES = (1, 4, 16, 64, 256)
SAMPLES = 160000
REPETITIONS = 7

LAYER = {"fft_length": 2048, "sequence_stride": 512, "num_mel_bins": 80, "top_db": None}


def milliseconds(call: Callable[[], Any]) -> float:
    """Returns the median time of a call, after one that is not counted."""
    call()
    times = []
    for _ in range(REPETITIONS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


def call_there(x: Any) -> Callable[[], Any] | None:
    """Returns a call on the GPU that ends when the result is there; None without torch."""
    try:
        torch = importlib.import_module("torch")
        if not torch.cuda.is_available():
            return None
    except (ImportError, OSError):
        return None
    there, layer = torch.from_numpy(x).cuda(), specfast.MelSpectrogram(**LAYER)

    def call() -> None:
        layer(there)
        torch.cuda.synchronize()

    return call


def row(clips: int, num_samples: int) -> str:
    """Returns the row of a table of Markdown."""
    x = np.random.default_rng(clips).standard_normal((clips, num_samples), np.float32)
    here = specfast.MelSpectrogram(**LAYER)
    copied = specfast.MelSpectrogram(**LAYER, device="cuda")
    np.testing.assert_allclose(copied(x), here(x), atol=2e-3)
    times = [milliseconds(lambda: here(x)), milliseconds(lambda: copied(x))]
    call = call_there(x)
    shown = [f"{each:.3g}" for each in times] + [f"{milliseconds(call):.3g}" if call else ""]
    return f"| {clips} | " + " | ".join(shown) + " |"


def main(batches: tuple[int, ...] = BATCHES, num_samples: int = SAMPLES) -> None:
    threads = specfast.get_num_threads()
    print(f"| clips | CPU, {threads} threads (ms) | arrays of the CPU (ms) | of the GPU (ms) |")
    print("|---|---|---|---|")
    for clips in batches:
        print(row(clips, num_samples), flush=True)


if __name__ == "__main__":
    main()
