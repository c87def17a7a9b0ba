# SPDX-License-Identifier: BSD-3-Clause
"""Tensors on a GPU in the modules of torch: who computes, by tensors that say they are on one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import host_library
import specfast
import specfast.torch as adapter
from specfast._adapters import torch_operators

BY_TORCH = torch.tensor(77.0)


class OnGpu(torch.Tensor):
    """Is in CPU memory."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device("cuda", 0)


@pytest.fixture(scope="module", autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory) -> None:
    host_library.use(host_library.compiled(tmp_path_factory.mktemp("cuda")))


@pytest.fixture(autouse=True)
def gpu() -> Iterator[None]:
    """Lets torch make its tensors on the CPU, and say so where it computes itself."""
    empty = torch.empty
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "empty", lambda shape, dtype, **_: empty(shape, dtype=dtype))
        patch.setattr(torch.cuda, "current_stream", lambda _: SimpleNamespace(cuda_stream=0))
        patch.setattr(torch_operators, "_holds_numbers", lambda *_: True)
        patch.setattr(torch_operators, "_by_torch", lambda *_: BY_TORCH)
        yield


def samples(*shape: int) -> Any:
    return torch.randn(*shape).as_subclass(OnGpu)


def test_the_engine_computes_without_gradients() -> None:
    x = samples(2, 3000)
    result = adapter.MelSpectrogram(sampling_rate=8000)(x)
    assert isinstance(result, torch.Tensor)
    expected = specfast.MelSpectrogram(sampling_rate=8000)(x.numpy())
    np.testing.assert_allclose(result.numpy(), expected, atol=2e-3)
    assert adapter.MelSpectrogram()(x.double()).dtype == torch.float64


def test_the_engine_computes_with_analytic_kernels() -> None:
    x = samples(2, 3000, 1)
    module = adapter.STFTSpectrogram(mode="stft")
    with torch.no_grad():
        result = module(x)
    expected = specfast.STFTSpectrogram(mode="stft")(x.numpy())
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-5)
    frozen = adapter.STFTSpectrogram(mode="stft", trainable=False)
    np.testing.assert_array_equal(frozen(x).numpy(), result.numpy())


def test_torch_computes_the_rest() -> None:
    mel, stft = adapter.MelSpectrogram(), adapter.STFTSpectrogram()
    x = samples(2, 3000, 1)
    assert stft(x) is BY_TORCH  # its kernels want gradients
    assert mel(x[..., 0].requires_grad_()) is BY_TORCH
    assert adapter.MelSpectrogram(portable=True)(x[..., 0]) is BY_TORCH
    with torch.no_grad():
        assert stft(x) is not BY_TORCH
        stft.real_kernel.data.mul_(1.5)  # of which torch keeps no account
        assert stft(x) is BY_TORCH


def test_errors_are_those_of_the_layer() -> None:
    with pytest.raises(ValueError, match="too short"), torch.no_grad():
        adapter.STFTSpectrogram(frame_length=64)(samples(1, 20, 1))
    with pytest.raises(ValueError, match="`device` must be None or 'cpu'"):
        adapter.MelSpectrogram(device="cuda")


def test_without_a_library() -> None:
    code = (
        "import torch, specfast.torch as adapter\n"
        "class OnGpu(torch.Tensor):\n"
        "    device = torch.device('cuda', 0)\n"
        "try:\n"
        "    adapter.MelSpectrogram()(torch.zeros(1, 3000).as_subclass(OnGpu))\n"
        "except TypeError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    assert "portable=True" in done.stdout
    assert "pip install specfast-cuda13" in done.stdout
