# SPDX-License-Identifier: BSD-3-Clause
"""Runs the command line for tests, in this process or in one of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from click.testing import CliRunner, Result

from specfast._cli.commands import specfast as command

# No child runs longer, whatever becomes of it.
LIMIT_SECONDS = 120

# What a child needs of the environment. It gets nothing else: PYTHONUNBUFFERED, which a developer
# or a CI system may set, hides output that nobody flushed.
_PASSED_ON = (
    "ASAN_OPTIONS",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "OPENBLAS_NUM_THREADS",
    "PATH",
    "PYTHONPATH",
    "SPECFAST_ISA",
    "SPECFAST_NUM_THREADS",
    "TMPDIR",
    "UBSAN_OPTIONS",
)


def environment(**changes: str) -> dict[str, str]:
    """Returns the environment of a child, with Python's default buffering."""
    return {**{name: os.environ[name] for name in _PASSED_ON if name in os.environ}, **changes}


def command_line(*arguments: object) -> list[str]:
    """Returns the words that run the command in a process of its own."""
    return [sys.executable, "-m", "specfast", *(str(argument) for argument in arguments)]


def run(*arguments: object, exit_code: int = 0) -> Result:
    """Runs the command in this process; checks its exit code and that nothing blew up."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run_process(
    *arguments: object, code: str = "", env: dict[str, str] | None = None, **kwargs: Any
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command in a process of its own, after `code`."""
    program = f"{code}\nfrom specfast.cli import main\nmain()"
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kwargs}
    return subprocess.run(
        [sys.executable, "-c", program, *(str(argument) for argument in arguments)],
        check=False,
        timeout=LIMIT_SECONDS,
        env=environment() if env is None else env,
        **streams,
    )


@contextlib.contextmanager
def live_process(
    *arguments: object, limit_seconds: float = LIMIT_SECONDS, **kwargs: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the command beside the test, with pipes to its standard streams.

    At the limit it is killed: reads then meet the end and writes a broken pipe, so a test fails
    instead of waiting for ever.
    """
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(
        command_line(*arguments), env=environment(), **{**streams, **kwargs}
    ) as process:
        watchdog = threading.Timer(limit_seconds, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()
