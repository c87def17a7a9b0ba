# SPDX-License-Identifier: BSD-3-Clause
"""What a specification computes, in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from specfast._spec import checks

FeatureSpec = Any  # which shows itself by `steps`

_LEVELS = {"energy": "power", "decibel": "dB", "log10": "log10", "ln": "ln"}
_DELTAS = ("", ", deltas", ", deltas and their deltas")


def unit(spec: FeatureSpec) -> str:
    """Returns what the values of a result are."""
    if spec.mode != "mel":
        return f"mode {spec.mode}"
    if spec.num_cepstra is not None:
        kind = "cepstra"
    else:
        kind = "PCEN" if spec.pcen else _LEVELS[spec.level]
    is_plain = (spec.gain, spec.offset, spec.normalization) == (1.0, 0.0, None)
    return kind if is_plain else f"scaled {kind}"


def steps(spec: FeatureSpec) -> list[tuple[str, str]]:
    """Returns the steps that a specification has and what each does, in their order."""
    return [(name, text) for name, text in _all_steps(spec) if text]


def _all_steps(spec: FeatureSpec) -> Iterator[tuple[str, str]]:
    def seconds(samples: int) -> str:
        return f"{samples} samples ({1000 * samples / spec.sampling_rate:.4g} ms)"

    def number(name: str) -> str:
        value = getattr(spec, name)
        return f"{value:g}" if isinstance(value, float) else "one for each row"

    scale = "" if spec.input_scale == 1 else f", times {spec.input_scale:g}"
    fitted = f", each clip of {spec.num_samples} samples" if spec.num_samples else ""
    yield "samples", f"{spec.sampling_rate:g} Hz{scale}{fitted}"
    pad = f" ({spec.pad_mode})" if spec.pad_mode else ""
    yield "frames", f"{seconds(spec.frame_length)} every {seconds(spec.hop_length)}"
    yield "padding", f"{spec.padding}{pad}"
    conditioning = (
        ("mean removed", spec.remove_dc),
        (
            f"preemphasis {spec.preemphasis:g} of each {spec.preemphasis_rule}",
            spec.preemphasis,
        ),
    )
    yield "conditioning", ", ".join(text for text, is_applied in conditioning if is_applied)
    yield (
        "window",
        f"{spec.frame_length} values"
        if isinstance(spec.window, tuple)
        else str(spec.window or "none"),
    )
    yield "spectrum", f"{spec.fft_length} points, {spec.num_bins} bins, {_spectrum(spec)}"
    if spec.mode == "mel":
        by = "by mel_matrix" if spec.mel_matrix is not None else f"on the {spec.mel_scale} scale"
        edges = f"{spec.min_freq:g} to {spec.max_freq:g} Hz, " if spec.mel_matrix is None else ""
        yield "bands", f"{spec.num_mel_bins} mel bands, {edges}{by}"
        energy = f", {spec.energy} energy as a row" if spec.energy else ""
        yield "level", f"{'PCEN' if spec.pcen else _LEVELS[spec.level]}{_range(spec)}{energy}"
        cepstra = f"{spec.num_cepstra} cepstra" if spec.num_cepstra is not None else ""
        yield "cosine transform", cepstra
        scaled = unit(spec).startswith("scaled")
        values = f"times {number('gain')}, plus {number('offset')}"
        per_band = ", each row normalised" if spec.normalization else ""
        yield "scaling", f"{values}{per_band}" if scaled else ""
    rows = "frames, rows" if spec.layout == "frames_first" else "rows, frames"
    joined = f", {spec.join_frames} frames joined" if spec.join_frames > 1 else ""
    count = f"{spec.num_rows} rows{_DELTAS[spec.delta_order]}{joined}"
    yield "result", f"[..., {rows}] with {count}, {spec.dtype}, {unit(spec)}"


def _spectrum(spec: FeatureSpec) -> str:
    if spec.mode != "mel":
        return f"mode {spec.mode}"
    names = {1.0: "magnitude", 2.0: "power"}
    exponent = spec.magnitude_exponent
    return names.get(exponent, f"magnitude to the power of {checks.short(exponent)}")


def _range(spec: FeatureSpec) -> str:
    limit = spec.dynamic_range
    return "" if limit is None else f", at most {limit:g} below the highest"
