# SPDX-License-Identifier: BSD-3-Clause
"""What notebooks show of an object: a table that needs no style sheet and no other file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from specfast._spec import checks

_STYLE = ' style="text-align:left"'


def table(
    caption: str, rows: Iterable[tuple[str, Any]], changed: Collection[str] = frozenset()
) -> str:
    """Returns an HTML table of names and values, all of them escaped.

    Args:
        caption: what the table is about.
        rows: names and values; text is shown as it is, of an array its shape and dtype.
        changed: the names whose values are emphasised, as they are not the defaults.
    """
    from html import escape  # whose table of entities no other use of the package needs

    lines = [
        f"<tr><th{_STYLE}>{escape(name)}</th><td{_STYLE}>"
        + (f"<b>{escape(_text(value))}</b>" if name in changed else escape(_text(value)))
        + "</td></tr>"
        for name, value in rows
    ]
    body = "".join(lines)
    return f"<table><caption{_STYLE}><b>{escape(caption)}</b></caption>{body}</table>"


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{'×'.join(map(str, value.shape))} {value.dtype}"
    # A name may hold half of a character that no page can be encoded with.
    text = value if isinstance(value, str) else checks.short(value)
    return text.encode("utf-8", "replace").decode("utf-8")
