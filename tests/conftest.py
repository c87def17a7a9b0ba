# SPDX-License-Identifier: BSD-3-Clause
"""The marker of the tests that need Keras."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "keras: compares with an installed Keras (make parity)")
