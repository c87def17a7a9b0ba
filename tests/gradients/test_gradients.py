# SPDX-License-Identifier: BSD-3-Clause
"""`layer.vjp`: against differences in float64, against itself as a linear map, at the edges."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import oracle
from makers import Array, perturb, relative_l2, same_bits, small_mel, small_stft, stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

LAYOUTS = list(itertools.product(["channels_last", "channels_first"], [False, True]))
GEOMETRIES: list[dict[str, Any]] = [
    {"frame_length": 16, "frame_step": 4, "fft_length": 32},
    {"frame_length": 100, "frame_step": 30, "fft_length": 128, "scaling": "spectrum"},
    {"frame_length": 15, "frame_step": 15, "fft_length": 21},
    {"frame_length": 21, "frame_step": 1, "fft_length": 21},  # wraps a sample
    {"frame_length": 60, "frame_step": 59, "fft_length": 60, "window": None},
    {"frame_length": 7, "frame_step": 3, "fft_length": 8},
]
MEL_GEOMETRIES: list[dict[str, Any]] = [
    {"fft_length": 64, "sequence_stride": 16},
    {"fft_length": 64, "sequence_length": 40, "sequence_stride": 7},
    {"fft_length": 63, "sequence_length": 50, "sequence_stride": 100},
    {"fft_length": 75, "sequence_stride": 13, "window": "hamming"},
]
LINEAR = ("real", "imag", "stft")
STEP = 1e-6


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def layers_of_all_layouts(trained: bool, **settings: Any) -> Iterator[STFTSpectrogram]:
    for geometry, (data_format, expand_dims) in itertools.product(GEOMETRIES, LAYOUTS):
        layer = stft(data_format=data_format, expand_dims=expand_dims, **settings, **geometry)
        yield perturb(layer) if trained else layer


def shape_for(layer: STFTSpectrogram, batch: int, num_samples: int) -> tuple[int, ...]:
    last = layer.data_format == "channels_last"
    return (batch, num_samples, 2) if last else (batch, 2, num_samples)


def derivative(function: Callable[[float], Array], step: float = STEP) -> Array:
    return np.asarray((function(step) - function(-step)) / (2 * step))


def assert_equal_numbers(ours: float, expected: float, scale: float, tolerance: float) -> None:
    assert abs(ours - expected) <= tolerance * (abs(expected) + scale), (ours, expected)


# ---- Against differences -----------------------------------------------------------------------


@pytest.mark.parametrize("trained", [False, True], ids=["analytic", "trained"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_stft_against_differences(mode: str, padding: str, trained: bool) -> None:
    random = rng(1)
    # The floor has tests of its own.
    settings = {"mode": mode, "padding": padding, "epsilon": 1e-30, "dtype": "float64"}
    for layer in layers_of_all_layouts(trained, **settings):
        x = random.standard_normal(shape_for(layer, 2, int(random.integers(100, 900))))
        y, pullback = layer.vjp(x)
        assert same_bits(y, layer(x))
        cotangent = random.standard_normal(y.shape)
        if mode in ("angle", "log", "magnitude"):
            cotangent[~is_smooth(layer, x)] = 0
        gradients = pullback(cotangent)

        direction = random.standard_normal(x.shape)
        change = derivative(lambda t, x=x, d=direction, f=layer: f(x + t * d))
        assert gradients.signal is not None
        assert gradients.signal.shape == x.shape
        scale = 1e-3 * float(np.linalg.norm(gradients.signal) * np.linalg.norm(direction))
        expected = float(np.sum(change * cotangent))
        assert_equal_numbers(float(np.sum(gradients.signal * direction)), expected, scale, 1e-5)

        weights = layer.get_weights()
        directions = [random.standard_normal(w.shape) for w in weights]

        def at(
            t: float,
            layer: STFTSpectrogram = layer,
            weights: list[Array] = weights,
            directions: list[Array] = directions,
            x: Array = x,
        ) -> Array:
            layer.set_weights([w + t * d for w, d in zip(weights, directions, strict=True)])
            return layer(x)

        expected = float(np.sum(derivative(at, 1e-7) * cotangent))
        assert [g.shape for g in gradients.weights] == [w.shape for w in weights]
        pairs = list(zip(gradients.weights, directions, strict=True))
        scale = 1e-3 * sum(float(np.linalg.norm(g) * np.linalg.norm(d)) for g, d in pairs)
        ours = sum(float(np.sum(g * d)) for g, d in pairs)
        assert_equal_numbers(ours, expected, scale, 1e-4)


def is_smooth(layer: STFTSpectrogram, x: Array) -> Array:
    """Where a difference says something: away from zeros, and from the cut of the angle.

    The bins without an imaginary part lie on that cut, as long as the kernels are analytic.
    """
    power_layer = stft(**(layer.get_config() | {"mode": "psd"}))
    power_layer.set_weights(layer.get_weights())
    power, y = power_layer(x), layer(x)
    smooth = power > 0.03 * np.median(power)
    assert smooth.mean() > 0.8
    if layer.mode == "angle":
        smooth &= (y != 0) & (np.abs(np.abs(y) - np.pi) > 1e-3)
    return np.asarray(smooth)


@pytest.mark.parametrize("mag_exp", [2.0, 1.0, 1.3])
@pytest.mark.parametrize(
    "level",
    [
        {"power_to_db": False},
        {"top_db": None},
        {"top_db": 15.0},
        {"top_db": 15.0, "top_db_scope": "clip"},
        {"min_power": 0.5, "ref_power": 3.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("geometry", MEL_GEOMETRIES, ids=str)
def test_mel_against_differences(
    geometry: dict[str, Any], level: dict[str, Any], mag_exp: float
) -> None:
    random = rng(2)
    layer = MelSpectrogram(
        sampling_rate=8000,
        num_mel_bins=6,
        min_freq=300,
        mag_exp=mag_exp,
        dtype="float64",
        **geometry,
        **level,
    )
    judged = 0
    for num_samples in (2, 3, 20, 63, 500, 2000):  # the short ones reflect many times
        levels = np.array([[1.0], [0.2], [0.7]])
        x = levels * random.standard_normal((3, num_samples))
        y, pullback = layer.vjp(x)
        assert same_bits(y, layer(x))
        cotangent = random.standard_normal(y.shape)
        gradient = pullback(cotangent).signal
        assert gradient is not None
        direction = random.standard_normal(x.shape)
        above, below = (layer(x + t * direction) for t in (STEP, -STEP))
        if not np.array_equal(at_floor(layer, above), at_floor(layer, below)):
            continue  # a corner lies between the two
        judged += 1
        expected = float(np.sum((above - below) / (2 * STEP) * cotangent))
        scale = 1e-3 * float(np.linalg.norm(gradient) * np.linalg.norm(direction))
        assert_equal_numbers(float(np.sum(gradient * direction)), expected, scale, 1e-5)
    assert judged >= 4


def at_floor(layer: MelSpectrogram, y: Array) -> Array:
    scope = (-2, -1) if layer.top_db_scope == "clip" else None
    return np.asarray(y == y.min(axis=scope, keepdims=True))


def test_the_whole_jacobian() -> None:
    """Every sample to every output, in the smallest layers."""
    layers: list[Any] = [
        perturb(small_stft(mode="log", dtype="float64", padding="same")),
        small_stft(mode="psd", dtype="float64"),
        MelSpectrogram(
            fft_length=16, sequence_stride=5, num_mel_bins=3, sampling_rate=100, dtype="float64"
        ),
    ]
    for layer, shape in zip(layers, [(1, 40, 1), (1, 40, 1), (23,)], strict=True):
        x = rng(3).standard_normal(shape)
        y, pullback = layer.vjp(x)
        columns = []
        for unit in np.eye(x.size):
            d = unit.reshape(shape)
            columns.append(derivative(lambda t, d=d, f=layer, x=x: f(x + t * d)).ravel())
        ours = [pullback(unit.reshape(y.shape)).signal for unit in np.eye(y.size)]
        assert relative_l2(np.stack([g.ravel() for g in ours]), np.stack(columns).T) <= 1e-8


# ---- Against itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("trained", [False, True], ids=["analytic", "trained"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", LINEAR)
def test_adjoint_of_a_linear_layer(mode: str, padding: str, trained: bool, dtype: str) -> None:
    """<L x, g> = <x, L' g>, over signals of many segments and of less than a frame."""
    for layer in layers_of_all_layouts(trained, mode=mode, padding=padding, dtype=dtype):
        shortest = 1 if padding == "same" else layer.frame_length
        for num_samples in (shortest, shortest + 3, 3000):
            x = noise(*shape_for(layer, 2, num_samples), seed=4, dtype=dtype)
            y, pullback = layer.vjp(x)
            cotangent = noise(*y.shape, seed=5, dtype=dtype)
            gradients = pullback(cotangent)
            assert gradients.signal is not None
            exact = np.float64
            forward = float(np.sum(y.astype(exact) * cotangent))
            backward = float(np.sum(gradients.signal.astype(exact) * x))
            # A single sample may meet nothing but zeros of a kernel.
            size = max(float(np.linalg.norm(y)), float(np.linalg.norm(x)))
            scale = size * float(np.linalg.norm(cotangent))
            bound = 4 * float(np.finfo(dtype).eps) * scale
            assert abs(forward - backward) <= bound
            # The output is as linear in the kernels.
            pairs = zip(gradients.weights, layer.get_weights(), strict=True)
            by_weights = sum(float(np.sum(g.astype(exact) * w)) for g, w in pairs)
            assert abs(forward - by_weights) <= 2 * bound


@pytest.mark.parametrize("mode", oracle.STFT_MODES)
@pytest.mark.parametrize("trained", [False, True], ids=["analytic", "trained"])
def test_single_precision_is_near_double(mode: str, trained: bool) -> None:
    single, double = (
        stft(mode=mode, frame_length=200, frame_step=60, fft_length=256, dtype=dtype)
        for dtype in ("float32", "float64")
    )
    if trained:
        perturb(single, 0.01)
        double.set_weights(single.get_weights())
    x = noise(2, 4000, 1)
    cotangent = noise(*single(x).shape, seed=1)
    results = [layer.vjp(x)[1](cotangent) for layer in (single, double)]
    # Angles and logarithms magnify the rounding of small bins.
    bound = 2e-3 if mode in ("angle", "log") else 2e-6
    assert relative_l2(results[0].signal, results[1].signal) <= bound
    for ours, expected in zip(results[0].weights, results[1].weights, strict=True):
        assert ours.dtype == np.float32
        assert relative_l2(ours, expected) <= bound


def test_mel_single_precision_is_near_double() -> None:
    for level in ({"power_to_db": False}, {"top_db": 40.0}, {"mag_exp": 0.7}):
        single, double = (small_mel(dtype=dtype, **level) for dtype in ("float32", "float64"))
        x = noise(3, 4000)
        cotangent = noise(*single(x).shape, seed=1)
        ours, expected = (layer.vjp(x)[1](cotangent).signal for layer in (single, double))
        assert relative_l2(ours, expected) <= 1e-4


# ---- No derivative -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_silence_gives_zeros(dtype: str) -> None:
    layers: list[Any] = [
        stft_layer(small_stft(mode=mode, dtype=dtype, epsilon=epsilon))
        for mode, epsilon, stft_layer in itertools.product(
            oracle.STFT_MODES, [1e-7, 0.0], [lambda layer: layer, perturb]
        )
    ]
    layers += [
        small_mel(dtype=dtype, mag_exp=mag_exp, **level)
        for mag_exp in (2.0, 1.0, 0.3, 0.0)
        for level in (
            {},
            {"power_to_db": False},
            {"top_db": None, "min_power": 0.0},
            {"top_db": 0.0},
        )
    ]
    for layer in layers:
        shape = (200,) if isinstance(layer, MelSpectrogram) else (1, 200, 1)
        y, pullback = layer.vjp(np.zeros(shape, np.float32))
        gradients = pullback(np.ones(y.shape))
        linear = getattr(layer, "mode", None) in LINEAR
        assert np.all(np.isfinite(gradients.signal)), layer
        assert linear or not np.any(gradients.signal), layer
        for gradient in gradients.weights:
            assert not np.any(gradient), layer


def test_at_and_below_the_floor_is_zero() -> None:
    x = noise(1, 64, 1, dtype=np.float64)
    for mode in ("magnitude", "log"):
        layer = small_stft(mode=mode, dtype="float64", epsilon=0.5)
        y, pullback = layer.vjp(x)
        floor = y.min()
        assert 0.1 <= np.mean(y == floor) <= 0.9
        only_floor = pullback(np.where(y == floor, 1.0, 0.0))
        assert not np.any(only_floor.signal)
        assert not any(np.any(g) for g in only_floor.weights)
        assert np.any(pullback(np.where(y == floor, 0.0, 1.0)).signal)


def test_what_top_db_stops_goes_to_the_maximum() -> None:
    x = noise(2, 400, dtype=np.float64) * np.array([[1.0], [0.8]])
    free = small_mel(dtype="float64", top_db=None)
    level, free_pullback = free.vjp(x)
    for scope, axes in (("batch", None), ("clip", (-2, -1))):
        layer = small_mel(dtype="float64", top_db=3.0, top_db_scope=scope)
        y, pullback = layer.vjp(x)
        cotangent = rng(5).standard_normal(y.shape)
        stopped = level <= level.max(axis=axes, keepdims=True) - 3.0
        assert 0.1 <= stopped.mean() <= 0.99
        passed = np.where(stopped, 0.0, cotangent)
        sums = np.sum(np.where(stopped, cotangent, 0.0), axis=axes, keepdims=True)
        passed += np.where(level == level.max(axis=axes, keepdims=True), sums, 0.0)
        assert relative_l2(pullback(cotangent).signal, free_pullback(passed).signal) <= 1e-12


def test_several_maxima_share_alike() -> None:
    clip = noise(400, dtype=np.float64)
    x = np.stack([clip, clip, 0.5 * clip])
    layer = small_mel(dtype="float64", top_db=1.0)
    free = small_mel(dtype="float64", top_db=None)
    level, free_pullback = free.vjp(x)
    assert np.sum(level == level.max()) == 2
    y, pullback = layer.vjp(x)
    cotangent = rng(6).standard_normal(y.shape)
    stopped = level <= level.max() - 1.0
    passed = np.where(stopped, 0.0, cotangent)
    passed += np.where(level == level.max(), np.sum(cotangent[stopped]) / 2, 0.0)
    assert relative_l2(pullback(cotangent).signal, free_pullback(passed).signal) <= 1e-12


def test_nan_stays_where_it_is_and_shows() -> None:
    x = noise(2, 3000, 1)
    x[1, 1000] = np.nan
    for layer in (small_stft(mode="log"), perturb(small_stft(mode="log"))):
        y, pullback = layer.vjp(x)
        gradient = pullback(np.ones_like(y)).signal
        assert gradient is not None
        touched = np.isnan(y[1]).any(axis=-1)
        first, last = (int(np.flatnonzero(touched)[i]) for i in (0, -1))
        nan = np.isnan(gradient[1, :, 0])
        assert nan[4 * first : 4 * last + 16].all()
        assert nan.sum() == 4 * (last - first) + 16
        assert np.isfinite(gradient[0]).all()
    y, pullback = small_mel().vjp(x[..., 0])
    assert np.isnan(y).all()
    gradient = pullback(np.ones_like(y)).signal
    assert np.isnan(gradient).all()
    y, pullback = small_mel(top_db_scope="clip").vjp(x[..., 0])
    gradient = pullback(np.ones_like(y)).signal
    assert gradient is not None
    assert np.isfinite(gradient[0]).all()
    assert np.isnan(gradient[1]).all()


@pytest.mark.parametrize("exponent", [-15, -17, -19, -21, -30, -40])
def test_near_silence_gives_finite_gradients(exponent: int) -> None:
    layers: list[Any] = [
        stft_layer(small_stft(mode=mode, epsilon=epsilon))
        for mode, epsilon, stft_layer in itertools.product(
            oracle.STFT_MODES, [1e-7, 0.0], [lambda layer: layer, perturb]
        )
    ]
    layers += [
        small_mel(mag_exp=mag_exp, **level)
        for mag_exp in (2.0, 1.0, 0.3, 0.0)
        for level in ({}, {"power_to_db": False}, {"top_db": None, "min_power": 0.0})
    ]
    quiet = (noise(200) * 10.0**exponent).astype(np.float32)
    for layer in layers:
        x = quiet if isinstance(layer, MelSpectrogram) else quiet[None, :, None]
        y, pullback = layer.vjp(x)
        gradients = pullback(np.ones(y.shape))
        for gradient in (gradients.signal, *gradients.weights):
            assert np.all(np.isfinite(gradient)), layer


@pytest.mark.parametrize(
    ("layer", "dtype"),
    [(small_mel(), "int16"), (small_mel(), "float64"), (small_stft(), "float64")],
)
def test_gradients_do_not_depend_on_how_samples_are_stored(layer: Any, dtype: str) -> None:
    mel = isinstance(layer, MelSpectrogram)
    x = (100 * noise(*((300,) if mel else (1, 300, 1)))).astype(np.int16)
    y, pullback = layer.vjp(x.astype(np.float32))
    expected = pullback(np.ones(y.shape))
    gradients = layer.vjp(x.astype(dtype))[1](np.ones(y.shape))
    np.testing.assert_array_equal(gradients.signal.astype(np.float32), expected.signal)
    assert all(map(same_bits, gradients.weights, expected.weights))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_samples_behind_the_last_frame_reach_no_gradient(mode: str, bad: float) -> None:
    """Idle lanes of a tile see them, if they share a hop with the last frame."""
    clean = noise(2, 18 + 4 * 4 + 3, 1)
    clean[:, -3:] = 0
    x = clean.copy()
    x[:, -3:] = bad
    shape = {"frame_length": 18, "frame_step": 4, "fft_length": 32}
    for layer in (small_stft(mode=mode, **shape), perturb(small_stft(mode=mode, **shape))):
        y, pullback = layer.vjp(x)
        expected, clean_pullback = layer.vjp(clean)
        assert same_bits(y, expected)
        cotangent = noise(*y.shape, seed=3)
        gradients, clean_gradients = pullback(cotangent), clean_pullback(cotangent)
        assert np.isfinite(gradients.signal).all()
        assert same_bits(gradients.signal, clean_gradients.signal)
        for weight, clean_weight in zip(gradients.weights, clean_gradients.weights, strict=True):
            assert same_bits(weight, clean_weight)
