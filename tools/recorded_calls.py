# SPDX-License-Identifier: BSD-3-Clause
"""The calls that record_bits.py records: each a name and the arrays that the package returned.

Only the public interface is called, with inputs made by exact arithmetic, so the same calls can be
made with an older or newer package and NumPy. bfloat16 is covered where ml_dtypes is installed.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np

from specfast import MelSpectrogram, STFTSpectrogram, linear_to_mel_weight_matrix

Array = np.ndarray[Any, Any]
Case = tuple[str, list[Array]]
Options = list[dict[str, Any]]

MODES = ("real", "imag", "stft", "angle", "magnitude", "log", "psd")
FLOATS = ("float16", "float32", "float64")
WINDOWS = (
    "hann", "hamming", "blackman", "bartlett", "boxcar", "barthann", "blackmanharris", "bohman",
    "cosine", "flattop", "lanczos", "nuttall", "parzen", "triang",
)  # fmt: skip
INTEGERS = ("bool", "int16", "uint16", "int32", "uint64", "int64", ">i2")
CLIP = {"top_db_scope": "clip"}
# The import gives NumPy the name "bfloat16".
HAS_BFLOAT16 = find_spec("ml_dtypes") is not None and bool(import_module("ml_dtypes"))
BFLOATS = ("bfloat16", "mixed_bfloat16") if HAS_BFLOAT16 else ()


def samples(*shape: int, dtype: str = "float32", seed: int = 1) -> Array:
    """Returns noise in [-1, 1) made by integer arithmetic alone, equal with every NumPy."""
    n = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) + np.uint64(seed << 32)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        n = (n ^ (n >> np.uint64(shift))) * np.uint64(factor)
    whole = (n >> np.uint64(48)).astype(np.int64).reshape(shape) - 32768
    if np.dtype(dtype).kind in "iu":
        return (whole % min(np.iinfo(dtype).max, 2**63 - 1)).astype(dtype)
    return whole > 0 if dtype == "bool" else (whole / 32768.0).astype(dtype)


def special(dtype: str = "float32") -> Array:
    """Returns four signals: zeros, one with a NaN, one with an infinity, denormal numbers."""
    x = samples(4, 8000, dtype=dtype)
    x[0], x[1, 4000], x[2, 100] = 0, np.nan, np.inf
    x[3] *= x.dtype.type(1e-41 if dtype == "float32" else 1e-310)
    return x


def stft(**arguments: Any) -> Any:
    """Returns a layer; without the warning for an `fft_length` that is no power of two."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return STFTSpectrogram(**arguments)


def mel(**arguments: Any) -> Any:
    """Returns a layer that is quick to call, with other arguments where they are given."""
    quick = {"fft_length": 512, "sequence_stride": 160, "num_mel_bins": 40}
    return MelSpectrogram(**{**quick, **arguments})


def trained(mode: str, dtype: str = "float32", **arguments: Any) -> Any:
    """Returns an STFTSpectrogram whose kernels are no longer the analytic ones."""
    shape = {"frame_length": 60, "frame_step": 17, "fft_length": 64}
    layer = stft(mode=mode, dtype=dtype, **{**shape, **arguments})
    noise = [samples(*w.shape, seed=9).astype(w.dtype) / 64 for w in layer.get_weights()]
    layer.set_weights([w + n for w, n in zip(layer.get_weights(), noise, strict=True)])
    return layer


def stft_calls() -> Iterator[Case]:
    """Yields forward calls of STFTSpectrogram over modes, lengths, layouts and windows."""
    x, silence = samples(2, 4000, 2), -np.zeros((1, 900, 1), "f4")
    for mode in MODES:
        for dtype in (*FLOATS, "mixed_float16"):
            layer = stft(mode=mode, dtype=dtype)
            yield f"stft {mode} {dtype}", [layer(x), layer(x[:1, ::-3])]
        for n, frame, hop in ((511, 300, 7), (97, 97, 97), (64, 60, 1), (1000, 400, 160),
                              (1019, 1019, 509), (2, 1, 1)):  # fmt: skip
            layer = stft(mode=mode, frame_length=frame, frame_step=hop, fft_length=n)
            yield f"stft {mode} {n}/{frame}/{hop}", [layer(x)]
        forms = ("channels_last", "channels_first")
        for form, expand, padding in product(forms, (False, True), ("valid", "same")):
            layer = stft(mode=mode, data_format=form, expand_dims=expand, padding=padding)
            y = x if form == "channels_last" else x.transpose(0, 2, 1)
            yield f"stft {mode} {form} {expand} {padding}", [layer(y)]
        yield f"stft special {mode}", [stft(mode=mode)(special()[..., None])]
        layer = stft(mode=mode, dtype="float64")
        yield f"stft special {mode} float64", [layer(special("float64")[..., None])]
        threaded = [stft(mode=mode, num_threads=n)(samples(2, 40000, 1)) for n in (1, 2)]
        yield f"stft threads {mode}", threaded
        yield f"stft {mode} of half, -0", [stft(mode=mode)(y) for y in (x.astype("f2"), silence)]


def window_and_input_calls() -> Iterator[Case]:
    """Yields forward calls of STFTSpectrogram over windows, and over samples of every kind."""
    x = samples(2, 4000, 2)
    for window, scaling in product((*WINDOWS, None, "values"), ("density", "spectrum", None)):
        values = samples(256) if window == "values" else window
        layer = stft(mode="psd", window=values, scaling=scaling, periodic=True)
        yield f"window {window} {scaling}", [layer(x)]
    for window, n in product(WINDOWS, (255, 256)):
        yield f"window {window} {n}", [stft(window=window, frame_length=n, fft_length=n)(x)]
    layer = stft(mode="log", num_threads=2)
    y = samples(2, 9000, 1, dtype="int16")
    yield "stft of int16", [layer(y, scale=2.0**-15), layer(y[:, ::2], scale=0.5)]
    for dtype in INTEGERS:
        yield f"stft scaled {dtype}", [layer(samples(2, 900, 1, dtype=dtype), scale=2.0**-7)]
    yield "out", [layer(x, out=np.empty(layer.compute_output_shape(x.shape), "f4"))]
    yield "stft repeated", [layer(np.broadcast_to(samples(900, 1), (3, 900, 1)))]
    yield "stft empty", [layer(x[:0]), stft(padding="same")(x[:, :5])]


def mel_calls() -> Iterator[Case]:
    """Yields calls of the mel layer over its own arguments and over lengths of signals."""
    options: Options = [
        {"top_db": None}, {"top_db": 0}, {"top_db": float("inf")}, {"top_db": 20, **CLIP},
        {"power_to_db": False}, {"power_to_db": False, "mag_exp": 1.0}, {"mag_exp": 1.5},
        {"mag_exp": 1}, {"window": "hamming", "sequence_length": 400}, {"window": None},
        {"window": samples(512)}, {"num_mel_bins": 200}, {"num_mel_bins": 1, "min_freq": 0.0},
        {"max_freq": 4000}, {"min_power": 1e-3, "ref_power": 7.5}, {"fft_length": 2048},
        {"fft_length": 400}, {"fft_length": 431}, {"sequence_stride": 1000},
        {"sequence_stride": 3}, {"sampling_rate": 8000}, {"num_threads": 1}, {"num_threads": 2},
        {"fft_length": 1018}, {"fft_length": 64, "sequence_stride": 1, "num_mel_bins": 8},
        {"top_db": 5}, {"power_to_db": False, "mag_exp": 1.5},
    ]  # fmt: skip
    for (index, option), dtype in product(enumerate(options), FLOATS):
        inputs = [samples(6000, seed=2), samples(2, 3, 700), samples(4, 30)]
        yield f"mel {index} {dtype}", [mel(**option, dtype=dtype)(x) for x in inputs]


def mel_input_calls() -> Iterator[Case]:
    """Yields calls of the mel layer over samples of every kind, and the filterbank's matrix."""
    for dtype in ("mixed_float16", *BFLOATS):
        yield f"mel {dtype}", [mel(dtype=dtype)(samples(2, 5000))]
    for dtype, scale in product((*INTEGERS, "float16", ">f4", "float64", *BFLOATS[:1]),
                                (None, 1 / 32768)):  # fmt: skip
        yield f"mel of {dtype} {scale}", [mel()(samples(3, 5000, dtype=dtype), scale=scale)]
    scopes: Options = [{"top_db": 80.0}, {"top_db": None}, CLIP]
    for option in (*scopes, {"power_to_db": False}):
        named, layer = option.get("top_db", option), mel(**option)
        yield f"mel special {named}", [layer(special()), layer(special()[:, ::-1])]
        yield f"mel special {named} finite", [layer(special()[::3])]
        layer, y = mel(**option, dtype="float64"), special("float64")
        yield f"mel special {named} float64", [layer(y), layer(y[::3])]
    yield "mel short", [mel()(samples(n)) for n in (1, 2, 3)]
    yield "mel repeated", [mel()(np.broadcast_to(samples(3000), (3, 3000)))]
    y = samples(3000, 4)
    yield "mel strided", [mel()(y.T), mel()(y[::-2].T[1:]), mel()(y.T[:0])]
    yield "mel out", [mel()(y.T, out=np.empty(mel().compute_output_shape((4, 3000)), "f4"))]
    yield "mel threads", [mel(num_threads=n)(samples(3, 50000)) for n in (1, 2)]
    for bands, bins, low, high in ((20, 129, 125, 3800), (128, 1025, 20, 8000), (3, 5, 0, 1000)):
        shape = (bands, bins, 16000, low, high)
        yield f"matrix {bands}", [linear_to_mel_weight_matrix(*shape)]
        yield f"matrix {bands} float64", [linear_to_mel_weight_matrix(*shape, dtype="float64")]


def pulled(layer: Any, x: Array) -> list[Array]:
    """Returns the output of `vjp` and the gradients of the signal and the weights."""
    output, pullback = layer.vjp(x)
    gradients = pullback(samples(*output.shape, seed=4).astype(output.dtype))
    return [output, gradients.signal, *gradients.weights]


def gradient_calls() -> Iterator[Case]:
    """Yields pullbacks of STFTSpectrogram, and calls with trained kernels."""
    x = samples(2, 900, 2, seed=3)
    for mode in MODES:
        for dtype in ("float32", "float64"):
            layer = trained(mode, dtype)
            yield f"trained {mode} {dtype}", [layer(x), *layer.get_weights()]
            yield f"vjp trained {mode} {dtype}", pulled(layer, x)
            for n in (64, 60):
                layer = stft(mode=mode, frame_length=60, frame_step=17, fft_length=n,
                             padding="same", dtype=dtype)  # fmt: skip
                yield f"vjp {mode} {dtype} {n}", pulled(layer, x)
                yield f"kernels {mode} {dtype} {n}", layer.get_weights()
        y = special()[:, :4100, None]
        yield f"vjp special {mode}", pulled(stft(mode=mode), y)
        yield f"vjp special trained {mode}", pulled(trained(mode), y)
        yield f"vjp long trained {mode}", pulled(trained(mode), samples(3, 12000, 1))
        layer = trained(mode, data_format="channels_first", expand_dims=True, num_threads=2)
        yield f"vjp channels_first {mode}", pulled(layer, samples(2, 3, 900)[..., ::-1])
        output, pullback = trained(mode, "float16", window=None).vjp(x)
        signal, weights = pullback(output, weights=False), pullback(output, signal=False)
        yield f"vjp parts {mode}", [output, signal.signal, *weights.weights]


def mel_gradient_calls() -> Iterator[Case]:
    """Yields pullbacks of the mel layer."""
    options: Options = [
        {}, {"top_db": None}, {"top_db": 5, **CLIP}, {"power_to_db": False},
        {"mag_exp": 1.0}, {"mag_exp": 1.5, "dtype": "float64"}, {"fft_length": 300},
        {"num_threads": 2}, {"top_db": 5}, {"dtype": "float16"}, {"fft_length": 1018},
        {"top_db": float("inf")}, {"dtype": "float64", "top_db": 5, **CLIP},
    ]  # fmt: skip
    tied = samples(1, 4000, seed=7) * np.array([[1], [1], [0]], "f4")
    for index, option in enumerate(options):
        yield f"vjp mel {index}", pulled(mel(**option), samples(3, 4000, seed=5))
        yield f"vjp mel special {index}", pulled(mel(**option), special()[:, 4100::-1])
        yield f"vjp mel tied {index}", pulled(mel(**option), tied)


def streamed(stream: Any, x: Array, axis: int, scale: float | None = None) -> list[Array]:
    """Returns what a stream gives for uneven pieces; it is pickled on the way."""
    results, ends = [], np.cumsum(np.arange(400) * 37 % 241)
    for number, piece in enumerate(np.split(x, ends[ends < x.shape[axis]], axis)):
        results.append(stream.push(piece, scale=scale))
        if number == 11:
            stream = pickle.loads(pickle.dumps(stream))
    return [*results, stream.flush()]


def stream_calls() -> Iterator[Case]:
    """Yields streams of both layers, of one and of several channels."""
    for mode in MODES:
        layer = stft(mode=mode, frame_length=200, frame_step=90)
        yield f"stream {mode}", streamed(layer.stream(2), samples(5000, 2), 0)
        yield f"stream trained {mode}", streamed(trained(mode).stream(), samples(5000), 0)
    same = stft(mode="psd", padding="same")
    yield "stream same padding", streamed(same.stream(num_samples=5000), samples(5000), 0)
    first = stft(data_format="channels_first", dtype="float16").stream(2)
    yield "stream of int16", streamed(first, samples(2, 5000, dtype="int16"), 1, 2.0**-15)
    yield "stream special", streamed(mel(**CLIP).stream(4, max_db="running"), special(), 1)
    yield "stream short", streamed(mel(top_db=None).stream(), samples(100), 0)
    options: list[tuple[dict[str, Any], Any]] = [
        ({"top_db": None}, None), ({}, "running"), ({}, -10.0), (CLIP, "running"),
        ({"sequence_stride": 700}, "running"), ({"dtype": "float64", "fft_length": 300}, 3.0),
        ({"top_db": 5, **CLIP}, "running"), ({"top_db": 5}, "running"), ({"top_db": 5}, 12.5),
    ]  # fmt: skip
    for (index, (option, maximum)), channels in product(enumerate(options), (1, 3)):
        x = samples(*(6000,) if channels == 1 else (3, 6000), seed=6)
        stream = mel(**option).stream(channels, max_db=maximum)
        yield f"stream mel {index} {channels}", streamed(stream, x, x.ndim - 1)


def calls() -> Iterator[Case]:
    """Yields all calls; no two have the same name."""
    for group in (stft_calls, window_and_input_calls, mel_calls, mel_input_calls, gradient_calls,
                  mel_gradient_calls, stream_calls):  # fmt: skip
        yield from group()
