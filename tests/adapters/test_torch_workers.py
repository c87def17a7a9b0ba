# SPDX-License-Identifier: BSD-3-Clause
"""torch's DataLoader with four workers that call a layer, after its parent did so in parallel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from makers import Array, same_bits
from signals import noise
from specfast import MelSpectrogram

LAYER = MelSpectrogram(512, 160, num_mel_bins=40, num_threads=2)


class Features(torch.utils.data.Dataset[torch.Tensor]):
    """The features of clips of noise, computed where they are asked for."""

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(LAYER(clip(index)))


def clip(index: int) -> Array:
    return noise(4, 16000, seed=index)


def check(method: str) -> None:
    """Compares what workers that are started in this way compute with what their parent does."""
    data = Features()
    expected = [LAYER(clip(index)) for index in range(len(data))]
    loader = torch.utils.data.DataLoader(
        data, batch_size=None, num_workers=4, multiprocessing_context=method, timeout=120
    )
    for found, wanted in zip(loader, expected, strict=True):
        assert same_bits(np.asarray(found), wanted)


# Of Python 3.12, where a process of several threads forks.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_workers() -> None:
    """Other ways to start them take torch's import in each: `make soak` has these."""
    check("fork")
