# SPDX-License-Identifier: BSD-3-Clause
"""How a command fails: `Failed` has exit code 1, `WrongUse` 2, and `SomeFailed` 3."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator

from specfast.audio import AudioError

__all__ = ["Failed", "SomeFailed", "WrongUse", "failures", "hushed_libraries", "refusals"]


class WrongUse(Exception):
    """The request itself is wrong. The message names option, value and what is accepted."""


class Failed(Exception):
    """The request is fine and could not be carried out. The message says why."""


class SomeFailed(Exception):
    """A part of the request could not be carried out; the rest is done. The message counts."""


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
def hushed_libraries() -> Iterator[None]:
    """Keeps what other libraries remark, of fonts and caches, from the user, and from a setting
    that makes errors of warnings: the commands say themselves what there is to say."""
    loggers = [logging.getLogger(name) for name in ("matplotlib", "PIL")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turns what a layer refuses into `WrongUse`: its arguments come from the command line."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise WrongUse(str(error)) from error
