# SPDX-License-Identifier: BSD-3-Clause
"""The base of a layer's arguments: checked and resolved once, when the layer is made.

Names, order and defaults are those of Keras. What Keras refuses is refused with the same
exception; what Keras lets through and then fails on, or turns into NaN, is refused as well.
"""

from __future__ import annotations

import math
import re
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np

from specfast._spec import checks, fields, windows

ArgumentsType = TypeVar("ArgumentsType", bound="Arguments")

# The engine's own bounds, checked here too so that no window is computed for an absurd length.
MAX_LENGTH = 1 << 27
MAX_BANDS = 1 << 20
MAX_THREADS = 4096


class Arguments(ABC):
    """Checked arguments of a layer. Subclasses declare them by `fields.argument`.

    A subclass is a frozen dataclass. It may have further attributes, which follow from its
    arguments.
    """

    num_threads: int | None
    device: str | None
    window_values: windows.Values | None

    @classmethod
    def checked(cls: type[ArgumentsType], values: Mapping[str, Any]) -> ArgumentsType:
        """Checks the arguments of a layer.

        Args:
            values: every argument by its name; other names are passed over.

        Raises:
            TypeError: for a value of a wrong type.
            ValueError: for a value out of its range.
            ImportError: for a window that only SciPy has, without SciPy.
        """
        single = {
            field.name: field.check(field.name, values[field.name]) for field in cls.fields()
        }
        return cls(**cls._resolved(single))

    @classmethod
    @abstractmethod
    def _resolved(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Checks values against each other; returns them with all that follows from them."""

    @classmethod
    def fields(cls) -> tuple[fields.Field, ...]:
        """Returns the arguments in the order of a Keras configuration."""
        return fields.fields_of(cls)

    def public(self) -> dict[str, Any]:
        """Returns every argument under its name, as attributes of the layer show it."""
        return {field.name: getattr(self, field.name) for field in self.fields()}

    def config(self) -> dict[str, Any]:
        """Returns the part of a Keras configuration that these arguments make.

        A window given as an array becomes a list of floats: Keras reads that back, also from
        JSON, which it does not with an array.
        """
        changed = self.changed()
        return {
            field.name: value.tolist() if isinstance(value, np.ndarray) else value
            for field in self.fields()
            for value in [getattr(self, field.name)]
            if field.in_keras or field.name in changed
        }

    def changed(self) -> dict[str, Any]:
        """Returns the arguments that differ from their defaults."""
        return {
            field.name: value
            for field in self.fields()
            for value in [getattr(self, field.name)]
            if isinstance(value, np.ndarray) or value != field.default_of(self)
        }

    @abstractmethod
    def check_precision(self, dtype: str) -> None:
        """Refuses what "float32" or "float64", the engine's own precision, cannot hold.

        Raises:
            ValueError: for a scaled window, or a floor in use, that becomes zero or infinite.
        """


# ---- Checks of single arguments ----------------------------------------------------------------

thread_count = fields.optional(partial(checks.integer, minimum=1, maximum=MAX_THREADS))


def device_name(name: str, value: Any) -> str | None:
    """Returns where a layer computes: None, "cpu", "cuda" or "cuda:<number>"."""
    if value is None or (
        isinstance(value, str) and re.fullmatch(r"cpu|cuda(:(0|[1-9][0-9]{0,3}))?", value)
    ):
        return value
    accepted = "None, 'cpu', 'cuda', or 'cuda:' and a number"
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f"`{name}` must be {accepted}. {checks.received(name, value)}")


def not_negative(name: str, value: Any) -> int | float:
    """Returns a finite number that is zero or more."""
    number = checks.real(name, value, accepted="a finite number, not negative")
    if number < 0:
        raise ValueError(
            f"`{name}` must be a finite number, not negative. {checks.received(name, value)}"
        )
    return number


def sample_scale(value: Any, dtype: str) -> float:
    """Returns the argument `scale` of a call, for the engine: 0 stands for None, no scale.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is 0, or not finite or no normal number in `dtype`.
    """
    if value is None:
        return 0.0
    accepted = f"None or a number that is not 0 and that {dtype} can hold, such as 1 / 32768"
    scale = float(checks.real("scale", value, accepted=accepted))
    if not _is_normal(abs(scale), dtype):
        raise ValueError(f"`scale` must be {accepted}. {checks.received('scale', value)}")
    return scale


# ---- Windows -----------------------------------------------------------------------------------


def public_window(window: Any, values: windows.Values) -> str | windows.Values:
    """Returns the window as a layer shows it: its name, or a read-only copy of its values."""
    if isinstance(window, str):
        return str(window)
    shown = values.copy()
    shown.flags.writeable = False  # the plan would not follow a change
    return shown


# ---- Precision ---------------------------------------------------------------------------------


def check_window_precision(
    window: Any, values: windows.Values | None, scaling: str | None, dtype: str
) -> None:
    """Refuses a window that loses its digits on its way into the engine.

    It must be made of normal numbers of `dtype` after it was scaled, and of float64 while its
    norm is computed; below, digits are lost and soon everything, above it is infinite.
    """
    if values is None:
        return
    largest = float(np.max(np.abs(values)))
    if largest == 0:
        return  # without a scaling that is silence, and sound; with one it is refused already
    with np.errstate(all="ignore"):
        # In this order and precision the engine does it too.
        total = float(np.sum(values**2 if scaling == "density" else np.abs(values)))
        norm = {None: 1.0, "density": math.sqrt(total), "spectrum": total}[scaling]
        scaled = largest * float(np.float64(1.0) / norm)
    sound = _is_normal(scaled, dtype) and (scaling is None or _is_normal(total, "float64"))
    if not sound:
        limits = np.finfo(dtype)
        held = f"{dtype} can hold ({limits.tiny:.2g} to {limits.max:.2g})"
        raise ValueError(
            f"`window` must have a largest value that {held}"
            + (f" also after scaling={scaling!r}, and a norm that float64 can" if scaling else "")
            + f". {checks.received('window', window)}, whose largest value is {largest:.3g}"
            + (f" and whose norm is {norm:.3g}" if scaling else "")
        )


def check_floor_precision(name: str, value: float, dtype: str) -> None:
    """Refuses a floor other than 0 that becomes 0 or infinite in `dtype`."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = float(np.dtype(dtype).type(float(value)))
    if value > 0 and not 0 < rounded < np.inf:
        raise ValueError(
            f"`{name}` must be 0 or a number that does not become {rounded} in {dtype}. "
            f"{checks.received(name, value)}"
        )


def _is_normal(number: float, dtype: str) -> bool:
    limits = np.finfo(dtype)
    return float(limits.tiny) <= number <= float(limits.max)  # False for NaN


# ---- Warnings ----------------------------------------------------------------------------------


def warn_of_zero_window(values: windows.Values | None) -> None:
    """Gives a UserWarning for a window that hides every signal."""
    if values is not None and not np.any(values):
        warnings.warn(
            "`window` is zero everywhere, so that the result is that of silence whatever the "
            f"signal. Received: a window of {len(values)} zeros",
            stacklevel=caller_level(),
        )


def caller_level() -> int:
    """Returns the stacklevel, for a warning by the caller, of the first frame outside specfast."""
    level = 2
    frame = sys._getframe(2)
    while frame.f_back and (frame.f_globals.get("__package__") or "").split(".")[0] == "specfast":
        frame = frame.f_back
        level += 1
    return level
