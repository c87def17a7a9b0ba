# SPDX-License-Identifier: BSD-3-Clause
"""Very many processes: forked after and during parallel calls, and made in every way."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import test_threads

from makers import same_bits, small_mel, small_stft
from signals import noise
from specfast import STFTSpectrogram

Times = Callable[[int], int]
Report = Callable[[str], None]

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def test_forked_after_a_parallel_call(times: Times, report: Report) -> None:
    layers = test_threads.make_layers(num_threads=4)
    inputs = [test_threads.sample_input(layer, 6) for layer in layers]
    pairs = list(zip(layers, inputs, strict=True))
    expected = [layer(x) for layer, x in pairs]

    def work() -> bool:
        return all(same_bits(layer(x), y) for (layer, x), y in zip(pairs, expected, strict=True))

    children = times(100)
    for _ in range(children):
        assert test_threads.exit_code_of_child(work) == 0
        assert work()  # the parent's threads are there again
    report(f"forked after a parallel call: {children}, none hangs, bits equal")


def test_forked_during_a_parallel_call(times: Times, report: Report) -> None:
    layer = STFTSpectrogram(frame_step=16, num_threads=4)
    x = noise(4, 200_000, 1)
    small = x[:, :2000]
    out, expected = np.empty_like(layer(x)), layer(small)
    done, during = threading.Event(), 0
    running = threading.Event()

    def keep_busy() -> None:
        while not done.is_set():
            running.set()
            layer(x, out=out)
            running.clear()

    threads = [threading.Thread(target=keep_busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    children = times(100)
    try:
        for _ in range(children):
            # So that the next fork meets the calls at another place.
            time.sleep(0.003)
            during += running.is_set()
            child = test_threads.exit_code_of_child(lambda: same_bits(layer(small), expected), 60)
            assert child == 0
    finally:
        done.set()
        for thread in threads:
            thread.join(timeout=60)
    report(f"forked while two threads call: {children}, {during} surely during a call, none hangs")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(method: str, times: Times, report: Report) -> None:
    """Each pool is a new one of two processes: it starts them, computes, and ends."""
    layers = [small_stft(num_threads=2), small_mel(num_threads=2)]
    inputs = [test_threads.sample_input(layer, 3) for layer in layers]
    expected = [test_threads.call(layer, x) for layer, x in zip(layers, inputs, strict=True)]
    context = multiprocessing.get_context(method)
    pools = times(100)
    for _ in range(pools):
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            found = list(pool.map(test_threads.call, layers, inputs, timeout=120))
        assert found == expected
    report(f"pools by {method}: {pools} of 2 processes, none hangs, bits equal")
