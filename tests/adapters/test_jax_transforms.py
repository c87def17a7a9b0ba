# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.jax` under every transform of JAX, and exported: each gives the right value.

The judge is JAX itself, on the composed function in float64; that one in turn is judged by the
engine and by differences.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

import specfast
from specfast.jax import mel_spectrogram, stft_spectrogram

Function = Callable[..., Any]

STFT: dict[str, Any] = {"frame_length": 8, "frame_step": 4, "dtype": "float64"}
MEL: dict[str, Any] = {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4}
LAYERS: dict[str, dict[str, Any]] = {
    "log": {"mode": "log", "padding": "same", **STFT},
    "imag": {"mode": "imag", "data_format": "channels_first", **STFT},
    "batch": {"top_db": 10, **MEL},
}


@pytest.fixture(autouse=True)
def _wide() -> Iterator[None]:
    # Not the context of that name, which other threads do not see.
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def make(name: str) -> tuple[Callable[[bool], Function], Any, tuple[Any, ...]]:
    """Returns a maker of the function, three examples of different loudness, and kernels."""
    rng = np.random.default_rng(3)
    arguments = LAYERS[name]
    x = rng.standard_normal((3, 2, 18, 1) if name == "log" else (3, 2, 1, 18))
    x = jnp.asarray(x * np.array([0.01, 1.0, 3.0]).reshape(3, 1, 1, 1))
    if "mode" not in arguments:
        return (
            lambda portable: lambda x: mel_spectrogram(x, portable=portable, **arguments),
            x,
            (),
        )
    analytic = specfast.STFTSpectrogram(**arguments).get_weights()
    kernels = tuple(jnp.asarray(k + 0.1 * rng.standard_normal(k.shape)) for k in analytic)

    def maker(portable: bool) -> Function:
        return lambda x, *given: stft_spectrogram(
            x, kernels=given or kernels, portable=portable, **arguments
        )

    return maker, x, kernels


def loss_of(function: Function) -> Function:
    return lambda *arguments: jnp.sum(jnp.sin(function(*arguments)))


def penalty_of(function: Function, places: Any) -> Function:
    """Returns the loss + |gradients|^2."""
    loss = loss_of(function)

    def penalty(*arguments: Any) -> Any:
        gradients = jax.grad(loss, places)(*arguments)
        return loss(*arguments) + sum(jnp.sum(g**2) for g in jax.tree.leaves(gradients))

    return penalty


def places(kernels: Any) -> tuple[int, ...]:
    return tuple(range(1 + len(kernels)))


def per_example(f: Function, x: Any, k: Any) -> Any:
    return jax.vmap(jax.grad(loss_of(f), places(k)), (0,) + (None,) * len(k))(x, *k)


def gradient_of_mapped(f: Function, x: Any, k: Any) -> Any:
    mapped = jax.vmap(loss_of(f), (0,) + (None,) * len(k))
    return jax.jit(jax.grad(lambda *arguments: mapped(*arguments).sum(), places(k)))(x, *k)


def pushed(f: Function, x: Any, k: Any) -> Any:
    return jax.jvp(f, (x[1], *k), tuple(map(jnp.ones_like, (x[1], *k))))


def linear(f: Function, x: Any, k: Any) -> Any:
    output, push = jax.linearize(f, x[1])
    (back,) = jax.linear_transpose(push, x[1])(output)
    return output, push(jnp.ones_like(x[1])), back


TRANSFORMS: dict[str, Callable[[Function, Any, Any], Any]] = {
    "vmap": lambda f, x, k: jax.jit(jax.vmap(f, in_axes=1))(x),
    "gradients per example": per_example,
    "gradient of vmap": gradient_of_mapped,
    "jvp": pushed,
    "linearize": linear,
    "jacfwd": lambda f, x, k: jax.jit(jax.jacfwd(f))(x[1, :1]),
    "jacrev": lambda f, x, k: jax.jit(jax.jacrev(f))(x[1, :1]),
    "hessian": lambda f, x, k: jax.jit(jax.hessian(loss_of(f)))(x[1, :1]),
    "jacrev of jacrev": lambda f, x, k: jax.jit(jax.jacrev(jax.jacrev(loss_of(f))))(x[1, :1]),
    "penalty": lambda f, x, k: jax.jit(jax.grad(penalty_of(f, places(k)), places(k)))(x[1], *k),
    "penalty at once": lambda f, x, k: jax.grad(penalty_of(f, 0))(x[1]),
    "penalty per example": lambda f, x, k: jax.jit(jax.vmap(jax.grad(penalty_of(f, 0))))(x),
    "third derivative": lambda f, x, k: jax.jit(
        jax.grad(lambda x: jnp.sum(jax.grad(penalty_of(f, 0))(x) ** 2))
    )(x[1]),
    "hvp": lambda f, x, k: jax.jit(
        lambda x: jax.jvp(jax.grad(loss_of(f)), (x,), (jnp.ones_like(x),))
    )(x[1]),
    "checkpoint": lambda f, x, k: jax.jit(
        jax.grad(jax.checkpoint(penalty_of(f, 0)))  # type: ignore[attr-defined]
    )(x[1]),
    "scan": lambda f, x, k: jax.lax.scan(lambda c, x: (c, jax.grad(loss_of(f))(x)), 0.0, x),
}


def compare(found: Any, expected: Any) -> None:
    for value, wanted in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_values(transform: str, layer: str) -> None:
    maker, x, kernels = make(layer)
    found, expected = (TRANSFORMS[transform](maker(p), x, kernels) for p in (False, True))
    compare(found, expected)
    assert any(np.abs(value).max() > 1e-3 for value in jax.tree.leaves(expected))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_composed_function_is_that_of_the_engine(layer: str) -> None:
    maker, x, kernels = make(layer)
    composed, engine = maker(True), maker(False)
    compare(composed(x[1], *kernels), engine(x[1], *kernels))
    gradient = [jax.grad(loss_of(f), places(kernels)) for f in (composed, engine)]
    compare(gradient[0](x[1], *kernels), gradient[1](x[1], *kernels))


@pytest.mark.parametrize("layer", LAYERS)
def test_second_derivatives_are_differences_of_the_first(layer: str) -> None:
    maker, x, _ = make(layer)
    gradient = jax.grad(loss_of(maker(False)))
    direction = jnp.cos(jnp.arange(x[1].size)).reshape(x[1].shape)
    found = jax.grad(lambda x: jnp.sum(gradient(x) * direction))(x[1])
    step = 1e-6
    expected = (gradient(x[1] + step * direction) - gradient(x[1] - step * direction)) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("layer", ["log", "batch"])
def test_silence_has_derivatives_of_zero(layer: str) -> None:
    maker, x, _ = make(layer)
    function, silence = maker(False), jnp.zeros_like(x[1])
    assert not jax.grad(loss_of(function))(silence).any()
    assert not jax.grad(penalty_of(function, 0))(silence).any()
    assert not jax.jvp(function, (silence,), (x[1],))[1].any()


# ---- Exports ---------------------------------------------------------------------------------


def exported(name: str, symbolic: bool) -> tuple[Any, Function, Any]:
    maker, x, _ = make(name)
    function = maker(False)
    sizes = "b, n, 1" if name == "log" else "b, 1, n"
    shape = export.symbolic_shape(sizes) if symbolic else x[1].shape
    program = export.export(jax.jit(function))(jax.ShapeDtypeStruct(shape, x.dtype))
    assert "callback" not in program.mlir_module()
    longer = jnp.concatenate([x[0], x[1]], axis=1 if name == "log" else 2)
    return program, function, longer if symbolic else x[1]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("symbolic", [False, True])
def test_exports_call_nobody_back(name: str, symbolic: bool) -> None:
    program, function, x = exported(name, symbolic)
    loaded = export.deserialize(program.serialize(vjp_order=1))
    compare(loaded.call(x), function(x))
    compare(jax.grad(loss_of(loaded.call))(x), jax.grad(loss_of(function))(x))


def test_exports_run_where_this_package_is_not(tmp_path: Path) -> None:
    program, function, x = exported("batch", symbolic=False)
    (tmp_path / "program").write_bytes(program.serialize())
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "expected.npy", function(x))
    script = """
import sys; sys.modules["specfast"] = None  # importing it would fail
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
from jax import export
program = export.deserialize(bytearray(open("program", "rb").read()))
np.testing.assert_allclose(program.call(np.load("x.npy")), np.load("expected.npy"), atol=1e-8)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_portable_is_checked() -> None:
    with pytest.raises(TypeError, match="`portable` must be True or False"):
        mel_spectrogram(jnp.zeros(100), portable=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="too short"):
        stft_spectrogram(jnp.zeros((1, 4, 1)), portable=True, frame_length=8)
