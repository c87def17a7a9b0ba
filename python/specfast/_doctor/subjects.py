# SPDX-License-Identifier: BSD-3-Clause
"""The choices of a front end by name: which fields belong together, and to which stage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from specfast._spec import checks, feature_relations
from specfast._spec.feature_spec import FeatureSpec

# The steps of a front end, in the order of computation.
STAGES = (
    "samples",
    "frames",
    "conditioning",
    "window",
    "spectrum",
    "filterbank",
    "level",
    "behind the level",
    "arrangement",
)


@dataclass(frozen=True)
class Subject:
    """One choice of a front end.

    Attributes:
        name: how reports call it.
        stage: the step that it belongs to, one of STAGES.
        fields: the fields of FeatureSpec that say it; they change together.
    """

    name: str
    stage: str
    fields: tuple[str, ...]


SUBJECTS = (
    Subject("input scale", "samples", ("input_scale",)),
    Subject("length of clips", "samples", ("num_samples", "sample_padding")),
    Subject("frame length", "frames", ("frame_length",)),
    Subject("hop length", "frames", ("hop_length",)),
    Subject("transform length", "frames", ("fft_length",)),
    Subject("padding", "frames", ("padding", "pad_mode", "pad_length", "frame_span")),
    Subject("dropped frames", "frames", ("drop_frames",)),
    Subject("DC removal", "conditioning", ("remove_dc",)),
    Subject("preemphasis", "conditioning", ("preemphasis", "preemphasis_rule")),
    Subject("window", "window", ("window",)),
    Subject("window symmetry", "window", ("window_periodic",)),
    Subject("window scaling", "window", ("window_scaling",)),
    Subject("mode", "spectrum", ("mode",)),
    Subject("power or magnitude", "spectrum", ("magnitude_exponent",)),
    Subject("power offset", "spectrum", ("power_offset",)),
    Subject("epsilon", "spectrum", ("epsilon",)),
    Subject("sampling rate", "filterbank", ("sampling_rate",)),
    Subject("number of bands", "filterbank", ("num_mel_bins",)),
    Subject("band edges", "filterbank", ("min_freq", "max_freq")),
    Subject("mel scale", "filterbank", ("mel_scale",)),
    Subject("mel triangles", "filterbank", ("mel_triangles",)),
    Subject("mel norm", "filterbank", ("mel_norm",)),
    Subject("mel matrix", "filterbank", ("mel_matrix",)),
    Subject("log base", "level", ("level",)),
    Subject("floor", "level", ("floor",)),
    Subject("floor rule", "level", ("floor_rule",)),
    Subject("reference", "level", ("reference",)),
    Subject("dynamic range", "level", ("dynamic_range", "dynamic_range_scope")),
    Subject(
        "PCEN",
        "level",
        (
            "pcen",
            "pcen_gain",
            "pcen_bias",
            "pcen_power",
            "pcen_time_constant",
            "pcen_epsilon",
        ),
    ),
    Subject("energy", "behind the level", ("energy", "energy_floor")),
    Subject("cepstra", "behind the level", ("num_cepstra",)),
    Subject("DCT norm", "behind the level", ("dct_norm",)),
    Subject("lifter", "behind the level", ("lifter",)),
    Subject("gain and offset", "behind the level", ("gain", "offset")),
    Subject(
        "normalization",
        "behind the level",
        (
            "normalization",
            "normalization_ddof",
            "normalization_epsilon",
            "normalization_epsilon_in",
        ),
    ),
    Subject("masked frames", "behind the level", ("masked_frames",)),
    Subject("derivatives", "behind the level", ("delta_order", "delta_window")),
    Subject("number of frames", "arrangement", ("num_frames", "frames_multiple", "pad_value")),
    Subject("joined frames", "arrangement", ("join_frames",)),
    Subject("layout", "arrangement", ("layout",)),
    Subject("precision", "arrangement", ("precision", "dtype")),
)

SUBJECT_OF = {field: subject for subject in SUBJECTS for field in subject.fields}

# What values of some fields mean, where the value alone does not say it.
_WORDS: dict[tuple[str, Any], str] = {
    ("window_periodic", True): "periodic",
    ("window_periodic", False): "symmetric",
    ("window", None): "none",
    ("remove_dc", True): "the mean of a frame is subtracted",
    ("remove_dc", False): "the mean of a frame stays",
    ("floor_rule", "clamp"): "values below it are raised to it (max)",
    ("floor_rule", "add"): "it is added to all values (+ eps)",
    ("magnitude_exponent", 1.0): "magnitude",
    ("magnitude_exponent", 2.0): "power",
    ("mel_norm", None): "peaks of 1",
    ("mel_norm", "slaney"): "divided by half the width in Hz (slaney)",
    ("mel_norm", "area"): "weights that sum to 1 (area)",
    ("level", "energy"): "no logarithm",
    ("level", "ln"): "natural logarithm",
    ("level", "log10"): "log10",
    ("level", "decibel"): "decibels (10 log10)",
    ("preemphasis", 0.0): "none",
    ("drop_frames", 0): "none",
    ("drop_frames", 1): "the last one",
    ("num_cepstra", None): "none",
    ("dynamic_range", None): "no limit",
    ("normalization", None): "none",
}


def changed_fields(a: FeatureSpec, b: FeatureSpec) -> dict[str, tuple[Any, Any]]:
    """Returns the values of the fields in which two specifications differ.

    What a field derives from another, as `max_freq` from the sampling rate, is no difference of
    its own.
    """
    mine, others = a.given(), b.given()
    idle = feature_relations.without_effect(a) & feature_relations.without_effect(b)
    return {
        name: (getattr(a, name), getattr(b, name))
        for name in (field for subject in SUBJECTS for field in subject.fields)
        if mine.get(name) != others.get(name) and getattr(a, name) != getattr(b, name)
        if name not in idle
    }


def with_fields_of(spec: FeatureSpec, other: FeatureSpec, names: Iterable[str]) -> FeatureSpec:
    """Returns a specification with the values that another one has for some fields.

    Raises:
        ValueError: if they contradict what stays.
    """
    others = other.given()
    defaults = FeatureSpec.__dataclass_fields__
    return spec.replace(**{name: others.get(name, defaults[name].default) for name in names})


def described(
    fields: Mapping[str, tuple[Any, Any]],
    unused: tuple[Collection[str], Collection[str]] = ((), ()),
) -> str:
    """Returns what a change of fields is: "periodic in A, symmetric in B".

    Args:
        fields: their values in A and in B.
        unused: the fields that have no effect in A, and those in B.
    """
    return "; ".join(
        f"{_label(name)}{_side(name, a, 'A', unused[0])}, {_side(name, b, 'B', unused[1])}"
        for name, (a, b) in fields.items()
    )


def _side(name: str, value: Any, side: str, unused: Collection[str]) -> str:
    return f"{'without effect' if name in unused else _word(name, value)} in {side}"


def _label(name: str) -> str:
    """Returns the field, where the name of its choice does not say which one is meant."""
    return f"{name} " if len(SUBJECT_OF[name].fields) > 1 else ""


def _word(name: str, value: Any) -> str:
    word = None if isinstance(value, tuple) else _WORDS.get((name, value))
    if word is not None:
        return word
    return f"{value:.7g}" if isinstance(value, float) else checks.short(value)
