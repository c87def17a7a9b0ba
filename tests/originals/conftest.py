# SPDX-License-Identifier: BSD-3-Clause
"""What the originals need to be quiet: their warnings are not ours."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "originals":
            item.add_marker(pytest.mark.filterwarnings("ignore"))
