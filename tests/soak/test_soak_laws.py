# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the suite that draw random cases, with more of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import test_accuracy
import test_streams
import test_threads

from makers import same_bits
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

pytestmark = pytest.mark.filterwarnings("ignore:`fft_length` is recommended:UserWarning")

Times = Callable[[int], int]
Report = Callable[[str], None]


def test_laws_of_the_transform(times: Times, report: Report) -> None:
    """Impulses, linearity, turned frames, frames anywhere, an input that stays as it was."""
    problems = times(1000)
    for seed in range(problems):
        test_accuracy.test_laws_of_the_transform(1000 + seed)
    report(f"laws of the transform: {problems} problems, none broken")


def test_cuttings_of_streams(times: Times, report: Report) -> None:
    seeds = times(200)
    for seed in range(seeds):
        test_streams.test_any_cutting_gives_the_bits_of_one_call(1000 + seed)
    report(f"streams in random pieces: {50 * seeds}, no bit differs from one call")


def test_threads_and_batches(times: Times, report: Report) -> None:
    """Real sizes of layers too: what threads share are tiles of these."""
    shapes = 0
    sizes = range(1, 1 + min(67, 10 * times(7)))
    makers: list[Callable[[int], MelSpectrogram | STFTSpectrogram]] = [
        lambda n: MelSpectrogram(512, 160, num_mel_bins=80, num_threads=n),
        lambda n: STFTSpectrogram("stft", 400, 160, 512, num_threads=n),
    ]
    for make, size in itertools.product(makers, sizes):
        x = noise(size, 4000, seed=size)
        x = x if make is makers[0] else x[..., None]
        results = [make(number)(x) for number in test_threads.THREADS]
        assert all(same_bits(results[0], result) for result in results[1:])
        shapes += 1
    report(f"batches on {test_threads.THREADS} threads: {shapes}, no bit differs")
    assert np.isfinite(results[0]).all()
