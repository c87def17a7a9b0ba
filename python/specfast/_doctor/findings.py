# SPDX-License-Identifier: BSD-3-Clause
"""What is likely to be wrong with a clip, a front end or a result, whatever they differ in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from specfast._doctor.clip import Clip
from specfast._doctor.comparison import Array, computed, exact
from specfast._doctor.result import Finding
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers import FeatureExtractor

# So many equal samples in a row at the peak are no coincidence.
_CLIPPED_RUN = 3
_LOUD, _QUIET = 1.5, 1e-3
_SPECTRUM_POINTS = 1024
# A band is missing where everything is this far below the loudest bin ...
_EMPTY_DB = 75.0
# ... and this far below what is just under it, within so many bins.
_EDGE_DB, _EDGE_BINS = 25.0, 24
_HIGHEST_SHARE = 0.92
# The fields of what is done with the energies of bands.
_BEHIND_ENERGIES = (
    *("level", "dynamic_range", "num_cepstra", "lifter", "energy", "gain", "offset"),
    *("normalization", "delta_order", "num_frames", "frames_multiple", "join_frames"),
)


# ---- The clip ----------------------------------------------------------------------------------


def of_clip(clip: Clip, rates: set[float]) -> Iterator[Finding]:
    """Yields findings about a clip that a user gave.

    Args:
        clip: the clip.
        rates: the sampling rates that the front ends are for.
    """
    samples = np.asarray(clip.samples, np.float64)
    yield from _of_rate(clip, rates)
    peak = float(np.abs(samples).max())
    if peak == 0:
        yield Finding("silence", f"all {samples.size} samples are 0, so only floors are compared")
        return
    yield from _of_scale(samples, peak)
    if (clipped := _clipped(samples, peak)) > 0:
        yield Finding(
            "clipped samples",
            f"{clipped} samples stand in runs at the peak of {peak:.4g}: the recording was "
            "overdriven",
        )
    mean, deviation = float(samples.mean()), float(samples.std())
    if abs(mean) > 0.1 * deviation:
        yield Finding(
            "DC offset",
            f"the mean of the samples is {mean:.4g}, their deviation {deviation:.4g}: it leaks "
            "into the lowest bands unless a front end removes it",
        )
    yield from _missing_band(clip)


def _of_rate(clip: Clip, rates: set[float]) -> Iterator[Finding]:
    for rate in sorted(rates):
        if clip.rate is not None and clip.rate != rate:
            yield Finding(
                "sampling rate",
                f"the clip has {clip.rate:g} Hz, and a front end is for {rate:g} Hz: nothing is "
                "resampled, so its bands lie at other frequencies than it says",
            )


def _of_scale(samples: Array, peak: float) -> Iterator[Finding]:
    if peak > _LOUD:
        whole = "and whole numbers" if np.array_equal(samples, np.rint(samples)) else "at the peak"
        yield Finding(
            "integer samples",
            f"samples are up to {peak:g}, {whole}: they look like integers of 16 bits, where "
            "front ends expect [-1, 1]",
        )
    elif peak < _QUIET:
        yield Finding(
            "quiet samples",
            f"no sample is above {peak:.3g}: very quiet, or scaled by 1 / 32768 twice",
        )


def _clipped(samples: Array, peak: float) -> int:
    """Returns how many samples stand in runs of equal ones at either end of the range."""
    total = 0
    for extreme in (samples.max(), samples.min()):
        if abs(extreme) < 0.5 * peak or samples.max() == samples.min():
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[0], samples == extreme, [0]])))
        runs = edges[1::2] - edges[::2]
        total += int(runs[runs >= _CLIPPED_RUN].sum())
    return total


def _missing_band(clip: Clip) -> Iterator[Finding]:
    """Finds a spectrum that ends well below half the sampling rate."""
    if len(clip.samples) < 4 * _SPECTRUM_POINTS:
        return
    spec = FeatureSpec(
        sampling_rate=clip.rate or 2.0,
        precision="float64",
        dtype="float64",
        mode="psd",
        frame_length=_SPECTRUM_POINTS,
        hop_length=_SPECTRUM_POINTS // 2,
        window="hann",
    )
    power = computed(spec, clip).mean(axis=1)
    levels = 10 * np.log10(np.maximum(power, power.max() * 1e-30))
    filled = np.flatnonzero(levels > levels.max() - _EMPTY_DB)
    last = int(filled[-1])
    if last >= _HIGHEST_SHARE * (len(levels) - 1):
        return
    above = levels[last + _EDGE_BINS :]
    below = levels[max(last - _EDGE_BINS, 0) : last + 1]
    if above.size and below.max() - above.max() >= _EDGE_DB:
        share = last / (len(levels) - 1)
        edge = f"{share * clip.rate / 2:.0f} Hz" if clip.rate else f"{share:.0%} of half the rate"
        yield Finding(
            "missing band",
            f"there is hardly anything above {edge}: the recording was upsampled, or a codec cut "
            "it, and bands above that show rounding noise",
        )


# ---- Front ends and results --------------------------------------------------------------------


def of_spec(label: str, spec: FeatureSpec, clip: Clip) -> Iterator[Finding]:
    """Yields findings about a known front end."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        FeatureExtractor(spec)
    yield from (Finding("dead bands", f"{label}: {warning.message}") for warning in caught)
    if spec.mode == "mel" and spec.max_freq > spec.sampling_rate / 2:
        yield Finding(
            "aliasing",
            f"{label}: max_freq={spec.max_freq:g} is above half the sampling rate, "
            f"{spec.sampling_rate / 2:g} Hz",
        )
    if spec.hop_length > spec.frame_length:
        yield Finding(
            "gaps",
            f"{label}: hop_length={spec.hop_length} is more than frame_length="
            f"{spec.frame_length}, so samples between frames are not seen",
        )
    yield from _at_the_floor(label, spec, clip)


def _at_the_floor(label: str, spec: FeatureSpec, clip: Clip) -> Iterator[Finding]:
    if spec.mode != "mel" or spec.level == "energy" or spec.pcen or not clip.is_given:
        return
    energies = computed(exact(_energies_of(spec)), clip)
    share = float(np.mean(energies <= spec.floor)) if energies.size else 0.0
    if share > 0.5 and clip.samples.any():
        yield Finding(
            "floor",
            f"{label}: {share:.0%} of the energies lie below the floor of {spec.floor:g}: the "
            "samples are too quiet for it, or input_scale is missing",
        )


def _energies_of(spec: FeatureSpec) -> FeatureSpec:
    """Returns a specification that ends with the energies of the bands."""
    fields = FeatureSpec.__dataclass_fields__
    return spec.replace(**{name: fields[name].default for name in _BEHIND_ENERGIES})


def of_values(label: str, values: Array) -> Iterator[Finding]:
    """Yields findings about a result from elsewhere, [rows, frames]."""
    bad = int((~np.isfinite(values)).sum())
    if bad:
        yield Finding(
            "not finite", f"{label} has {bad} of {values.size} values that are not finite"
        )
    if values.shape[1] < 2:
        return
    constant = np.flatnonzero(values.max(axis=1) == values.min(axis=1))
    if constant.size == len(values):
        yield Finding("constant", f"every row of {label} is constant")
    elif constant.size:
        shown = ", ".join(map(str, constant[:5])) + (", ..." if constant.size > 5 else "")
        yield Finding(
            "dead bands", f"{constant.size} of {len(values)} rows of {label} are constant: {shown}"
        )
