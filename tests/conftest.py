# SPDX-License-Identifier: BSD-3-Clause
"""The marker of the tests that need Keras, signals, runs of few cases, an end for runs that hang.

pytest-timeout raises an exception in a test that takes too long. That does not help where Python
takes no next step, as in a loop in C; nor during collection, in the teardown of a test that has
failed, and where a thread that is left over keeps the process from ending. There faulthandler
ends the whole run and prints where every thread stood.
"""

from __future__ import annotations

import contextlib
import faulthandler
import math
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

_terminal = pytest.StashKey[int]()


def suite_limit(config: pytest.Config) -> float:
    """Returns the limit of pyproject.toml in seconds; 0 for none."""
    return float(config.getini("timeout") or 0)


def limit_of(item: pytest.Item) -> float:
    """Returns the limit of a test in seconds, as pytest-timeout finds it; 0 for none."""
    marker = item.get_closest_marker("timeout")
    option = item.config.getoption("timeout")
    if marker is not None:
        return float(marker.args[0])
    if option is not None:
        return float(option)
    return float(os.environ.get("PYTEST_TIMEOUT") or suite_limit(item.config))


def end_run_after(config: pytest.Config, limit: float) -> None:
    """Ends the process well after the limit, unless that is cancelled or asked for once more."""
    if limit:
        faulthandler.dump_traceback_later(1.5 * limit + 1, exit=True, file=config.stash[_terminal])


@contextlib.contextmanager
def limited(config: pytest.Config, limit: float) -> Iterator[None]:
    """Ends the process if the block does not end until well after the limit."""
    end_run_after(config, limit)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def keep_ignoring_signals() -> None:
    """Lets child processes have these signals where this one is to ignore them.

    A shell makes what it starts in the background ignore SIGINT, and nohup SIGHUP. Children
    inherit that; of a function that does nothing they inherit the default.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_configure(config: pytest.Config) -> None:
    keep_ignoring_signals()
    most = config.getoption("cases")
    if most is not None and most < 1:
        raise pytest.UsageError(f"--cases must be at least 1. Received {most}")
    config.addinivalue_line("markers", "keras: compares with an installed Keras (make parity)")
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        config.stash[_terminal] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    # Python waits for threads after this, so the file descriptor must stay open.
    end_run_after(config, suite_limit(config))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cases",
        type=int,
        metavar="N",
        help="run no more than N cases of each parametrized test: always the same ones, spread "
        "over all values of its parameters",
    )


def few_of(count: int, most: int) -> list[int]:
    """Returns `most` places among `count`, or all, spread by steps of the golden ratio.

    A step that shares no factor with the count meets all values of each parameter; every n-th
    case might always meet the same one.
    """
    step = round(count / 1.618)
    while math.gcd(step, count) > 1:
        step += 1
    return sorted(i * step % count for i in range(min(most, count)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    most = config.getoption("cases")
    if most is None:
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    chosen = {group[i] for group in cases.values() for i in few_of(len(group), most)}
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    with limited(session.config, suite_limit(session.config)):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with limited(item.config, limit_of(item)):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    # A failure has cancelled both pytest-timeout and the call in pytest_runtest_protocol.
    end_run_after(item.config, limit_of(item))
