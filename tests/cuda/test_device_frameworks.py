# SPDX-License-Identifier: BSD-3-Clause
"""Arrays of torch, CuPy and JAX, by stand-ins with the attributes that are used of them.

The real ones take part in the checks on a GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from device_arrays import Dlpack
from makers import Array, same_bits, small_mel, small_stft
from signals import noise
from specfast import DeviceArray
from specfast._engine.device_views import kind_of

pytestmark = pytest.mark.usefixtures("gpu")


class Tensor:
    """Stands for torch.Tensor."""

    def __init__(self, values: Array, device: str = "cuda", kind: int = 2, **others: Any) -> None:
        self.values = values
        self.device = SimpleNamespace(type=device, index=0)
        self.dtype = f"torch.{values.dtype}"
        self.shape = list(values.shape)
        self.kind = kind
        self.is_nested, self.layout, self.requires_grad = False, "strided", False
        self.__dict__.update(others)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.kind, 0

    def data_ptr(self) -> int:
        return int(self.values.__array_interface__["data"][0])

    def stride(self) -> list[int]:
        return [stride // self.values.itemsize for stride in self.values.strides]

    def element_size(self) -> int:
        return self.values.itemsize

    def resolve_conj(self) -> Tensor:
        return self

    resolve_neg = resolve_conj


class CupyArray:
    """Stands for cupy.ndarray."""

    def __init__(self, values: Array) -> None:
        self.values = values
        self.shape, self.strides, self.dtype = values.shape, values.strides, values.dtype
        self.data = SimpleNamespace(ptr=values.__array_interface__["data"][0])
        self.device = Device()

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0


class Device:
    """Stands for cupy.cuda.Device."""

    id = 0
    current = 0

    def __enter__(self) -> None:
        Device.current += 1

    def __exit__(self, *_: Any) -> None:
        Device.current -= 1


class JaxArray(Dlpack):
    """Stands for jax.Array."""


def torch_empty(shape: Any, *, dtype: Any, device: Any) -> Tensor:
    return Tensor(np.full(shape, np.nan, dtype), device.type)


def cupy_empty(shape: Any, dtype: Any) -> CupyArray:
    assert Device.current == 1
    return CupyArray(np.full(shape, np.nan, dtype))


def cupy_stream() -> Any:
    assert Device.current == 1
    return SimpleNamespace(ptr=0x77)


def from_dlpack(y: Any) -> JaxArray:
    assert isinstance(y, DeviceArray)
    y.__dlpack__(stream=9)
    return JaxArray(y.copy_to_host())


@pytest.fixture(autouse=True)
def frameworks() -> Iterator[None]:
    """Puts stand-ins into the place of the modules."""
    functorch = SimpleNamespace(is_functorch_wrapped_tensor=lambda _: False)
    torch = SimpleNamespace(
        Tensor=Tensor,
        strided="strided",
        _C=SimpleNamespace(_functorch=functorch),
        cuda=SimpleNamespace(current_stream=lambda _: SimpleNamespace(cuda_stream=0x55)),
        empty=torch_empty,
        float32=np.float32,
        float16=np.float16,
    )
    cupy = SimpleNamespace(
        ndarray=CupyArray,
        empty=cupy_empty,
        cuda=SimpleNamespace(get_current_stream=cupy_stream),
    )
    jax = SimpleNamespace(Array=JaxArray, dlpack=SimpleNamespace(from_dlpack=from_dlpack))
    with pytest.MonkeyPatch.context() as patch:
        for name, module in (("torch", torch), ("cupy", cupy), ("jax", jax)):
            patch.setitem(sys.modules, name, module)
        yield


@pytest.mark.parametrize("wrap", [Tensor, CupyArray, JaxArray])
def test_results_are_of_the_kind_of_the_samples(wrap: Any) -> None:
    x = noise(2, 900)[:, ::2]
    expected = small_mel(device="cuda")(x)
    result = small_mel()(wrap(x))
    assert type(result) is wrap
    assert same_bits(result.values, expected)
    half = small_stft(dtype="float16")(wrap(x[..., None]))
    assert same_bits(half.values, small_stft(dtype="float16", device="cuda")(x[..., None]))


@pytest.mark.parametrize(("wrap", "stream"), [(Tensor, 0x55), (CupyArray, 0x77), (JaxArray, 1)])
def test_work_is_put_into_the_current_stream(wrap: Any, stream: int) -> None:
    x = noise(2, 900)[:, ::2]
    array = wrap(x)
    kind = kind_of(array)
    assert kind is not None
    view = kind.read(array, None, 0)
    assert view.stream == stream
    assert (view.shape, view.strides, view.dtype) == (x.shape, x.strides, "float32")


@pytest.mark.parametrize("wrap", [Tensor, CupyArray])
def test_out(wrap: Any) -> None:
    x = noise(2, 900)
    expected = small_mel(device="cuda")(x)
    out = wrap(np.full(expected.shape, np.nan, np.float32))
    assert small_mel()(wrap(x), out=out) is out
    assert same_bits(out.values, expected)


def test_arrays_of_jax_cannot_be_written_to() -> None:
    x = noise(2, 900)
    out = JaxArray(np.empty(small_mel().compute_output_shape(x.shape), np.float32))
    with pytest.raises(ValueError, match="`out` must be writable"):
        small_mel()(JaxArray(x), out=out)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"requires_grad": True}, "requires a gradient"),
        ({"layout": "sparse"}, "that is sparse"),
        ({"device": "mps"}, "not in CPU memory"),
        ({"device": "meta"}, "on the device meta"),
        ({"kind": 10}, "on a device of ROCm"),
    ],
)
def test_tensors_that_are_refused(others: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        small_mel()(Tensor(noise(2, 900), **others))


def test_an_out_that_would_be_a_copy() -> None:
    """A tensor of torch with a negative bit is resolved into new memory."""
    x = noise(2, 900)
    values = np.empty(small_mel().compute_output_shape(x.shape), np.float32)
    copy = Tensor(values.copy())
    out = Tensor(values, resolve_conj=lambda: SimpleNamespace(resolve_neg=lambda: copy))
    with pytest.raises(ValueError, match="`out` must be writable"):
        small_mel()(Tensor(x), out=out)
    with pytest.raises(TypeError, match="`out` must be an array on cuda:0.*requires a gradient"):
        small_mel()(Tensor(x), out=Tensor(values, requires_grad=True))
