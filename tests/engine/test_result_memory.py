# SPDX-License-Identifier: BSD-3-Clause
"""Memory of large results is kept for the next one, and never taken from one in use."""

from __future__ import annotations

import ctypes
import gc
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

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


@pytest.fixture
def traced() -> Iterator[None]:
    """NumPy's memory is traced, and nothing of results is kept at first."""
    layer()(signal(TOO_MUCH))  # takes the place of what is kept, and is not kept itself
    gc.collect()
    tracemalloc.start()
    yield
    tracemalloc.stop()


def traced_mib() -> float:
    return tracemalloc.get_traced_memory()[0] / MIB


def test_next_result_takes_the_memory_of_the_last() -> None:
    x, spectrogram = signal(6), layer()
    first = spectrogram(x)
    expected, place = first.copy(), address(first)
    others = []  # so that the heap would give something else
    del first
    others.extend(np.empty(expected.size + n, np.float32) for n in range(8))
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
    assert result.flags.owndata
    assert result.base is None
    if mib > 32:
        assert address(result) % (2 * MIB) == 0  # where a huge page may begin
    np.testing.assert_array_equal(result[:, -9:], layer()(x[:, -8 * HOP - 64 :]))
    result.flags.writeable = False
    result.flags.writeable = True
    result[...] = 0


@pytest.mark.parametrize("mib", [2, 6, 40])
@pytest.mark.parametrize("new_mib", [1, 45])
def test_a_result_can_be_resized(mib: float, new_mib: float) -> None:
    """What is kept afterwards has the size that the array had in the end."""
    x, size = signal(mib), int(new_mib * MIB) // 4
    for _ in range(2):
        result = layer()(x)
        expected = np.resize(result, size)
        expected[result.size :] = 0
        result.resize(size)
        np.testing.assert_array_equal(result, expected)
        del result
        np.testing.assert_array_equal(layer()(x)[:, -9:], layer()(x[:, -8 * HOP - 64 :]))


def multiarray() -> Any:
    return (np._core if hasattr(np, "_core") else np.core).multiarray


@pytest.fixture
def own_handler() -> Iterator[None]:
    """A memory handler of the user's: NumPy's own under another name."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    api = (ctypes.c_void_p * 307).from_address(pointer(multiarray()._ARRAY_API, None))
    exchange = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(api[304])
    default = ctypes.py_object.from_address(api[306]).value
    name = b"mem_handler"
    size_of_handler = 128 + 5 * ctypes.sizeof(ctypes.c_void_p)
    handler = ctypes.create_string_buffer(
        ctypes.string_at(pointer(default, name), size_of_handler), size_of_handler
    )
    handler[:6] = b"mine\0\0"
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    exchange(new(ctypes.addressof(handler), name, None))
    yield
    exchange(default)
    gc.collect()


@pytest.mark.parametrize("mib", [2, 6, 40])
def test_only_large_results_have_a_handler_of_their_own(mib: float) -> None:
    result = layer()(signal(mib))
    name_of = multiarray().get_handler_name
    assert name_of(result) == ("default_allocator" if mib < 4 else "specfast results")
    assert name_of(np.empty(6 * MIB)) == "default_allocator"


@pytest.mark.usefixtures("own_handler")
def test_memory_comes_from_a_handler_of_the_users() -> None:
    result = layer()(signal(6))
    assert multiarray().get_handler_name(result) == "mine"


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(("mib", "kept"), [(2, False), (6, True), (60, True), (TOO_MUCH, False)])
def test_what_is_kept(mib: float, kept: bool) -> None:
    x = signal(mib)
    before = traced_mib()
    result = layer()(x)
    assert traced_mib() - before >= 0.99 * mib
    del result
    held = traced_mib() - before
    assert 0.99 * mib <= held <= mib * 1.1 + 0.1 if kept else held < 0.1


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("large", [40, 12, 9.9])
def test_a_smaller_result_does_not_hold_a_large_block(large: float) -> None:
    x, y = signal(large), signal(4.05)
    before = traced_mib()
    results = []
    for _ in range(3):
        layer()(x)
        results.append(layer()(y))
    assert traced_mib() - before <= len(results) * 4.05 * 1.13 + 0.1


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
