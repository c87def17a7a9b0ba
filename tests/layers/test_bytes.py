# SPDX-License-Identifier: BSD-3-Clause
"""Bytes are no samples: refused with the way out wherever samples go in."""

from __future__ import annotations

import array
import ctypes
import mmap
import re
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makers import Array, same_bits, small_mel, small_stft
from specfast import MelSpectrogram

PCM = np.arange(-2000, 2000, dtype="<i2")


def in_mapped_memory(data: bytes) -> mmap.mmap:
    memory = mmap.mmap(-1, len(data))
    memory.write(data)
    return memory


BYTES: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview of signed bytes": lambda data: memoryview(data).cast("b"),
    "memoryview of characters": lambda data: memoryview(data).cast("c"),
    "array of bytes": lambda data: array.array("B", data),
    "array of signed bytes": lambda data: array.array("b", data),
    "mmap": in_mapped_memory,
    "ctypes bytes": lambda data: (ctypes.c_ubyte * len(data)).from_buffer_copy(data),
    "ctypes characters": lambda data: (ctypes.c_char * len(data)).from_buffer_copy(data),
    "uint8": lambda data: np.frombuffer(data, np.uint8),
    "int8": lambda data: np.frombuffer(data, np.int8),
    "void": lambda data: np.frombuffer(data, "V1"),
    "fixed strings": lambda data: np.frombuffer(data, "S2"),
    "numpy.bytes_": np.bytes_,
}

ENTRIES: dict[str, Callable[[Any], Any]] = {
    "mel": lambda x: small_mel()(x),
    "stft": lambda x: small_stft()(x),
    "mel push": lambda x: small_mel(top_db=None).stream().push(x),
    "stft push": lambda x: small_stft().stream().push(x),
    "mel vjp": lambda x: small_mel().vjp(x),
    "stft vjp": lambda x: small_stft().vjp(x),
}


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("entry", ENTRIES)
def test_bytes_are_refused_with_the_way_out(entry: str, kind: str) -> None:
    with pytest.raises(TypeError, match=re.escape("numpy.frombuffer(x, '<i2')")):
        ENTRIES[entry](BYTES[kind](PCM.tobytes()))


def test_the_way_out_is_right() -> None:
    layer = MelSpectrogram(fft_length=512, sequence_stride=160, top_db=None)
    expected = layer(PCM.astype(np.float32) / 32768)
    data = PCM.tobytes()
    assert same_bits(layer(np.frombuffer(data, "<i2"), scale=1 / 32768), expected)
    eight = (PCM >> 8).astype(np.int8)
    unsigned = np.frombuffer((eight.astype(np.int16) + 128).astype(np.uint8).tobytes(), np.uint8)
    expected = layer(eight.astype(np.float32) / 128)
    assert same_bits(layer(eight, scale=1 / 128), expected)
    assert same_bits(layer((unsigned.astype("float32") - 128) / 128), expected)
    assert same_bits(layer(eight.astype("int16")), layer(eight.astype(np.float32)))


def test_a_scale_does_not_say_where_the_middle_of_unsigned_bytes_is() -> None:
    with pytest.raises(TypeError, match="128"):
        small_mel()(np.full(100, 128, np.uint8), scale=1 / 128)


DTYPES = [
    "?",
    "i1",
    "u1",
    "i2",
    "<i2",
    ">i2",
    "u2",
    "i4",
    "u4",
    "i8",
    "u8",
    "f2",
    "f4",
    "f8",
    ">f4",
]
DTYPES += ["c8", "S1", "S4", "U1", "V1", "V2", "O", "M8[s]"]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(DTYPES), st.sampled_from(list(ENTRIES)), st.sampled_from([None, 1 / 128]))
def test_any_dtype_is_taken_for_its_numbers_or_refused(
    dtype: str, entry: str, scale: float | None
) -> None:
    """Either the value of the float copy or a TypeError: never another reading of the memory."""
    is_mel, is_push = "mel" in entry, "push" in entry
    layer = small_mel(top_db=None) if is_mel else small_stft()
    x = (
        np.arange(1, 65)
        .astype("i2")
        .astype(dtype)
        .reshape((64,) if is_mel or is_push else (1, 64, 1))
    )

    def run(samples: Array) -> Array:
        call: Callable[..., Array] = layer.stream().push if is_push else layer
        return call(samples) if scale is None else call(samples, scale=scale)

    numbers = "f" + ("iub" if is_mel or scale else "")
    is_byte = x.itemsize == 1 and (x.dtype.kind == "u" or (x.dtype.kind == "i" and not scale))
    if x.dtype.kind in numbers and not is_byte:
        assert np.allclose(run(x), run(x.astype(np.float64)), atol=1e-5)
    else:
        with pytest.raises(TypeError, match=re.escape(f"dtype {x.dtype}")):
            run(x)


def test_clips_of_different_lengths() -> None:
    """Where they are no list of arrays, what is said names one."""
    clips = [np.zeros(4000, np.float32), np.zeros(3000, np.float32)]
    with pytest.raises(ValueError, match="a list of arrays"):
        small_mel()([clip.tolist() for clip in clips])
    objects = np.empty(2, object)
    objects[:] = clips
    for layer in (small_mel(), small_stft()):
        with pytest.raises(TypeError, match="a list of arrays"):
            layer(objects)
    # Also where no list of numbers is taken, and asarray would be advice that fails.
    with pytest.raises(ValueError, match="a list of arrays"):
        small_stft()([clip[:, None].tolist() for clip in clips])
    with pytest.raises(ValueError, match=r"pass numpy\.asarray\(x\)"):
        small_stft()([clips[0][:, None].tolist()])


FIELDS = np.array([(1, 2)] * 64, [("left", "<i2"), ("right", "<i2")])
OBJECTS: list[tuple[Any, str]] = [
    ([b"ab", b"cd"], "bytes are no samples"),
    (np.array([b"ab", b"cde"], object), "bytes are no samples"),
    (np.array([bytearray(b"ab"), None], object), "bytes are no samples"),
    ([memoryview(PCM.tobytes())] * 2, "bytes are no samples"),
    (np.array([1.0, None], object), r"of Python \(NoneType, float\): pass x\.astype\(numpy\.fl"),
    ([Decimal(1)] * 64, r"of Python \(Decimal\): pass x\.astype\(numpy\.float64\)"),
    (np.empty(0, object), r"pass x\.astype\(numpy\.float64\)"),
    (FIELDS, r"pass its fields as channels: numpy\.stack\("),
    (FIELDS.view(np.recarray), r"pass its fields as channels: numpy\.stack\("),
]


@pytest.mark.parametrize(("x", "way_out"), OBJECTS, ids=range(len(OBJECTS)))
def test_items_that_are_no_numbers(x: Any, way_out: str) -> None:
    for call in (small_mel(), small_mel(top_db=None).stream().push, small_mel().vjp):
        with pytest.raises(TypeError, match=way_out):
            call(x)


def test_fields_as_channels() -> None:
    x = FIELDS
    channels = np.stack([x[name] for name in x.dtype.names])
    expected = np.array([[1] * 64, [2] * 64], np.float32)
    assert same_bits(small_mel()(channels), small_mel()(expected))


class Text:
    """A tensor of TensorFlow that holds text: asked for DLPack, it ends the process."""

    dtype = SimpleNamespace(name="string")

    def __dlpack__(self, **_: Any) -> None:
        raise AssertionError("asked for DLPack")

    def __dlpack_device__(self) -> tuple[int, int]:
        raise AssertionError("asked for DLPack")


def test_text_is_refused_before_it_is_asked_for_memory() -> None:
    for layer in (small_mel(), small_stft()):
        with pytest.raises(TypeError, match=r"decode them first, by .*read_audio\("):
            layer(Text())
