# SPDX-License-Identifier: BSD-3-Clause
"""How a run over a corpus fails as a whole; what fails for one clip is a line of errors.jsonl."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["CorpusError", "TooManyFailures", "unwritable"]


class CorpusError(Exception):
    """A run cannot begin or go on, or a corpus cannot be read. The message says why."""


class TooManyFailures(CorpusError):
    """More clips have failed than `max_failures` allows. What is done is kept."""


# Where users import them from, and what tracebacks show.
CorpusError.__module__ = TooManyFailures.__module__ = "specfast.corpus"


@contextlib.contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Turns the system's errors of writing below a folder into errors that name it."""
    try:
        yield
    except OSError as error:
        place = error.filename if error.filename is not None else folder
        reason = error.strerror or error
        raise CorpusError(f"cannot write {str(place)!r}: {reason}") from error
