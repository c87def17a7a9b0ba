# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.torch.ISTFT`: values, gradients of every order, torch.compile and torch.func."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import specfast
from specfast import torch as adapter

SIZES = {"frame_length": 16, "frame_step": 4, "fft_length": 16, "window": "hann"}
FORMS: dict[str, dict[str, Any]] = {
    "complex": {"layout": "bins_frames", "padding": "center"},
    "frames first": {"layout": "frames_bins", "padding": "valid", "window": "hamming"},
    "layer": {"layout": "layer", "padding": "center"},
    "channels first": {
        "layout": "layer",
        "padding": "center",
        "data_format": "channels_first",
        "expand_dims": True,
    },
}
SHAPES = {
    "complex": (2, 9, 7),
    "frames first": (7, 9),
    "layer": (2, 7, 36),
    "channels first": (2, 1, 7, 18),
}
forms = pytest.mark.parametrize("form", FORMS)


def both(form: str, **more: Any) -> tuple[adapter.ISTFT, specfast.ISTFT]:
    arguments = {**SIZES, **FORMS[form], **more}
    return adapter.ISTFT(**arguments), specfast.ISTFT(**{"dtype": "float32", **arguments})


def spectra(form: str, *, double: bool = False) -> torch.Tensor:
    real, of_complex = torch.float64, torch.complex128
    dtype = of_complex if FORMS[form]["layout"] != "layer" else real
    x = torch.randn(SHAPES[form], dtype=dtype, generator=torch.Generator().manual_seed(1))
    return x if double else x.to(torch.complex64 if dtype == of_complex else torch.float32)


@forms
@pytest.mark.parametrize("length", [None, 20])
def test_values(form: str, length: int | None) -> None:
    module, plain = both(form)
    x = spectra(form)
    np.testing.assert_array_equal(module(x, length), plain(x.numpy(), length=length), strict=True)
    double = both(form, dtype="float64")[1](spectra(form, double=True).numpy(), length=length)
    np.testing.assert_array_equal(module(spectra(form, double=True), length), double, strict=True)
    fixed = both(form, dtype=torch.float32)[0](spectra(form, double=True), length)
    assert fixed.dtype == torch.float32


@forms
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_are_those_of_the_engine(form: str, compiled: bool) -> None:
    module, plain = both(form)
    call = torch.compile(module, fullgraph=True) if compiled else module
    x = spectra(form).requires_grad_()
    y, pullback = plain.vjp(x.detach().numpy(), length=22)
    output = call(x, 22)
    np.testing.assert_array_equal(output.detach(), y)
    cotangent = torch.randn(y.shape, generator=torch.Generator().manual_seed(2))
    output.backward(cotangent)
    np.testing.assert_array_equal(x.grad, pullback(cotangent.numpy()))


@forms
def test_gradients_of_gradients(form: str) -> None:
    module = both(form)[0]
    x = spectra(form, double=True).requires_grad_()
    assert torch.autograd.gradcheck(module, (x, 22), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda z: module(z, 22) ** 2, (x,), fast_mode=True)


@forms
def test_operators_keep_the_rules_of_torch(form: str) -> None:
    module = both(form)[0]
    x = spectra(form).requires_grad_()
    (key, *_) = module._keys.values()
    torch.library.opcheck(torch.ops.specfast.inverse.default, (x, key, None))
    torch.library.opcheck(torch.ops.specfast.inverse.default, (x, key, 22))
    y = module(x, 22).detach().requires_grad_()
    arguments = (y, list(x.shape), 22, key)
    torch.library.opcheck(torch.ops.specfast.inverse_pull_back.default, arguments)


@forms
def test_function_transforms(form: str) -> None:
    module = both(form)[0]
    x = torch.stack([spectra(form), 2 * spectra(form).flip(0)], dim=1)

    def energy(z: torch.Tensor) -> torch.Tensor:
        return (module(z) ** 2).sum()

    mapped = torch.func.vmap(module, in_dims=1)(x)
    gradients = torch.func.vmap(torch.func.grad(energy), in_dims=1)(x)
    for number, each in enumerate(x.unbind(1)):
        np.testing.assert_array_equal(mapped[number], module(each))
        z = each.clone().requires_grad_()
        energy(z).backward()
        np.testing.assert_array_equal(gradients[number], z.grad)
        # The energy is quadratic, so that its second derivative along z is the first one at z.
        along = torch.func.vjp(torch.func.grad(energy), each)[1](each)[0]
        torch.testing.assert_close(along, gradients[number], rtol=1e-5, atol=1e-5)


def test_sizes_that_change_are_compiled_once() -> None:
    module, plain = both("complex")
    graphs: list[Any] = []

    def count(graph: Any, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    call = torch.compile(module, backend=count, dynamic=True, fullgraph=True)
    for frames in (5, 8, 13):
        x = torch.randn(3, 9, frames, dtype=torch.complex64)
        np.testing.assert_array_equal(call(x), plain(x.numpy()))
    assert len(graphs) == 1


def test_it_is_a_module() -> None:
    module = both("complex")[0]
    x = spectra("complex")
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        np.testing.assert_array_equal(twin(x), module(x))
    assert "frame_length=16" in repr(module)
    transform = adapter.STFTSpectrogram(mode="stft", padding="same", **SIZES)
    back = adapter.ISTFT(**SIZES, padding="same", scaling="density")
    signal = torch.randn(1, 40, 1)
    torch.testing.assert_close(back(transform(signal), 40), signal, rtol=0, atol=1e-5)


def test_what_is_refused() -> None:
    module = both("complex")[0]
    x = spectra("complex")
    with pytest.raises(TypeError, match=r"tensor of torch: pass torch.from_numpy"):
        module(x.numpy())
    with pytest.raises(TypeError, match="`spectra` must be complex64"):
        module(x.real)
    with pytest.raises(ValueError, match=r"9 bins.*\(2, 8, 7\)"):
        module(x[:, :8])
    with pytest.raises(ValueError, match="`length` must be at most"):
        module(x, 1000)
    with pytest.raises(ValueError, match="`dtype` must be float32"):
        both("complex", dtype="float16")
    with pytest.raises(NotImplementedError, match=r"torch\.istft has"):
        torch.export.export(module, (x,))
