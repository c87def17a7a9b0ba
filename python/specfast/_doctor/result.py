# SPDX-License-Identifier: BSD-3-Clause
"""What the doctor returns: a diagnosis, of differences, causes and findings."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

from specfast._doctor.comparison import Gap
from specfast._spec.feature_spec import FeatureSpec


@dataclass(frozen=True)
class StageGap:
    """How far the results of one stage are apart.

    Attributes:
        stage: its name, one of STAGES; "result" where the stage is not known.
        differs: whether they are not the same numbers.
        text: how far, in words.
        gap: the numbers; None: settings are the same, or nothing could be compared.
        decibels: the largest difference in dB; None: it has no such unit.
    """

    stage: str
    differs: bool
    text: str
    gap: Gap | None = None
    decibels: float | None = None


@dataclass(frozen=True)
class Cause:
    """One choice in which two front ends differ.

    Attributes:
        name: what it is, such as "window symmetry".
        stage: the step that it belongs to.
        fields: the fields of FeatureSpec, and their values in A and in B; empty for a shift in
            time, which none says.
        text: the same in words.
        effect: how far this alone puts the results apart (root mean square), everything else
            being as in B; None: they then differ in shape.
    """

    name: str
    stage: str
    fields: dict[str, tuple[Any, Any]]
    text: str
    effect: float | None


@dataclass(frozen=True)
class Finding:
    """Something about clip, front ends or results that is likely to be wrong.

    Attributes:
        name: what it is, such as "clipped samples".
        text: a sentence with the numbers.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Diagnosis:
    """Why two front ends differ.

    Attributes:
        a, b: what was compared, as text.
        same: whether the results are the same numbers, up to rounding.
        difference: between the results.
        stages: those of two known front ends, up to the first that differs; else empty.
        first_difference: the first stage that differs; with an array or a callable, that of the
            first cause; None: there is none, or the cause is not known.
        causes: in which choices they differ, those with the largest effect first.
        explained: whether the causes reproduce B, up to rounding.
        spec: the specification with these changes; None: A has none.
        remaining: the largest difference between its result and that of B; None: the shapes
            differ, or there is no `spec`.
        share: how much of the difference (root mean square) the causes explain, or the best that
            was found where `causes` is empty, 0 to 1; None: nothing was looked for.
        findings: about clip, front ends and results.
    """

    a: str
    b: str
    same: bool
    difference: StageGap
    stages: tuple[StageGap, ...] = ()
    first_difference: StageGap | None = None
    causes: tuple[Cause, ...] = ()
    explained: bool = False
    spec: FeatureSpec | None = None
    remaining: float | None = None
    share: float | None = 0.0
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def to_json(self, *, indent: int | None = None) -> str:
        """Returns the diagnosis as a JSON object with the names of the attributes."""
        values = dataclasses.asdict(self)
        values["spec"] = None if self.spec is None else json.loads(self.spec.to_json())
        return json.dumps(_plain(values), indent=indent, allow_nan=False)


def _plain(value: Any) -> Any:
    """Returns a value as JSON has it: no NaN, no tuples."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# ---- Text --------------------------------------------------------------------------------------


def _lines(diagnosis: Diagnosis) -> list[str]:
    lines = [f"A: {diagnosis.a}", f"B: {diagnosis.b}", ""]
    if diagnosis.same:
        lines.append(f"Same numbers: {diagnosis.difference.text}.")
    else:
        lines.append(f"The results differ: {diagnosis.difference.text}.")
        lines += [*_stage_lines(diagnosis), *_cause_lines(diagnosis)]
    if diagnosis.findings:
        lines += ["", "Findings:"]
        lines += [f"  {finding.name}: {finding.text}" for finding in diagnosis.findings]
    return lines


def _stage_lines(diagnosis: Diagnosis) -> list[str]:
    first = diagnosis.first_difference
    if first is None:
        return []
    if not diagnosis.stages:
        return [f"The first stage that differs is likely: {first.stage}."]
    return [f"The first stage that differs: {first.stage}, {first.text}."]


def _cause_lines(diagnosis: Diagnosis) -> list[str]:
    if diagnosis.share is None:
        return []
    if not diagnosis.explained and not diagnosis.spec:
        best = f"the best one found leaves {_rest(diagnosis)} of the difference"
        verdict = f"No combination of usual mistakes explains it; {best}."
        return [verdict, *_list(diagnosis.causes)]
    several = len(diagnosis.causes) != 1
    if not diagnosis.explained:
        head = "No combination of usual mistakes gives B. The nearest, of which some may be wrong:"
    elif diagnosis.stages:
        head = "The causes:" if several else "The cause:"
    else:
        head = "The likely causes:" if several else "The likely cause:"
    return ["", head, *_list(diagnosis.causes), "", _cure(diagnosis)]


def _list(causes: tuple[Cause, ...]) -> list[str]:
    lines = []
    for number, cause in enumerate(causes, 1):
        effect = "another shape" if cause.effect is None else f"{cause.effect:.3g} rms"
        lines.append(f"  {number}. {cause.name}: {cause.text} ({effect})")
    return lines


def _cure(diagnosis: Diagnosis) -> str:
    changes = {name: b for cause in diagnosis.causes for name, (_, b) in cause.fields.items()}
    shown = ", ".join(f"{name}={_value(value)}" for name, value in changes.items())
    words = [f"with {shown}"] if shown else []
    words += [cause.text for cause in diagnosis.causes if not cause.fields]
    if diagnosis.explained:
        left = ", up to rounding," if diagnosis.remaining else ""
        return f"A gives the numbers of B{left} {', '.join(words)}"
    rest = (
        "another shape"
        if diagnosis.remaining is None
        else f"a difference of up to {diagnosis.remaining:.3g}"
    )
    return f"With {shown} there remain {_rest(diagnosis)} of the difference: {rest}."


def _rest(diagnosis: Diagnosis) -> str:
    rest = 100 - 100 * (diagnosis.share or 0.0)
    return f"{rest:.0f} %" if rest >= 1 else f"{rest:.1g} %"


def _value(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else "..."
