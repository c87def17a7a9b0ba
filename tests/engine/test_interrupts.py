# SPDX-License-Identifier: BSD-3-Clause
"""Long calls look at signals, live with an interpreter that ends, and let other threads run."""

from __future__ import annotations

import pickle
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from makers import Array
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

RATE = 16000


class Alarm(Exception):
    pass


@contextmanager
def alarm(seconds: float, handler: Callable[[], None]) -> Iterator[None]:
    """Has the operating system send a signal once, whose handler calls `handler`."""
    previous = signal.signal(signal.SIGALRM, lambda *_: handler())
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def end() -> None:
    raise Alarm


def trained(frame_length: int = 1024, **arguments: Any) -> STFTSpectrogram:
    layer = STFTSpectrogram(mode="psd", frame_length=frame_length, **arguments)
    layer.set_weights([kernel + np.float32(1e-3) for kernel in layer.get_weights()])
    return layer


def lasting(seconds: float, layer: STFTSpectrogram) -> Array:
    """Returns a signal that takes the layer about so long, with sanitizers or without."""
    short = noise(1, RATE, 1)
    layer(short)
    begin = time.perf_counter()
    layer(short)
    times = seconds / (time.perf_counter() - begin)
    return noise(1, RATE * round(min(max(times, 1), 600)), 1)


# Half a minute of work and more on one thread, where a signal after a tenth of a second ends it.
LONG_SECONDS = 1200


@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_signal_ends_a_call(num_threads: int) -> None:
    layer = trained(num_threads=num_threads)
    x = np.zeros((1, RATE * LONG_SECONDS, 1), np.float32)
    out = np.full(layer.compute_output_shape(x.shape), -1, np.float32)
    with alarm(0.1, end), pytest.raises(Alarm):
        layer(x, out=out)
    assert (out[:, ::1000] == -1).mean() > 0.5, "the call was not ended early"
    assert np.isfinite(layer(x[:, :RATE])).all(), "the next call must be as any other"


@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_signal_ends_a_call_without_trained_kernels(num_threads: int) -> None:
    layer = MelSpectrogram(sequence_stride=4, num_mel_bins=4, num_threads=num_threads)
    x = np.zeros((1, RATE * 300), np.float32)
    out = np.full(layer.compute_output_shape(x.shape), 1, np.float32)
    with alarm(0.1, end), pytest.raises(Alarm):
        layer(x, out=out)
    assert (out[..., ::1000] == 1).mean() > 0.5, "the call was not ended early"
    assert np.isfinite(layer(x[:, :RATE])).all()


def test_a_signal_ends_a_gradient() -> None:
    layer = trained(512)
    y, pull_back = layer.vjp(lasting(0.5, layer))
    calls = 0

    def count_and_end() -> None:
        nonlocal calls
        calls += 1
        raise Alarm

    def pull_back_often() -> None:
        for _ in range(50):
            pull_back(y)

    with alarm(0.1, count_and_end), pytest.raises(Alarm):
        pull_back_often()
    assert calls == 1


def test_an_interrupted_push_has_not_happened() -> None:
    layer = trained()
    stream, whole = layer.stream(), noise(RATE)
    stream.push(whole[: RATE // 2])
    before = pickle.dumps(stream)
    with alarm(0.1, end), pytest.raises(Alarm):
        stream.push(np.zeros(RATE * LONG_SECONDS, np.float32))
    assert pickle.dumps(stream) == before
    rest = stream.push(whole[RATE // 2 :])
    assert np.array_equal(rest, layer(whole[None, :, None])[0][-len(rest) :])


def test_a_handler_that_returns_lets_the_call_go_on() -> None:
    layer, handled = trained(512), []
    x = lasting(0.3, layer)
    expected = layer(x)
    with alarm(0.06, lambda: handled.append(1)):
        result = layer(x)
        while not handled:
            layer(x)
    assert np.array_equal(result, expected)


def test_a_call_of_another_thread_is_not_ended() -> None:
    """Python's handlers run in the main thread, which waits meanwhile."""
    layer, results, done = trained(), [], threading.Event()
    x = lasting(1.0, layer)

    def work() -> None:
        results.append(layer(x))
        done.set()

    threading.Thread(target=work, daemon=True).start()
    with alarm(0.05, end), pytest.raises(Alarm):
        done.wait(timeout=60)
    assert not done.is_set(), "the call must have lasted longer than that"
    assert done.wait(timeout=60)
    assert np.array_equal(results[0], layer(x))


# Every exit is that of an interpreter of its own, and all take the imports of one: it forks before
# anything is computed. A child that does not come to its end in time is killed, a failure.
EXITS = """
import os, signal, sys, threading
import numpy as np, specfast
for number in range(3):
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        if status:
            sys.exit(f"exit {number}: status {status}")
        continue
    signal.alarm(20)
    layer = specfast.MelSpectrogram(num_threads=int(sys.argv[2]), top_db=None)
    x = np.zeros((4, 160000), np.float32)
    stream = layer.stream()
    y, back = layer.vjp(x)
    has_computed = threading.Event()
    def work():
        while True:
            exec(use)
            has_computed.set()
    use = compile(sys.argv[1], "use", "exec")
    threading.Thread(target=work, daemon=True).start()
    has_computed.wait()
    break
"""


@pytest.mark.parametrize("use", ["layer(x)", "stream.push(x[0])", "back(y)", "layer(x, out=y)"])
@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_daemon_thread_inside_a_call_does_not_abort_the_exit(use: str, num_threads: int) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", EXITS]
    done = subprocess.run(
        [*command, use, str(num_threads)], capture_output=True, timeout=80, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


class Spinner:
    """A thread that counts as long as it gets the GIL."""

    def __init__(self) -> None:
        self.count, self._ends = 0, False
        self._thread = threading.Thread(target=self._spin)

    def _spin(self) -> None:
        while not self._ends:
            self.count += 1

    def __enter__(self) -> Spinner:
        self._thread.start()
        while self.count == 0:
            pass
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self._thread.join()


def push_of_trained_kernels() -> Callable[[], Array]:
    stream = trained(4096, frame_step=512).stream()
    stream.push(noise(4096))
    x = noise(4096)
    return lambda: stream.push(x)


def push_of_many_bands() -> Callable[[], Array]:
    layer = MelSpectrogram(fft_length=64, num_mel_bins=1 << 20, sequence_stride=32, top_db=None)
    stream, x = layer.stream(), noise(64)
    return lambda: stream.push(x)


@pytest.mark.parametrize("make", [push_of_trained_kernels, push_of_many_bands])
def test_a_small_push_of_much_work_lets_other_threads_run(make: Any) -> None:
    """While a push holds the GIL, the counter stays where it is, in every push.

    Where others use the processors too, the counter's thread may get none during a single push.
    """
    push, moved = make(), []
    with Spinner() as spinner:
        for _ in range(9):
            before = spinner.count
            push()
            moved.append(spinner.count - before)
    assert statistics.median(moved) > 100, moved
