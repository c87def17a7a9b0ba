# SPDX-License-Identifier: BSD-3-Clause
"""Weights as Keras has them, and layers whose kernels are no longer the analytic ones."""

from __future__ import annotations

import copy
import itertools
import pickle
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import oracle
from makers import Array, relative_l2, same_bits, small_mel, small_stft, stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

LAYOUTS = list(itertools.product(["channels_last", "channels_first"], [False, True]))
GEOMETRIES: list[dict[str, Any]] = [
    {"frame_length": 16, "frame_step": 4, "fft_length": 32},
    {"frame_length": 61, "frame_step": 17, "fft_length": 61, "window": "hamming"},
    {"frame_length": 300, "frame_step": 300, "fft_length": 499, "window": None},
    {"frame_length": 3, "frame_step": 1, "fft_length": 3, "scaling": "spectrum"},
    {"frame_length": 1, "frame_step": 1, "fft_length": 2, "window": None, "scaling": None},
]
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def analytic(arguments: dict[str, Any]) -> tuple[Array, Array]:
    """Both kernels [frame_length, bins] in float64, by the definition."""
    length = arguments["frame_length"]
    bins = arguments["fft_length"] // 2 + 1
    window = np.ones(length)
    if (name := arguments.get("window", "hann")) is not None:
        window = oracle.window_values(name, length, periodic=arguments.get("periodic", False))
        scaling = arguments.get("scaling", "density")
        if scaling == "density":
            window = window / np.sqrt(np.sum(window**2))
        elif scaling == "spectrum":
            window = window / np.sum(np.abs(window))
    n, k = np.arange(length)[:, None], np.arange(bins)[None, :]
    angle = 2 * np.pi * (n * k % ((bins - 1) * 2)) / ((bins - 1) * 2)
    return window[:, None] * np.cos(angle), -window[:, None] * np.sin(angle)


def perturbed(layer: STFTSpectrogram, size: float = 0.05, seed: int = 3) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [(w + size * rng.standard_normal(w.shape)).astype(w.dtype) for w in layer.get_weights()]


def trained(layer: STFTSpectrogram, **options: Any) -> STFTSpectrogram:
    layer.set_weights(perturbed(layer, **options))
    assert not layer.is_analytic
    return layer


def both_kernels(layer: STFTSpectrogram) -> tuple[Array, Array]:
    """The kernels [frame_length, bins] in float64, zeros for one that the mode does not have."""
    found = {w.name: w.numpy()[:, 0].astype(np.float64) for w in layer.weights}
    zeros = np.zeros_like(next(iter(found.values())))
    return found.get("real_kernel", zeros), found.get("imag_kernel", zeros)


def signal_for(layer: STFTSpectrogram, batch: int, num_samples: int, seed: int = 1) -> Array:
    x = noise(batch, num_samples, 2, seed=seed, dtype=layer.compute_dtype)
    return x if layer.data_format == "channels_last" else np.ascontiguousarray(x.swapaxes(1, 2))


# ---- What Keras' layer offers ----------------------------------------------------------------


@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_names_shapes_and_order(mode: str) -> None:
    layer = small_stft(mode=mode)
    expected = {"real": ["real_kernel"], "imag": ["imag_kernel"]}.get(
        mode, ["real_kernel", "imag_kernel"]
    )
    assert [w.name for w in layer.weights] == expected
    for weight, values in zip(layer.weights, layer.get_weights(), strict=True):
        assert weight.shape == values.shape == (16, 1, 17)
        assert weight.dtype == "float32"
        assert values.dtype == np.float32
        assert same_bits(weight.numpy(), values)
        assert same_bits(np.asarray(weight), values)
        assert values.flags.writeable
        assert not weight.value.flags.writeable
        assert weight.name in repr(weight)
        assert np.asarray(weight, np.float64).dtype == np.float64


@pytest.mark.parametrize("arguments", GEOMETRIES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "mixed_float16"])
def test_analytic_values(arguments: dict[str, Any], dtype: str) -> None:
    layer = stft(mode="stft", dtype=dtype, **arguments)
    assert layer.is_analytic
    kernels = analytic(arguments)
    # The expected values have errors of float64 themselves.
    bound = (float(np.finfo(layer.dtype).eps) + 4 * EPS["float64"]) * np.max(np.hypot(*kernels))
    for weight, expected in zip(layer.weights, kernels, strict=True):
        assert weight.dtype == layer.dtype
        error = np.abs(weight.numpy()[:, 0].astype(np.float64) - expected)
        assert np.max(error) <= bound


def test_trainable_decides_which_list() -> None:
    layer = small_stft()
    assert len(layer.trainable_weights) == 2
    assert layer.non_trainable_weights == []
    layer.trainable = False
    assert layer.trainable_weights == []
    assert [w.name for w in layer.non_trainable_weights] == ["real_kernel", "imag_kernel"]
    assert small_stft(trainable=False).trainable_weights == []


def test_mel_has_none() -> None:
    layer = small_mel()
    assert layer.weights == layer.trainable_weights == layer.non_trainable_weights == []
    assert layer.get_weights() == []
    assert layer.is_analytic
    layer.set_weights([])
    with pytest.raises(ValueError, match="expecting 0 weights"):
        layer.set_weights([np.zeros(3)])


def test_get_weights_are_copies() -> None:
    layer = trained(small_stft())
    before = layer.get_weights()
    layer.get_weights()[0][:] = 7
    layer.weights[0].numpy()[:] = 7
    given = perturbed(layer)
    layer.set_weights(given)
    given[0][:] = 7
    assert not np.any(layer.get_weights()[0] == 7)
    assert not same_bits(layer.get_weights()[0], before[0])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "mixed_float16"])
def test_what_is_set_is_what_one_gets(dtype: str) -> None:
    layer = small_stft(dtype=dtype)
    for size in (1e-9, 1e-3):
        values = perturbed(layer, size)
        layer.set_weights(values)
        for got, given in zip(layer.get_weights(), values, strict=True):
            assert same_bits(got, given)
    layer.set_weights([w.astype(np.float64) for w in layer.get_weights()])
    assert all(w.dtype == layer.dtype for w in layer.get_weights())
    layer.set_weights([w.tolist() for w in layer.get_weights()])
    layer.set_weights(layer.weights)
    layer.set_weights([np.ones((16, 1, 17), np.int32)] * 2)
    assert np.all(layer.get_weights()[1] == 1)


GOOD = np.zeros((16, 1, 17), np.float32)


@pytest.mark.parametrize(
    ("weights", "error", "words"),
    [
        ([], ValueError, "length 0.*expecting 2"),
        ([GOOD], ValueError, "length 1.*expecting 2"),
        ([GOOD] * 3, ValueError, "length 3"),
        (7, TypeError, "weights=7"),
        ([GOOD, GOOD[:, 0]], ValueError, r"weights\[1\].*imag_kernel.*\(16, 1, 17\).*\(16, 17\)"),
        ([GOOD[:15], GOOD], ValueError, r"weights\[0\].*\(15, 1, 17\)"),
        ([GOOD, GOOD * 1j], TypeError, r"weights\[1\].*complex"),
        ([GOOD, GOOD.astype(str)], TypeError, r"weights\[1\].*real numbers"),
        ([GOOD, GOOD.astype(object)], TypeError, r"weights\[1\].*object"),
        ([GOOD, None], TypeError, "array"),
    ],
)
def test_what_set_weights_refuses(weights: Any, error: type[Exception], words: str) -> None:
    layer = trained(small_stft())
    before = layer.get_weights()
    with pytest.raises(error, match=words):
        layer.set_weights(weights)
    assert all(map(same_bits, layer.get_weights(), before))


# ---- When the FFT stays in charge ------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", GEOMETRIES, ids=str)
def test_rounding_leaves_the_fft(arguments: dict[str, Any], dtype: str) -> None:
    layer, untouched = (stft(mode="stft", dtype=dtype, **arguments) for _ in range(2))
    x = signal_for(layer, 2, 700)
    window = np.hypot(*analytic(arguments)).max(axis=1)[:, None, None]
    values = layer.get_weights()
    n, k = np.ogrid[: values[0].shape[0], : values[0].shape[2]]
    angle = (2 * np.pi * n * k / ((values[0].shape[2] - 1) * 2))[:, None, :]
    tolerance = EPS[dtype] * (window.max() + window * (8 + 2 * angle))
    # One rounding of the sum, and one of the value itself, are left to the tolerance.
    inside = [w + np.copysign(0.8 * tolerance, w) for w in values]
    layer.set_weights(inside)
    assert layer.is_analytic
    assert same_bits(layer(x), untouched(x))
    place = np.unravel_index(np.argmax(np.abs(values[0])), values[0].shape)
    inside[0][place] = values[0][place] + 1.3 * tolerance[place]
    layer.set_weights(inside)
    assert not layer.is_analytic
    layer.set_weights(untouched.get_weights())
    assert layer.is_analytic


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_taken(value: float) -> None:
    layer = small_stft(mode="stft")
    values = layer.get_weights()
    values[0][2, 0, 3] = value
    layer.set_weights(values)
    assert not layer.is_analytic
    y = layer(noise(1, 64, 1))
    assert not np.isfinite(y[..., 3]).any()
    assert np.isfinite(np.delete(y, 3, axis=-1)).all()


# ---- What trained kernels compute ------------------------------------------------------------


def assert_as_oracle(layer: STFTSpectrogram, x: Array, arguments: dict[str, Any]) -> None:
    ours = layer(x)
    kernels = both_kernels(layer)
    mode, dtype = layer.mode, layer.compute_dtype
    assert ours.dtype == dtype
    expected = oracle.stft_spectrogram(x, **arguments, kernels=kernels)
    assert ours.shape == expected.shape == layer.compute_output_shape(x.shape)
    # Sums of frame_length products, in pieces of 128.
    bound = EPS[dtype] * (2 + np.sqrt(arguments["frame_length"]))
    if mode == "angle":
        difference = np.abs(ours - expected)
        difference = np.minimum(difference, 2 * np.pi - difference)
        # A bin has no phase where it is small against the frame.
        assert np.median(difference) <= 4 * bound
        assert np.mean(difference > 100 * bound) <= 0.01
    elif mode == "log":
        assert np.max(np.abs(np.expm1(2 * (ours - expected)))) <= 400 * bound
    else:
        assert relative_l2(ours, expected) <= 2 * bound


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_trained_against_the_oracle(mode: str, padding: str, dtype: str) -> None:
    for geometry, (data_format, expand_dims) in itertools.product(GEOMETRIES, LAYOUTS):
        arguments = geometry | {
            "mode": mode,
            "padding": padding,
            "data_format": data_format,
            "expand_dims": expand_dims,
        }
        layer = trained(stft(dtype=dtype, **arguments))
        for num_samples in (300, 1301):
            assert_as_oracle(layer, signal_for(layer, 2, num_samples), arguments)


def test_a_long_frame_stays_exact() -> None:
    """Sums over 4096 samples err less than a plain chain of additions would."""
    layer = trained(small_stft(mode="real", frame_length=4096, fft_length=4096, frame_step=4096))
    kernels = both_kernels(layer)
    x = noise(1, 4096 * 5, 1)
    frames = x.reshape(5, 4096).astype(np.float64)
    assert relative_l2(layer(x)[0], frames @ kernels[0]) <= 12 * EPS["float32"]


def test_half_precision_is_rounded_once() -> None:
    for dtype in ("float16", "mixed_float16"):
        half = trained(small_stft(mode="magnitude", dtype=dtype))
        single = small_stft(mode="magnitude")
        single.set_weights(half.get_weights())
        x = noise(2, 200, 1).astype(np.float16)
        assert same_bits(half(x), single(x).astype(np.float16))


def layers_of_every_mode(**arguments: Any) -> list[STFTSpectrogram]:
    return [trained(small_stft(mode=mode, **arguments)) for mode in oracle.STFT_MODES]


def test_threads_batch_and_place_change_no_bit() -> None:
    for dtype in ("float32", "float64"):
        several = [layers_of_every_mode(dtype=dtype, num_threads=n) for n in (1, 2, 3, 7)]
        for layers in zip(*several, strict=True):
            x = signal_for(layers[0], 9, 700)
            y = layers[0](x)
            for layer in layers[1:]:
                assert same_bits(layer(x), y)
            for size in (1, 2, 5):
                parts = [layers[0](x[i : i + size]) for i in range(0, 9, size)]
                assert same_bits(np.concatenate(parts), y)
            for start in (0, 1, 2, 5, 31, 100, 168, 170):  # tiles of one frame up to full ones
                part = layers[0](x[:, 4 * start :])
                assert same_bits(part, np.ascontiguousarray(y[:, start:]))


def test_strides_and_out() -> None:
    layer = trained(small_stft(mode="stft"))
    x = noise(4, 900, 2)
    y = layer(x)
    assert same_bits(layer(np.asfortranarray(x)), y)
    assert same_bits(layer(x[::-1, :, ::-1][::-1, :, ::-1]), y)
    assert same_bits(layer(x.astype(np.float64)), y)
    out = np.empty_like(y)
    assert layer(x, out=out) is out
    assert same_bits(out, y)


# ---- Copies, configurations, threads ---------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_copies_keep_trained_weights(dtype: str) -> None:
    layer = trained(small_stft(dtype=dtype))
    x = noise(1, 300, 1)
    for other in (pickle.loads(pickle.dumps(layer)), copy.copy(layer), copy.deepcopy(layer)):
        assert not other.is_analytic
        assert all(map(same_bits, other.get_weights(), layer.get_weights()))
        assert same_bits(other(x), layer(x))
        other.set_weights(small_stft(dtype=dtype).get_weights())
        assert other.is_analytic
        assert not layer.is_analytic
    close = small_stft()
    close.set_weights([w * np.float32(1 + 2e-7) for w in close.get_weights()])
    again = pickle.loads(pickle.dumps(close))
    assert again.is_analytic
    assert all(map(same_bits, again.get_weights(), close.get_weights()))


def test_a_configuration_holds_no_weights() -> None:
    layer = small_stft()
    before = layer.get_config()
    trained(layer)
    assert layer.get_config() == before
    assert STFTSpectrogram.from_config(before).is_analytic
    assert MelSpectrogram.from_config(small_mel().get_config()).weights == []


def test_a_call_sees_one_set_of_weights() -> None:
    """Both kernels change at once, whoever is calling meanwhile."""
    layer = small_stft(mode="stft", num_threads=1)
    shape = (16, 1, 17)
    x = np.ones((1, 400, 1), np.float32)
    done = threading.Event()
    wrong: list[npt.NDArray[Any]] = []

    def call() -> None:
        while not done.is_set():
            y = layer(x)
            if not np.all(y == y.flat[0]):
                wrong.append(y)

    layer.set_weights([np.full(shape, 1.0)] * 2)
    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for number in range(300):
        layer.set_weights([np.full(shape, float(number))] * 2)
    done.set()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.parametrize("window", [None, "hann"])
def test_small_steps_of_half_precision_kernels_are_training(window: str | None) -> None:
    layer = stft(
        dtype="float16", frame_length=256, frame_step=64, fft_length=256, window=window, mode="psd"
    )
    kernels = layer.get_weights()
    layer.set_weights(kernels)
    assert layer.is_analytic
    layer.set_weights([(kernel + np.float16(0.01)).astype(np.float16) for kernel in kernels])
    assert not layer.is_analytic
