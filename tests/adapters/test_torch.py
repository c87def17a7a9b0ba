# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.torch`: modules, autograd, torch.compile, and torch's own checks of operators."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch

import specfast
from specfast import torch as adapter

STFT_CASES: list[dict[str, Any]] = [
    {"mode": "stft", "frame_length": 16},
    {"mode": "log", "frame_length": 16, "padding": "same", "expand_dims": True},
    {"mode": "real", "frame_length": 16, "frame_step": 5, "data_format": "channels_first"},
    {"mode": "imag", "frame_length": 16, "trainable": False},
]
MEL = {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8}


def signals(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def kernels_of(module: adapter.STFTSpectrogram) -> list[torch.Tensor]:
    return [getattr(module, name) for name in module.layer.pipeline.weight_names]


def trained(module: adapter.STFTSpectrogram) -> None:
    with torch.no_grad():
        for kernel in kernels_of(module):
            kernel += 0.1 * torch.randn_like(kernel)


# ---- Values and states -----------------------------------------------------------------------


@pytest.mark.parametrize("arguments", STFT_CASES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values(arguments: dict[str, Any], dtype: torch.dtype) -> None:
    module = adapter.STFTSpectrogram(**arguments, dtype=dtype)
    plain = specfast.STFTSpectrogram(**arguments, dtype=str(dtype).removeprefix("torch."))
    x = signals(2, 100, 100, dtype=dtype)
    for _ in range(2):
        y = module(x)
        assert y.dtype == dtype
        assert y.requires_grad == module.layer.trainable
        np.testing.assert_array_equal(y.detach(), plain(x.numpy()))
        with torch.no_grad():
            np.testing.assert_array_equal(module(x), plain(x.numpy()))
        trained(module)
        plain.set_weights([kernel.detach().numpy() for kernel in kernels_of(module)])


def test_mel_values() -> None:
    x = signals(2, 500)
    plain = specfast.MelSpectrogram(**MEL)
    np.testing.assert_array_equal(adapter.MelSpectrogram(**MEL)(x), plain(x.numpy()))
    wide = x.double()
    expected = specfast.MelSpectrogram(**MEL, dtype="float64")(wide.numpy())
    np.testing.assert_array_equal(adapter.MelSpectrogram(**MEL)(wide), expected)
    assert adapter.MelSpectrogram(**MEL, dtype=torch.float32)(wide).dtype == torch.float32
    integers = (1000 * x).to(torch.int16)
    np.testing.assert_array_equal(adapter.MelSpectrogram(**MEL)(integers), plain(integers.numpy()))


def test_parameters_and_buffers() -> None:
    module = adapter.STFTSpectrogram(frame_length=32)
    shapes = {name: tuple(p.shape) for name, p in module.named_parameters()}
    assert shapes == {"real_kernel": (32, 1, 17), "imag_kernel": (32, 1, 17)}
    frozen = adapter.STFTSpectrogram(frame_length=32, trainable=False)
    assert not list(frozen.parameters())
    assert [name for name, _ in frozen.named_buffers()] == list(shapes)
    assert not list(adapter.MelSpectrogram(**MEL).parameters())

    trained(module)
    frozen.load_state_dict(module.state_dict())
    x = signals(1, 100, 1)
    expected = module(x).detach()
    torch.testing.assert_close(frozen(x), expected, rtol=0, atol=0)
    torch.testing.assert_close(copy.deepcopy(module)(x).detach(), expected, rtol=0, atol=0)
    stored = io.BytesIO()
    torch.save(module, stored)
    stored.seek(0)
    again = torch.load(stored, weights_only=False)
    torch.testing.assert_close(again(x).detach(), expected, rtol=0, atol=0)


def test_strides_and_memory() -> None:
    """Tensors are read where they lie, and kernels that change in place are seen."""
    module = adapter.STFTSpectrogram(frame_length=16, trainable=False)
    x = signals(3, 1, 200)
    turned = x.transpose(1, 2)[::2]
    torch.testing.assert_close(module(turned), module(turned.contiguous()), rtol=0, atol=0)
    before = module(turned)
    module.real_kernel.mul_(2)
    assert not torch.equal(module(turned), before)


# ---- Gradients -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["psd", "log", "stft", "real", "imag"])
def test_gradcheck(mode: str) -> None:
    module = adapter.STFTSpectrogram(mode=mode, frame_length=8, frame_step=4, dtype="float64")
    trained(module)
    x = signals(1, 30, 2, dtype=torch.float64).requires_grad_()
    names = module.layer.pipeline.weight_names

    def call(x: torch.Tensor, *kernels: torch.Tensor) -> torch.Tensor:
        named = dict(zip(names, kernels, strict=True))
        return torch.func.functional_call(module, named, (x,))

    assert torch.autograd.gradcheck(call, (x, *kernels_of(module)))


def test_mel_gradcheck() -> None:
    module = adapter.MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4)
    assert torch.autograd.gradcheck(
        module, (signals(2, 40, dtype=torch.float64).requires_grad_(),)
    )


def test_gradients_of_two_calls_in_any_order() -> None:
    """What one call leaves for its pullback is not taken for another's."""
    module = adapter.STFTSpectrogram(frame_length=32)
    trained(module)
    x, z = signals(2, 200, 1), 2 * signals(2, 200, 1) + 1
    expected = [torch.autograd.grad(module(v).sum(), module.real_kernel)[0] for v in (x, z)]
    both = [module(v).sum() for v in (x, z)]
    for index in (0, 1, 0):
        (found,) = torch.autograd.grad(both[index], module.real_kernel, retain_graph=True)
        torch.testing.assert_close(found, expected[index], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", ["magnitude", "psd", "log"])
def test_gradgradcheck(mode: str) -> None:
    module = adapter.STFTSpectrogram(mode=mode, frame_length=4, frame_step=2, dtype="float64")
    trained(module)
    x = signals(1, 8, 1, dtype=torch.float64).requires_grad_()
    names = module.layer.pipeline.weight_names

    def call(x: torch.Tensor, *kernels: torch.Tensor) -> torch.Tensor:
        named = dict(zip(names, kernels, strict=True))
        return torch.func.functional_call(module, named, (x,))

    assert torch.autograd.gradgradcheck(call, (x, *kernels_of(module)))


def test_training() -> None:
    module = adapter.STFTSpectrogram(mode="psd", frame_length=32)
    x = signals(4, 200, 1)
    target = adapter.STFTSpectrogram(mode="psd", frame_length=32, window="hamming")(x).detach()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.mse_loss(module(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


# ---- What torch asks of an operator ----------------------------------------------------------


@pytest.mark.parametrize("arguments", STFT_CASES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.filterwarnings("ignore::UserWarning:torch")
def test_opcheck(arguments: dict[str, Any], dtype: torch.dtype) -> None:
    module = adapter.STFTSpectrogram(**arguments).to(dtype)
    x, kernels = signals(2, 60, 60, dtype=dtype), kernels_of(module)
    operators, key = torch.ops.specfast, module._functions[dtype].key
    moving = x.clone().requires_grad_()
    torch.library.opcheck(operators.spectrogram, (moving, kernels, key, True, False))
    frozen = [kernel.detach() for kernel in kernels]
    torch.library.opcheck(operators.spectrogram, (x, frozen, key, False, True))
    cotangent = torch.ones_like(module(x).detach())
    for wanted in ((True, True), (True, False), (False, True)):
        torch.library.opcheck(
            operators.spectrogram_pull_back, (x, frozen, cotangent, key, *wanted)
        )


def test_opcheck_of_mel() -> None:
    module = adapter.MelSpectrogram(**MEL)
    x = signals(2, 300).requires_grad_()
    key = module._functions[torch.float32].key
    torch.library.opcheck(torch.ops.specfast.spectrogram, (x, [], key, True, True))


@pytest.mark.parametrize("dynamic", [False, True])
def test_compiled_without_a_graph_break(dynamic: bool) -> None:
    torch.compiler.reset()
    model = torch.nn.Sequential(
        adapter.STFTSpectrogram(frame_length=64, padding="same"), torch.nn.Linear(33, 4)
    )
    compiled = torch.compile(model, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for num_samples in (500, 700) if dynamic else (500,):
        x = signals(2, num_samples, 1)
        torch.testing.assert_close(compiled(x), model(x))
        model.zero_grad()
        compiled(x).sum().backward()
        found = model[0].real_kernel.grad.clone()
        model.zero_grad()
        model(x).sum().backward()
        torch.testing.assert_close(found, model[0].real_kernel.grad)
    mel = adapter.MelSpectrogram(**MEL)
    x = signals(2, 500)
    torch.testing.assert_close(
        torch.compile(mel, fullgraph=True, backend="aot_eager")(x), mel(x), rtol=0, atol=0
    )


# ---- Errors ----------------------------------------------------------------------------------


def test_errors() -> None:
    module = adapter.STFTSpectrogram(frame_length=64)
    with pytest.raises(ValueError, match="too short"):
        module(signals(1, 20, 1))
    with pytest.raises(TypeError, match="Invalid input type"):
        module(torch.ones(1, 200, 1, dtype=torch.int32))
    with pytest.raises(TypeError, match="Invalid input type"):
        module(signals(1, 200, 1).bfloat16())
    with pytest.raises(TypeError, match="kernels must be float32 or float64"):
        module.half()(signals(1, 200, 1))
    with pytest.raises(ValueError, match="`dtype` must be"):
        adapter.STFTSpectrogram(dtype=torch.float16)
    with pytest.raises(TypeError, match=r"computes on the CPU.*portable=True"):
        adapter.MelSpectrogram()(_Elsewhere())


class _Elsewhere(torch.Tensor):
    """Is a tensor on a device that this machine need not have."""

    @staticmethod
    def __new__(cls) -> Any:
        make: Any = torch.Tensor._make_wrapper_subclass  # type: ignore[attr-defined]
        return make(cls, (1, 200), dtype=torch.float32, device="xpu:0")

    @classmethod
    def __torch_dispatch__(cls, *_: Any) -> Any:
        raise AssertionError("something was computed")
