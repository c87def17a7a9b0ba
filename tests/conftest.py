# SPDX-License-Identifier: BSD-3-Clause
"""The marker of the tests that need Keras, and the end of a test that hangs beyond rescue."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator
from typing import Any

import pytest

_terminal = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "keras: compares with an installed Keras (make parity)")
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        config.stash[_terminal] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    os.close(config.stash[_terminal])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Ends the whole run, and says where it stood, if pytest-timeout's exception has no effect.

    That exception is raised between two steps of Python, so it never comes in a loop in C.
    """
    marker = item.get_closest_marker("timeout")
    limit = float(marker.args[0] if marker else item.config.getini("timeout") or 0)
    if limit:
        faulthandler.dump_traceback_later(
            1.5 * limit + 1, exit=True, file=item.config.stash[_terminal]
        )
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
