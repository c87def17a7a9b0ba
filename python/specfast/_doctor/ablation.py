# SPDX-License-Identifier: BSD-3-Clause
"""What each choice contributes to the difference of two front ends: it alone is put back."""

from __future__ import annotations

import math

from specfast._doctor.clip import Clip
from specfast._doctor.comparison import Array, Gap, Rounding, computed, gap
from specfast._doctor.result import Cause
from specfast._doctor.subjects import STAGES, SUBJECTS, changed_fields, described, with_fields_of
from specfast._spec import feature_relations
from specfast._spec.feature_spec import FeatureSpec


def causes_of(
    a: FeatureSpec, b: FeatureSpec, clip: Clip, wanted: Array, rounding: Rounding
) -> tuple[tuple[Cause, ...], tuple[str, ...]]:
    """Returns the choices in which two front ends differ, and the names of fields without effect.

    The effect of a choice is what is left of the difference when all others have been corrected.

    Args:
        a, b: the front ends.
        clip: what they are computed on.
        wanted: [rows, frames], the result of B.
        rounding: below which a difference is no effect.
    """
    differing = changed_fields(a, b)
    unused = feature_relations.without_effect(a), feature_relations.without_effect(b)
    shape = computed(b, clip).shape
    causes: list[Cause] = []
    idle: list[str] = []
    for subject in SUBJECTS:
        fields = {name: differing[name] for name in subject.fields if name in differing}
        if not fields:
            continue
        found = _without(a, b, tuple(fields), clip, wanted)
        # Results are compared row by row, so a layout makes no number another.
        if found is not None and rounding.covers(found) and subject.name != "layout":
            idle += fields
            continue
        is_of_shape = found is not None and found.shapes[0] == shape and subject.name != "layout"
        effect = found.rms if found is not None and is_of_shape else None
        causes.append(
            Cause(subject.name, subject.stage, fields, described(fields, unused), effect)
        )
    causes.sort(key=_weight)
    return tuple(causes), tuple(idle)


def _weight(cause: Cause) -> tuple[float, int]:
    effect = math.inf if cause.effect is None else cause.effect
    return -effect, STAGES.index(cause.stage)


def _without(
    a: FeatureSpec, b: FeatureSpec, names: tuple[str, ...], clip: Clip, wanted: Array
) -> Gap | None:
    """Returns what these fields alone make; None: A's values contradict B's."""
    try:
        return gap(computed(with_fields_of(b, a, names), clip), wanted)
    except ValueError:
        return None
