# SPDX-License-Identifier: BSD-3-Clause
"""Memory of large results is kept for the next one, and never taken from one in use."""

from __future__ import annotations

import gc
import threading
import tracemalloc

import numpy as np
import pytest

import specfast

MIB = 1 << 20
HOP = 16
TOO_MUCH = 70  # MiB


def layer() -> specfast.STFTSpectrogram:
    return specfast.STFTSpectrogram("psd", frame_length=64, frame_step=HOP, fft_length=64)


def signal(mib: float, seed: int = 0) -> np.ndarray:
    """Of which the layer makes about so many MiB."""
    frames = int(mib * MIB) // (33 * 4)
    rng = np.random.default_rng(seed)
    return rng.standard_normal((1, frames * HOP + 64, 1)).astype(np.float32)


def address(x: np.ndarray) -> int:
    return int(x.__array_interface__["data"][0])


def kept_bytes(mib: float) -> int:
    """What is still held after a result of that size is gone."""
    x, spectrogram = signal(mib), layer()
    spectrogram(signal(TOO_MUCH))  # takes the place of what is kept, and is not kept itself
    gc.collect()
    tracemalloc.start()
    try:
        result = spectrogram(x)
        during = tracemalloc.get_traced_memory()[0]
        assert during >= result.nbytes
        del result
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_next_result_takes_the_memory_of_the_last() -> None:
    x, spectrogram = signal(6), layer()
    first = spectrogram(x)
    expected, place = first.copy(), address(first)
    del first
    second = spectrogram(x)
    assert address(second) == place
    np.testing.assert_array_equal(second, expected)


def test_memory_of_a_result_in_use_stays_untouched() -> None:
    x, y, spectrogram = signal(6), signal(6, seed=1), layer()
    first = spectrogram(x)
    expected = first.copy()
    view = first[0, 100:]
    buffer = first.data
    del first
    for _ in range(3):
        spectrogram(y)
    np.testing.assert_array_equal(view, expected[0, 100:])
    np.testing.assert_array_equal(np.asarray(buffer), expected)


@pytest.mark.parametrize("mib", [2, 6, TOO_MUCH])
def test_result_is_an_ordinary_array(mib: float) -> None:
    x = signal(mib)
    result = layer()(x)
    assert type(result) is np.ndarray
    assert result.flags.c_contiguous
    assert result.flags.aligned
    assert result.flags.writeable
    if mib > 4:
        assert address(result) % (2 * MIB) == 0  # where a huge page may begin
    np.testing.assert_array_equal(result[:, -9:], layer()(x[:, -8 * HOP - 64 :]))


@pytest.mark.parametrize(("mib", "kept"), [(2, False), (6, True), (60, True), (TOO_MUCH, False)])
def test_what_is_kept(mib: float, kept: bool) -> None:
    held = kept_bytes(mib)
    assert (held >= mib * MIB * 0.9) == kept
    assert held < (mib + 6) * MIB if kept else held < MIB


def test_a_much_smaller_result_does_not_hold_a_large_block() -> None:
    place = address(layer()(signal(40)))
    result = layer()(signal(5))
    assert address(result) != place
    del result
    assert kept_bytes(5) < 12 * MIB


def test_results_of_many_threads_do_not_share_memory() -> None:
    spectrogram = layer()
    inputs = [signal(5, seed) for seed in range(4)]
    expected = [spectrogram(x) for x in inputs]
    failures: list[int] = []

    def work(i: int) -> None:
        same = [np.array_equal(spectrogram(inputs[i]), expected[i]) for _ in range(10)]
        failures.extend([i] * same.count(False))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
