# SPDX-License-Identifier: BSD-3-Clause
"""How long the runs are, what they report, and how much memory this process holds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# What is repeated here at length are tests of the suite.
for room in ("adapters", "engine", "layers", "streams"):
    sys.path.append(str(Path(__file__).resolve().parents[1] / room))

_reports: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--size",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="how often everything is done, as a share of what docs/robustness.md asks for",
    )


@pytest.fixture
def times(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How often to do what a whole run does so many times."""
    size = request.config.getoption("size")
    return lambda full: max(1, round(full * size))


@pytest.fixture
def report() -> Callable[[str], None]:
    """Takes a line for the end of the run: what was done, how often, what was seen."""
    return _reports.append


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section("what was done")
    for line in _reports:
        terminalreporter.write_line(line)


@pytest.fixture
def resident_bytes() -> Callable[[], int]:
    """How much memory this process holds, after what Python can free was freed."""

    def read() -> int:
        gc.collect()
        status = Path("/proc/self/status").read_text("ascii")
        anonymous = status.split("RssAnon:")[1].split()[0]
        return 1024 * int(anonymous)

    return read
