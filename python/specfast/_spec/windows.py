# SPDX-License-Identifier: BSD-3-Clause
"""The `window` argument of a layer, resolved once to float64 values."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast import _core
from specfast._spec import checks as _checks

Values = npt.NDArray[np.float64]

# Windows that SciPy has beyond the engine and can make from a name alone. Without SciPy these
# are missing rather than unknown, and the error says so.
_SCIPY_ONLY = frozenset({"exponential", "poisson", "taylor", "taylorwin", "tukey", "tuk"})
# Families that SciPy takes as (name, parameter, ...) only; Keras passes the name by itself.
_PARAMETRIC = frozenset(
    {
        "chebwin",
        "cheb",
        "dpss",
        "gaussian",
        "gauss",
        "gss",
        "general_cosine",
        "general_gaussian",
        "general_hamming",
        "kaiser",
        "ksr",
        "kaiser_bessel_derived",
        "kbd",
    }
)
# How keras.saving writes arrays into a serialised layer.
_SERIALIZED_ARRAYS = ("__numpy__", "__tensor__")


def is_built_in(name: str) -> bool:
    """Tells whether the engine makes this window, of whatever length."""
    return name in _built_in_names()


@functools.cache
def _built_in_names() -> frozenset[str]:
    return frozenset(_core.window_names())


def named(name: str, length: int, *, periodic: bool) -> Values:
    """Returns the window of this name, float64 [length], from the engine or else from SciPy.

    Raises:
        ValueError: for a name that neither knows, or that needs parameters.
        ImportError: for a name that only SciPy has, if SciPy is not installed.
    """
    if is_built_in(name):
        return _core.window(name, length, periodic)
    if name in _PARAMETRIC:
        raise ValueError(
            f"`window` {name!r} must have parameters, which a name cannot carry: pass the "
            f"values, as in window=scipy.signal.get_window(({name!r}, ...), {length}). "
            f"Received: window={name!r}"
        )
    try:
        from scipy.signal import get_window
    except ImportError as error:
        if name in _SCIPY_ONLY:
            raise ImportError(
                f"`window` {name!r} comes from SciPy, which is not installed "
                "(`pip install scipy`); without it there are "
                f"{', '.join(_core.window_names())}"
            ) from error
        raise _unknown(name, "; SciPy, which has more, is not installed") from None
    try:
        values = get_window(name, length, fftbins=periodic)
    except ValueError as error:
        raise _unknown(name, f"; SciPy says: {_checks.clipped(str(error))}") from None
    return np.ascontiguousarray(values, dtype=np.float64)


def _unknown(name: str, remark: str) -> ValueError:
    return ValueError(
        f"`window` is not the name of a window. Received: window={_checks.short(name)}. "
        f"Built in are {', '.join(_core.window_names())}{remark}"
    )


def from_values(window: Any, length: int, length_argument: str) -> Values:
    """Returns a float64 copy of the values of an array, list or serialised Keras array.

    Args:
        window: the user's values.
        length: how many there must be.
        length_argument: the name of the argument that gives this number, for messages.

    Raises:
        TypeError: for values that are not real numbers.
        ValueError: for a wrong shape, NaN or infinity.
    """
    if isinstance(window, Mapping):
        window = _deserialized(window)
    try:
        values = _checks.to_array(window)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(
            "`window` must be a name, None, or a one-dimensional array. "
            f"Received: window={_checks.short(window)}, which NumPy cannot convert: "
            f"{_checks.clipped(str(error))}"
        ) from error
    if values.dtype.kind in "US" or (values.dtype.kind == "O" and _starts_with_name(window)):
        raise ValueError(
            "`window` must be a name, None, or an array of numbers; a family with parameters "
            "is passed as values, as in window=scipy.signal.get_window(('kaiser', 8.0), "
            f"{length}). Received: window={_checks.short(window)}"
        )
    if not _checks.holds_reals(values):
        raise TypeError(
            "`window` must hold real numbers. "
            f"Received: window={_checks.short(window)} with dtype {values.dtype}"
        )
    if values.shape != (length,):
        raise ValueError(
            f"The shape of `window` must be equal to [{length_argument}] = ({length},). "
            f"Received: window shape={values.shape}, window={_checks.short(window)}"
        )
    result = np.array(values, dtype=np.float64, order="C")
    bad = np.flatnonzero(~np.isfinite(result))
    if bad.size:
        raise ValueError(
            f"`window` must be finite. Received: window[{bad[0]}]={result[bad[0]]}"
            + (f" and {bad.size - 1} more" if bad.size > 1 else "")
        )
    return result


def _deserialized(window: Mapping[Any, Any]) -> Any:
    config = window.get("config")
    if window.get("class_name") not in _SERIALIZED_ARRAYS or not isinstance(config, Mapping):
        raise ValueError(
            "`window` given as a dictionary must be an array serialised by Keras, with "
            f"class_name '__numpy__' or '__tensor__'. Received: window={_checks.short(window)}"
        )
    return config.get("value")


def _starts_with_name(window: Any) -> bool:
    return isinstance(window, tuple | list) and bool(window) and isinstance(window[0], str)
