# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.torch` under every transform and derivative of torch: each gives the right value.

The judge is torch itself, on the composed function in float64; that one in turn is judged by the
engine and by differences.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import forward_ad

import specfast
from specfast import torch as adapter

Module = adapter.STFTSpectrogram | adapter.MelSpectrogram
Call = Callable[[Module, torch.Tensor], Any]

STFT: dict[str, Any] = {"frame_length": 8, "frame_step": 4, "dtype": torch.float64}
MEL: dict[str, Any] = {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4}
LAYERS: dict[str, Callable[[], Module]] = {
    "log": lambda: adapter.STFTSpectrogram(mode="log", padding="same", **STFT),
    "magnitude": lambda: adapter.STFTSpectrogram(mode="magnitude", expand_dims=True, **STFT),
    "psd": lambda: adapter.STFTSpectrogram(mode="psd", trainable=False, **STFT),
    "imag": lambda: adapter.STFTSpectrogram(mode="imag", data_format="channels_first", **STFT),
    "angle": lambda: adapter.STFTSpectrogram(mode="angle", **STFT),
    "batch": lambda: adapter.MelSpectrogram(top_db=10, **MEL),
    "clip": lambda: adapter.MelSpectrogram(top_db=10, top_db_scope="clip", **MEL),
    "energy": lambda: adapter.MelSpectrogram(power_to_db=False, mag_exp=1.0, **MEL),
}


def make(name: str) -> tuple[Module, torch.Tensor]:
    """Returns a module with trained kernels, if any, and three examples of different loudness."""
    generator = torch.Generator().manual_seed(3)
    module = LAYERS[name]()
    with torch.no_grad():
        for kernel in (*module.parameters(), *module.buffers()):
            kernel += 0.1 * torch.randn(kernel.shape, generator=generator, dtype=kernel.dtype)
    shape = (2, 18, 2) if name in ("log", "magnitude", "psd", "angle") else (2, 2, 18)
    x = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
    return module, x * torch.tensor([0.01, 1.0, 3.0], dtype=torch.float64).reshape(3, 1, 1, 1)


def loss_of(module: Module) -> Callable[..., torch.Tensor]:
    names = [name for name, _ in module.named_parameters()]

    def loss(x: torch.Tensor, *kernels: torch.Tensor) -> torch.Tensor:
        given = dict(zip(names, kernels, strict=False))
        return torch.sin(torch.func.functional_call(module, given, (x,))).sum()

    return loss


def kernels_of(module: Module) -> tuple[torch.Tensor, ...]:
    return tuple(kernel.detach() for kernel in module.parameters())


def every(module: Module) -> tuple[int, ...]:
    return tuple(range(1 + len(kernels_of(module))))


# ---- The transforms --------------------------------------------------------------------------


def per_example(module: Module, x: torch.Tensor) -> Any:
    gradient = torch.func.grad(loss_of(module), argnums=every(module))
    axes = (0,) + (None,) * len(kernels_of(module))
    return torch.func.vmap(gradient, in_dims=axes)(x, *kernels_of(module))


def kernels_mapped(module: Module, x: torch.Tensor) -> Any:
    kernels = [torch.stack([k, 2 * k, k + 1]) for k in kernels_of(module)]
    return torch.func.vmap(loss_of(module))(x, *kernels)


def pulled_back(module: Module, x: torch.Tensor) -> Any:
    output, pull_back = torch.func.vjp(module, x[1])
    return output, pull_back(torch.cos(output))


def pushed(module: Module, x: torch.Tensor) -> Any:
    primals = (x[1], *kernels_of(module))
    return torch.func.jvp(loss_of(module), primals, tuple(map(torch.ones_like, primals)))


def dual(module: Module, x: torch.Tensor) -> Any:
    with forward_ad.dual_level():
        output = module(forward_ad.make_dual(x[1], torch.ones_like(x[1])))
        return tuple(forward_ad.unpack_dual(output))


def dual_of_gradient(module: Module, x: torch.Tensor) -> Any:
    with forward_ad.dual_level():
        moving = forward_ad.make_dual(x[1].clone().requires_grad_(), torch.ones_like(x[1]))
        (gradient,) = torch.autograd.grad(loss_of(module)(moving), moving, create_graph=True)
        return tuple(forward_ad.unpack_dual(gradient))


def penalty(module: Module, x: torch.Tensor) -> Any:
    """Gradients of loss + |gradients|^2, for samples and kernels."""
    inputs = [x[1].clone().requires_grad_(), *module.parameters()]
    loss = loss_of(module)(inputs[0])
    gradients = torch.autograd.grad(loss, inputs, create_graph=True)
    total = loss + sum((gradient**2).sum() for gradient in gradients)
    return torch.autograd.grad(total, inputs)


def third(module: Module, x: torch.Tensor) -> Any:
    value = x[1].clone().requires_grad_()
    result = loss_of(module)(value)
    for _ in range(2):
        (gradient,) = torch.autograd.grad(result, value, create_graph=True)
        result = (gradient**2).sum()
    return torch.autograd.grad(result, value)


def batched_backward(module: Module, x: torch.Tensor) -> Any:
    value = x[1].clone().requires_grad_()
    output = module(value)
    cotangents = torch.stack([torch.ones_like(output), torch.cos(output)])
    return torch.autograd.grad(output, value, cotangents, is_grads_batched=True)


def penalty_by_functions(module: Module, x: torch.Tensor) -> Any:
    gradient = torch.func.grad(loss_of(module))
    return torch.func.vmap(torch.func.grad(lambda x: (gradient(x) ** 2).sum()))(x)


def in_columns(module: Module, x: torch.Tensor) -> Any:
    return torch.func.vmap(module, in_dims=1, out_dims=-1)(x.transpose(0, 1))


def jacobian(**how: Any) -> Call:
    return lambda module, x: torch.autograd.functional.jacobian(module, x[1, :1, :9], **how)


def hessian(**how: Any) -> Call:
    return lambda m, x: torch.autograd.functional.hessian(loss_of(m), x[1, :1], **how)


TRANSFORMS: dict[str, Call] = {
    "vmap": lambda m, x: torch.func.vmap(m)(x),
    "vmap of an inner axis": in_columns,
    "vmap twice": lambda m, x: torch.func.vmap(torch.func.vmap(m))(x[:, :, None]),
    "vmap of kernels": kernels_mapped,
    "grad": lambda m, x: torch.func.grad(loss_of(m), argnums=every(m))(x[1], *kernels_of(m)),
    "gradients per example": per_example,
    "vjp": pulled_back,
    "jvp": pushed,
    "linearize": lambda m, x: torch.func.linearize(m, x[1])[1](torch.ones_like(x[1])),
    "jacrev": lambda m, x: torch.func.jacrev(m)(x[1]),
    "jacfwd": lambda m, x: torch.func.jacfwd(m)(x[1]),
    "hessian": lambda m, x: torch.func.hessian(loss_of(m))(x[1, :1]),
    "jacrev of jacrev": lambda m, x: torch.func.jacrev(torch.func.jacrev(loss_of(m)))(x[1, :1]),
    "penalty by functions": penalty_by_functions,
    "dual numbers": dual,
    "dual numbers of a gradient": dual_of_gradient,
    "penalty": penalty,
    "third derivative": third,
    "is_grads_batched": batched_backward,
    "jacobian": jacobian(),
    "jacobian, vectorized": jacobian(vectorize=True),
    "jacobian, forward": jacobian(vectorize=True, strategy="forward-mode"),
    "hessian of autograd": hessian(),
    "hessian, vectorized": hessian(vectorize=True),
    "hessian, forward": hessian(vectorize=True, outer_jacobian_strategy="forward-mode"),
    "hvp": lambda m, x: torch.autograd.functional.hvp(loss_of(m), x[1], torch.ones_like(x[1])),
}


def compare(found: Any, expected: Any) -> None:
    pairs = [torch.utils._pytree.tree_leaves(values) for values in (found, expected)]
    for value, wanted in zip(*pairs, strict=True):
        assert value is not None
        assert wanted is not None
        torch.testing.assert_close(value, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_values(transform: str, layer: str) -> None:
    if transform == "vmap of kernels" and layer in ("psd", "batch", "clip", "energy"):
        return  # these have no parameters
    module, x = make(layer)
    reference = copy.deepcopy(module)
    reference.portable = True
    if transform == "vmap twice" and isinstance(module, adapter.STFTSpectrogram):
        x = x[:, :, None].transpose(1, 2)[:, 0]
    expected = TRANSFORMS[transform](reference, x)
    compare(TRANSFORMS[transform](module, x), expected)
    if "grad" in transform or "penalty" in transform:
        assert any(v.abs().max() > 1e-3 for v in torch.utils._pytree.tree_leaves(expected))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_composed_function_is_that_of_the_engine(layer: str) -> None:
    module, x = make(layer)
    reference = copy.deepcopy(module)
    reference.portable = True
    value, same = (x[1].clone().requires_grad_() for _ in range(2))
    compare(reference(value), module(same))
    compare(
        torch.autograd.grad(loss_of(reference)(value), [value, *reference.parameters()]),
        torch.autograd.grad(loss_of(module)(same), [same, *module.parameters()]),
    )


@pytest.mark.parametrize("layer", LAYERS)
def test_second_derivatives_are_differences_of_the_first(layer: str) -> None:
    module, x = make(layer)

    def gradient_at(x: torch.Tensor) -> torch.Tensor:
        value = x.clone().requires_grad_()
        return torch.autograd.grad(loss_of(module)(value), value)[0]

    value = x[1].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss_of(module)(value), value, create_graph=True)
    direction = torch.cos(torch.arange(value.numel(), dtype=torch.float64)).reshape(value.shape)
    (found,) = torch.autograd.grad((gradient * direction).sum(), value)
    step = 1e-6
    expected = (gradient_at(x[1] + step * direction) - gradient_at(x[1] - step * direction)) / (
        2 * step
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize("layer", ["log", "angle", "batch", "energy"])
@pytest.mark.parametrize("portable", [False, True])
def test_silence_has_derivatives_of_zero(layer: str, portable: bool) -> None:
    module, x = make(layer)
    module.portable = portable
    value = torch.zeros_like(x[1], requires_grad=True)
    (gradient,) = torch.autograd.grad(loss_of(module)(value), value, create_graph=True)
    assert not gradient.any()
    (second,) = torch.autograd.grad((gradient * x[1]).sum(), value)
    assert not second.any()
    _, tangent = torch.func.jvp(module, (value.detach(),), (x[1],))
    assert not tangent.any()


def test_mapped_values_and_gradients_are_the_engines_own() -> None:
    """The mapped axis joins the batch, but not that of `top_db`."""
    for layer in ("log", "batch", "clip", "energy"):
        module, x = make(layer)
        narrow = x.float() if layer != "log" else x
        mapped = torch.func.vmap(module)(narrow)
        alone = torch.stack([module(example) for example in narrow])
        torch.testing.assert_close(mapped, alone, rtol=0, atol=0)
        gradients = torch.func.vmap(torch.func.grad(loss_of(module)))(narrow)
        for example, found in zip(narrow, gradients, strict=True):
            value = example.clone().requires_grad_()
            (expected,) = torch.autograd.grad(loss_of(module)(value), value)
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def test_errors_under_vmap_speak_of_the_examples() -> None:
    module = adapter.STFTSpectrogram(frame_length=8)
    with pytest.raises(ValueError, match=r"found 2.*shape \(18, 2\)"):
        torch.func.vmap(module)(torch.zeros(3, 18, 2))


def sum_of(module: Module) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: torch.sin(module(x)).sum()


COMPILED: dict[str, Callable[[Module], Callable[[torch.Tensor], Any]]] = {
    "vmap": torch.func.vmap,
    "grad": lambda m: torch.func.grad(sum_of(m)),
    "gradients per example": lambda m: torch.func.vmap(torch.func.grad(sum_of(m))),
    "jvp": lambda m: lambda x: torch.func.jvp(m, (x,), (x,))[1],
}


@pytest.mark.parametrize("layer", ["psd", "batch"])
@pytest.mark.parametrize("transform", COMPILED)
def test_compiled_transforms(transform: str, layer: str) -> None:
    torch.compiler.reset()
    module, x = make(layer)
    function = COMPILED[transform](module)
    argument = x if transform in ("vmap", "gradients per example") else x[1, :1]
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(argument), function(argument), rtol=1e-6, atol=1e-8)


def test_a_compiled_second_derivative_raises() -> None:
    torch.compiler.reset()
    module, x = make("psd")
    value = x[1].clone().requires_grad_()
    output = torch.compile(module, backend="aot_eager")(value)
    (gradient,) = torch.autograd.grad(output.sum(), value, create_graph=True)
    with pytest.raises(RuntimeError, match="double backward"):
        torch.autograd.grad(gradient.sum(), value)


def test_a_prime_transform_that_is_too_long_has_no_composed_version() -> None:
    module = adapter.MelSpectrogram(fft_length=16411, num_mel_bins=4, portable=True)
    with pytest.raises(NotImplementedError, match="16411 points"):
        module(torch.zeros(100))
    assert specfast.MelSpectrogram(fft_length=16411, num_mel_bins=4)(np.zeros(100)).size
