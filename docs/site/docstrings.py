# SPDX-License-Identifier: BSD-3-Clause
"""Makes reStructuredText of the docstrings, which are plain text with a few conventions.

A line that ends in a colon, with an indented block below it, begins a section: of `name: text`
entries, or of text. Those that napoleon knows are left to it. What stands between backticks is
code; bars and stars elsewhere are magnitudes and products, no markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAPOLEON = {"Args:", "Attributes:", "Example:", "Raises:", "Returns:", "Warns:", "Yields:"}
_ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")


def mend(*event: Any) -> None:
    """Takes Sphinx' event "autodoc-process-docstring", whose last argument are the lines."""
    lines: list[str] = event[-1]
    lines[:] = mended(lines)


def mended(lines: list[str]) -> list[str]:
    """Returns the lines of a docstring as reStructuredText for napoleon."""
    result = []
    for header, body in _sections(lines):
        is_code = any(line.lstrip().startswith(">>>") for line in body)
        if not is_code:
            header, body = _escaped(header), [_escaped(line) for line in body]
        if not header.endswith(":") or not body or header in _NAPOLEON:
            result += [header, *body]
        elif not body[0].strip():
            result += [f"{header}:", *body]
        else:
            result += ["", f".. rubric:: {header[:-1]}", "", *_entries(body), ""]
    return result


def _sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yields each line at the margin with the indented lines, and blanks, below it."""
    header, body = "", list[str]()
    for line in lines:
        is_blank = not line.strip()
        if line.startswith(" ") or (is_blank and (body or header.endswith(":"))):
            body.append(line)
        else:
            yield header, body
            header, body = line, []
    yield header, body


def _entries(body: list[str]) -> Iterator[str]:
    """Yields the lines of a section: as definitions if it begins with a `name: text`."""
    is_list = _ENTRY.match(body[0])
    for line in body:
        entry = _ENTRY.match(line) if is_list else None
        if entry:
            yield from ("", f"`{entry[1]}`", f"    {entry[2]}")
        elif line.startswith("     "):
            yield f"    {line.strip()}"
        else:
            yield line[4:]


def _escaped(line: str) -> str:
    parts = re.split(r"(`[^`]*`)", line)
    parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)
