# SPDX-License-Identifier: BSD-3-Clause
"""Two known front ends stage by stage: how far the results of each are apart.

The engine computes every stage: a specification is cut behind it and gets a readout, single bins
of the power spectrum as a filterbank of its own.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from specfast._doctor.clip import Clip
from specfast._doctor.comparison import Gap, computed, decibels_of, gap
from specfast._doctor.result import StageGap
from specfast._doctor.subjects import STAGES, SUBJECTS
from specfast._spec.feature_spec import FeatureSpec

_SPECTRAL = STAGES[: STAGES.index("filterbank")]
_MAX_READ_BINS = 256
_MAX_READOUT = 1 << 20
# Energies so far below the loudest count as this: what lies deeper is rounding.
_RANGE_DB = 120.0
_TOLERANCE_DB = 1e-6

Fields = dict[str, Any]


def compare_stages(a: FeatureSpec, b: FeatureSpec, clip: Clip) -> tuple[StageGap, ...]:
    """Returns how far two front ends are apart behind each stage, up to the first difference.

    The result of a stage depends on those before it. So the list ends with the first one that
    differs.

    Raises:
        ValueError: if the clip is too short for a padding.
    """
    found: list[StageGap] = []
    for stage in STAGES[: STAGES.index("arrangement")]:
        fields = [_fields_up_to(stage, spec) for spec in (a, b)]
        if fields[0] == fields[1]:
            found.append(StageGap(stage, False, "same settings"))
            continue
        found.append(_compared(stage, fields, clip))
        if found[-1].differs:
            break
    return tuple(found)


def _fields_up_to(stage: str, spec: FeatureSpec) -> Fields:
    """Returns the fields of a specification that matter for the result of a stage."""
    known = STAGES[: STAGES.index(stage) + 1]
    names = {name for subject in SUBJECTS if subject.stage in known for name in subject.fields}
    return {name: value for name, value in spec.given().items() if name in names}


def _compared(stage: str, fields: list[Fields], clip: Clip) -> StageGap:
    try:
        specs = [_cut(stage, each) for each in fields]
    except ValueError:
        return StageGap(stage, True, "not computed in the same steps")
    results = [computed(spec, clip) for spec in specs]
    found = gap(*results)
    if not found.is_of_one_shape:
        return StageGap(stage, True, _shapes(found, stage), found)
    if all(spec.mode == "mel" for spec in specs) and stage in (*_SPECTRAL, "filterbank"):
        found = gap(*map(_in_decibels, results, [max(map(np.max, results))] * 2))
        return StageGap(
            stage,
            found.max_abs > _TOLERANCE_DB,
            _amount(found, "dB"),
            found,
            found.max_abs,
        )
    units = {decibels_of(spec) for spec in specs}
    unit = units.pop() if len(units) == 1 else None
    size = max(float(np.abs(result).max(initial=0.0)) for result in results)
    return StageGap(
        stage,
        found.max_abs > 1e-9 * size or bool(found.bad),
        _amount(found, ""),
        found,
        None if unit is None else found.max_abs * unit,
    )


def _cut(stage: str, fields: Fields) -> FeatureSpec:
    """Returns a specification that ends with a stage, computed in float64.

    Raises:
        ValueError: where its fields need what has been cut away.
    """
    common: Fields = {"precision": "float64", "dtype": "float64", "layout": "bands_first"}
    fields = {**fields, **common}
    if stage == "samples":
        # All samples, in frames that touch each other.
        cut = {"frame_length": 256, "hop_length": 256, "padding": "end", "window": None}
        return FeatureSpec(**{**_readout(256), **fields, **cut})
    if stage not in _SPECTRAL or fields.get("mode", "mel") != "mel":
        return FeatureSpec(**fields)
    if STAGES.index(stage) < STAGES.index("window"):
        fields["window"] = None
    return FeatureSpec(**{**fields, **_readout(_fft_length(fields))})


def _fft_length(fields: Fields) -> int:
    whole = FeatureSpec(
        **{name: value for name, value in fields.items() if name in ("frame_length", "fft_length")}
    )
    return whole.fft_length


@cache
def _readout(fft_length: int) -> Fields:
    """Returns the fields of a filterbank of single bins, spread over the spectrum."""
    bins = fft_length // 2 + 1
    count = max(min(bins, _MAX_READ_BINS, _MAX_READOUT // bins), 1)
    rows = np.unique(np.linspace(0, bins - 1, count).round().astype(int))
    weights = np.zeros((bins, len(rows)))
    weights[rows, np.arange(len(rows))] = 1.0
    matrix = tuple(map(tuple, weights.tolist()))
    return {"mel_matrix": matrix, "num_mel_bins": len(rows)}


def _in_decibels(energies: Any, loudest: Any) -> Any:
    floor = max(float(loudest), 1e-300) * 10 ** (-_RANGE_DB / 10)
    return 10 * np.log10(np.maximum(energies, floor))


def _amount(found: Gap, unit: str) -> str:
    if found.max_abs == 0 and not found.bad:
        return "same numbers"
    text = f"up to {found.max_abs:.4g}{unit and ' ' + unit} apart"
    return text + (f", and {found.bad} values are not finite in one of them" if found.bad else "")


def _shapes(found: Gap, stage: str) -> str:
    words = [f"{rows} rows x {frames} frames" for rows, frames in found.shapes]
    if stage in _SPECTRAL and not math.isnan(found.max_abs):  # rows are bins that were read
        words = [f"{frames} frames" for _, frames in found.shapes]
    return f"{words[0]} in A, {words[1]} in B"
