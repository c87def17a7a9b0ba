# SPDX-License-Identifier: BSD-3-Clause
"""What a run computes features of: one clip, under an id of its own."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TypeGuard

from specfast._spec import checks

__all__ = ["MAX_ID_PART_BYTES", "RESERVED_ID", "Item", "is_real"]

# 30 years: more is no time but a fault of the manifest.
_MAX_SECONDS = 1e9
# File systems take 255 bytes; what is left is for suffixes and the names of temporary files.
MAX_ID_PART_BYTES = 200
RESERVED_ID = "__metadata__"

_ESCAPES = re.compile(r"\A/|/\Z|//|(?:\A|/)\.\.?(?:/|\Z)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Item:
    """A clip: a file, or a part of one.

    Attributes:
        id: What the clip is called in the results, unique in a run. It may have slashes, and
            becomes a name below a folder, which it cannot leave.
        path: The file; a relative path is one below the working folder.
        start: Where the clip begins in the file, in seconds.
        duration: How long it is, in seconds; None: to the end of the file.
        channel: The channel to use, counted from 0; None: all.

    Raises:
        TypeError, ValueError: A value is not what is accepted.
    """

    id: str
    path: str
    start: float = 0.0
    duration: float | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        _check_id(self.id)
        _check_path(self.path)
        if self.start != 0.0 and not (is_real(self.start) and 0.0 <= self.start <= _MAX_SECONDS):
            raise ValueError(
                f"`start` must be a number of seconds between 0 and {_MAX_SECONDS:g}. "
                f"{checks.received('start', self.start)}"
            )
        if self.duration is not None and not (
            is_real(self.duration) and 0.0 < self.duration <= _MAX_SECONDS
        ):
            raise ValueError(
                f"`duration` must be a number of seconds above 0 and at most {_MAX_SECONDS:g}, or "
                "None. "
                f"{checks.received('duration', self.duration)}"
            )
        if self.channel is not None and not (
            type(self.channel) is int and 0 <= self.channel < 65536
        ):
            raise ValueError(
                "`channel` must be an integer between 0 and 65535, or None. "
                f"{checks.received('channel', self.channel)}"
            )


def is_real(value: object) -> TypeGuard[float]:
    """Returns whether a value is a float, or an integer that is not beyond all floats."""
    return type(value) is float or (type(value) is int and abs(value) <= sys.float_info.max)


def _check_id(name: object) -> None:
    """Refuses what could not be the name of a file below any folder."""
    if not isinstance(name, str) or not name:
        raise ValueError(f"`id` must be a text that is not empty. {checks.received('id', name)}")
    if _ESCAPES.search(name):
        raise ValueError(
            "`id` must be a name, or a path that stays below a folder: no '/' at either end, no "
            f"'//', no part '.' or '..'. {checks.received('id', name)}"
        )
    if name == RESERVED_ID:
        raise ValueError(f"`id` {RESERVED_ID!r} has a meaning of its own in safetensors")
    if _CONTROL.search(name):
        raise ValueError(f"`id` must have no control characters. {checks.received('id', name)}")
    _check_unicode("id", name)
    if len(name) * 4 > MAX_ID_PART_BYTES:
        longest = max(len(part.encode()) for part in name.split("/"))
        if longest > MAX_ID_PART_BYTES:
            raise ValueError(
                f"`id` must have at most {MAX_ID_PART_BYTES} bytes between two slashes, and has "
                f"{longest}. {checks.received('id', name)}"
            )


def _check_path(path: object) -> None:
    if not isinstance(path, str) or not path:
        raise ValueError(
            f"`path` must be a text that is not empty. {checks.received('path', path)}"
        )
    if "\0" in path:
        raise ValueError(f"`path` must have no NUL. {checks.received('path', path)}")
    if "://" in path:
        raise ValueError(
            f"`path` must be that of a file, not a URL. {checks.received('path', path)}"
        )
    _check_unicode("path", path)


def _check_unicode(name: str, text: str) -> None:
    """Refuses names of files that are no UTF-8: neither JSON nor Parquet can hold them."""
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"`{name}` must be Unicode; this has bytes that are no UTF-8. "
            f"Received: {name}={text!a}"
        ) from None
