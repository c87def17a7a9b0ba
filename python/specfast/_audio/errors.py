# SPDX-License-Identifier: BSD-3-Clause
"""How reading a recording fails."""

from __future__ import annotations

__all__ = ["AudioError", "Damaged", "cut_short"]


class AudioError(Exception):
    """A recording could not be read. The message names the source and what is wrong."""


# Where users import it from, and what tracebacks show.
AudioError.__module__ = "specfast.audio"


class Damaged(Exception):
    """The bytes of a file are not all there, or contradict each other.

    The message says what is wrong with "it" and does not name the source.
    """


def cut_short(promised: int, available: int, unit: str) -> Damaged:
    """Returns the error for a file whose header promises more than follows."""
    return Damaged(
        f"it is cut short, its header promises {promised} {unit} and {available} are there"
    )
