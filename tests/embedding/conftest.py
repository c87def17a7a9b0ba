# SPDX-License-Identifier: BSD-3-Clause
"""The installed library, moved to another place; `make embedding` says where it was installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def installed() -> Path:
    """The prefix as `cmake --install` left it."""
    return Path(os.environ["SPECFAST_PREFIX"]).resolve()


@pytest.fixture(scope="session")
def prefix(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the prefix elsewhere: nothing in it may depend on where it was."""
    copy = tmp_path_factory.mktemp("moved") / "a folder"
    shutil.copytree(installed, copy, symlinks=True)
    return copy
