# SPDX-License-Identifier: BSD-3-Clause
"""Results: short transforms of mel, `out=`, half precision, NaN and infinity, extremes."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import oracle
from makers import Array, relative_l2, same_bits, small_mel, small_stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram


@pytest.mark.parametrize("fft_length", [64, 63, 61, 50, 2, 1])
@pytest.mark.parametrize("window", ["hann", "hamming", None, "array"])
def test_mel_lengths_and_windows(fft_length: int, window: str | None) -> None:
    for stride, length, num_samples in itertools.product(
        [16, 17], [fft_length, 1 + fft_length // 2], [5, 130]
    ):
        arguments: dict[str, Any] = {
            "fft_length": fft_length,
            "sequence_stride": stride,
            "sequence_length": length,
            "window": noise(length, dtype=np.float64) if window == "array" else window,
            "sampling_rate": 8000,
            "num_mel_bins": 6,
        }
        x = noise(2, num_samples)
        expected = oracle.mel_spectrogram(x, **arguments)
        for dtype, tolerance in (("float32", 5e-4), ("float64", 1e-9)):
            y = MelSpectrogram(**arguments, dtype=dtype)(x)
            assert np.abs(y - expected).max() <= tolerance, (arguments, dtype)


@pytest.mark.parametrize("epsilon", [0.0, 1e-30, 1e-3, 2.0])
def test_epsilon_is_the_floor(epsilon: float) -> None:
    x = noise(1, 60, 1)
    x[:, :30] = 0.0
    for mode in ("magnitude", "log"):
        with np.errstate(divide="ignore"):
            expected = oracle.stft_spectrogram(
                x, mode=mode, frame_length=16, frame_step=4, fft_length=32, epsilon=epsilon
            )
        y = small_stft(mode=mode, epsilon=epsilon)(x)
        finite = np.isfinite(expected)
        assert np.array_equal(y[~finite], expected[~finite])
        np.testing.assert_allclose(y[finite], expected[finite], rtol=1e-5, atol=1e-5)


# ---- out= ------------------------------------------------------------------------------------

LAYERS: list[Any] = [
    small_stft(),
    small_stft(mode="stft", dtype="float64", data_format="channels_first"),
    small_stft(mode="psd", dtype="float16", expand_dims=True),
    small_mel(),
    small_mel(dtype="float64", top_db_scope="clip"),
    small_mel(dtype="float16"),
    small_mel(dtype="mixed_bfloat16"),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_out_is_written_and_returned(layer: Any) -> None:
    x = noise(2, 40, 50)
    expected = layer(x)
    out = np.empty_like(expected)
    out.fill(7)
    assert layer(x, out=out) is out
    assert same_bits(out, expected)
    # Again into the same memory, and into a part of a larger one.
    assert layer(x[::-1], out=out) is out
    assert same_bits(out, layer(x[::-1]))
    larger = np.zeros((3, *expected.shape), expected.dtype)
    layer(x, out=larger[1])
    assert same_bits(larger[1], expected)
    assert not larger[[0, 2]].any()


def test_out_on_a_file() -> None:
    layer = small_mel()
    x = noise(2, 100)
    with tempfile.TemporaryDirectory() as folder:
        out = np.memmap(Path(folder) / "y", np.float32, "w+", shape=(2, 8, 7))
        assert layer(x, out=out) is out
        assert np.array_equal(out, layer(x))
        del out


def test_out_beside_the_samples_is_fine() -> None:
    layer = small_mel()
    memory = np.zeros(100 + 8 * 7, np.float32)
    memory[:100] = noise(100)
    out = memory[100:].reshape(8, 7)
    assert same_bits(layer(memory[:100], out=out), layer(noise(100)))


def test_results_are_new_and_plain_arrays() -> None:
    layer = small_mel()
    x = noise(100)
    first, second = layer(x), layer(x)
    assert not np.shares_memory(first, second)
    for y in (first, small_mel(dtype="float16")(x), small_stft()(x[None, :, None])):
        assert type(y) is np.ndarray
        assert y.flags.c_contiguous
        assert y.flags.writeable
        assert y.flags.owndata


# ---- Half precision --------------------------------------------------------------------------


def test_half_precision_overflows_silently() -> None:
    x = noise(1, 100, 1) * np.float32(150.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = small_stft(mode="psd", dtype="float16")(x)
        z = small_mel(dtype="bfloat16", power_to_db=False)(x[0, :, 0] * np.float32(1e15))
    assert np.isinf(y).any()
    assert np.isfinite(y.astype(np.float32)).any()
    assert np.isfinite(z.astype(np.float32)).all()


def test_half_precision_output_is_rounded_once() -> None:
    x = noise(1, 100, 1)
    for mode in oracle.STFT_MODES:
        full = small_stft(mode=mode)(x)
        half = small_stft(mode=mode, dtype="float16")(x)
        assert same_bits(half, full.astype(np.float16))
        out = np.empty_like(half)
        assert same_bits(small_stft(mode=mode, dtype="float16")(x, out=out), half)


def test_bfloat16_needs_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match="pip install ml_dtypes"):
        small_mel(dtype="mixed_bfloat16")
    monkeypatch.setitem(sys.modules, "ml_dtypes", ml_dtypes)
    assert small_mel(dtype="mixed_bfloat16")(noise(100)).dtype == ml_dtypes.bfloat16


# ---- NaN and infinity ------------------------------------------------------------------------

BAD = [np.nan, np.inf, -np.inf]


def touched_by(sample: int, num_frames: int, step: int, length: int, start: int = 0) -> Array:
    """Which frames hold this sample."""
    first = start + step * np.arange(num_frames)
    return (first <= sample) & (sample < first + length)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bad_samples_stay_in_their_frames_stft(mode: str, bad: float, dtype: str) -> None:
    layer = small_stft(mode=mode, dtype=dtype, expand_dims=True, data_format="channels_first")
    x = noise(2, 3, 400)
    good = layer(x)
    for sample in (3, 17, 201, 399):
        spoilt = x.copy()
        spoilt[1, 2, sample] = bad
        y = layer(spoilt)
        hit = touched_by(sample, y.shape[2], 4, 16)
        others = np.ones((2, 3), bool)
        others[1, 2] = False
        assert same_bits(y[others], good[others])
        assert same_bits(y[1, 2, ~hit], good[1, 2, ~hit])
        assert_shows(bad, mode, y[1, 2, hit])


def assert_shows(bad: float, mode: str, frames: Array) -> None:
    """A bad sample is seen in each of its frames, also where the window is zero.

    NaN is in every bin. Of infinity, a part of a bin to which the sample contributes a factor of
    zero may stay finite, so "real", "imag" and "stft" are not bad in every row, and its angle is
    finite.
    """
    if np.isnan(bad):
        assert np.isnan(frames).all()
    elif mode in ("log", "magnitude", "psd"):
        assert not np.isfinite(frames).any()
    elif mode != "angle":
        assert (np.isfinite(frames).mean(axis=-1) < 0.25).all()


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("arguments", [{"top_db": None}, {"power_to_db": False}], ids=str)
def test_bad_samples_stay_in_their_frames_mel(arguments: dict[str, Any], bad: float) -> None:
    layer = small_mel(**arguments)
    x = noise(3, 400)
    good = layer(x)
    spoilt = x.copy()
    spoilt[1, 200] = bad
    y = layer(spoilt)
    hit = touched_by(200, y.shape[-1], 16, 64, start=-32)
    assert same_bits(y[[0, 2]], good[[0, 2]])
    assert same_bits(y[1][:, ~hit], good[1][:, ~hit])
    assert np.isnan(y[1][:, hit]).all()


@pytest.mark.parametrize("bad", BAD)
def test_bad_samples_with_top_db(bad: float) -> None:
    x = noise(3, 400)
    spoilt = x.copy()
    spoilt[1, 200] = bad
    # As in Keras: the maximum of everything is NaN, and so is everything.
    assert np.isnan(small_mel()(spoilt)).all()
    # A clip of its own: the others are bit for bit what they are alone.
    clip = small_mel(top_db_scope="clip")
    y = clip(spoilt)
    assert same_bits(y[[0, 2]], clip(x)[[0, 2]])
    assert np.isnan(y[1]).all()


def test_a_nan_of_the_last_frames_is_seen() -> None:
    """In whichever lane of a tile they lie."""
    for num_samples in range(16, 640, 16):
        x = noise(1, num_samples)
        x[0, -1] = np.nan
        assert np.isnan(small_mel()(x)).all()


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_large_batches_in_any_order(dtype: str) -> None:
    """What is fetched early from the next signal is a hint and no more."""
    layer = small_mel()
    x = (noise(5, 70000) * 1000).astype(dtype)
    for view in (x[::-1], x[::2], np.broadcast_to(x[0], x.shape)):
        assert same_bits(layer(view), layer(view.copy()))


# ---- Extremes --------------------------------------------------------------------------------


def test_large_and_small_samples() -> None:
    for scale in (1e-30, 1e-10, 1e10, 1e15):
        x = noise(1, 100, 1) * np.float32(scale)
        y = small_stft(mode="stft")(x)
        expected = oracle.stft_spectrogram(
            x, mode="stft", frame_length=16, frame_step=4, fft_length=32
        )
        assert relative_l2(y, expected) < 1e-6


@pytest.mark.parametrize("layer", [STFTSpectrogram, MelSpectrogram])
def test_default_layers_work(layer: Any) -> None:
    x = noise(2, 5000, 1) if layer is STFTSpectrogram else noise(2, 5000)
    y = layer()(x)
    assert np.isfinite(y).all()
    expected = (oracle.stft_spectrogram if layer is STFTSpectrogram else oracle.mel_spectrogram)(x)
    assert np.abs(y - expected).max() < 1e-3
