# SPDX-License-Identifier: BSD-3-Clause
"""Subnormal samples: the numbers that are theirs, and the processor's settings as they were."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import processor
from makers import Array, same_bits, small_mel, small_stft
from signals import noise
from specfast import FeatureExtractor, FeatureSpec

LAYERS: dict[str, Callable[..., Any]] = {
    "mel": lambda **arguments: small_mel(top_db=None, **arguments),
    "energies": lambda **arguments: small_mel(power_to_db=False, **arguments),
    "log": lambda **arguments: small_stft(mode="log", **arguments),
    "magnitude": lambda **arguments: small_stft(mode="magnitude", **arguments),
    "stft": lambda **arguments: small_stft(mode="stft", **arguments),
    "psd": lambda **arguments: small_stft(mode="psd", **arguments),
}


needs_register = pytest.mark.skipif(
    not processor.is_known(), reason="the register is that of x86-64"
)


@pytest.fixture(scope="module")
def control() -> Iterator[processor.Reader]:
    with processor.control_register() as read:
        yield read


def shaped(layer: Any, x: Array) -> Array:
    return x if "Mel" in type(layer).__name__ else x[..., np.newaxis]


@needs_register
@pytest.mark.parametrize("name", LAYERS)
def test_the_settings_of_the_processor_stay(name: str, control: processor.Reader) -> None:
    layer = LAYERS[name](num_threads=2)
    before = control()
    stream, x = layer.stream(), noise(64, 4000) * np.float32(1e-40)
    seen = []

    def work() -> None:
        layer(shaped(layer, x))
        stream.push(x[0])
        layer.vjp(shaped(layer, x[:1]))[1](layer(shaped(layer, x[:1])))
        seen.append(control())

    work()
    thread = threading.Thread(target=work)
    stream = layer.stream()
    thread.start()
    thread.join()
    assert seen == [before, before]


@needs_register
def test_an_import_leaves_the_settings_alone() -> None:
    """A library that was linked with -ffast-math would change them as it is loaded."""
    code = """
        import sys
        sys.path.append(sys.argv[1])
        import processor
        import numpy
        with processor.control_register() as read:
            before = read()
            import specfast
            specfast.MelSpectrogram()(numpy.zeros(2000, numpy.float32))
            print(before, read())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(Path(processor.__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    before, after = done.stdout.split()
    assert before == after


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_subnormal_samples_are_not_lost(dtype: str) -> None:
    """A linear mode gives their spectrum, to a few of the smallest numbers that there are."""
    layer = small_stft(mode="stft", dtype=dtype)
    smallest = float(np.finfo(dtype).smallest_subnormal)
    x = (noise(1, 500, 1).astype(dtype) * (1000 * smallest)).astype(dtype)
    expected = small_stft(mode="stft", dtype="float64")(x.astype(np.float64) / smallest)
    found = layer(x).astype(np.float64) / smallest
    assert np.abs(expected).max() > 1000
    assert np.abs(found - expected).max() <= 40


@pytest.mark.parametrize("name", ["mel", "log", "magnitude"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_beside_others_they_change_nothing(name: str, dtype: str) -> None:
    layer = LAYERS[name](dtype=dtype)
    x = noise(3, 4000).astype(dtype)
    tiny = (noise(3, 4000, seed=1) * float(np.finfo(dtype).tiny) / 8).astype(dtype)
    x[1] *= np.finfo(dtype).eps  # where a few of them are not far below the result
    x[:, ::3] = 0
    assert same_bits(layer(shaped(layer, x)), layer(shaped(layer, x + tiny)))
    assert same_bits(layer(shaped(layer, tiny)), layer(shaped(layer, np.zeros_like(x))))


@pytest.mark.parametrize(
    ("weight", "amplitude", "gain"),
    [(1e-39, 1e17, 1.0), (1e30, 3e-21, 1.0), (1.0, 1.0, 1e-39)],
    ids=["subnormal weights", "enormous weights", "a subnormal gain"],
)
def test_weights_and_gains_show_subnormal_numbers(
    weight: float, amplitude: float, gain: float
) -> None:
    """A weight, a power or a result that is taken for zero would be seen."""
    spec = FeatureSpec(
        frame_length=64,
        fft_length=64,
        num_mel_bins=3,
        mel_matrix=np.full((33, 3), weight),
        level="ln",
        floor=1e-10,
        gain=gain,
    )
    x = noise(640) * amplitude
    found = FeatureExtractor(spec)(x.astype(np.float32)) / gain
    expected = FeatureExtractor(spec.replace(precision="float64", dtype="float64"))(x) / gain
    assert expected.min() > np.log(1e-10) + 1
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["log", "magnitude"])
def test_a_subnormal_window_counts_beside_large_samples(name: str) -> None:
    """The window's first value times the first sample is 10, far above the floor."""
    window = np.full(16, 1e-30, np.float32)
    window[0], window[8] = 1e-39, 1.0
    layer = small_stft(mode=name, window=window, scaling=None, frame_length=16, fft_length=16)
    x = np.zeros((1, 16, 1), np.float32)
    x[0, 0] = 1e38
    expected = 0.1 if name == "magnitude" else np.log(0.1)
    assert np.allclose(layer(x), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["log", "magnitude"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("trained", [False, True], ids=["window", "kernels"])
def test_an_enormous_factor_shows_a_subnormal_sample(name: str, dtype: str, trained: bool) -> None:
    """1e-40, a subnormal float32, times 1e38 is 0.01, in one call and in pieces."""
    window = np.full(16, 1.0 if trained else 1e38)
    layer = small_stft(
        mode=name, window=window, scaling=None, frame_length=16, fft_length=16, dtype=dtype
    )
    if trained:
        layer.set_weights([np.full_like(w, 1e38) for w in layer.get_weights()])
    x = np.zeros((1, 64, 1), np.float32)
    x[0, 5] = 1e-40
    expected = 0.01 * (np.sqrt(2.0) if trained else 1.0)
    found = layer(x)
    assert np.allclose(found[0, 0], np.log(expected) if name == "log" else expected, rtol=1e-4)
    stream = layer.stream()
    pieces = [stream.push(x[0, begin : begin + 7, 0]) for begin in range(0, 64, 7)]
    assert same_bits(np.concatenate([*pieces, stream.flush()]), found[0])
