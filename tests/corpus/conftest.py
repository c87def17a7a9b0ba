# SPDX-License-Identifier: BSD-3-Clause
"""What tests of corpora share: a run without disturbances, which others are compared with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corpora import SHARD_BYTES, collect_forgotten, make_clips
from specfast import corpus

_OF_DASK = ("test_corpus_batch.py", "test_corpus_workers.py")


@dataclass(frozen=True)
class Reference:
    """Clips, and the folder of an undisturbed run on them."""

    paths: list[str]
    out: Path


def pytest_runtest_logfinish(location: tuple[str, int | None, str]) -> None:
    """Collects what old versions of distributed leave open, when no fixture holds it any more."""
    if Path(location[0]).name in _OF_DASK:
        collect_forgotten()


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    paths = make_clips(folder / "clips")
    with ThreadPoolExecutor(1) as executor:
        corpus.run(paths, folder / "out", "whisper", executor, shard_bytes=SHARD_BYTES)
    return Reference(paths, folder / "out")


@pytest.fixture
def own_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the command compute in a thread of this process instead of a cluster: for options."""
    from specfast._corpus import clusters
    from specfast._corpus.scheduler import Pool

    def local(stack: Any, num_workers: int | None, num_threads: int) -> Pool:
        asked_for.append((num_workers, num_threads))
        return Pool(stack.enter_context(ThreadPoolExecutor(1)), 1)

    asked_for: list[Any] = []
    monkeypatch.setattr(clusters, "local_workers", local)
