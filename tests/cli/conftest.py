# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the command line and of recordings share."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The real one: CI installs it; a developer's machine may be without."""
    found = shutil.which("ffmpeg")
    if found is None:
        assert os.environ.get("SPECFAST_CI_HAS_FFMPEG") != "1"
        pytest.skip("ffmpeg is not installed")
    return found
