# SPDX-License-Identifier: BSD-3-Clause
"""torch's DataLoader with four workers that call layers, after the parent did so in parallel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from makers import Array, same_bits
from signals import noise
from specfast import MelSpectrogram

Times = Callable[[int], int]
Report = Callable[[str], None]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

LAYER = MelSpectrogram(512, 160, num_mel_bins=40, num_threads=2)


class Features(torch.utils.data.Dataset[torch.Tensor]):
    """The features of clips of noise, computed where they are asked for."""

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(LAYER(clip(index)))


def clip(index: int) -> Array:
    return noise(4, 16000, seed=index)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_data_loaders(method: str, times: Times, report: Report) -> None:
    expected = [LAYER(clip(index)) for index in range(len(Features()))]
    torch.ones(1000, 1000) @ torch.ones(1000, 1000)  # torch's own threads
    loaders = times(100)
    for _ in range(loaders):
        loader = torch.utils.data.DataLoader(
            Features(), batch_size=None, num_workers=4, multiprocessing_context=method, timeout=120
        )
        for found, wanted in zip(loader, expected, strict=True):
            assert same_bits(np.asarray(found), wanted)
    report(f"DataLoader by {method}: {loaders} of 4 workers, none hangs, bits equal")
