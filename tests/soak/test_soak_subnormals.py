# SPDX-License-Identifier: BSD-3-Clause
"""How much longer calls take for samples that are subnormal, or whose results are."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from makers import Array
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

Times = Callable[[int], int]
Report = Callable[[str], None]

FACTORS = (1e-20, 1e-30, 1e-36, 1e-38, 1e-40, 1e-42, 1e-44)
# Where a floor hides what is subnormal, the ratio must not be above LARGEST. Elsewhere it is part
# of the result, and takes the time that the processor takes for it: reported, not judged.
LARGEST = 1.2
LAYERS: dict[str, tuple[Callable[[], Any], bool]] = {
    "mel in dB": (lambda: MelSpectrogram(512, 160, num_mel_bins=80, num_threads=1), True),
    "log": (lambda: STFTSpectrogram("log", 400, 160, 512, num_threads=1), True),
    "magnitude": (lambda: STFTSpectrogram("magnitude", 400, 160, 512, num_threads=1), True),
    "energies": (
        lambda: MelSpectrogram(512, 160, num_mel_bins=80, power_to_db=False, num_threads=1),
        False,
    ),
    "psd": (lambda: STFTSpectrogram("psd", 400, 160, 512, num_threads=1), False),
    "real": (lambda: STFTSpectrogram("real", 400, 160, 512, num_threads=1), False),
    "stft": (lambda: STFTSpectrogram("stft", 400, 160, 512, num_threads=1), False),
    "angle": (lambda: STFTSpectrogram("angle", 400, 160, 512, num_threads=1), False),
}


def seconds(layer: Any, x: Array, out: Array) -> float:
    begin = time.thread_time()
    layer(x, out=out)
    return time.thread_time() - begin


@pytest.mark.parametrize("name", LAYERS)
def test_time_of_subnormal_samples(name: str, times: Times, report: Report) -> None:
    make, is_judged = LAYERS[name]
    layer, x = make(), noise(1, 160_000, 1)
    x = x[..., 0] if isinstance(layer, MelSpectrogram) else x
    out = np.empty_like(layer(x))
    inputs = [x, *(x * np.float32(factor) for factor in FACTORS)]
    # Turn by turn, the quickest of each.
    best = np.full(len(inputs), np.inf)
    for _ in range(max(10, times(100))):
        for index, samples in enumerate(inputs):
            best[index] = min(best[index], seconds(layer, samples, out))
    ratios = best[1:] / best[0]
    columns = zip(FACTORS, ratios, strict=True)
    report(f"{name}: " + ", ".join(f"{factor:g} {ratio:.2f}" for factor, ratio in columns))
    assert not is_judged or ratios.max() <= LARGEST
