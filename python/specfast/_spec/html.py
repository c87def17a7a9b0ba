# SPDX-License-Identifier: BSD-3-Clause
"""What notebooks show of an object: a table that needs no style sheet and no other file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from html import escape
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
    lines = [
        f"<tr><th{_STYLE}>{escape(name)}</th><td{_STYLE}>{_cell(value, name in changed)}</td></tr>"
        for name, value in rows
    ]
    body = "".join(lines)
    return f"<table><caption{_STYLE}><b>{escape(caption)}</b></caption>{body}</table>"


def _cell(value: Any, is_changed: bool) -> str:
    if isinstance(value, np.ndarray):
        text = f"{'×'.join(map(str, value.shape))} {value.dtype}"
    else:
        # A name may hold half of a character that no page can be encoded with.
        text = value if isinstance(value, str) else checks.short(value)
        text = text.encode("utf-8", "replace").decode("utf-8")
    return f"<b>{escape(text)}</b>" if is_changed else escape(text)
