# SPDX-License-Identifier: BSD-3-Clause
"""The examinations: of two known front ends, of one and a result, of two results."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from specfast._doctor import findings
from specfast._doctor.ablation import causes_of
from specfast._doctor.clip import Clip
from specfast._doctor.comparison import (
    Array,
    Gap,
    Rounding,
    computed,
    decibels_of,
    gap,
    rounding_of,
)
from specfast._doctor.result import Cause, Diagnosis, Finding, StageGap
from specfast._doctor.scores import Target
from specfast._doctor.search import DEPTH, Found, Search
from specfast._doctor.shifts import cause_of, likely_shift, moved
from specfast._doctor.stages import compare_stages
from specfast._doctor.subjects import STAGES, described
from specfast._spec.feature_spec import FeatureSpec

Values = np.ndarray[Any, Any]  # a result as it came

_TRANSPOSED = {"bands_first": "frames_first", "frames_first": "bands_first"}


def of_two_specs(labels: tuple[str, str], a: FeatureSpec, b: FeatureSpec, clip: Clip) -> Diagnosis:
    """Compares two known front ends, stage by stage and choice by choice."""
    results = _computed("A", a, clip), _computed("B", b, clip)
    rounding = _both(
        rounding_of(a, clip, np.dtype(a.dtype)), rounding_of(b, clip, np.dtype(b.dtype))
    )
    found = gap(*results)
    causes, idle = causes_of(a, b, clip, results[1], rounding)
    same = rounding.covers(found) and a.layout == b.layout
    notes = [*_about_specs(labels, (a, b), clip), *_about_idle(idle)]
    if same:
        return Diagnosis(
            *labels, True, _result(found, a, b, rounding, same=True), findings=tuple(notes)
        )
    stages = compare_stages(a, b, clip)
    first = next((stage for stage in stages if stage.differs), None)
    if first is None:
        arrangement = _result(found, a, b, rounding)
        first = dataclasses.replace(arrangement, stage="arrangement")
        stages = (*stages, first)
    return Diagnosis(
        *labels,
        False,
        _result(found, a, b, rounding),
        stages,
        first,
        causes,
        explained=True,
        spec=b,
        remaining=0.0,
        share=1.0,
        findings=tuple(notes),
    )


def of_values(labels: tuple[str, str], a: FeatureSpec, values: Values, clip: Clip) -> Diagnosis:
    """Looks for what makes a known front end give a result from elsewhere."""
    result = _computed("A", a, clip)
    wanted, layout = _oriented(values, a, result)
    rounding = rounding_of(a, clip, values.dtype)
    distance = gap(result, wanted)
    same = rounding.covers(distance)
    difference = _result(distance, a, a, rounding, same=same and layout == a.layout)
    notes = (*_about_specs(labels[:1], (a,), clip), *findings.of_values("B", wanted))
    if not difference.differs:
        return Diagnosis(*labels, True, difference, findings=notes)
    if same:
        explanation = _explanation(a, wanted, clip, Found(a, True, 1.0, rounding), layout)
    else:
        shift = likely_shift(result, wanted)
        explanation = _searched(a, wanted, clip, layout, values.dtype, shift)
    return dataclasses.replace(
        explanation,
        a=labels[0],
        b=labels[1],
        difference=difference,
        findings=notes,
    )


def _searched(
    a: FeatureSpec, wanted: Array, clip: Clip, layout: str, dtype: np.dtype[Any], shift: int
) -> Diagnosis:
    """Looks for causes: other choices, or where these do not explain it, with a likely shift."""
    if not shift:
        found = Search(a, Target(wanted, clip), dtype).run()
        return _explanation(a, wanted, clip, found, layout)
    moved_clip, moved_values = moved(shift, clip, wanted)
    shifted = Target(moved_values, moved_clip)
    # One choice is said more shortly than a shift, several are not.
    is_alone = rounding_of(a, clip, dtype).covers(shifted.gap(a))
    found = Search(a, Target(wanted, clip), dtype).run(1 if is_alone else DEPTH)
    explanation = _explanation(a, wanted, clip, found, layout)
    if not found.is_exact:
        found = Search(a, shifted, dtype).run()
        if found.is_exact:
            cause = cause_of(shift, gap(computed(found.spec or a, clip), wanted))
            return _explanation(a, moved_values, moved_clip, found, layout, cause)
    return explanation


def _explanation(
    a: FeatureSpec, wanted: Array, clip: Clip, found: Found, layout: str, *others: Cause
) -> Diagnosis:
    """Returns the causes that a search has found, and others, in a diagnosis without the rest."""
    unknown = StageGap("result", True, "")
    spec, causes = found.spec, _layout_cause(a, layout)
    if spec is None:
        return Diagnosis("", "", False, unknown, causes=causes, share=found.share)
    remaining = gap(computed(spec, clip), wanted)
    with contextlib.suppress(ValueError):  # joined frames have one layout only
        spec, causes = spec.replace(layout=layout), ()
    causes += others
    more, _ = causes_of(a, spec, clip, wanted, found.rounding)
    # Choices may be rounding one by one, and more than that together.
    causes += more or causes_of(a, spec, clip, wanted, Rounding(0.0, 0.0))[0]
    first = min(causes, key=lambda cause: STAGES.index(cause.stage))
    return Diagnosis(
        "",
        "",
        False,
        unknown,
        first_difference=StageGap(first.stage, True, first.text),
        causes=causes,
        explained=found.is_exact,
        spec=spec,
        remaining=remaining.max_abs if remaining.is_of_one_shape else None,
        share=found.share,
    )


def of_two_results(labels: tuple[str, str], first: Values, second: Values) -> Diagnosis:
    """Compares two results of front ends that are not known."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    notes = [*findings.of_values("A", a), *findings.of_values("B", b)]
    if a.shape != b.shape and a.shape == b.shape[::-1]:
        notes.append(Finding("layout", "B has the shape of A transposed, and was compared so"))
        b = b.T
    found = gap(a, b)
    size = float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
    same = found.is_of_one_shape and found.max_abs <= 1e-6 * size and not found.bad
    same = same and not any(note.name == "layout" for note in notes)
    if not same:
        notes += _line_between(a, b)
    notes.append(
        Finding("unknown front ends", "neither is known, so the result alone was compared")
    )
    text = _words(found, None)
    difference = StageGap("result", not same, text, found)
    return Diagnosis(*labels, same, difference, share=None, findings=tuple(notes))


def _line_between(a: Array, b: Array) -> Iterator[Finding]:
    """Finds that one result is the other times a number, plus a number."""
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return
    if np.ptp(a) == 0:
        return
    gain, offset = np.polyfit(a.ravel(), b.ravel(), 1)
    left = float(np.std(gain * a + offset - b))
    if left < 1e-3 * float(np.std(b)):
        yield Finding("gain and offset", f"B is {gain:.6g} times A, plus {offset:.6g}")


# ---- Parts -------------------------------------------------------------------------------------


def _computed(side: str, spec: FeatureSpec, clip: Clip) -> Array:
    """Returns the result of a front end, [rows, frames].

    Raises:
        ValueError: if the clip is too short for it.
    """
    try:
        result = computed(spec, clip)
    except ValueError as error:
        raise ValueError(f"`clip` is of no use to {side}: {error}") from error
    if not result.shape[1]:
        raise ValueError(
            f"`clip` is too short: {side} makes no frame of it. "
            f"Received: clip of {len(clip.samples)} samples, frame_length={spec.frame_length}"
        )
    return result


def _oriented(values: Values, spec: FeatureSpec, result: Array) -> tuple[Array, str]:
    """Returns a result as [rows, frames], and its layout."""
    plain = np.asarray(values, np.float64)
    plain = plain.T if spec.layout == "frames_first" else plain
    rows, frames = result.shape
    if plain.shape[0] == plain.shape[1] == rows:
        distances = [gap(result, each).rms for each in (plain, plain.T)]
        is_turned = distances[1] < distances[0]
    elif rows in plain.shape:
        is_turned = plain.shape[0] != rows
    else:  # one axis has about the number of frames
        is_near = [abs(length - frames) <= 2 + 0.05 * frames for length in plain.shape]
        is_turned = is_near == [True, False]
    if is_turned:
        return np.ascontiguousarray(plain.T), _TRANSPOSED[spec.layout]
    return plain, spec.layout


def _layout_cause(a: FeatureSpec, layout: str) -> tuple[Cause, ...]:
    if layout == a.layout:
        return ()
    fields = {"layout": (a.layout, layout)}
    return (Cause("layout", "arrangement", fields, described(fields), None),)


def _both(*roundings: Rounding) -> Rounding:
    return Rounding(max(each.max_abs for each in roundings), max(each.rms for each in roundings))


def _about_specs(
    labels: tuple[str, ...], specs: tuple[FeatureSpec, ...], clip: Clip
) -> Iterator[Finding]:
    if clip.is_given:
        yield from findings.of_clip(clip, {spec.sampling_rate for spec in specs})
    for side, _, spec in zip("AB", labels, specs, strict=False):
        yield from findings.of_spec(side, spec, clip)


def _about_idle(names: tuple[str, ...]) -> Iterator[Finding]:
    if names:
        yield Finding(
            "without effect here",
            f"{', '.join(names)}: other values in B, which change no number of this clip",
        )


def _result(
    found: Gap, a: FeatureSpec, b: FeatureSpec, rounding: Rounding, *, same: bool = False
) -> StageGap:
    units = {decibels_of(a), decibels_of(b)}
    unit = units.pop() if len(units) == 1 else None
    text = _words(found, unit)
    if same and found.max_abs:
        text = f"{text}; up to {rounding.max_abs:.2g} is rounding"
    elif not same and rounding.covers(found):
        text = f"in layout only, {text}"
    return StageGap(
        "result", not same, text, found, None if unit is None else found.max_abs * unit
    )


def _words(found: Gap, unit: float | None) -> str:
    """Returns how far results are apart, in words."""
    shapes = [f"{rows} rows x {frames} frames" for rows, frames in found.shapes]
    if not found.is_of_one_shape:
        text = f"{shapes[0]} in A, {shapes[1]} in B"
        if np.isnan(found.max_abs):
            return text
        return f"{text}; in the frames of both up to {found.max_abs:.4g} apart"
    if found.max_abs == 0 and not found.bad:
        return f"all {found.shapes[0][0] * found.shapes[0][1]} values are equal, {shapes[0]}"
    decibels = "" if unit is None or unit == 1.0 else f" ({found.max_abs * unit:.3g} dB)"
    row, frame = found.place or (0, 0)
    text = (
        f"up to {found.max_abs:.4g}{decibels} apart, in row {row} of frame {frame}, "
        f"{found.rms:.3g} root mean square, {shapes[0]}"
    )
    return f"{text}; {found.bad} values are finite in one of them only" if found.bad else text
