# SPDX-License-Identifier: BSD-3-Clause
"""How exact the results are, and what a value may depend on: specfast against the oracle.

Bounds. A transform of N points in floating point has a relative L2 error of about
eps * sqrt(log2 N) times a small constant; the window, rounded once, adds less than eps. So complex
results are held to 5e-7 in float32 and 1e-14 in float64. Everything else follows from this complex
error, taken as a share of the largest bin of the frame, by the derivative of the mode:

- magnitude: the same share of the frame's peak; psd: 2 |X| times that, doubled;
- log: as magnitude after exp, plus rounding of the logarithm itself;
- angle: the share divided by |X| / peak: a tiny bin has no phase;
- mel power: as psd, weights are at most 1; dB: 10 / ln 10 times the relative error of the power.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forward_errors
import judge
import oracle
import signals
import specfast
from makers import relative_l2

pytestmark = pytest.mark.filterwarnings("ignore:`fft_length` is recommended:UserWarning")

EPS = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}
COMPLEX_L2 = {"float32": 5e-7, "float64": 1e-14}
# Of a single bin, as a share of the frame's peak: a few standard deviations of the L2 error.
PEAK_SHARE = {"float32": 1e-6, "float64": 2e-15}
DTYPES = ("float32", "float64")


# --- both layers, every mode -----------------------------------------------------------------

LAYOUTS: list[dict[str, Any]] = [
    {"data_format": data_format, "expand_dims": expand_dims}
    for data_format in ("channels_last", "channels_first")
    for expand_dims in (False, True)
]
GEOMETRIES: list[dict[str, Any]] = [
    {"frame_length": 64, "frame_step": 24, "fft_length": 128},
    {"frame_length": 100, "fft_length": 100},
    {"frame_length": 61, "frame_step": 17, "fft_length": 61, "window": "hamming"},
    {"frame_length": 97, "fft_length": 127, "scaling": "spectrum", "periodic": True},
    {"frame_length": 33, "frame_step": 33, "fft_length": 499, "window": None},
    {"frame_length": 7, "frame_step": 3, "fft_length": 9, "window": "hamming"},
    {"frame_length": 30, "frame_step": 30, "fft_length": 31, "periodic": True},
    # output larger than the hops that it takes the place of
    {"frame_length": 16, "frame_step": 2, "fft_length": 512},
    {"frame_length": 15, "frame_step": 2, "fft_length": 253},
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_stft_spectrogram(mode: str, padding: str, layout: dict[str, Any], dtype: str) -> None:
    for geometry in GEOMETRIES:
        arguments: dict[str, Any] = {"mode": mode, "padding": padding, **geometry, **layout}
        x = signals.noise(2 * 3 * 500, seed=7).astype(dtype).reshape(2, 3, 500)
        if layout["data_format"] == "channels_last":
            x = np.swapaxes(x, 1, 2).copy()
        ours = specfast.STFTSpectrogram(**arguments, dtype=dtype)(x)
        expected = oracle.stft_spectrogram(x, **arguments)
        assert ours.dtype == dtype
        assert ours.shape == expected.shape
        judge.assert_stft_close(ours, expected, x, arguments, PEAK_SHARE[dtype], EPS[dtype])
        if mode in ("real", "imag", "stft", "magnitude"):
            assert relative_l2(ours, expected) <= COMPLEX_L2[dtype]


MELS: list[dict[str, Any]] = [
    {"fft_length": 256, "sequence_stride": 100},
    {"fft_length": 400, "sequence_stride": 160, "sequence_length": 321, "num_mel_bins": 40},
    {"fft_length": 251, "sequence_stride": 63, "window": "hamming", "num_mel_bins": 20},
    {"fft_length": 243, "sequence_stride": 300, "window": None, "max_freq": 4000.0},
    {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 80, "sampling_rate": 44100},
    # bands that take more room than the transform, and its spectrum more than the hops
    {"fft_length": 32, "sequence_stride": 2, "num_mel_bins": 80, "sampling_rate": 44100},
    {"fft_length": 29, "sequence_stride": 2, "num_mel_bins": 80, "sampling_rate": 44100},
    {"fft_length": 128, "sequence_stride": 64, "mag_exp": 1.0, "num_mel_bins": 12},
    {"fft_length": 128, "sequence_stride": 64, "mag_exp": 3.0, "num_mel_bins": 12},
    {"fft_length": 128, "sequence_stride": 64, "mag_exp": 0.5, "num_mel_bins": 12},
]


def mel_share(arguments: dict[str, Any], dtype: str) -> float:
    """Twice the share of a magnitude, twice again for the sum, and the weights: they are computed
    in float64, as differences of numbers of mel that are much larger than a band is wide."""
    rate, bands = arguments.get("sampling_rate", 16000), arguments.get("num_mel_bins", 128)
    largest = 1127.0 * math.log1p((arguments.get("max_freq") or rate / 2) / 700.0)
    width = (largest - 31.8) / (bands + 1)  # min_freq is 20 Hz or 31.8 mel throughout
    return float(4.0 * PEAK_SHARE[dtype] + 4.0 * EPS["float64"] * largest / width)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("arguments", MELS, ids=str)
def test_mel_spectrogram(arguments: dict[str, Any], dtype: str) -> None:
    x = signals.noise(2 * 900, seed=8).astype(dtype).reshape(2, 900)
    levels: list[dict[str, Any]] = [
        {"power_to_db": False},
        {"top_db": 80.0},
        {"top_db": 15.0, "ref_power": 7.0},
        {"top_db": 15.0, "top_db_scope": "clip"},
        {"top_db": None, "min_power": 1e-3},
    ]
    for level in levels:
        full = {**arguments, **level}
        ours = specfast.MelSpectrogram(**full, dtype=dtype)(x)
        expected = oracle.mel_spectrogram(x, **full)
        assert ours.dtype == dtype
        assert ours.shape == expected.shape
        judge.assert_mel_close(ours, expected, x, full, mel_share(full, dtype), EPS[dtype])
        assert relative_l2(ours, expected) <= 4.0 * COMPLEX_L2[dtype]


@pytest.mark.parametrize("num_samples", [1, 2, 31, 63, 64, 65, 99, 100, 101, 199, 200, 201])
def test_short_clips(num_samples: int) -> None:
    x = signals.noise(num_samples, seed=9)
    for fft_length in (128, 127):
        arguments: dict[str, Any] = {
            "fft_length": fft_length,
            "sequence_stride": 100,
            "num_mel_bins": 10,
        }
        ours = specfast.MelSpectrogram(**arguments, power_to_db=False)(x)
        expected = oracle.mel_power(x, **arguments)
        assert ours.shape == expected.shape
        scale = (
            np.abs(oracle.mel_complex(x, fft_length=fft_length, sequence_stride=100)).max() ** 2
        )
        np.testing.assert_allclose(ours, expected, rtol=0.0, atol=2e-6 * scale)
        stft: dict[str, Any] = {"mode": "stft", "frame_length": fft_length, "padding": "same"}
        signal = x.reshape(1, -1, 1)
        ours = specfast.STFTSpectrogram(**stft)(signal)
        expected = oracle.stft_spectrogram(signal, **stft)
        assert ours.shape == expected.shape
        np.testing.assert_allclose(
            ours, expected, rtol=0.0, atol=1e-6 * max(np.abs(expected).max(), 1e-30)
        )


# Largest and mean difference in dB. The largest one is in a band far below the loudest of its
# frame; Keras' is 1.2e-3 dB there, or 4e-4 dB in the recording of the repository.
LEVEL_BOUNDS = {"speech": (6e-4, 6e-6), "jfk": (1e-3, 1e-5)}


@pytest.mark.parametrize("path", signals.RECORDINGS, ids=lambda path: path.stem)
def test_speech(path: Path) -> None:
    recording = signals.read_wav(path)
    x = recording.reshape(1, -1, 1)
    arguments: dict[str, Any] = {"frame_length": 256, "frame_step": 128, "fft_length": 512}
    ours = specfast.STFTSpectrogram(mode="stft", **arguments)(x)
    expected = oracle.stft_spectrogram(x, mode="stft", **arguments)
    assert relative_l2(ours, expected) <= COMPLEX_L2["float32"]
    # frame by frame too: quiet frames are as exact as loud ones
    norms = np.linalg.norm(expected, axis=-1)
    errors = np.linalg.norm(ours - expected, axis=-1)
    assert (norms > 0).mean() > 0.8
    assert (errors[norms > 0] / norms[norms > 0]).max() <= COMPLEX_L2["float32"]
    expected = oracle.mel_spectrogram(recording)
    levels = specfast.MelSpectrogram()(recording)
    judge.assert_mel_close(levels, expected, recording, {}, mel_share({}, "float32"))
    largest, mean = LEVEL_BOUNDS[path.stem]
    assert np.abs(levels - expected).max() <= largest
    assert np.abs(levels - expected).mean() <= mean
    in_float64 = specfast.MelSpectrogram(dtype="float64")(recording)
    assert np.abs(in_float64 - expected).max() <= 1e-11


@pytest.mark.parametrize(
    "arguments",
    [(20, 129, 8000, 125.0, 3800.0), (128, 1025, 16000, 20.0, 8000), (80, 33, 1, 0, 1)],
)
def test_mel_matrix(arguments: tuple[Any, ...]) -> None:
    names = ("num_mel_bins", "num_spectrogram_bins", "sampling_rate")
    named = dict(zip((*names, "lower_edge_hertz", "upper_edge_hertz"), arguments, strict=True))
    expected = oracle.mel_matrix(**named)
    matrix = specfast.linear_to_mel_weight_matrix(**named)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, expected, rtol=0.0, atol=1e-7)
    matrix = specfast.linear_to_mel_weight_matrix(**named, dtype="float64")
    assert matrix.dtype == np.float64
    np.testing.assert_allclose(matrix, expected, rtol=0.0, atol=1e-11)


# --- the transform, by length ----------------------------------------------------------------


def check_lengths(lengths: list[int], dtype: str) -> None:
    too_large = {
        length: (error, bound)
        for length in lengths
        if not (error := forward_errors.forward_error(length, dtype))
        <= (bound := forward_errors.allowed_error(length, dtype))
    }
    assert not too_large


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_small_lengths(dtype: str) -> None:
    check_lengths(list(range(2, 131, 2)), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_powers_of_two(dtype: str) -> None:
    check_lengths([2**power for power in range(1, 17)], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_large_factors(dtype: str) -> None:
    """Eleven and thirteen twice: the largest butterflies, and the most turns of points."""
    check_lengths([242, 286, 338, 726, 2178, 3042, 4394, 6084, 7722, 7986, 13182, 26364], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_sampled_lengths(dtype: str) -> None:
    sampled = np.random.default_rng(1).choice(np.arange(132, 8193, 2), 60, replace=False)
    check_lengths(sorted(map(int, sampled)), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_long_lengths(dtype: str) -> None:
    """A sample of what `make accuracy` measures: both sides of the largest lengths in use."""
    check_lengths([2**17, 2**20, 10**5, 5**8, 65537, 2 * 65537, 131071], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_odd_magnitudes(dtype: str) -> None:
    check_lengths([3, 27, 99, 729, 1521, 2187, 2401, *forward_errors.PRIMES[::150]], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_twice_a_prime(dtype: str) -> None:
    primes = [number for number in forward_errors.PRIMES if 60 <= number < 4096]
    check_lengths([2 * prime for prime in primes[::25]], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_odd_lengths(dtype: str) -> None:
    """Odd transforms run in the mel layer only; the power has twice the error of the bins."""
    for length in [
        *range(3, 64, 2),
        *range(65, 2000, 190),
        *forward_errors.PRIMES[::100],
        6561,
        8191,
    ]:
        x = signals.noise(length, seed=length).astype(dtype)
        arguments: dict[str, Any] = {
            "fft_length": length,
            "sequence_stride": length,
            "window": None,
        }
        arguments["num_mel_bins"] = 4  # wide bands, so that weights are exact to 16 units
        layer = specfast.MelSpectrogram(**arguments, power_to_db=False, dtype=dtype)
        expected = oracle.mel_power(x, **arguments)
        bound = (
            2.0 * judge.transform_bound(length, EPS[dtype])
            + 2.0 * EPS[dtype]
            + 16.0 * EPS["float64"]
        )
        error = np.linalg.norm(layer(x) - expected)
        assert error <= bound * np.linalg.norm(expected), length


# --- what a transform must obey --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_laws_of_the_transform(seed: int) -> None:
    rng = np.random.default_rng([30, seed])
    length = 2 * int(2.0 ** rng.uniform(0.0, 10.0))
    layer = specfast.STFTSpectrogram(
        mode="stft", frame_length=length, frame_step=length, fft_length=length, window=None
    )
    num_bins = length // 2 + 1

    def transform(x: Any) -> Any:
        rows = layer(x.reshape(1, -1, 1).astype(np.float32))[0].astype(np.float64)
        return rows[:, :num_bins] + 1j * rows[:, num_bins:]

    k = np.arange(num_bins)
    # An impulse at n turns by n steps from bin to bin, and has magnitude 1. The bound is one on
    # the L2 error, which a single bin may exceed: its error is a sum of log2(length) roundings,
    # and the worst of a thousand such sums is some three standard deviations off.
    place = int(rng.integers(0, length))
    impulse = np.zeros(length)
    impulse[place] = 1.0
    turns = (k * place) % length / length
    bound = 3.0 * judge.transform_bound(length, EPS["float32"])
    np.testing.assert_allclose(
        transform(impulse)[0], np.exp(-2j * np.pi * turns), rtol=0.0, atol=bound
    )
    # Linearity. The factors are powers of two and the sum is rounded before both sides see it.
    bound = 2.0 * judge.transform_bound(length, EPS["float32"]) + EPS["float32"]
    x = rng.standard_normal(length).astype(np.float32)
    y = rng.standard_normal(length).astype(np.float32)
    both = (2.0 * x - 0.5 * y).astype(np.float32)
    expected = 2.0 * transform(x)[0] - 0.5 * transform(y)[0]
    assert relative_l2(transform(both)[0], expected) <= 2.0 * bound
    # A turned frame has turned phases.
    turned = np.roll(x, place)
    expected = transform(x)[0] * np.exp(-2j * np.pi * turns)
    assert relative_l2(transform(turned)[0], expected) <= bound
    # A frame has the same bits wherever it stands, and the input stays as it was.
    others = rng.standard_normal((5, length)).astype(np.float32)
    position = int(rng.integers(0, 5))
    others[position] = x
    before = others.copy()
    np.testing.assert_array_equal(transform(others)[position], transform(x)[0])
    np.testing.assert_array_equal(others, before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_input_stays_unchanged(dtype: str) -> None:
    x = signals.noise(3000).astype(dtype)
    x.flags.writeable = False
    before = x.copy()
    for mode in oracle.STFT_MODES:
        for padding in ("valid", "same"):
            specfast.STFTSpectrogram(mode=mode, padding=padding, dtype=dtype)(x.reshape(1, -1, 1))
    specfast.MelSpectrogram(dtype=dtype)(x)
    np.testing.assert_array_equal(x, before)


# --- extremes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_overflow_is_infinite(dtype: str) -> None:
    x = np.full((1, 256, 1), 1e30 if dtype == "float32" else 1e200, dtype)
    for mode in ("magnitude", "log", "psd"):
        layer = specfast.STFTSpectrogram(mode=mode, window=None, dtype=dtype)
        assert layer(x)[0, 0, 0] == np.inf
    alternating = x[0, :, 0] * np.where(np.arange(256) % 8 < 4, 1.0, -1.0).astype(dtype)
    mel: dict[str, Any] = {"fft_length": 64, "num_mel_bins": 4, "top_db": None, "dtype": dtype}
    assert (specfast.MelSpectrogram(**mel)(alternating).max(axis=0) == np.inf).all()


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_silence(zero: float, dtype: str) -> None:
    x = np.full((1, 700, 1), zero, dtype)
    for length in (64, 100, 194):
        arguments: dict[str, Any] = {"frame_length": length, "fft_length": length, "dtype": dtype}
        for mode in ("real", "imag", "stft", "psd", "angle"):
            assert not specfast.STFTSpectrogram(mode=mode, **arguments)(x).any()
        floor = specfast.STFTSpectrogram(mode="magnitude", **arguments)(x)
        np.testing.assert_allclose(floor, math.sqrt(1e-7), rtol=2.0 * EPS[dtype])
        floor = specfast.STFTSpectrogram(mode="log", **arguments)(x)
        np.testing.assert_allclose(floor, 0.5 * math.log(1e-7), rtol=2.0 * EPS[dtype])
    levels = specfast.MelSpectrogram(dtype=dtype)(x[0, :, 0])
    np.testing.assert_allclose(levels, -100.0, rtol=2.0 * EPS[dtype])


# --- denormal numbers ------------------------------------------------------------------------


def test_denormal_input_gives_right_values() -> None:
    tiny = float(np.finfo(np.float32).smallest_subnormal)
    x = (signals.noise(2000) * np.float32(1e-41)).reshape(1, -1, 1)
    assert 0 < np.abs(x).max() < np.finfo(np.float32).tiny
    arguments: dict[str, Any] = {
        "mode": "stft",
        "frame_length": 64,
        "fft_length": 64,
        "window": None,
    }
    ours = specfast.STFTSpectrogram(**arguments)(x).astype(np.float64)
    expected = oracle.stft_spectrogram(x, **arguments)
    # Fixed-point arithmetic: every operation rounds to a multiple of the smallest number.
    assert np.abs(ours - expected).max() <= 20.0 * tiny
    assert np.abs(expected).max() > 1000.0 * tiny
    x64 = x.astype(np.float64) * 1e-275
    ours = specfast.STFTSpectrogram(**arguments, dtype="float64")(x64)
    expected = oracle.stft_spectrogram(x64, **arguments)
    assert 0 < np.abs(x64).max() < np.finfo(np.float64).tiny
    assert np.abs(ours - expected).max() <= 20.0 * np.finfo(np.float64).smallest_subnormal
    levels = specfast.MelSpectrogram()(x[0, :, 0])
    np.testing.assert_allclose(levels, -100.0)
    # An amplitude whose power is below every normal number still has its magnitude.
    small = (signals.noise(2000) * np.float32(1e-15)).reshape(1, -1, 1)
    arguments = {**arguments, "mode": "psd"}
    ours = specfast.STFTSpectrogram(**arguments)(small)
    expected = oracle.stft_spectrogram(small, **arguments)
    assert relative_l2(ours, expected) <= 1e-6


def denormals_work() -> bool:
    """No flush to zero in effect, in scalar and in vector arithmetic of this thread."""
    single = np.full(64, 1e-40, np.float32)
    double = np.full(64, 1e-310, np.float64)
    return bool(
        (single * np.float32(0.5) > 0).all()
        and (single + single > single).all()
        and (double * 0.5 > 0).all()
        and 5e-324 * 1.0 > 0.0
    )


def test_modes_of_the_processor_stay_as_they_were() -> None:
    assert denormals_work()  # after the import
    x = np.float32(1e-41) * signals.noise(4000)
    for dtype in DTYPES:
        for mode in oracle.STFT_MODES:
            specfast.STFTSpectrogram(mode=mode, dtype=dtype)(x.reshape(1, -1, 1))
            assert denormals_work()
        specfast.MelSpectrogram(dtype=dtype)(x)
        assert denormals_work()
