# SPDX-License-Identifier: BSD-3-Clause
"""What leaves torch: programs that run without this package, and what refuses to be made."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from specfast import torch as adapter

MODES = ("log", "magnitude", "psd", "real", "angle", "stft")
# Whatever torch deprecates in its own exporters.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

MEL: dict[str, Any] = {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 8}
MODULES: dict[str, Any] = {
    **{
        mode: lambda mode=mode: adapter.STFTSpectrogram(
            mode=mode,
            frame_length=32,
            frame_step=8,
            data_format="channels_first",
            padding="same" if mode == "log" else "valid",
            expand_dims=mode == "psd",
        )
        for mode in MODES
    },
    "mel": lambda: adapter.MelSpectrogram(top_db=30, **MEL),
    "clip": lambda: adapter.MelSpectrogram(top_db=30, top_db_scope="clip", mag_exp=1.0, **MEL),
    "odd": lambda: adapter.MelSpectrogram(
        fft_length=63, sequence_length=40, sequence_stride=16, num_mel_bins=5, power_to_db=False
    ),
}
LENGTHS = ({0: "batch", 2: "samples"},)


def make(name: str) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """Returns a module, and inputs of two sizes."""
    generator = torch.Generator().manual_seed(5)
    x, other = (
        torch.randn(n, 2, length, generator=generator) for n, length in ((2, 400), (3, 555))
    )
    return MODULES[name]().eval(), x, other


def compare(found: Any, expected: torch.Tensor, name: str) -> None:
    found, expected = torch.as_tensor(found), expected.detach()
    if name == "angle":  # pi and -pi are the same
        found, expected = torch.cos(found - expected), torch.ones_like(expected)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=2e-3 if name == "log" else 1e-4)


@pytest.mark.parametrize("name", MODULES)
def test_traced_for_any_size(name: str) -> None:
    module, x, other = make(name)
    stored = io.BytesIO()
    torch.jit.save(torch.jit.trace(module, x), stored)
    stored.seek(0)
    loaded = torch.jit.load(stored)
    assert "specfast::" not in str(loaded.inlined_graph)
    for value in (x, other):
        compare(loaded(value), module(value), name)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("strict", [False, True])
def test_exported_for_any_size(name: str, strict: bool) -> None:
    module, x, other = make(name)
    sizes = {0: torch.export.Dim("batch"), 2: torch.export.Dim("samples", min=64, max=10**6)}
    program = torch.export.export(module, (x,), dynamic_shapes=(sizes,), strict=strict)
    assert "specfast" not in str(program.graph)
    for value in (x, other):
        compare(program.module()(value), module(value), name)


def test_programs_run_where_this_package_is_not(tmp_path: Path) -> None:
    for name in ("log", "mel"):
        module, x, _ = make(name)
        torch.jit.save(torch.jit.trace(module, x), tmp_path / f"{name}.pt")
        torch.export.save(torch.export.export(module, (x,)), tmp_path / f"{name}.pt2")
        torch.save((x, module(x).detach()), tmp_path / f"{name}.values")
    script = """
import sys, torch
sys.modules["specfast"] = None  # importing it would fail
for name in ("log", "mel"):
    x, expected = torch.load(f"{name}.values")
    for program in (torch.jit.load(f"{name}.pt"), torch.export.load(f"{name}.pt2").module()):
        assert (program(x) - expected).abs().max() < 1e-2, name
print("the same")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.stdout == "the same\n", done.stderr


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("dynamo", [False, True])
def test_onnx(name: str, dynamo: bool, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    module, x, other = make(name)
    path = tmp_path / "front_end.onnx"
    how: dict[str, Any] = (
        {"dynamic_shapes": LENGTHS, "verbose": False}
        if dynamo
        else {"input_names": ["x"], "dynamic_axes": {"x": LENGTHS[0]}, "opset_version": 17}
    )
    torch.onnx.export(module, (x,), path, dynamo=dynamo, **how)
    session = runtime.InferenceSession(path)
    (described,) = session.get_inputs()
    for value in (x, other):
        (found,) = session.run(None, {described.name: value.numpy()})
        compare(found, module(value), name)


def test_a_script_is_refused_in_a_sentence() -> None:
    for name in ("log", "mel"):
        with pytest.raises(NotImplementedError, match=r"use torch\.jit\.trace"):
            torch.jit.script(torch.nn.Sequential(MODULES[name]()))
    module, x, other = make("mel")

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.front_end = torch.jit.trace(module, x)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * self.front_end(x)

    compare(torch.jit.script(Whole())(other), 2 * module(other), "mel")


@pytest.mark.parametrize("name", ["log", "mel"])
def test_symbolic_trace_holds_the_call(name: str) -> None:
    module, _, other = make(name)
    traced = torch.fx.symbolic_trace(torch.nn.Sequential(module))
    torch.testing.assert_close(traced(other), module(other), rtol=0, atol=0)
    wide = traced.double()(other.double())
    assert wide.dtype == torch.float64


def test_make_fx_holds_the_operator() -> None:
    from torch.fx.experimental.proxy_tensor import make_fx

    module, x, _ = make("mel")
    graph = make_fx(module)(x)
    torch.testing.assert_close(graph(2 * x), module(2 * x), rtol=0, atol=0)


def test_portable() -> None:
    assert "portable=True" in repr(adapter.MelSpectrogram(portable=True))
    with pytest.raises(TypeError, match="`portable` must be True or False"):
        adapter.MelSpectrogram(portable=1)  # type: ignore[arg-type]
    module = adapter.MelSpectrogram(portable=True, **MEL).to("meta")
    assert module(torch.empty(2, 100, device="meta")).shape == (2, 8, 7)
