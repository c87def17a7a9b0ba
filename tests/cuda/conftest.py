# SPDX-License-Identifier: BSD-3-Clause
"""A GPU that is the host."""

from __future__ import annotations

from pathlib import Path

import pytest

import host_library


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a library whose device is the host."""
    return host_library.compiled(tmp_path_factory.mktemp("cuda"))


@pytest.fixture(scope="session")
def gpu(library: Path) -> None:
    """Makes this process use it."""
    host_library.use(library)
