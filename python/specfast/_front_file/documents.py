# SPDX-License-Identifier: BSD-3-Clause
"""Reads small text files, and JSON in them, as untrusted: bounded, strict, nothing is run."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from specfast._spec import checks as _checks

MAX_BYTES = 16 << 20
MAX_CONTAINERS = 1 << 17
MAX_DIGITS = 400
_BOM = "\ufeff"  # which editors on Windows put in front of UTF-8


def check_regular(path: Path) -> None:
    """Refuses what is no file on a disk: opening a pipe may never return.

    Raises:
        OSError: if it does not exist.
        ValueError: if it is no regular file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("not a regular file")


def start(path: Path, count: int) -> bytes:
    """Returns the first bytes of a file, at most `count`."""
    with path.open("rb") as stream:
        return stream.read(count)


def text(path: Path, maximum: int = MAX_BYTES) -> str:
    """Returns the text of a file, in UTF-8 with or without a byte order mark.

    Raises:
        ValueError: if it is empty, too long or not UTF-8.
    """
    with path.open("rb") as stream:
        content = stream.read(maximum + 1)
    return decoded(content, maximum)


def decoded(content: bytes, maximum: int) -> str:
    """Returns bytes as text, as `text` does."""
    if len(content) > maximum:
        raise ValueError(f"more than {maximum} bytes are no description of a front end")
    try:
        result = content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise ValueError(f"not text in UTF-8: {error.reason} at byte {error.start}") from None
    if not result.strip():
        raise ValueError("empty")
    return result


def parse_json(content: str) -> Any:
    """Returns what JSON holds; NaN, infinity and keys that come twice are refused.

    Raises:
        ValueError: for anything but such JSON.
    """
    if content.count("[") + content.count("{") > MAX_CONTAINERS:
        raise ValueError(f"JSON with more than {MAX_CONTAINERS} lists and dictionaries")
    try:
        return json.loads(
            content,
            object_pairs_hook=_dictionary,
            parse_constant=_refuse_constant,
            parse_int=_integer,
        )
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {_checks.clipped(str(error))}") from None


def _dictionary(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in result if keys.count(key) > 1)
        raise ValueError(f"`{_checks.clipped(twice)}` is there twice")
    return result


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)
