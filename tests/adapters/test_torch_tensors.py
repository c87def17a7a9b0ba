# SPDX-License-Identifier: BSD-3-Clause
"""Tensors of torch that are no plain memory: with the layers for NumPy arrays, and the modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import specfast
from specfast import torch as adapter

STFT = specfast.STFTSpectrogram(mode="psd", frame_length=32)
MEL = specfast.MelSpectrogram(fft_length=64, sequence_stride=32, num_mel_bins=8)
X = torch.randn(2, 300, generator=torch.Generator().manual_seed(2))


def test_bfloat16_is_taken_where_it_is_accepted() -> None:
    x = X.bfloat16()
    np.testing.assert_array_equal(MEL(x), MEL(x.float().numpy()))
    with pytest.raises(TypeError, match=r"Received: x of dtype bfloat16.*pass x\.astype"):
        STFT(x[..., None])


def test_negative_bits() -> None:
    z = torch.complex(X, 2 * X)
    x = z.conj().imag
    assert x.is_neg()
    np.testing.assert_array_equal(MEL(x), MEL((-2 * X).numpy()))
    module = adapter.MelSpectrogram(fft_length=64, sequence_stride=32, num_mel_bins=8)
    expected = module((-2 * X).requires_grad_())
    torch.testing.assert_close(module(x), expected.detach(), rtol=0, atol=0)
    torch.testing.assert_close(module(x.requires_grad_()), expected, rtol=0, atol=0)
    with pytest.raises(TypeError, match=r"complex64.*pass x\.real or x\.imag"):
        MEL(z.conj())


def test_shared_memory_and_parameters() -> None:
    np.testing.assert_array_equal(MEL(X.T.contiguous().T), MEL(X.numpy()))
    frozen = torch.nn.Parameter(X, requires_grad=False)
    np.testing.assert_array_equal(MEL(frozen), MEL(X.numpy()))


@pytest.mark.parametrize(
    ("tensor", "way_out"),
    [
        (X.clone().requires_grad_(), r"x\.detach\(\)"),
        (torch.empty(3, 300, device="meta"), "on the device meta"),
        (X.to_sparse(), r"x\.to_dense\(\)"),
    ],
    ids=["gradient", "meta", "sparse"],
)
def test_others_are_refused_with_the_way_out(tensor: torch.Tensor, way_out: str) -> None:
    with pytest.raises(TypeError, match=rf"`x` is a torch tensor .*{way_out}"):
        MEL(tensor)


def test_transforms_do_not_end_at_numpy_in_silence() -> None:
    with pytest.raises(TypeError, match=r"modules of specfast\.torch"):
        torch.func.vmap(lambda x: torch.from_numpy(MEL(x)))(X)


def test_what_is_no_tensor() -> None:
    module = adapter.MelSpectrogram()
    for other in (b"abcd", X.numpy(), [torch.zeros(2), torch.zeros(3)]):
        with pytest.raises(TypeError, match=r"must be a tensor of torch: pass torch\.from_numpy"):
            module(other)


def test_clips_of_different_lengths_and_quarter_precision() -> None:
    nested = torch.nested.nested_tensor([torch.zeros(4000), torch.zeros(3000)])
    for layer in (adapter.MelSpectrogram(), MEL, MEL.stream(max_db=0).push):
        with pytest.raises(TypeError, match="padded with zeros .*to_padded_tensor.* 2 tensors"):
            layer(nested)
        with pytest.raises(TypeError, match=r"pass x\.float\(\).*float8"):
            layer(X[0].to(torch.float8_e4m3fn))
