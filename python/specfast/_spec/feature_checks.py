# SPDX-License-Identifier: BSD-3-Clause
"""Checks of the single fields of a FeatureSpec: each returns the value that the specification
keeps, a plain number, word or tuple."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from specfast._spec import checks
from specfast._spec.arguments import MAX_BANDS, MAX_LENGTH

Check = Callable[[str, Any], Any]
Number = Callable[[str, Any], float]

MAX_SAMPLES = 1 << 40
MAX_MATRIX_VALUES = 1 << 26

length = partial(checks.integer, minimum=1, maximum=MAX_LENGTH)
count = partial(checks.integer, minimum=0, maximum=MAX_LENGTH)
bands = partial(checks.integer, minimum=1, maximum=MAX_BANDS)
sample_count = partial(checks.integer, minimum=1, maximum=MAX_SAMPLES)
flag = checks.flag


def choice(*accepted: str) -> Check:
    """Returns a check for one of these words."""
    return partial(checks.choice, accepted=accepted)


def _between(low: float, high: float) -> Number:
    """Returns a check for a number between these two, which it returns as a float."""
    accepted = f"a number between {low:g} and {high:g}"

    def check(name: str, value: Any) -> float:
        result = float(checks.real(name, value, accepted=accepted))
        if not low <= result <= high:
            raise ValueError(f"`{name}` must be {accepted}. {checks.received(name, value)}")
        return result + 0.0  # -0 is 0, also in JSON

    return check


# Beyond these bounds float32 would lose digits, and then everything.
number = _between(-1e30, 1e30)
not_negative = _between(0, 1e30)
positive = _between(1e-30, 1e30)
scale = _between(1e-15, 1e15)


def addend(name: str, value: Any) -> float:
    """Returns what keeps a number away from 0, or 0; smaller ones would be 0 in float32."""
    result = not_negative(name, value)
    if 0 < result < 2.0**-126:
        accepted = "0, or a number between 2**-126 and 1e+30"
        raise ValueError(f"`{name}` must be {accepted}. {checks.received(name, value)}")
    return result


coefficient = _between(0, 1)


def number_or_row(name: str, value: Any) -> float | tuple[float, ...]:
    """Returns a finite number, or a tuple of them with one for each row of a frame."""
    if isinstance(value, Sequence | np.ndarray) and not (
        isinstance(value, str) or (isinstance(value, np.ndarray) and value.ndim == 0)
    ):
        values = real_array(name, value, 1)
        return tuple(values.tolist())
    return number(name, value)


def window(name: str, value: Any) -> str | tuple[float, ...] | None:
    """Returns the name of a window, a tuple of its values, or None; see `_spec/windows.py`."""
    if value is None:
        return None
    if isinstance(value, str):
        return str(value)
    return tuple(real_array(name, value, 1).tolist())


def matrix(name: str, value: Any) -> tuple[tuple[float, ...], ...]:
    """Returns a matrix of finite numbers as tuples of rows."""
    return tuple(tuple(row) for row in real_array(name, value, 2).tolist())


def real_array(name: str, value: Any, ndim: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns finite real numbers as float64 of this many dimensions."""
    accepted = f"{ndim}-dimensional and of finite real numbers"
    try:
        array = checks.to_array(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"`{name}` must be {accepted}. {checks.received(name, value)}, of which NumPy says: "
            f"{checks.clipped(str(error))}"
        ) from error
    if not checks.holds_reals(array):
        raise TypeError(f"`{name}` must be {accepted}. {checks.received(name, value)}")
    if array.ndim != ndim or array.size == 0 or array.size > MAX_MATRIX_VALUES:
        raise ValueError(
            f"`{name}` must be {accepted}, and not empty. Received: {name} of shape {array.shape}"
        )
    values = array.astype(np.float64) + 0.0
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        place = ", ".join(map(str, bad[0]))
        raise ValueError(
            f"`{name}` must be {accepted}. Received: {name}[{place}]={values[tuple(bad[0])]}"
        )
    return values


def next_power_of_two(value: int) -> int:
    """Returns the smallest power of two that is not smaller than `value`, which is positive."""
    return 1 << (value - 1).bit_length()
