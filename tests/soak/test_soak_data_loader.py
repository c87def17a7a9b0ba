# SPDX-License-Identifier: BSD-3-Clause
"""torch's DataLoader, made again and again; in the environment of the adapters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import test_torch_workers

Times = Callable[[int], int]
Report = Callable[[str], None]

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning",
    "ignore:This DataLoader will create:UserWarning",
)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_data_loaders(method: str, times: Times, report: Report) -> None:
    loaders = times(100)
    for _ in range(loaders):
        test_torch_workers.check(method)
    report(f"DataLoader by {method}: {loaders} of 4 workers, none hangs, bits equal")
