# SPDX-License-Identifier: BSD-3-Clause
"""Checks one kind of argument value each. Messages name argument, value and what is accepted."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# Before NumPy 1.24 a ragged list becomes an array of lists, with a warning.
_RAGGED_MAKES_OBJECTS = np.lib.NumpyVersion(np.__version__) < "1.24.0"


def clipped(text: str) -> str:
    """Returns untrusted text on one line, in at most 80 characters."""
    text = " ".join(text[:1000].split())
    return text if len(text) <= 80 else text[:77] + "..."


def short(value: Any) -> str:
    """Returns the repr of any value on one line, in at most 80 characters."""
    if isinstance(value, list | tuple) and len(value) > 20:
        value = value[:20]  # not a megabyte of text for a list of samples
    try:
        text = repr(value)
    except Exception:  # the repr of a foreign object may fail
        text = object.__repr__(value)
    return clipped(text)


def received(name: str, value: Any) -> str:
    """Returns the end of a message: the value received, with its type."""
    return f"Received: {name}={short(value)} (of type {type(value).__name__})"


def integer(name: str, value: Any, *, minimum: int, maximum: int) -> int:
    """Returns a Python int from any integer type; bool and integral floats are not integers."""
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
    """Returns a finite int or float; integers stay integers, as in a Keras configuration."""
    number = _number(name, value, accepted)
    if not math.isfinite(number):
        raise ValueError(f"`{name}` must be {accepted}. {received(name, value)}")
    return number


def positive_hertz(name: str, value: Any) -> int | float:
    """Returns a sampling rate: a finite number of Hz above zero."""
    number = real(name, value, accepted="a positive number of Hz")
    if number <= 0:
        raise ValueError(f"`{name}` must be a positive number of Hz. {received(name, value)}")
    return number


def real_or_infinite(name: str, value: Any, *, accepted: str) -> int | float:
    """Returns a number as `real` does, with infinity allowed; NaN is not."""
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
    """Returns True or False; None, 0 and 1 count as in Python. A string is refused: "False"."""
    if value is None or isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer) and value in (0, 1):
        return bool(value)
    raise TypeError(f"`{name}` must be True or False. {received(name, value)}")


def strict_flag(name: str, value: Any) -> bool:
    """Returns True or False and takes nothing else: a ValueError, as in Keras and SciPy."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ValueError(f"Expected `{name}` to be a boolean. {received(name, value)}")


def to_array(value: Any) -> npt.NDArray[Any]:
    """Returns what NumPy makes of a value.

    Raises:
        ValueError: for nested sequences of unequal lengths; NumPy may raise others.
    """
    if _RAGGED_MAKES_OBJECTS and isinstance(value, list | tuple):
        elements = np.asarray(value, dtype=object).flat
        if any(isinstance(element, list | tuple | np.ndarray) for element in elements):
            raise ValueError("sequences of unequal lengths make no array")
    return np.asarray(value)


def holds_reals(array: npt.NDArray[Any]) -> bool:
    """Returns whether the elements of an array are real numbers; bool counts as 0 and 1."""
    return array.dtype.kind in "fiub" or array.dtype.name == "bfloat16"


def choice(name: str, value: Any, accepted: Sequence[str], *, otherwise: str = "") -> str:
    """Returns one of the accepted strings; `otherwise` names what else is accepted."""
    if isinstance(value, str) and value in accepted:
        return str(value)
    raise ValueError(
        f"`{name}` is invalid, it must be one of {', '.join(map(repr, accepted))}"
        f"{' or ' + otherwise if otherwise else ''}. "
        f"{received(name, value)}"
    )
