# SPDX-License-Identifier: BSD-3-Clause
"""How a command fails: `WrongUse` has exit code 2, `Failed` has exit code 1."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from specfast.audio import AudioError

__all__ = ["Failed", "WrongUse", "failures", "refusals"]


class WrongUse(Exception):
    """The request itself is wrong. The message names option, value and what is accepted."""


class Failed(Exception):
    """The request is fine and could not be carried out. The message says why."""


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Turns errors whose message a user understands into `Failed`; others are our own faults."""
    try:
        yield
    except (AudioError, ImportError, RuntimeError) as error:
        raise Failed(str(error)) from error
    except MemoryError as error:
        raise Failed(
            f"not enough memory: {error}" if str(error) else "not enough memory"
        ) from error


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turns what a layer refuses into `WrongUse`: its arguments come from the command line."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise WrongUse(str(error)) from error
