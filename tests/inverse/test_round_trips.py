# SPDX-License-Identifier: BSD-3-Clause
"""A layer and its inverse give the signal back; spectra of no signal give the nearest one."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import inverse_oracle
import signals
from specfast import ISTFT, LostSamplesWarning, STFTSpectrogram

# frame_length, frame_step, fft_length: powers of two, lengths of the own transform, and others.
SIZES = [
    (256, 128, 256),
    (256, 64, 512),
    (2048, 512, 2048),
    (400, 160, 400),
    (400, 100, 512),
    (300, 77, 301),
    (7, 3, 9),
    (129, 32, 257),
    (97, 13, 194),
    (8, 2, 8),
    (2, 1, 2),
    (64, 1, 64),
    (3000, 750, 3000),
    (131072, 32768, 131072),
]
BOUNDS = {"float32": 3e-7, "float64": 1e-15}


def relative(error: Any, of: Any) -> float:
    return float(np.linalg.norm(error.astype(np.float64)) / np.linalg.norm(of.astype(np.float64)))


def pair(size: tuple[int, int, int], **changes: Any) -> tuple[STFTSpectrogram, ISTFT]:
    frame_length, frame_step, fft_length = size
    arguments = {
        "frame_length": frame_length,
        "frame_step": frame_step,
        "fft_length": fft_length,
        "padding": "same",
        "periodic": True,
        **changes,
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`fft_length` is recommended")
        warnings.simplefilter("ignore", LostSamplesWarning)
        return STFTSpectrogram("stft", **arguments), ISTFT(**arguments)


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_round_trip_with_edges(size: tuple[int, int, int], dtype: str) -> None:
    # A Hann window of two samples is 0 at one of them.
    layer, istft = pair(size, dtype=dtype, window="hamming" if size[0] == 2 else "hann")
    num_samples = size[0] + 21 * size[1] + 5
    x = signals.noise(2, num_samples, 3, dtype=dtype)
    y = istft(layer(x), length=num_samples)
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert relative(y - x, x) < BOUNDS[dtype]


@pytest.mark.parametrize("path", signals.RECORDINGS, ids=lambda path: path.stem)
def test_recordings(path: Any) -> None:
    x = signals.read_wav(path)[None, :, None]
    layer, istft = pair((1024, 256, 1024))
    assert relative(istft(layer(x), length=x.shape[1]) - x, x) < BOUNDS["float32"]


@pytest.mark.parametrize(
    ("data_format", "expand_dims", "dtype"),
    list(
        itertools.product(
            ("channels_last", "channels_first"), (False, True), ("float16", "float32", "float64")
        )
    ),
)
def test_layouts(data_format: str, expand_dims: bool, dtype: str) -> None:
    layer, _ = pair((64, 16, 64), data_format=data_format, expand_dims=expand_dims, dtype=dtype)
    istft = ISTFT.from_layer(layer)
    shape = (2, 500, 3) if data_format == "channels_last" else (2, 3, 500)
    x = signals.noise(*shape, dtype=dtype)
    spectra = layer(x)
    y = istft(spectra, length=500)
    assert istft.compute_output_shape(spectra.shape, 500) == y.shape == x.shape
    assert y.dtype == dtype
    assert relative(y - x, x) < {**BOUNDS, "float16": 1e-3}[dtype]
    out = np.full_like(y, np.nan)
    assert istft(spectra, length=500, out=out) is out
    np.testing.assert_array_equal(out, y)


@pytest.mark.parametrize("window", ["hann", "hamming", None])
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize("size", [(64, 16, 64), (60, 25, 70), (33, 7, 66)], ids=str)
def test_spectra_of_no_signal(
    size: tuple[int, int, int], scaling: str | None, window: str | None
) -> None:
    frame_length, hop, num_points = size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        istft = ISTFT(*size, window, True, scaling, "valid", layout="frames_bins", dtype="float64")
    random = np.random.default_rng(3)
    for num_frames in (1, 2, 3, 9, 40):
        spectra = random.standard_normal((num_frames, num_points // 2 + 1, 2)) @ [1, 1j]
        length = (num_frames - 1) * hop + frame_length
        values = inverse_oracle.windows(frame_length, window, scaling)
        expected = inverse_oracle.inverse(spectra, values, hop, num_points, 0, length)
        y = istft(spectra)
        # At the ends, where little of a frame is left, errors are as large as what is divided.
        inner = slice(3, length - 3)
        assert y.shape == (length,)
        assert np.abs(y - expected)[inner].max() < 1e-9 * np.abs(expected).max()
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-12 * np.abs(expected).max())


def test_lost_samples_are_told_with_what_helps() -> None:
    with pytest.warns(LostSamplesWarning, match="padding='center' lose few.*padding='valid'"):
        ISTFT(16, 4, 32)
    with pytest.warns(LostSamplesWarning, match="a shorter `length` has fewer.*padding='center'"):
        ISTFT(16, 4, 32, padding="center")


def test_valid_padding_loses_the_ends_and_says_so() -> None:
    with pytest.warns(LostSamplesWarning, match="the first 1 and the last 1 samples"):
        istft = ISTFT(256, dtype="float64")
    layer = STFTSpectrogram("stft", 256, dtype="float64")
    x = signals.noise(1, 5000, 1, dtype="float64")
    y = istft(layer(x))
    num_samples = y.shape[1]
    assert num_samples == 37 * 128 + 256
    assert istft.lost_samples(38) == (1, 1)
    assert y[0, 0, 0] == 0
    assert y[0, -1, 0] == 0
    assert relative(y[:, 1:-1] - x[:, 1 : num_samples - 1], x) < 1e-13


def test_little_of_a_frame_is_lost_too() -> None:
    """The limit is 1e-10 of the largest sum of squares, which is 2 here."""
    window = np.ones(64)
    for value, lost in ((1.5e-5, 0), (1.3e-5, 2)):
        window[:2] = value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LostSamplesWarning)
            istft = ISTFT(64, 64 - 8, 64, window, scaling=None)
        assert istft.lost_samples(10) == (lost, 0)


def test_a_length_that_reaches_lost_samples_is_named_in_the_call() -> None:
    istft = ISTFT(
        64, 16, 64, periodic=True, padding="valid", layout="bins_frames", window="hamming"
    )
    spectra = np.ones((33, 9), np.complex64)
    istft(spectra, length=192)
    hann = ISTFT(64, 16, 64, periodic=True, padding="center", layout="bins_frames")
    hann(spectra, length=160)
    with pytest.warns(LostSamplesWarning, match="first 1 and the last 0|first 0 and the last 1"):
        ISTFT(64, 16, 64, periodic=False, padding="center", layout="bins_frames")(
            spectra, length=160
        )


@pytest.mark.parametrize("padding", ["center", "same"])
def test_a_length_beyond_the_usual_one(padding: str) -> None:
    x = signals.noise(1, 1023, 1)
    kept = {"layout": "layer", "periodic": True, "dtype": "float32"}
    if padding == "same":
        layer, istft = pair((64, 16, 64))
        y = istft(layer(x), length=1023)
    else:
        istft = ISTFT(64, 16, 64, padding="center", **kept)
        layer = STFTSpectrogram("stft", 64, 16, 64, periodic=True)
        padded = np.pad(x, ((0, 0), (32, 32), (0, 0)), "reflect")
        y = istft(layer(padded), length=1023)
        assert istft(layer(padded)).shape == (1, 1008, 1)
    assert relative(y - x, x) < BOUNDS["float32"]


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("size", [(400, 160, 512), (129, 32, 257), (30, 10, 128)], ids=str)
def test_center_pads_by_half_a_transform(size: tuple[int, int, int], dtype: str) -> None:
    half, frame_step = size[2] // 2, size[1]
    layer = pair(size, window="hamming", dtype=dtype, padding="valid")[0]
    with pytest.warns(LostSamplesWarning) if size[0] < half else warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`fft_length` is recommended")
        istft = ISTFT(*size, "hamming", periodic=True, padding="center", dtype=dtype)
    padded = np.pad(signals.noise(1, 3000, 1, dtype=dtype), ((0, 0), (half, half), (0, 0)))
    spectra = layer(padded)
    frames = spectra.shape[1]
    y = istft(spectra)
    assert y.shape == (1, (frames - 1) * frame_step + size[2] % 2, 1)
    begin, end = istft.lost_samples(frames)
    assert (begin, end > 0) == (0, size[0] < half)  # where a short window does not reach the end
    x = padded[:, half : half + y.shape[1] - end]
    assert relative(y[:, : x.shape[1]] - x, x) < BOUNDS[dtype]


def test_a_nan_stays_in_its_frame() -> None:
    layer, istft = pair((64, 16, 64))
    spectra = layer(signals.noise(2, 640, 1))
    expected = istft(spectra, length=640)
    spectra[1, 20, 7] = np.nan
    y = istft(spectra, length=640)
    left = 24
    nan = np.zeros(y.shape, bool)
    nan[1, 20 * 16 - left : 20 * 16 - left + 64] = True
    np.testing.assert_array_equal(np.isnan(y), nan)
    np.testing.assert_array_equal(y[~nan], expected[~nan])


def test_imaginary_parts_of_the_ends_are_not_looked_at() -> None:
    layer, istft = pair((64, 16, 64))
    spectra = layer(signals.noise(1, 640, 1))
    expected = istft(spectra, length=640)
    spectra[..., [33, 65]] = np.nan
    np.testing.assert_array_equal(istft(spectra, length=640), expected)


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("size", [(256, 64, 256), (60, 7, 70), (64, 64, 64)], ids=str)
def test_bits_do_not_depend_on_the_call(size: tuple[int, int, int], dtype: str) -> None:
    window = None if size[0] == size[1] else "hann"
    layer, istft = pair(size, dtype=dtype, window=window)
    num_samples = 40000
    x = signals.noise(5, num_samples, 2, dtype=dtype)
    spectra = layer(x)
    expected = istft(spectra, length=num_samples)
    for num_threads in (1, 2, 3, 8):
        other = ISTFT.from_layer(layer, num_threads=num_threads)
        np.testing.assert_array_equal(other(spectra, length=num_samples), expected)
        one = other(spectra[3:4, :, : layer.frequencies(1.0).size], length=num_samples)
        np.testing.assert_array_equal(one[0, :, 0], expected[3, :, 0])
    # The beginning of a signal does not know its end, only how many zeros are in front of it.
    some = istft(spectra[:, :50], length=49 * size[1] + (num_samples - 1) % size[1] + 1)
    final = 49 * size[1] - size[0]
    np.testing.assert_array_equal(some[:, :final], expected[:, :final])


def test_no_frames_and_no_signals() -> None:
    istft = ISTFT(64, 16, 64, padding="center", layout="bins_frames")
    assert istft(np.zeros((33, 0), np.complex64)).shape == (0,)
    assert istft(np.zeros((0, 3, 33, 4), np.complex64)).shape == (0, 3, 48)
    assert istft(np.zeros((3, 33, 1), np.complex64)).shape == (3, 0)
    assert istft(np.zeros((33, 4), np.complex64), length=0).shape == (0,)
