# SPDX-License-Identifier: BSD-3-Clause
"""What a call accepts and refuses: odd but valid arrays, conversions, bad input of all kinds."""

from __future__ import annotations

import array
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from makers import Array, same_bits, small_mel, small_stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

AnyLayer = STFTSpectrogram | MelSpectrogram
STFT, MEL = small_stft(mode="stft"), small_mel()

# ---- Valid, but odd --------------------------------------------------------------------------


def misaligned(x: Array) -> Array:
    """The same values, one byte off their natural place."""
    raw = np.zeros(x.nbytes + 1, np.uint8)
    moved = raw[1:].view(x.dtype).reshape(x.shape)
    moved[...] = x
    assert not moved.flags.aligned or x.dtype.itemsize == 1
    return moved


def in_a_record(x: Array) -> Array:
    """The same values as a field between others."""
    records = np.zeros(x.shape, [("before", "f8"), ("x", x.dtype), ("after", "i8")])
    records["x"] = x
    return records["x"]


def overlapping(x: Array) -> Array:
    """Windows of a signal that lie over each other in memory."""
    flat = x.ravel()
    strides = tuple(flat.itemsize * step for step in (*range(1, x.ndim), 2))
    if 1 + sum(d * (n - 1) for d, n in zip((*range(1, x.ndim), 2), x.shape, strict=True)) > x.size:
        return x
    return np.lib.stride_tricks.as_strided(flat, x.shape, strides)


def read_only(x: Array) -> Array:
    copy = x.copy()
    copy.flags.writeable = False
    return copy


def repeated(x: Array) -> Array:
    return np.broadcast_to(x[:1], x.shape)


def constant_in_time(x: Array) -> Array:
    return np.broadcast_to(x[..., :1], x.shape)


ODD: dict[str, Callable[[Array], Array]] = {
    "plain": lambda x: x,
    "Fortran": np.asfortranarray,
    "backwards": lambda x: x[..., ::-1],
    "all backwards": lambda x: x[tuple(slice(None, None, -1) for _ in x.shape)],
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "every third, backwards": lambda x: np.repeat(x, 3, axis=-1)[..., ::-3],
    "a part": lambda x: np.pad(x, 2)[tuple(slice(2, -2) for _ in x.shape)],
    "axes turned": lambda x: np.ascontiguousarray(x.T).T,
    "axes moved": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
    "overlapping": overlapping,
    "repeated": repeated,
    "constant in time": constant_in_time,
    "read-only": read_only,
    "misaligned": misaligned,
    "misaligned, backwards": lambda x: misaligned(x)[..., ::-1],
    "in a record": in_a_record,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "byte-swapped Fortran": lambda x: np.asfortranarray(x.astype(x.dtype.newbyteorder())),
    "byte-swapped, repeated": lambda x: repeated(x.astype(x.dtype.newbyteorder())),
    "no signals": lambda x: x[:0],
    "subclass": lambda x: x.view(_Subclass),
}
SHAPES = [(2, 40, 3), (1, 16, 1), (3, 17, 2), (2, 50, 1), (4, 33, 4)]


class _Subclass(np.ndarray[Any, Any]):
    pass


def odd_inputs() -> Iterator[tuple[str, AnyLayer, Array]]:
    """A description, a layer and an input that it takes."""
    layers: list[tuple[AnyLayer, tuple[str, ...]]] = [
        (STFT, ("f2", "f4", "f8")),
        (small_stft(data_format="channels_first", expand_dims=True), ("f4",)),
        (small_stft(padding="same", dtype="float16", mode="psd"), ("f2", "f8")),
        (MEL, ("f2", "f4", "f8", "i2", "u2", "i8", "?")),
        (small_mel(dtype="float64", power_to_db=False), ("f4", "i2", "i4")),
        (small_mel(dtype="float16", top_db_scope="clip"), ("f4",)),
    ]
    for number, ((layer, dtypes), shape) in enumerate(itertools.product(layers, SHAPES)):
        for dtype, (name, change) in itertools.product(dtypes, ODD.items()):
            values = 100.0 * noise(*shape, seed=number)
            x = (
                values > 0 if dtype == "?" else np.abs(values) if dtype == "u2" else values
            ).astype(dtype)
            if isinstance(layer, STFTSpectrogram) and layer.data_format == "channels_first":
                x = np.ascontiguousarray(x.swapaxes(1, 2))
            yield f"{name} {dtype} {shape} {layer!r}", layer, change(x)


def test_odd_inputs_are_read_as_they_stand() -> None:
    tried = 0
    for description, layer, x in odd_inputs():
        before = x.tobytes()
        plain = np.array(np.asarray(x), x.dtype.newbyteorder("="), order="C")
        expected = layer(plain)
        assert same_bits(layer(x), expected), description
        out = np.empty_like(expected)
        assert layer(x, out=out) is out
        assert same_bits(out, expected), description
        assert x.tobytes() == before, f"{description}: input was changed"
        tried += 1
    assert tried >= 500


def test_signals_of_odd_ranks() -> None:
    for shape in [(40,), (2, 3, 40), (2, 1, 3, 40), (1, 1, 1, 1, 40)]:
        x = noise(*shape)
        for change in (
            np.asfortranarray,
            lambda a: a[..., ::-1],
            lambda a: a.T.copy().T,
            repeated,
        ):
            assert same_bits(MEL(change(x)), MEL(change(x).copy(order="C"))), shape
    x = np.broadcast_to(noise(4, 1, 40), (4, 3, 40))  # axes that have no common stride
    assert same_bits(MEL(x), MEL(x.copy()))


# ---- Conversions -----------------------------------------------------------------------------


class _DlpackOnly:
    def __init__(self, x: Array) -> None:
        self._x = x

    def __dlpack__(self, **_: Any) -> Any:
        return self._x.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._x.__dlpack_device__()


class _OnDevice(_DlpackOnly):
    def __dlpack__(self, **_: Any) -> Any:
        raise BufferError("the memory is that of a device")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)


class _ArrayOnly:
    def __init__(self, x: Array) -> None:
        self._x = x

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        assert dtype is None
        assert not copy
        return self._x


class _ArrayAndFailingDlpack(_ArrayOnly):
    def __dlpack__(self, **_: Any) -> Any:
        raise BufferError("not this one")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


@pytest.mark.parametrize(
    "wrap",
    [_DlpackOnly, _ArrayOnly, _ArrayAndFailingDlpack, memoryview, lambda x: x.view(_Subclass)],
)
def test_other_arrays(wrap: Any) -> None:
    x = noise(2, 40, 1)
    assert same_bits(STFT(wrap(x)), STFT(x))
    assert same_bits(MEL(wrap(x[..., 0])), MEL(x[..., 0]))


def test_buffers() -> None:
    values = [1, -2, 300, 4] * 10
    expected = MEL(np.array(values, np.int16))
    assert same_bits(MEL(array.array("h", values)), expected)
    assert same_bits(MEL(memoryview(array.array("h", values))), expected)
    assert same_bits(MEL(array.array("f", values)), MEL(np.array(values, np.float32)))


def test_a_buffer_is_shared_not_copied() -> None:
    """`out` in the memory of a foreign array is found out: nothing was copied on the way."""
    layer = small_stft(mode="magnitude")
    x = np.zeros((1, 64, 40), np.float32)
    out = x.reshape(-1)[: 13 * 17].reshape(1, 13, 17)
    for view in (_DlpackOnly(x[:, :, :1]), _ArrayOnly(x[:, :, :1]), memoryview(x[:, :, :1])):
        with pytest.raises(ValueError, match="out.*memory"):
            layer(view, out=out)


@pytest.mark.parametrize(
    "convert", [np.ndarray.tolist, lambda x: tuple(x.tolist()), lambda x: [list(row) for row in x]]
)
def test_mel_takes_lists_of_numbers(convert: Any) -> None:
    x = noise(2, 40, dtype=np.float64)
    assert same_bits(MEL(convert(x)), MEL(x))
    assert same_bits(MEL([1, 2, 3]), MEL(np.array([1, 2, 3], np.int64)))


@pytest.mark.parametrize("convert", [np.ndarray.tolist, lambda x: tuple(x.tolist())])
def test_stft_takes_no_lists_of_numbers(convert: Any) -> None:
    with pytest.raises(ValueError, match=r"no list of numbers.*numpy\.asarray"):
        STFT(convert(noise(1, 40, 1)))


def test_floats_of_other_sizes() -> None:
    x = noise(1, 40, 1)
    half = x.astype(np.float16)
    assert STFT(half).dtype == np.float32
    assert same_bits(STFT(half), STFT(half.astype(np.float32)))
    assert STFT(x.astype(np.float64)).dtype == np.float32
    double = small_stft(mode="stft", dtype="float64")
    assert double(x).dtype == np.float64
    assert same_bits(double(x), double(x.astype(np.float64)))


def test_float64_input_is_rounded_like_a_cast() -> None:
    x = noise(1, 60, 1, dtype=np.float64)
    assert same_bits(STFT(x), STFT(x.astype(np.float32)))
    assert same_bits(MEL(x[..., 0]), MEL(x[..., 0].astype(np.float32)))


@pytest.mark.parametrize("dtype", ["?", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("policy", ["float32", "float64", "float16"])
def test_mel_takes_integers_unscaled(dtype: str, policy: str) -> None:
    x = (np.arange(80) % 7 > 3).astype(dtype) * np.array(1 if dtype == "?" else 100, dtype)
    layer = small_mel(dtype=policy, power_to_db=False)
    compute = np.float64 if policy == "float64" else np.float32
    y = layer(x)
    assert y.dtype == policy
    assert same_bits(y, layer(x.astype(compute)))


def test_bfloat16_samples() -> None:
    x = noise(2, 40).astype(ml_dtypes.bfloat16)
    assert same_bits(MEL(x), MEL(x.astype(np.float32)))
    with pytest.raises(TypeError, match="bfloat16.*astype"):
        STFT(x[..., None])


# ---- Bad input: dtype x shape x out x arguments ----------------------------------------------

# A call, the argument at fault, and a text that its message must hold.
Case = tuple[Callable[[], Any], str, str]

BAD_DTYPES = ["c8", "c16", "O", "U3", "S3", "M8[s]", "m8[s]", "V4", "i1", "u1", [("a", "f4")]]
if np.dtype(np.longdouble).itemsize > 8:
    BAD_DTYPES.append("g")
BAD_STFT_DTYPES = ["?", "i2", "u2", "i4", "u4", "i8", "u8", ">i2"]
NO_ARRAYS = [None, "abc", b"abc", {}, {1, 2}, object(), int, lambda: 0, 1j, ..., NotImplemented]


def layers(rng: np.random.Generator) -> Iterator[AnyLayer]:
    """Layers of all kinds, endlessly."""
    while True:
        yield small_stft(
            mode=str(rng.choice(["log", "psd", "stft", "angle"])),
            padding=str(rng.choice(["valid", "same"])),
            expand_dims=bool(rng.integers(2)),
            data_format=str(rng.choice(["channels_last", "channels_first"])),
            dtype=str(rng.choice(["float32", "float64", "float16"])),
        )
        yield small_mel(
            fft_length=int(rng.integers(8, 70)),
            power_to_db=bool(rng.integers(2)),
            top_db_scope=str(rng.choice(["batch", "clip"])),
            dtype=str(rng.choice(["float32", "float64", "float16"])),
        )


def good_input(layer: AnyLayer, rng: np.random.Generator) -> Array:
    outer = tuple(int(n) for n in rng.integers(1, 4, size=2))
    x = noise(*outer, 40, dtype=rng.choice(["f2", "f4", "f8"]))
    if isinstance(layer, STFTSpectrogram) and layer.data_format == "channels_last":
        x = np.ascontiguousarray(x.swapaxes(1, 2))
    return x if rng.integers(2) else np.asfortranarray(x)


def bad_samples(layer: AnyLayer, rng: np.random.Generator) -> Iterator[Case]:
    shape = good_input(layer, rng).shape
    stft = isinstance(layer, STFTSpectrogram)
    for dtype in [*BAD_DTYPES, *(BAD_STFT_DTYPES if stft else [])]:
        x = np.zeros(shape, dtype)
        yield lambda x=x: layer(x), "x", f"dtype {x.dtype}"
        yield lambda x=x: layer(x[..., ::-1]), "x", f"shape {shape}"
    for x in NO_ARRAYS:
        yield (
            lambda x=x: layer(x),
            "x",
            type(x).__name__ if not isinstance(x, str | bytes | complex) else "dtype",
        )
    yield lambda: layer(np.ma.masked_array(np.zeros(shape, "f4"))), "x", "masked"
    yield lambda: layer([[1.0], [1.0, 2.0]]), "x", "[[1.0], [1.0, 2.0]]"
    yield lambda: layer(_OnDevice(np.zeros(shape, "f4"))), "x", "_OnDevice"
    ranks = [(), (40,), (2, 40), (2, 40, 1, 1)] if stft else [()]
    for other in ranks:
        yield lambda s=other: layer(np.zeros(s, "f4")), "x", f"shape {other}"
    if stft and layer.padding == "valid":
        for n in (0, 1, 15):
            short = (2, n, 1) if layer.data_format == "channels_last" else (2, 1, n)
            yield lambda s=short: layer(np.zeros(s, "f8")), "x", f"shape {short}"
    if not stft:
        for other in [(0,), (2, 0), (0, 0)]:
            yield lambda s=other: layer(np.zeros(s, "f4")), "x", f"shape {other}"


def bad_outs(layer: AnyLayer, rng: np.random.Generator) -> Iterator[Case]:
    x = good_input(layer, rng)
    good = np.full_like(layer(x), 7)
    others = [d for d in ("f2", "f4", "f8", "i4", "c8") if np.dtype(d) != good.dtype]
    for dtype in [*others, good.dtype.newbyteorder()]:
        yield lambda d=dtype: layer(x, out=good.astype(d)), "out", str(np.dtype(dtype))
    for axis in range(good.ndim):
        longer = np.concatenate([good, good], axis=axis)
        for other in (longer, good.take([], axis), longer[None]):
            yield lambda o=other: layer(x, out=o), "out", str(other.shape)
    yield lambda: layer(x, out=good.ravel()), "out", f"({good.size},)"
    if good.ndim > 1 and min(sorted(good.shape)[-2:]) > 1:
        yield lambda: layer(x, out=np.asfortranarray(good)), "out", "C-contiguous"
    if good.size > 1:
        spread = np.zeros((*good.shape[:-1], 2 * good.shape[-1]), good.dtype)[..., ::2]
        yield lambda: layer(x, out=spread), "out", "C-contiguous"
    yield lambda: layer(x, out=read_only(good)), "out", "writable"
    yield lambda: layer(x, out=misaligned(good)), "out", "aligned"
    for wrong in [good.tolist(), "out", 3, memoryview(good), np.ma.masked_array(good), object()]:
        yield lambda o=wrong: layer(x, out=o), "out", type(wrong).__name__
    # In the memory of the samples: as they are, and as they are converted.
    memory = np.zeros(x.nbytes + good.nbytes, np.uint8)
    inside = (
        memory[x.nbytes - x.itemsize * 8 :][: good.nbytes].view(good.dtype).reshape(good.shape)
    )
    for dtype in (x.dtype, x.dtype.newbyteorder()):
        samples = memory[: x.nbytes].view(dtype).reshape(x.shape)
        yield lambda s=samples: layer(s, out=inside), "out", "memory"


BAD_VALUES: list[Any] = [None, "x", -1, 0, 2.5, float("nan"), [], {}, 1 << 70, True, b"1", 1j]
# Values that are right for some argument.
FINE: dict[str, tuple[Any, ...]] = {
    "frame_step": (None,),
    "fft_length": (None,),
    "expand_dims": (None, 0, True),
    "data_format": (None,),
    "power_to_db": (None, 0, True),
    "periodic": (True,),
    "scaling": (None,),
    "window": (None,),
    "num_threads": (None,),
    "epsilon": (0, 2.5),
    "sequence_length": (None, 0),
    "sampling_rate": (1 << 70,),
    "min_freq": (0, 2.5),
    "max_freq": (None, 0, 1 << 70),
    "top_db": (None, 0, 2.5, 1 << 70),
    "mag_exp": (-1, 0, 2.5, 1 << 70),
    "min_power": (0, 2.5, 1 << 70),
    "ref_power": (-1, 0, 2.5, 1 << 70),
    "name": (None, "x"),
    "dtype": (None,),
    "trainable": (True,),
}
STFT_NAMES = [
    *("mode", "frame_length", "frame_step", "fft_length", "window", "periodic", "scaling"),
    *(
        "padding",
        "expand_dims",
        "data_format",
        "epsilon",
        "num_threads",
        "name",
        "dtype",
        "trainable",
    ),
]
MEL_NAMES = [
    *("fft_length", "sequence_stride", "sequence_length", "window", "sampling_rate"),
    *("num_mel_bins", "min_freq", "max_freq", "power_to_db", "top_db", "mag_exp", "min_power"),
    *("ref_power", "top_db_scope", "num_threads", "name", "dtype", "trainable"),
]


def bad_arguments() -> Iterator[Case]:
    for make, names in ((small_stft, STFT_NAMES), (small_mel, MEL_NAMES)):
        for name, value in itertools.product(names, BAD_VALUES):
            if not any(
                value is fine or (type(value) is type(fine) and value == fine)
                for fine in FINE.get(name, ())
            ):
                yield lambda m=make, n=name, v=value: m(**{n: v}), name, repr(value)[:60]
        for name in ("hop", "n_fft", "Mode"):
            yield lambda m=make, n=name: m(**{n: 1}), name, name


def cases() -> Iterator[Case]:
    yield from bad_arguments()
    rng = np.random.default_rng(9)
    for layer in itertools.islice(layers(rng), 36):
        yield from bad_samples(layer, rng)
        yield from bad_outs(layer, rng)


def test_bad_input_of_all_kinds() -> None:
    tried = 0
    for call, argument, text in cases():
        try:
            call()
        except (TypeError, ValueError, MemoryError) as error:
            message = str(error)
            assert re.search(rf"\b{argument}\b", message), (argument, text, message)
            assert text in message, (argument, text, message)
        else:
            raise AssertionError(f"no error for {argument}: {text}")
        tried += 1
    assert tried >= 2000


def test_a_refused_out_is_left_alone() -> None:
    rng = np.random.default_rng(3)
    for layer in itertools.islice(layers(rng), 12):
        x = good_input(layer, rng)
        out = np.full_like(layer(x), 7)[..., ::-1]
        with pytest.raises(ValueError, match="out"):
            layer(x, out=out)
        assert (out == 7).all()
        out = np.full_like(layer(x), 7)
        with pytest.raises(TypeError, match=r"\bx\b"):
            layer(x.astype("c8"), out=out)
        assert (out == 7).all()


# ---- Sizes that overflow ---------------------------------------------------------------------


unlikely = pytest.mark.filterwarnings("ignore:the last axis of `x`")


@unlikely
@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", ">f4"])
@pytest.mark.parametrize(
    "shape", [(2**31, 2**29, 1), (2**20, 2**40, 1), (1, 2**60, 1), (2**55, 16, 1), (1, 16, 2**55)]
)
def test_sizes_beyond_memory(shape: tuple[int, ...], dtype: str) -> None:
    """Arrays that repeat one sample: nothing to read, and nowhere to write the result."""
    if dtype == "f8" and np.prod(shape, dtype=object) * 8 >= 2**63:
        shape = tuple(n >> 1 if n > 2**20 else n for n in shape)
    x = np.broadcast_to(np.zeros((), dtype), shape)
    for layer in (STFT, small_stft(dtype="float64"), small_stft(dtype="float16"), MEL):
        with pytest.raises((ValueError, MemoryError), match=r"\bx\b.*\d"):
            layer(x)


@unlikely
@pytest.mark.parametrize("shape", [(4, 2**45, 40), (4, 2**32, 2**10), (2**10, 2**30, 1)])
def test_signals_without_a_common_stride_beyond_memory(shape: tuple[int, ...]) -> None:
    """The engine would have to copy these, and cannot."""
    x = np.broadcast_to(np.zeros((shape[0], 1, shape[2]), np.float32), shape)
    with pytest.raises(MemoryError, match=r"\bx of shape"):
        MEL(x)


def test_plans_beyond_memory() -> None:
    with pytest.raises((ValueError, MemoryError), match="num_mel_bins"):
        small_mel(num_mel_bins=2**60)
    with pytest.raises(ValueError, match="fft_length"):
        small_mel(fft_length=2**60)
    with pytest.raises(ValueError, match="sequence_stride"):
        small_mel(sequence_stride=2**60)
