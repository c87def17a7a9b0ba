# SPDX-License-Identifier: BSD-3-Clause
"""Faults that the engine once had, or could have where nobody looks."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import specfast
from makers import perturb
from specfast import _core

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def run_alone(program: str) -> None:
    """Run a program in an interpreter of its own; it must end, and end well."""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)], check=True, timeout=120
    )


def test_general_exponent_does_not_depend_on_the_tile() -> None:
    """A tile of few frames is narrower; its bits must be those of a full one."""
    layer = specfast.MelSpectrogram(
        fft_length=256,
        sequence_stride=256,
        window=None,
        mag_exp=6,
        power_to_db=False,
        num_mel_bins=20,
        min_freq=0,
    )
    x = np.zeros(256 * 40, np.float32)
    x[128::256] = 1.0625
    np.testing.assert_array_equal(layer(x)[:, 1], layer(x[:512])[:, 1])


def test_infinite_levels_of_both_signs_are_no_nan() -> None:
    """Without a floor a level may be -inf; beside +inf the clamp must not see a NaN."""
    layer = specfast.MelSpectrogram(min_power=0.0, fft_length=256, sequence_stride=128)
    x = (1e25 * np.sin(np.arange(16000) * 0.3)).astype(np.float32)
    assert np.isposinf(layer(x)).all()


def test_long_message_keeps_whole_characters() -> None:
    with pytest.raises(ValueError, match="é"):
        _core.window("é" * 400, 5, True)


def test_signal_beyond_all_bounds_has_no_frames() -> None:
    config = _core.Config("mel")
    config.fft_length = config.frame_length = 16
    config.hop = 1
    config.num_mel_bins = 2
    plan = _core.Plan(config, "any_rank")
    assert plan.num_frames(2**62) == 2**62 + 1
    assert plan.num_frames(2**63 - 1) == 0


def test_more_threads_than_a_machine_has() -> None:
    """The library lowers the number; GNU OpenMP would end the process when threads run out."""
    layer = specfast.MelSpectrogram(num_threads=4096)
    x = np.random.default_rng(1).standard_normal((16, 16000)).astype(np.float32)
    np.testing.assert_array_equal(layer(x), specfast.MelSpectrogram(num_threads=1)(x))


@needs_fork
def test_fork_while_threads_call_the_same_layer() -> None:
    run_alone(
        """
        import os, signal, threading
        import numpy as np, specfast
        layer = specfast.MelSpectrogram()
        x = np.ones(16000, np.float32)
        layer(x)
        stop = threading.Event()
        def call():
            while not stop.is_set():
                layer(x)
        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(100):
                child = os.fork()
                if child == 0:
                    signal.alarm(20)
                    layer(x)
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
        finally:
            stop.set()
        """
    )


@needs_fork
def test_first_call_in_a_child_of_a_parallel_parent() -> None:
    run_alone(
        """
        import os, signal
        import numpy as np, specfast
        x = np.random.default_rng(1).standard_normal((16, 160000)).astype(np.float32)
        expected = specfast.MelSpectrogram(num_threads=4)(x)  # the parent's threads now exist
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                same = (specfast.MelSpectrogram(num_threads=4)(x) == expected).all()
                os._exit(0 if same else 1)
            assert os.waitpid(child, 0)[1] == 0
        """
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("frame", "hop"), [(64, 16), (64, 20), (24, 40), (64, 64), (63, 5)])
def test_edges_read_in_place_and_copied_are_equal(frame: int, hop: int, dtype: str) -> None:
    """Of a tile at an edge, some hops are copied; of a strided signal all are."""
    mel = specfast.MelSpectrogram(
        sequence_length=frame, sequence_stride=hop, fft_length=64, num_mel_bins=8, dtype=dtype
    )
    step = min(hop, frame)
    stfts = [
        specfast.STFTSpectrogram("stft", frame, step, fft_length=64, padding=padding, dtype=dtype)
        for padding in ("same", "valid", "same")
    ]
    perturb(stfts[2])
    lanes = 16
    lengths = {
        *range(64, 64 + 3 * hop),
        *range(max(64, lanes * hop - 70), (lanes + 3) * hop + 70, 3),
    }
    for length in lengths:
        spread = np.full((2, length, 2), np.nan, dtype)
        spread[..., 0] = np.random.default_rng(length).standard_normal((2, length))
        strided = spread[..., 0]
        together = np.ascontiguousarray(strided)
        np.testing.assert_array_equal(mel(together), mel(strided))
        for stft in stfts:
            np.testing.assert_array_equal(stft(together[..., None]), stft(strided[..., None]))
