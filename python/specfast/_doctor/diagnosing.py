# SPDX-License-Identifier: BSD-3-Clause
"""The examinations: of two known front ends, of one and a result from elsewhere, of two results."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

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
from specfast._doctor.search import Found, Search
from specfast._doctor.stages import compare_stages
from specfast._doctor.subjects import STAGES, described
from specfast._spec.feature_spec import FeatureSpec

_TRANSPOSED = {"bands_first": "frames_first", "frames_first": "bands_first"}


def of_two_specs(labels: tuple[str, str], a: FeatureSpec, b: FeatureSpec, clip: Clip) -> Diagnosis:
    """Compares two known front ends, stage by stage and choice by choice."""
    results = computed(a, clip), computed(b, clip)
    rounding = _both(rounding_of(a, clip, np.dtype(a.dtype)), rounding_of(b, clip, np.dtype(b.dtype)))
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


def of_values(
    labels: tuple[str, str], a: FeatureSpec, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], clip: Clip
) -> Diagnosis:
    """Looks for what makes a known front end give a result from elsewhere."""
    result = computed(a, clip)
    wanted, is_transposed = _oriented(values, a, result)
    target = Target(wanted, clip)
    rounding = rounding_of(a, clip, values.dtype)
    distance = gap(result, wanted)
    layout = _layout_cause(a) if is_transposed else ()
    notes = [*_about_specs(labels[:1], (a,), clip), *findings.of_values("B", wanted)]
    if rounding.covers(distance):
        if not layout:
            return Diagnosis(
                *labels, True, _result(distance, a, a, rounding, same=True), findings=tuple(notes)
            )
        found = Found(a, True, 1.0, rounding)
    else:
        found = Search(a, target, values.dtype).run()
    return _with_causes(labels, a, wanted, clip, found, layout, _result(distance, a, a, rounding), notes)


def _with_causes(
    labels: tuple[str, str],
    a: FeatureSpec,
    wanted: Array,
    clip: Clip,
    found: Found,
    layout: tuple[Cause, ...],
    difference: StageGap,
    notes: list[Finding],
) -> Diagnosis:
    if found.spec is None:
        return Diagnosis(
            *labels,
            False,
            difference,
            causes=layout,
            share=found.share,
            first_difference=None,
            findings=tuple(notes),
        )
    causes, _ = causes_of(a, found.spec, clip, wanted, found.rounding)
    causes = (*layout, *causes)
    first = min(causes, key=lambda cause: STAGES.index(cause.stage))
    remaining = gap(computed(found.spec, clip), wanted)
    spec = found.spec.replace(layout=_TRANSPOSED[a.layout]) if layout else found.spec
    return Diagnosis(
        *labels,
        False,
        difference,
        first_difference=StageGap(first.stage, True, first.text),
        causes=causes,
        explained=found.is_exact,
        spec=spec,
        remaining=remaining.max_abs if remaining.is_of_one_shape else None,
        share=found.share,
        findings=tuple(notes),
    )


def of_two_results(labels: tuple[str, str], a: Array, b: Array) -> Diagnosis:
    """Compares two results of front ends that are not known."""
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


def _oriented(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], spec: FeatureSpec, result: Array) -> tuple[Array, bool]:
    """Returns a result as [rows, frames], and whether that is not the layout of the front end."""
    plain = np.asarray(values, np.float64)
    plain = plain.T if spec.layout == "frames_first" else plain
    rows, frames = result.shape
    if plain.shape[0] == plain.shape[1] == rows:
        distances = [gap(result, each).rms for each in (plain, plain.T)]
        turned = distances[1] < distances[0]
    elif rows in plain.shape:
        turned = plain.shape[0] != rows
    else:  # the axis of frames is the one that has about their number
        ratios = [abs(np.log(max(length, 1) / max(frames, 1))) for length in plain.shape]
        turned = ratios[0] < ratios[1]
    return (np.ascontiguousarray(plain.T), True) if turned else (plain, False)


def _layout_cause(a: FeatureSpec) -> tuple[Cause, ...]:
    fields = {"layout": (a.layout, _TRANSPOSED[a.layout])}
    return (Cause("layout", "arrangement", fields, described(fields), None),)


def _both(*roundings: Rounding) -> Rounding:
    return Rounding(
        max(each.max_abs for each in roundings), max(each.rms for each in roundings)
    )


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
            f"{', '.join(names)} differ too, which changes no number of this clip",
        )


def _result(
    found: Gap, a: FeatureSpec, b: FeatureSpec, rounding: Rounding, *, same: bool = False
) -> StageGap:
    units = {decibels_of(a), decibels_of(b)}
    unit = units.pop() if len(units) == 1 else None
    text = _words(found, unit)
    if same:
        text = f"{text}; up to {rounding.max_abs:.2g} is rounding" if found.max_abs else text
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
