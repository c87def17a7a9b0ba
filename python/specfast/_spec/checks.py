# SPDX-License-Identifier: BSD-3-Clause
"""One check per kind of argument value. Messages name argument, value and what is accepted."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np


def clipped(text: str) -> str:
    """A text of anyone's on one line, in at most 80 characters."""
    text = " ".join(text[:1000].split())
    return text if len(text) <= 80 else text[:77] + "..."


def short(value: Any) -> str:
    """The repr of any value on one line, in at most 80 characters."""
    if isinstance(value, list | tuple) and len(value) > 20:
        value = value[:20]  # not a megabyte of text for a list of samples
    try:
        text = repr(value)
    except Exception:  # the repr of a foreign object may fail
        text = object.__repr__(value)
    return clipped(text)


def received(name: str, value: Any) -> str:
    """The end of a message: what was given, with its type."""
    return f"Received: {name}={short(value)} (of type {type(value).__name__})"


def integer(name: str, value: Any, *, minimum: int, maximum: int) -> int:
    """A Python int from any integer type; bool and integral floats are not integers."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"`{name}` must be an integer. {received(name, value)}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be an integer. {received(name, value)}") from None
    if not minimum <= number <= maximum:
        raise ValueError(
            f"`{name}` must be an integer between {minimum} and {maximum}. "
            f"{received(name, number)}"
        )
    return number


def real(name: str, value: Any, *, accepted: str = "a finite number") -> int | float:
    """A Python int or float, finite; integers stay integers, as in a Keras configuration."""
    number = _number(name, value, accepted)
    if not math.isfinite(number):
        raise ValueError(f"`{name}` must be {accepted}. {received(name, value)}")
    return number


def real_or_infinite(name: str, value: Any, *, accepted: str) -> int | float:
    """As `real`, with infinity allowed; NaN is not."""
    number = _number(name, value, accepted)
    if math.isnan(number):
        raise ValueError(f"`{name}` must be {accepted}. {received(name, value)}")
    return number


def _number(name: str, value: Any, accepted: str) -> int | float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_) or not isinstance(
        value, int | float | np.integer | np.floating
    ):
        raise TypeError(f"`{name}` must be {accepted}. {received(name, value)}")
    number = int(value) if isinstance(value, int | np.integer) else float(value)
    try:
        float(number)
    except OverflowError:
        raise ValueError(f"`{name}` must be {accepted}. {received(name, value)}") from None
    return number


def flag(name: str, value: Any) -> bool:
    """True or False; None, 0 and 1 are taken as Python does. A string is refused: "False"."""
    if value is None or isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer) and value in (0, 1):
        return bool(value)
    raise TypeError(f"`{name}` must be True or False. {received(name, value)}")


def strict_flag(name: str, value: Any) -> bool:
    """True or False and nothing else: a ValueError, as Keras and SciPy have it."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ValueError(f"Expected `{name}` to be a boolean. {received(name, value)}")


def choice(name: str, value: Any, accepted: Sequence[str], *, otherwise: str = "") -> str:
    """One of the accepted strings; `otherwise` names what the caller has taken already."""
    if isinstance(value, str) and value in accepted:
        return str(value)
    raise ValueError(
        f"`{name}` is invalid, it must be one of {', '.join(map(repr, accepted))}"
        f"{' or ' + otherwise if otherwise else ''}. "
        f"{received(name, value)}"
    )
