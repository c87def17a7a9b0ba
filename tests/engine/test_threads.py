# SPDX-License-Identifier: BSD-3-Clause
"""Threads and processes: the same bits whatever computes them, and nothing that hangs."""

from __future__ import annotations

import concurrent.futures
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specfast
from makers import Array, same_bits, small_mel, small_stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

THREADS = [1, 2, 3, 4, 7, 16]


def make_layers(**arguments: Any) -> list[Any]:
    return [
        small_stft(mode="log", **arguments),
        small_stft(mode="stft", frame_length=15, fft_length=21, dtype="float64", **arguments),
        small_stft(mode="angle", padding="same", data_format="channels_first", **arguments),
        small_mel(**arguments),
        small_mel(fft_length=75, top_db_scope="clip", mag_exp=1.3, **arguments),
        small_mel(dtype="float64", power_to_db=False, **arguments),
        small_mel(dtype="float16", top_db=20.0, **arguments),
    ]


def sample_input(layer: Any, batch: int, num_samples: int = 700) -> Array:
    if isinstance(layer, MelSpectrogram):
        return noise(batch, num_samples)
    x = noise(batch, num_samples, 2)
    return x if layer.data_format == "channels_last" else np.ascontiguousarray(x.swapaxes(1, 2))


def test_threads_change_no_bit() -> None:
    for layers in zip(*(make_layers(num_threads=n) for n in THREADS), strict=True):
        for batch in (1, 2, 3, 5, 8, 13, 16, 17, 33, 67):
            x = sample_input(layers[0], batch)
            results = [layer(x) for layer in layers]
            for y in results[1:]:
                assert same_bits(y, results[0]), layers[0]


def test_the_global_setting_changes_no_bit() -> None:
    layers = make_layers()
    inputs = [sample_input(layer, 5) for layer in layers]
    expected = [layer(x) for layer, x in zip(layers, inputs, strict=True)]
    try:
        for number in THREADS:
            specfast.set_num_threads(number)
            for layer, x, y in zip(layers, inputs, expected, strict=True):
                assert same_bits(layer(x), y)
    finally:
        specfast.set_num_threads(0)


def test_the_batch_changes_no_bit() -> None:
    for layer in make_layers():
        if (
            isinstance(layer, MelSpectrogram)
            and layer.top_db_scope == "batch"
            and layer.power_to_db
        ):
            continue  # there a clip depends on its neighbours by definition
        x = sample_input(layer, 67)
        whole = layer(x)
        for size in (1, 2, 3, 8, 13, 67):
            parts = [layer(x[i : i + size]) for i in range(0, 67, size)]
            assert same_bits(np.concatenate(parts), whole), (layer, size)


def test_the_place_of_a_frame_changes_no_bit() -> None:
    """A frame cut out of the signal is the same as in it, wherever in a tile it stood."""
    for dtype, mode in itertools.product(["float32", "float64"], ["log", "stft", "psd"]):
        layer = small_stft(mode=mode, dtype=dtype)
        x = noise(1, 700, 1)
        y = layer(x)
        for t in range(y.shape[1]):
            assert same_bits(layer(x[:, 4 * t : 4 * t + 16])[0, 0], y[0, t]), (mode, t)
        for start in (1, 2, 3, 5, 8, 31):
            assert same_bits(layer(x[:, 4 * start :]), np.ascontiguousarray(y[:, start:]))


def test_sixteen_threads_on_one_layer() -> None:
    for layer in (small_stft(mode="stft"), small_mel(), small_mel(num_threads=2, dtype="float64")):
        inputs = [sample_input(layer, 1 + n % 3) * np.float32(n) for n in range(16)]
        expected = [layer(x) for x in inputs]
        start = threading.Barrier(16)

        def work(
            number: int,
            layer: Any = layer,
            inputs: list[Array] = inputs,
            expected: list[Array] = expected,
            start: threading.Barrier = start,
        ) -> int:
            out = np.empty_like(expected[number])
            start.wait(timeout=60)
            wrong = 0
            for _ in range(50):
                wrong += not same_bits(layer(inputs[number]), expected[number])
                wrong += not same_bits(layer(inputs[number], out=out), expected[number])
            return wrong

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(work, range(16))) == 0


def test_layers_are_made_in_threads() -> None:
    def make(_: int) -> tuple[str, bytes]:
        layer = small_mel()
        return layer.name, layer(noise(200)).tobytes()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(100)))
    assert len({name for name, _ in made}) == 100
    assert len({result for _, result in made}) == 1


def test_other_python_threads_run_during_a_call() -> None:
    """The GIL is released: a second thread counts on while the engine works.

    If it were not, the other thread would stand still for the whole call, however long. So the
    call is made long enough to see that: a fifth of a second, on whatever machine.
    """
    layer = MelSpectrogram(fft_length=2048, sequence_stride=8, num_mel_bins=1, num_threads=1)
    num_samples, seconds = 1 << 16, 0.0
    while True:
        x = noise(num_samples)
        begin = time.perf_counter()
        layer(x)
        seconds = time.perf_counter() - begin
        if seconds >= 0.2:
            break
        num_samples *= 2
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    layer(x)
    end = time.perf_counter()
    done.set()
    thread.join()
    assert end - begin >= 0.1
    # Some 100 of them on an idle machine; the middle half leaves out how the call begins and ends.
    quarter = (end - begin) / 4
    inside = [t for t in ticks if begin + quarter < t < end - quarter]
    assert len(inside) >= 5


# ---- Processes -------------------------------------------------------------------------------


def call(layer: Any, x: Array) -> bytes:
    return bytes(layer(x).tobytes())


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_layers_go_to_other_processes(method: str) -> None:
    layers = [small_stft(num_threads=2), small_mel(num_threads=2)]
    inputs = [sample_input(layer, 3) for layer in layers]
    expected = [call(layer, x) for layer, x in zip(layers, inputs, strict=True)]
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        for _ in range(3):
            found = list(pool.map(call, layers, inputs, timeout=120))
            assert found == expected


def exit_code_of_child(work: Any, seconds: float = 30.0) -> int:
    """Forks, runs `work` in the child, and kills a child that hangs."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_computes() -> None:
    layers = make_layers(num_threads=4)
    inputs = [sample_input(layer, 6) for layer in layers]
    expected = [layer(x) for layer, x in zip(layers, inputs, strict=True)]  # threads exist now

    def work() -> bool:
        return all(
            same_bits(layer(x), y) for layer, x, y in zip(layers, inputs, expected, strict=True)
        )

    for _ in range(10):
        assert exit_code_of_child(work) == 0
        assert work()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_during_a_call_computes() -> None:
    layer = STFTSpectrogram(frame_step=16, num_threads=2)
    x = noise(4, 200_000, 1)
    expected = layer(x)
    small = x[:, :2000]
    expected_small = layer(small)
    done = threading.Event()

    def keep_busy() -> None:
        out = np.empty_like(expected)
        while not done.is_set():
            layer(x, out=out)

    thread = threading.Thread(target=keep_busy)
    thread.start()
    try:
        for _ in range(10):
            time.sleep(0.003)
            assert exit_code_of_child(lambda: same_bits(layer(small), expected_small)) == 0
    finally:
        done.set()
        thread.join()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_several_threads() -> None:
    layer, x = STFTSpectrogram(frame_step=16, num_threads=3), noise(8, 100_000, 1)
    out = np.empty(layer.compute_output_shape(x.shape), np.float32)

    def work() -> bool:
        tasks = Path("/proc/self/task")
        alone = len(list(tasks.iterdir()))
        most, done = 0, threading.Event()

        def watch() -> None:
            nonlocal most
            while not done.is_set():
                most = max(most, len(list(tasks.iterdir())))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(20):
            layer(x, out=out)
        done.set()
        watcher.join()
        others = 2 if specfast.build_info()["openmp"] else 0
        return most == alone + 1 + others

    assert exit_code_of_child(work, 120) == 0


COUNT = "import specfast; print(specfast.get_num_threads(), specfast.build_info()['num_threads'])"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SPECFAST_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"SPECFAST_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}, 3),
    ],
    ids=str,
)
def test_threads_from_the_environment(environment: dict[str, str], expected: int) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    result = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    if not specfast.build_info()["openmp"]:
        expected = 1
    assert result.stdout.split() == [str(expected)] * 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is a matter of Linux")
def test_threads_follow_the_affinity() -> None:
    """Without any setting there are no more threads than processors that this process may use."""
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    for number in (1, 2):
        processors = sorted(os.sched_getaffinity(0))[:number]
        code = f"import os; os.sched_setaffinity(0, {processors}); {COUNT}"
        result = subprocess.run(
            [sys.executable, "-c", code],
            env=clean,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        counted = {int(count) for count in result.stdout.split()}
        assert len(counted) == 1
        # A quota of the container may leave fewer than the affinity does.
        assert counted == {1} if number == 1 else counted <= {1, 2}
