# SPDX-License-Identifier: BSD-3-Clause
"""What values become before they are colours: levels, their limits, places that are grey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._plot.charts import Chart, Values
from specfast._spec import checks
from specfast.layers.features import Features

# Depth in dB that is shown below the loudest point when the caller names no range.
_DEFAULT_DEPTH_DB = 80.0
# Power and magnitude have no logarithm at zero; this is far below anything a front end returns.
_SMALLEST = 1e-20


@dataclass(frozen=True, eq=False)
class Shades:
    """Values as they are drawn.

    Attributes:
        panels: [clips, signals, rows, frames]; NaN is grey.
        limits: the values shown as the first and the last colour.
        label: what the values are.
        colours: the name of matplotlib's colour map.
        interpolation: how matplotlib scales the image; None: its default.
        grey: what is grey, for people.
        extend: the ends of a colour bar that are arrows, as values lie beyond them.
    """

    panels: Values
    limits: tuple[float, float]
    label: str
    colours: str = "magma"
    interpolation: str | None = None
    grey: tuple[str, ...] = ()
    extend: str = "neither"


def array_of(values: Any) -> tuple[Values, npt.NDArray[np.bool_] | None]:
    """Returns what is drawn in float32 or float64, and which frames are no padding, if known.

    Raises:
        TypeError: if they are no array of real numbers.
        ValueError: if there are none.
    """
    mask = values.mask if isinstance(values, Features) else None
    given = values.values if isinstance(values, Features) else values
    if isinstance(given, np.ma.MaskedArray) and given.dtype.kind == "f":
        given = given.filled(np.nan)
    try:
        array = checks.to_array(given)
    except Exception as error:
        raise _no_numbers(f"{checks.received('values', given)}: {error}") from error
    if array.dtype.kind == "c":
        raise TypeError(
            "`values` must be real, as the layers return them: draw numpy.abs of complex "
            f"spectra. Received: values of dtype {array.dtype}"
        )
    if not checks.holds_reals(array):
        raise _no_numbers(checks.received("values", given))
    if array.size == 0:
        raise ValueError(f"`values` must hold a frame. Received: values of shape {array.shape}")
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        wide = array.dtype.kind in "fiu" and array.dtype.itemsize > 2
        return array.astype(np.float64 if wide else np.float32), mask
    return (array.astype(np.float32) if array.dtype.itemsize < 4 else array), mask


def _no_numbers(received: str) -> TypeError:
    return TypeError(f"`values` must be an array of real numbers. {received}")


def shades_of(
    panels: Values,
    chart: Chart,
    mask: npt.NDArray[np.bool_] | None,
    vmin: float | None,
    vmax: float | None,
) -> Shades:
    """Returns how values [clips, signals, rows, frames] are drawn.

    Raises:
        TypeError, ValueError: if `vmin` and `vmax` are no finite numbers, the first the smaller,
            or a mask has another shape than the values.
    """
    known, grey = _known(panels, chart, mask)
    shown = _look(known, chart)
    low, high = (_limit(name, value) for name, value in (("vmin", vmin), ("vmax", vmax)))
    if low is not None or high is not None:
        shown = _within(shown, _ordered(shown.limits, low, high))
    return replace(shown, grey=tuple(grey))


def _known(
    panels: Values, chart: Chart, mask: npt.NDArray[np.bool_] | None
) -> tuple[Values, list[str]]:
    """Returns values with NaN where they say nothing of a signal, and what these places are."""
    is_finite, is_known, grey = np.isfinite(panels), np.ones((1, 1, 1, 1), np.bool_), []
    if count := int(chart.is_empty.sum()):
        empty = np.tile(chart.is_empty, len(chart.rows.blocks))
        is_known = is_known & ~empty[:, np.newaxis]
        grey.append(f"{count} band{'s' * (count > 1)} without a bin")
    if mask is not None and not mask.all():
        if mask.size != len(panels) * panels.shape[-1]:
            raise ValueError(
                "`values` must have a mask for the frames of each clip. "
                f"Received: a mask of shape {mask.shape}"
            )
        is_known = is_known & mask.reshape(len(panels), -1, 1, panels.shape[-1])
        grey.append("padding")
    if not is_finite.all() and not (is_finite | ~is_known).all():
        grey.append("values that are not finite")
    is_shown = is_finite & is_known
    if not is_shown.all():
        panels = np.where(is_shown, panels, panels.dtype.type(np.nan))
    return panels, grey


def _limit(name: str, value: float | None) -> float | None:
    return None if value is None else float(checks.real(name, value))


def _ordered(
    usual: tuple[float, float], low: float | None, high: float | None
) -> tuple[float, float]:
    bottom, top = usual[0] if low is None else low, usual[1] if high is None else high
    if bottom < top:
        return bottom, top
    if low is not None and high is not None:
        raise ValueError(f"`vmin` must be below `vmax`. Received: vmin={low:g}, vmax={high:g}")
    # The limit that was named lies beyond all values.
    return (bottom, bottom + 1.0) if high is None else (top - 1.0, top)


def _look(panels: Values, chart: Chart) -> Shades:
    """Returns values in their unit, with the limits and colours of that unit."""
    mode = chart.mode
    if mode == "angle":
        # A mean of phases on both sides of pi says nothing.
        limits = (-np.pi, np.pi)
        return Shades(panels, limits, "phase (radians)", "twilight", "nearest")
    if mode in ("real", "imag"):
        return Shades(panels, _even_limits(panels), f"{mode} part", "RdBu")
    if mode != "mel":
        levels = _levels(panels, mode, len(chart.rows.blocks))
        return Shades(levels, _limits(levels), "level (dB)")
    if chart.unit == "power":
        levels = _decibels(panels)
        return Shades(levels, _limits(levels), "level (dB)")
    if chart.unit.endswith("cepstra"):
        # The first coefficient, of the whole level, is often far from all others.
        others = np.delete(panels, [*chart.rows.starts()], axis=2)
        shades = Shades(panels, (-1.0, 1.0), chart.unit, "RdBu_r")
        return _within(shades, _even_limits(others if others.size else panels))
    label = chart.unit if chart.unit.endswith("PCEN") else f"level ({chart.unit})"
    depth = _DEFAULT_DEPTH_DB if chart.unit == "dB" else np.inf
    return Shades(panels, _limits(panels, depth), label)


def _levels(values: Values, mode: str, blocks: int) -> Values:
    """Returns the output of a mode, [clips, signals, rows, frames], as levels in dB."""
    levels: Values
    if mode == "log":
        levels = values * (20.0 / np.log(10.0))
        return levels
    if mode == "psd":
        return _decibels(values)
    magnitudes = values
    if mode == "stft":
        # In each block all real parts, then all imaginary parts.
        parts = values.reshape(*values.shape[:2], blocks, 2, -1, values.shape[-1])
        magnitudes = np.hypot(parts[:, :, :, 0], parts[:, :, :, 1])
        magnitudes = magnitudes.reshape(*values.shape[:2], -1, values.shape[-1])
    levels = 2.0 * _decibels(magnitudes)
    return levels


def _decibels(powers: Values) -> Values:
    levels: Values = 10.0 * np.log10(np.maximum(powers, _SMALLEST))
    return levels


def _limits(levels: Values, depth: float = _DEFAULT_DEPTH_DB) -> tuple[float, float]:
    """Returns the levels of the darkest and the brightest colour, at most `depth` apart."""
    finite = levels[np.isfinite(levels)]
    if finite.size == 0:
        return (-_DEFAULT_DEPTH_DB, 0.0)
    high = float(finite.max())
    low = max(float(finite.min()), high - depth)
    return (low, high) if low < high else (low - 1.0, high + 1.0)


def _within(shades: Shades, limits: tuple[float, float]) -> Shades:
    """Returns shades of other limits, which values may exceed."""
    finite = shades.panels[np.isfinite(shades.panels)]
    beyond = int((finite < limits[0]).any()) + 2 * int((finite > limits[1]).any())
    return replace(shades, limits=limits, extend=("neither", "min", "max", "both")[beyond])


def _even_limits(values: Values) -> tuple[float, float]:
    """Returns limits around zero."""
    peak = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values))) or 1.0
    return -peak, peak
