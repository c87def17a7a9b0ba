# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.torch.FeatureExtractor`: values, gradients, torch.compile, and what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from feature_cases import WITH_GRADIENT, WITHOUT_GRADIENT, spec_of

import specfast
from specfast import presets
from specfast import torch as adapter


def signals(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def both(name: str) -> tuple[adapter.FeatureExtractor, specfast.FeatureExtractor]:
    spec = spec_of(name)
    return adapter.FeatureExtractor(spec), specfast.FeatureExtractor(spec)


@pytest.mark.parametrize("name", [*WITH_GRADIENT, *WITHOUT_GRADIENT])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.int16])
def test_values(name: str, dtype: torch.dtype) -> None:
    module, plain = both(name)
    x = (signals(2, 3, 4000) * 50).to(dtype)
    np.testing.assert_array_equal(module(x), plain(x.numpy()), strict=True)


@pytest.mark.parametrize("name", WITH_GRADIENT)
@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_are_those_of_the_engine(name: str, compiled: bool) -> None:
    module, plain = both(name)
    call = torch.compile(module, fullgraph=True) if compiled else module
    x = signals(2, 4000).requires_grad_()
    y, pullback = plain.vjp(x.detach().numpy())
    cotangent = signals(*y.shape)
    output = call(x)
    np.testing.assert_array_equal(output.detach(), y)
    output.backward(cotangent)
    np.testing.assert_array_equal(x.grad, pullback(cotangent.numpy()).signal)


@pytest.mark.parametrize(("name", "field"), WITHOUT_GRADIENT.items())
def test_no_gradient_is_a_matter_of_the_backward_pass(name: str, field: str) -> None:
    module, plain = both(name)
    x = signals(4000).requires_grad_()
    y = module(x)
    np.testing.assert_array_equal(y.detach(), plain(x.detach().numpy()))
    with pytest.raises(ValueError, match=rf"{field}.*gradient|gradient.*{field}"):
        y.sum().backward()


@pytest.mark.parametrize("name", ["whisper", "nemo", "kaldi_fbank"])
def test_vmap(name: str) -> None:
    module, plain = both(name)
    x = signals(3, 2, 2000)
    np.testing.assert_array_equal(
        torch.func.vmap(module)(x), np.stack([plain(clip) for clip in x.numpy()])
    )
    gradient = torch.func.vmap(torch.func.grad(lambda x: module(x).sum()))(x)
    y, pullback = plain.vjp(x.numpy()[1])
    np.testing.assert_array_equal(gradient[1], pullback(np.ones_like(y)).signal)


def test_compiled_with_lengths_that_vary() -> None:
    module, plain = both("whisper")
    call = torch.compile(module, fullgraph=True, dynamic=True)
    for length in (2000, 2160, 4001):
        x = signals(2, length)
        np.testing.assert_array_equal(call(x), plain(x.numpy()))


def test_operators() -> None:
    module, _ = both("kaldi_fbank")
    (function,) = set(module._functions.values())
    x = signals(2, 1000).requires_grad_()
    # Not "test_autograd_registration"'s second derivatives, which there are none of.
    torch.library.opcheck(
        torch.ops.specfast.spectrogram.default,
        (x, [], function.key, True, True),
        test_utils=("test_schema", "test_faketensor", "test_autograd_registration"),
    )


def test_copies() -> None:
    module, _ = both("nemo")
    x = signals(2000)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        np.testing.assert_array_equal(other(x), module(x))
    assert "FeatureSpec" in repr(module)


def test_what_is_refused() -> None:
    module, _ = both("kaldi_fbank")
    x = signals(2000)
    with pytest.raises(NotImplementedError, match="compute its features before it"):
        torch.jit.trace(module, (x,))
    with pytest.raises(NotImplementedError, match="FeatureExtractor"):
        torch.func.jvp(module, (x,), (x,))
    module.portable = True
    with pytest.raises(NotImplementedError, match="portable=True"):
        module(x)
    with pytest.raises(TypeError, match="`spec` must be a FeatureSpec"):
        adapter.FeatureExtractor(presets.get("whisper"))
    with pytest.raises(TypeError, match="must be a tensor of torch"):
        adapter.FeatureExtractor(presets.spec("whisper"))(x.numpy())


def test_other_devices_are_refused_by_name() -> None:
    from specfast._adapters import torch_operators

    module, _ = both("kaldi_fbank")

    class Elsewhere:
        device = torch.device("cuda:0")

    (function,) = set(module._functions.values())
    with pytest.raises(TypeError, match=r"x\.cpu\(\).*cuda:0"):
        torch_operators.spectrogram(function, Elsewhere(), [])
