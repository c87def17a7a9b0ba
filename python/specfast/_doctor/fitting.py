# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that no catalogue lists: gains and offsets that fit, edges and coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from specfast._doctor.comparison import decibels_of
from specfast._doctor.hypotheses import Hypothesis
from specfast._doctor.scores import Score
from specfast._spec.feature_spec import FeatureSpec

_LIKELY_SCALES = (32768.0, 32767.0, 2.0**31, 2.0**15.5)
# What a level of energy e is, for a decade.
_UNITS = {"ln": math.log(10.0), "log10": 1.0, "decibel": 10.0}
_STEPS = 24
_GOLDEN = (math.sqrt(5) - 1) / 2


def fitted(spec: FeatureSpec, score: Score) -> Iterator[Hypothesis]:
    """Yields what the line of best fit between result and target says.

    Levels that differ by a number come from samples that differ by a factor, or have an offset.
    """
    if not math.isfinite(score.gain) or score.gain == 0 or spec.mode != "mel":
        return
    decibels = decibels_of(spec)
    if decibels is not None and abs(score.gain - 1) < 0.02:
        yield from _scales(spec, score.offset * decibels)
    if isinstance(spec.gain, tuple) or isinstance(spec.offset, tuple) or spec.pcen:
        return
    gain = spec.gain * score.gain
    offset = spec.offset * score.gain + score.offset
    if abs(offset) < 1e-5 * (1 + abs(gain)):  # what rounding makes of none
        offset = 0.0
    for level, unit in _UNITS.items():
        if spec.level in _UNITS and level != spec.level:
            other = gain * _UNITS[spec.level] / unit
            if abs(_rounded(other, 2) / other - 1) < 1e-4:  # a number that somebody chose
                changes = {"gain": _rounded(other, 2), "offset": round(offset, 3) + 0.0}
                yield from _made("log base", spec, level=level, **changes)
    for digits in (2, 3, 6, 12):
        changes = {"gain": _rounded(gain, digits), "offset": _rounded(offset, digits)}
        yield from _made("gain and offset", spec, **changes)


def _scales(spec: FeatureSpec, decibels: float) -> Iterator[Hypothesis]:
    factor = 10 ** min(max(decibels / 20, -15.0), 15.0)
    for likely in _LIKELY_SCALES:
        for each in (likely, 1 / likely):
            if abs(math.log(factor / each)) < 0.05:
                yield from _made("input scale", spec, input_scale=spec.input_scale * each)
    for digits in (2, 4, 9):
        scale = _rounded(spec.input_scale * factor, digits)
        yield from _made("input scale", spec, input_scale=scale)


def _made(subject: str, spec: FeatureSpec, **changes: Any) -> Iterator[Hypothesis]:
    try:
        yield Hypothesis(subject, spec.replace(**changes))
    except ValueError:
        return


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


# ---- Single numbers ----------------------------------------------------------------------------


def refined(
    spec: FeatureSpec, changed: set[str], cost: Callable[[FeatureSpec], float]
) -> list[FeatureSpec]:
    """Returns specifications whose numbers fit better than those of a catalogue.

    Args:
        spec: the best specification so far.
        changed: the names of its fields that were changed to get there; only these are refined.
        cost: what is to be small.
    """
    ranges = {
        "min_freq": (max(spec.min_freq * 0.7 - 20, 0.0), spec.min_freq * 1.4 + 20),
        "max_freq": (spec.max_freq * 0.8, min(spec.max_freq * 1.2, spec.sampling_rate / 2)),
        "pcen_gain": (0.5 * spec.pcen_gain, 1.5 * spec.pcen_gain),
        "pcen_bias": (0.4 * spec.pcen_bias, 2.5 * spec.pcen_bias),
        "pcen_power": (0.5 * spec.pcen_power, 2 * spec.pcen_power),
        "pcen_time_constant": (0.4 * spec.pcen_time_constant, 2.5 * spec.pcen_time_constant),
        "preemphasis": (max(spec.preemphasis - 0.1, 0.0), min(spec.preemphasis + 0.1, 1.0)),
    }
    found = []
    for name, (low, high) in ranges.items():
        if name in changed:
            value = _least(low, high, partial(_cost, spec, name, cost=cost))
            found += [
                spec.replace(**{name: _rounded(value, digits)})
                for digits in (1, 2, 3, 4, 6)
                if _cost(spec, name, _rounded(value, digits), cost) < math.inf
            ]
    floors = (
        [spec.floor * factor for factor in (0.25, 0.5, 2.0, 4.0)] if "floor" in changed else []
    )
    found += [spec.replace(floor=floor) for floor in floors]
    return found


def _cost(
    spec: FeatureSpec, name: str, value: float, cost: Callable[[FeatureSpec], float]
) -> float:
    try:
        return cost(spec.replace(**{name: value}))
    except ValueError:
        return math.inf


def _least(low: float, high: float, cost: Callable[[float], float]) -> float:
    """Returns where a function with one minimum has it: golden section."""
    points = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    costs = [cost(point) for point in points]
    for _ in range(_STEPS):
        if costs[0] <= costs[1]:
            high, points[1], costs[1] = points[1], points[0], costs[0]
            points[0] = high - _GOLDEN * (high - low)
            costs[0] = cost(points[0])
        else:
            low, points[0], costs[0] = points[0], points[1], costs[1]
            points[1] = low + _GOLDEN * (high - low)
            costs[1] = cost(points[1])
    return (low + high) / 2
