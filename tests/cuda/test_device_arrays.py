# SPDX-License-Identifier: BSD-3-Clause
"""Both protocols: what is read from arrays of others, and what a DeviceArray tells others."""

from __future__ import annotations

import gc
import itertools
import pickle
import weakref
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from device_arrays import CUDA, Dlpack, Interface
from makers import Array, same_bits, small_mel
from signals import noise
from specfast import DeviceArray, _core
from specfast._engine import device_calls
from specfast._engine.device_views import kind_of

CPU = 1

HAS_VERSIONS = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


def view_of(x: Any) -> Any:
    kind = kind_of(x)
    assert kind is not None
    return kind.read(x, None, 0)


# ---- Arrays of others ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "i4", "u1", "?", "c8", "bfloat16"])
@pytest.mark.parametrize("versioned", [False, True])
def test_dlpack_says_where_an_array_lies(dtype: str, versioned: bool) -> None:
    x = np.zeros((3, 4, 10), ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    for values in (x, x[1:, ::-2, 1:8:3], x[0, 0, 0, ...], x[:0], x.T):
        view = view_of(Dlpack(values, versioned=versioned, device=(CUDA, 5)))
        assert view.address == values.__array_interface__["data"][0] or values.size == 0
        assert view.shape == values.shape
        assert view.dtype == values.dtype.name
        assert view.device == 5
        assert not view.is_read_only
        assert values.size == 0 or view.strides == values.strides


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", ">f4"])
def test_the_interface_says_where_an_array_lies(dtype: str) -> None:
    x = np.zeros((3, 4, 10), dtype)
    for values in (x, x[1:, ::-2, 1:8:3], x[0, 0, 0, ...], x.T):
        for read_only in (False, True):
            view = view_of(Interface(values, read_only=read_only))
            assert view.address == values.__array_interface__["data"][0]
            assert (view.shape, view.strides) == (values.shape, values.strides)
            assert view.dtype == (values.dtype.name if values.dtype.isnative else dtype)
            assert view.is_read_only == read_only
            assert view.owner.values is values


def test_the_device_of_an_array() -> None:
    class Both(Interface):
        def __dlpack_device__(self) -> tuple[int, int]:
            return CUDA, 5

    for array, device in ((Both(noise(3)), 5), (Interface(noise(3)), 2), (Dlpack(noise(3)), 0)):
        kind = kind_of(array)
        assert kind is not None
        assert kind.read(array, None, 2).device == device


def test_streams() -> None:
    x = noise(2, 300)
    for given, wanted in [(None, 1), (1, 1), (2, 2), (0x1234, 0x1234)]:
        assert view_of(Interface(x, stream=given)).stream == wanted
    array = Dlpack(x)
    assert view_of(array).stream == 1
    kind = kind_of(array)
    assert kind is not None
    assert kind.read(array, 77, 0).stream == 77
    assert array.streams == [1, 77]


@pytest.mark.usefixtures("gpu")
def test_the_caller_waits_for_streams_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[int, int]] = []
    monkeypatch.setattr(
        device_calls._core,
        "wait_for_stream",
        lambda device, stream: waits.append((device, stream)),
    )
    layer, x = small_mel(), noise(2, 300)
    out = np.empty(layer.compute_output_shape(x.shape), np.float32)
    layer(Interface(x, stream=5))
    assert waits == []
    # No library is known to let go of this memory in the order of the stream.
    layer(Interface(x, stream=5), out=Interface(out, stream=5))
    assert waits == [(0, 5)]
    layer(Interface(x, stream=5), out=Interface(out, stream=6))
    assert waits[1:] == [(0, 6), (0, 5)]


def test_memory_that_is_only_read() -> None:
    x = noise(3)
    x.flags.writeable = False
    if HAS_VERSIONS:
        assert view_of(Dlpack(noise(3), read_only=True)).is_read_only
        assert view_of(Dlpack(x)).is_read_only
    else:  # capsules without a version cannot say it, so NumPy makes none
        with pytest.raises(TypeError, match="must be an array that shares its memory.*writeable"):
            view_of(Dlpack(x))


@pytest.mark.parametrize("versioned", [False, True])
def test_memory_is_given_back(versioned: bool) -> None:
    x = noise(100)
    alive = weakref.ref(x)
    view = view_of(Dlpack(x, versioned=versioned))
    del x
    gc.collect()
    assert alive() is not None
    del view
    gc.collect()
    assert alive() is None


def test_capsules_that_cannot_be_read() -> None:
    capsule = noise(3).__dlpack__()
    _core.DlpackArray(capsule)
    with pytest.raises(ValueError, match="that nobody has taken.*used_dltensor"):
        _core.DlpackArray(capsule)
    with pytest.raises(TypeError):
        _core.DlpackArray(3)


def test_a_failing_producer() -> None:
    class Failing(Dlpack):
        def __dlpack__(self, **_: Any) -> Any:
            raise BufferError("not this one")

    with pytest.raises(TypeError, match="`x` must be an array that shares.*Failing.*not this one"):
        small_mel()(Failing(noise(2, 300)))

    class Contradicting(Dlpack):
        def __dlpack__(self, **others: Any) -> Any:
            return self.values.__dlpack__()

    with pytest.raises(TypeError, match="capsule is of device 1, not 2"):
        small_mel()(Contradicting(noise(2, 300)))


# ---- Ours ------------------------------------------------------------------------------------


class _OfCpu:
    """What a DeviceArray shares, for NumPy."""

    def __init__(self, array: DeviceArray, dtype: str) -> None:
        self._array, self._dtype = array, dtype

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU, 0

    def __dlpack__(self, **others: Any) -> Any:
        versioned = others.get("max_version") is not None
        address, shape = self._array.address, self._array.shape
        return _core.to_dlpack(address, shape, self._dtype, CPU, 0, self._array, versioned)


def result(x: Array, stream: int = 1, **arguments: Any) -> DeviceArray:
    y = small_mel(**arguments)(Interface(x, stream=stream))
    assert isinstance(y, DeviceArray)
    return y


@pytest.mark.usefixtures("gpu")
def test_facts() -> None:
    y = result(noise(2, 300))
    assert (y.shape, y.dtype, y.device) == ((2, 8, 19), np.float32, "cuda:0")
    assert y.strides == y.copy_to_host().strides
    assert repr(y) == "<DeviceArray of shape (2, 8, 19), float32, on cuda:0>"
    for shape in itertools.product((1, 2, 3), repeat=3):
        array = DeviceArray(shape, "float64", 0, 1)
        assert array.strides == np.empty(shape).strides
    assert DeviceArray((), "float64", 0, 1).strides == ()


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numpy_reads_what_is_shared(dtype: str) -> None:
    y = result(noise(2, 300), dtype=dtype)
    values = np.from_dlpack(_OfCpu(y, dtype))
    assert same_bits(np.ascontiguousarray(values), y.copy_to_host())
    y = DeviceArray((2, 3), dtype, 0, 1)
    gone = weakref.ref(y)
    shared = np.from_dlpack(_OfCpu(y, dtype))
    del y
    gc.collect()
    assert gone() is not None
    del shared
    gc.collect()
    assert gone() is None


@pytest.mark.usefixtures("gpu")
def test_a_capsule_that_nobody_takes() -> None:
    y = DeviceArray((2, 3), "float32", 0, 1)
    gone = weakref.ref(y)
    capsules = [y.__dlpack__(), y.__dlpack__(max_version=(1, 1)), y.__dlpack__(max_version=(0, 8))]
    assert ["versioned" in repr(capsule) for capsule in capsules] == [False, True, False]
    del y, capsules
    gc.collect()
    assert gone() is None


@pytest.mark.usefixtures("gpu")
def test_a_result_is_an_input() -> None:
    """A DeviceArray goes into the next layer, bfloat16 too."""
    x = noise(2, 3000)
    for dtype in ("float32", "float16", "bfloat16"):
        y = result(x, dtype=dtype, fft_length=64, sequence_stride=16)
        z = small_mel(top_db=None)(y).copy_to_host()
        assert same_bits(z, small_mel(top_db=None, device="cuda")(y.copy_to_host()))
    view = view_of(y)
    assert (view.address, view.shape, view.strides) == (y.address, y.shape, y.strides)
    assert view.dtype == "bfloat16"


@pytest.mark.usefixtures("gpu")
def test_the_interface() -> None:
    y = result(noise(2, 300), stream=7)
    facts = y.__cuda_array_interface__
    assert facts == {
        "shape": y.shape,
        "typestr": "<f4",
        "data": (y.address, False),
        "strides": None,
        "stream": 7,
        "version": 3,
    }
    assert not hasattr(result(noise(2, 300), dtype="bfloat16"), "__cuda_array_interface__")
    assert result(np.zeros((0, 300), "f4")).__cuda_array_interface__["data"] == (0, False)


@pytest.mark.usefixtures("gpu")
def test_readers_wait_in_other_streams_only(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[int, int]] = []
    y = result(noise(2, 300), stream=7)
    monkeypatch.setattr(_core, "wait_for_stream", lambda *where: waits.append(where))
    y.__dlpack__(stream=7)
    y.__dlpack__(stream=-1)
    assert waits == []
    y.__dlpack__()
    y.__dlpack__(stream=2)
    assert waits == [(0, 7)]  # from then on the array is complete
    with pytest.raises(ValueError, match="`stream` must be"):
        y.__dlpack__(stream=0)
    for wrong in ({"copy": True}, {"dl_device": (1, 0)}):
        with pytest.raises(BufferError, match="shared where it is, on cuda:0"):
            y.__dlpack__(**wrong)


@pytest.mark.usefixtures("gpu")
def test_a_stream_that_has_been_waited_for_is_used_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have been destroyed; and another thread means another stream by 2."""
    y = result(noise(2, 300), stream=7)
    y.copy_to_host()
    waits: list[tuple[int, int]] = []
    monkeypatch.setattr(_core, "wait_for_stream", lambda *where: waits.append(where))
    y.__dlpack__(stream=9)
    assert waits == []
    assert y.__cuda_array_interface__["stream"] is None
    z = small_mel()(Interface(noise(2, 300), stream=2))
    assert waits == [(0, 2)]
    assert z.__cuda_array_interface__["stream"] is None


@pytest.mark.usefixtures("gpu")
def test_samples_stay_until_they_have_been_read() -> None:
    x = Dlpack(noise(2, 300))
    alive = weakref.ref(x.values)
    y = small_mel()(x)
    del x
    gc.collect()
    assert alive() is not None
    y.copy_to_host()
    gc.collect()
    assert alive() is None


@pytest.mark.usefixtures("gpu")
def test_numpy_and_pickle_refuse() -> None:
    y = result(noise(2, 300))
    with pytest.raises(TypeError, match=r"in the memory of cuda:0: call copy_to_host\(\)"):
        np.asarray(y)
    with pytest.raises(TypeError):
        pickle.dumps(y)
