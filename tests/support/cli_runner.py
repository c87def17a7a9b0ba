# SPDX-License-Identifier: BSD-3-Clause
"""Runs the command line for tests, in this process or in one of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from click.testing import CliRunner, Result

from specfast._cli.commands import specfast as command


def run(*arguments: object, exit_code: int = 0) -> Result:
    """Runs the command in this process; checks its exit code and that nothing blew up."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run_process(
    *arguments: object, code: str = "", **kwargs: Any
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command in a process of its own, after `code`."""
    program = f"{code}\nfrom specfast.cli import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", program, *(str(argument) for argument in arguments)],
        capture_output=True,
        check=False,
        timeout=120,
        **kwargs,
    )
