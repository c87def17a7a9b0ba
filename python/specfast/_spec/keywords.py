# SPDX-License-Identifier: BSD-3-Clause
"""The error for keywords that a layer does not have, with the names that were probably meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specfast._spec import checks
from specfast._spec.fields import Field

# An alias that names another quantity: how the argument follows from it.
_REMARKS = {"noverlap": " (the window's length minus noverlap)"}


def unknown_keywords(
    class_name: str, unknown: Mapping[str, Any], accepted: Sequence[str], fields: Sequence[Field]
) -> ValueError:
    """Returns the error for keywords that are not among the accepted ones."""
    guesses = [
        f"`{guess}`{_REMARKS.get(name, '')}" + (f" for `{name}`" if len(unknown) > 1 else "")
        for name in unknown
        if (guess := _probably_meant(name, accepted, fields)) is not None
    ]
    question = f"; did you mean {', '.join(guesses)}?" if guesses else "."
    return ValueError(
        f"Unrecognized keyword arguments passed to {class_name}: "
        f"{checks.short(dict(unknown))}{question} Accepted are {', '.join(accepted)}"
    )


def _probably_meant(name: str, accepted: Sequence[str], fields: Sequence[Field]) -> str | None:
    import difflib  # for errors only

    names = {keyword: keyword for keyword in accepted}
    names |= {alias: field.name for field in fields for alias in field.aliases}
    close = [name] if name in names else difflib.get_close_matches(name, names, n=1)
    return names[close[0]] if close else None
