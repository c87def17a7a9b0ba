# SPDX-License-Identifier: BSD-3-Clause
"""The mistakes that are looked for: other values of one choice of a specification at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from specfast._spec.feature_spec import FeatureSpec

Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Hypothesis:
    """Other values for the fields of one choice.

    Attributes:
        subject: the name of the choice.
        spec: the specification with these values.
    """

    subject: str
    spec: FeatureSpec


_LENGTHS_MS = (20, 25, 30, 32, 40, 46.44, 50, 64)
_HOPS_MS = (5, 8, 10, 12.5, 16, 20)
_RATES = (8000.0, 11025.0, 16000.0, 22050.0, 24000.0, 32000.0, 44100.0, 48000.0)
_LOW_EDGES = (0.0, 20.0, 30.0, 40.0, 50.0, 60.0, 64.0, 80.0, 100.0, 125.0, 150.0)
_HIGH_EDGES = (
    *(3400.0, 3700.0, 3800.0, 4000.0, 5500.0, 6000.0, 6800.0, 7000.0, 7500.0, 7600.0, 7690.0),
    *(7800.0, 7900.0, 8000.0, 11025.0, 12000.0, 14000.0, 16000.0, 20000.0),
)
_FLOORS = (
    *(1e-20, 1e-12, 1e-10, 1e-9, 1e-8, 2.0**-24, 1e-7, 2.0**-23, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2),
    *(0.1, 1.0),
)
_PCEN = {
    "pcen_gain": (0.98, 0.8, 0.9, 0.5, 1.0),
    "pcen_bias": (2.0, 1.0, 5.0, 10.0),
    "pcen_power": (0.5, 0.25, 0.125, 1.0),
    "pcen_time_constant": (0.4, 0.395, 0.06, 0.1, 0.2, 1.0),
    "pcen_epsilon": (1e-6, 1e-5, 1e-8, 1e-12),
}
_SCALES = (32768.0, 32767.0, 2.0**31, 2.0**15.5, 0.5, 2.0)


def hypotheses(spec: FeatureSpec, num_samples: int, num_frames: int) -> Iterator[Hypothesis]:
    """Yields every hypothesis about a specification, the most usual mistakes first.

    Args:
        spec: the specification.
        num_samples: of the clip.
        num_frames: which the result that is to be explained has.
    """
    seen = {spec}
    for subject, catalogue in _CATALOGUE.items():
        for changes in catalogue(spec) if callable(catalogue) else catalogue:
            yield from _made(subject, spec, changes, seen)
    for changes in _hops(spec, num_samples, num_frames):
        yield from _made("hop length", spec, changes, seen)
    for count in range(4):
        yield from _made("dropped frames", spec, {"drop_frames": count}, seen)
    for changes in _lengths_of_clips(spec, num_samples, num_frames):
        subject = "number of frames" if "num_frames" in changes else "length of clips"
        yield from _made(subject, spec, changes, seen)


def _made(
    subject: str, spec: FeatureSpec, changes: Changes, seen: set[FeatureSpec]
) -> Iterator[Hypothesis]:
    try:
        changed = spec.replace(**changes)
    except (ValueError, ImportError):  # contradicts the rest, or needs SciPy
        return
    if changed not in seen:
        seen.add(changed)
        yield Hypothesis(subject, changed)


def for_rows(spec: FeatureSpec, num_rows: int) -> Iterator[Hypothesis]:
    """Yields specifications with another number of rows."""
    static = num_rows // max(1 + spec.delta_order, 1) // spec.join_frames
    joined = {"join_frames": max(num_rows // spec.num_static_rows, 1), "layout": "frames_first"}
    no_cepstra = {"num_cepstra": None, "lifter": 0.0}
    changes: tuple[tuple[str, Changes], ...] = (
        ("number of bands", {"num_mel_bins": static - (spec.energy is not None)}),
        ("cepstra", {"num_cepstra": static}),
        ("cepstra", no_cepstra),
        ("cepstra", {**no_cepstra, "num_mel_bins": num_rows}),
        *(("energy", {"energy": energy}) for energy in (None, "raw", "windowed")),
        *(("derivatives", {"delta_order": order}) for order in (0, 1, 2)),
        ("joined frames", {"join_frames": 1}),
        ("joined frames", joined),
        *(("mode", {**_without_bands(spec), "mode": mode}) for mode in ("magnitude", "psd")),
    )
    seen = {spec}
    for subject, each in changes:
        for hypothesis in _made(subject, spec, each, seen):
            if hypothesis.spec.num_rows == num_rows:
                yield hypothesis


# What a spectrum without bands has too.
_OF_SPECTRA = (
    *("sampling_rate", "precision", "dtype", "input_scale", "num_samples", "sample_padding"),
    *("frame_length", "hop_length", "fft_length", "padding", "pad_mode", "pad_length"),
    *("frame_span", "drop_frames", "window", "window_periodic", "layout"),
)


def _without_bands(spec: FeatureSpec) -> dict[str, Any]:
    """Returns the changes that leave the spectrum of a specification."""
    fields = FeatureSpec.__dataclass_fields__
    return {name: fields[name].default for name in spec.given() if name not in _OF_SPECTRA}


# ---- One choice each ---------------------------------------------------------------------------


def _each(field: str, *values: Any) -> tuple[Changes, ...]:
    """Returns a change of one field for each value."""
    return tuple({field: value} for value in values)


def _symmetry(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"window_periodic": not spec.window_periodic}


def _paddings(spec: FeatureSpec) -> Iterator[Changes]:
    plain = {"pad_mode": None, "pad_length": None, "frame_span": None}
    for padding in ("center", "valid", "end", "same", "hops", "sides"):
        yield {**plain, "padding": padding}
    for padding in ("center", "hops", "sides"):
        for mode in ("constant", "reflect", "edge", "symmetric"):
            yield {**plain, "padding": padding, "pad_mode": mode}
    yield {**plain, "padding": "valid", "frame_span": spec.fft_length}
    for length in _pad_lengths(spec):
        for mode in dict.fromkeys((spec.pad_mode or "constant", "reflect")):
            yield {**plain, "padding": "sides", "pad_length": length, "pad_mode": mode}


def _pad_lengths(spec: FeatureSpec) -> list[int]:
    """Returns usual lengths of padding: those with which first frames lie a step apart."""
    hop, own = spec.hop_length, {"center": spec.fft_length // 2}.get(spec.padding)
    begin = spec.pad_length or 0 if own is None else own
    lengths = [begin + step for step in (-(hop // 2), hop // 2, -hop, hop)]
    lengths += [spec.fft_length // 2, spec.frame_length // 2]
    lengths += [spec.fft_length - hop, spec.frame_length - hop]
    return [length for length in dict.fromkeys(lengths) if length > 0]


def _preemphases(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"preemphasis": 0.0, "preemphasis_rule": "frame"}
    for coefficient in dict.fromkeys((spec.preemphasis, 0.97, 0.95, 0.9)):
        for rule in ("frame", "signal"):
            yield {"preemphasis": coefficient, "preemphasis_rule": rule}


def _input_scales(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"input_scale": 1.0}
    for factor in _SCALES:
        yield {"input_scale": spec.input_scale * factor}
        yield {"input_scale": spec.input_scale / factor}


def _edges(spec: FeatureSpec) -> Iterator[Changes]:
    half = spec.sampling_rate / 2
    low, high = {"min_freq": spec.min_freq}, {"max_freq": spec.max_freq}
    highs = [edge for edge in (*_HIGH_EDGES, half - 400, half - 100) if 0 < edge <= half]
    yield from ({**high, "min_freq": edge} for edge in _LOW_EDGES)
    yield from ({**low, "max_freq": edge} for edge in (None, *highs))


def _dc(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"remove_dc": not spec.remove_dc}


def _transforms(spec: FeatureSpec) -> Iterator[Changes]:
    for length in (spec.frame_length, None, 2 * spec.fft_length, 256, 512, 1024, 2048):
        yield {"fft_length": length, "frame_span": None}


def _frame_lengths(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"frame_length": spec.fft_length}
    for length in (256, 512, 1024, 2048):
        yield {"frame_length": length, "fft_length": length, "frame_span": None}
    for milliseconds in _LENGTHS_MS:
        length = round(milliseconds * spec.sampling_rate / 1000)
        yield {"frame_length": length}
        yield {"frame_length": length, "fft_length": None, "frame_span": None}


def _ranges(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"dynamic_range": None}
    unit = {"decibel": 1.0, "log10": 0.1, "ln": math.log(10) / 10}.get(spec.level)
    if unit is not None:
        yield from ({"dynamic_range": decibels * unit} for decibels in (80, 100, 120, 60))


def _normalizations(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"normalization": None}
    for freedom in dict.fromkeys((spec.normalization_ddof, 1, 0)):
        for where, epsilon in (("std", 1e-5), ("variance", 1e-7)):
            yield {
                "normalization": "per_band",
                "normalization_ddof": freedom,
                "normalization_epsilon": epsilon,
                "normalization_epsilon_in": where,
            }


def _pcen(spec: FeatureSpec) -> Iterator[Changes]:
    yield {"pcen": False}
    if not spec.pcen:
        energies = {"level": "energy", "dynamic_range": None, "gain": 1.0, "offset": 0.0}
        yield {**energies, "pcen": True}
        return
    for name, usual in _PCEN.items():
        yield from ({name: value} for value in usual)


def _rates(spec: FeatureSpec) -> Iterator[Changes]:
    for rate in _RATES:
        yield {"sampling_rate": rate}
        yield {"sampling_rate": rate, "max_freq": spec.max_freq}


# Of each choice its changes, or a function of the specification that yields them.
_CATALOGUE: dict[str, tuple[Changes, ...] | Callable[[FeatureSpec], Iterator[Changes]]] = {
    "window symmetry": _symmetry,
    "mel norm": _each("mel_norm", None, "slaney", "area"),
    "mel scale": _each("mel_scale", "htk", "slaney"),
    "mel triangles": _each("mel_triangles", "hertz", "mel"),
    "padding": _paddings,
    "log base": (
        *_each("level", "ln", "log10", "decibel"),
        {"level": "energy", "dynamic_range": None},
    ),
    "floor rule": _each("floor_rule", "clamp", "add"),
    "floor": _each("floor", *_FLOORS),
    "preemphasis": _preemphases,
    "input scale": _input_scales,
    "power or magnitude": _each("magnitude_exponent", 1.0, 2.0),
    "DC removal": _dc,
    "window": tuple(
        {"window": window, "window_periodic": periodic}
        for window in ("hann", "hamming", "povey", None, "blackman")
        for periodic in (True, False)
    ),
    "band edges": _edges,
    "dynamic range": _ranges,
    "normalization": _normalizations,
    "gain and offset": (
        {"gain": 1.0, "offset": 0.0},
        {"gain": 0.25, "offset": 1.0},
        {"gain": -1.0, "offset": 0.0},
    ),
    "transform length": _transforms,
    "frame length": _frame_lengths,
    "power offset": _each("power_offset", 0.0, 1e-10, 1e-9, 1e-8, 1e-6),
    "reference": _each("reference", 1.0),
    "PCEN": _pcen,
    "lifter": _each("lifter", 0.0, 22.0),
    "DCT norm": _each("dct_norm", "ortho", None),
    "energy": _each("energy", "raw", "windowed", None),
    "sampling rate": _rates,
}


def _hops(spec: FeatureSpec, num_samples: int, num_frames: int) -> Iterator[Changes]:
    """Yields the usual hops that give about this number of frames."""
    if not num_frames:
        return
    guess = num_samples / num_frames
    usual = [round(ms * spec.sampling_rate / 1000) for ms in _HOPS_MS]
    usual += [64, 80, 128, 160, 200, 240, 256, 300, 320, 441, 480, 512, 1024]
    near = {hop for hop in usual if 0.9 < hop / guess < 1.1}
    for hop in sorted({*near, math.floor(guess), math.ceil(guess)}):
        if hop > 0:
            yield {"hop_length": hop}


def _lengths_of_clips(spec: FeatureSpec, num_samples: int, num_frames: int) -> Iterator[Changes]:
    """Yields lengths to which clips or results are padded or cut, where the numbers tell it."""
    usual = num_samples / spec.hop_length
    yield {"num_samples": None}
    yield {"num_frames": None}
    if 0.9 < num_frames / max(usual, 1) < 1.1:
        return
    for seconds in (1, 5, 10, 30):
        length = round(seconds * spec.sampling_rate)
        if abs(length / spec.hop_length - num_frames) < 8:
            yield {"num_samples": length}
    yield {"num_samples": num_frames * spec.hop_length}
    yield {"num_frames": num_frames, "frames_multiple": 1}
