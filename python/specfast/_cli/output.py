# SPDX-License-Identifier: BSD-3-Clause
"""Standard output, for results, and standard error, for reports."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from specfast._cli.errors import Failed

__all__ = ["discard_output", "report", "standard_output"]


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Lends standard output and flushes it when the block ends.

    Everything that a command prints goes through here, so nothing that is complete waits in a
    buffer while the command waits for input. Bytes go to the stream's `buffer`.

    Raises:
        Failed: Standard output is closed or cannot take more, as on a full disk.
        BrokenPipeError: The reader went away.
    """
    if sys.stdout is None:
        raise Failed("cannot write to standard output: it is closed")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise Failed(f"cannot write to standard output: {error.strerror or error}") from error


def discard_output() -> None:
    """Drops what standard output still holds after a failure to write it.

    Python would try once more while it exits, complain, and replace our exit code by its own.
    """
    # Without a file descriptor there is nothing that Python would flush.
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def report(line: str) -> None:
    """Tells the user something on standard error; standard output is for data."""
    # A report that nobody can receive must not cost the result.
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
