# SPDX-License-Identifier: BSD-3-Clause
"""Opens what the commands read: a file, or standard input."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import BinaryIO

from specfast._cli.errors import Failed, WrongUse
from specfast._cli.one_file import check_input_is_one_file

__all__ = [
    "STANDARD_INPUT",
    "check_source",
    "has_bytes",
    "opened",
    "read_block",
    "read_standard_input",
    "source_name",
]

STANDARD_INPUT = "-"
_BLOCK_BYTES = 1 << 20


def source_name(source: str) -> str:
    """Returns what messages call a source."""
    return "standard input" if source == STANDARD_INPUT else source


def check_source(source: str, contents: str) -> None:
    """Refuses to read sound from a keyboard, and what is no single file.

    Raises:
        WrongUse: The source is standard input, and that is a terminal.
        Failed: The source is a folder or a pattern.
    """
    check_input_is_one_file(source)
    if source == STANDARD_INPUT and sys.stdin is not None and sys.stdin.isatty():
        raise WrongUse(f"IN '-': standard input is a terminal; pipe {contents} in")


def read_standard_input() -> BinaryIO:
    """Reads standard input to its end and returns it as a file in memory.

    Raises:
        Failed: It is closed, or cannot be read.
    """
    # Block by block, so that an interrupt need not wait for the end: one read of everything only
    # notices a signal that arrives while it sleeps.
    blocks = []
    with opened(STANDARD_INPUT) as stream:
        while block := read_block(stream, STANDARD_INPUT, _BLOCK_BYTES):
            blocks.append(block)
    return io.BytesIO(b"".join(blocks))


@contextlib.contextmanager
def opened(source: str) -> Iterator[BinaryIO]:
    """Opens a source for reading bytes.

    Raises:
        Failed: It cannot be opened, or it is standard input and closed.
    """
    if source == STANDARD_INPUT:
        if sys.stdin is None:
            raise Failed("cannot read standard input: it is closed")
        # In a pipe that its owner made non-blocking, "nothing yet" would read as "the end".
        if hasattr(os, "set_blocking"):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.set_blocking(sys.stdin.fileno(), True)
        yield sys.stdin.buffer
        return
    try:
        file = open(source, "rb")  # noqa: PTH123, SIM115
    except (OSError, ValueError) as error:
        raise Failed(f"cannot read {source!r}: {_reason(error)}") from error
    with file:
        yield file


def has_bytes(stream: BinaryIO) -> bool:
    """Returns whether a first read would return at once."""
    try:
        return bool(select.select([stream], [], [], 0)[0])
    except (OSError, ValueError):  # no file of the system
        return True


def read_block(stream: BinaryIO, source: str, num_bytes: int) -> bytes:
    """Returns at most `num_bytes` as soon as there are any, and nothing at the end.

    Raises:
        Failed: The device behind `source` reports an error.
    """
    try:
        return stream.read1(num_bytes)  # type: ignore[attr-defined, no-any-return]
    except OSError as error:
        raise Failed(f"cannot read {source_name(source)!r}: {_reason(error)}") from error


def _reason(error: Exception) -> object:
    return getattr(error, "strerror", None) or error
