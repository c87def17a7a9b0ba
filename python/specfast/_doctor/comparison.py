# SPDX-License-Identifier: BSD-3-Clause
"""Computes front ends on a clip, and says how far two results are apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._doctor.clip import Clip
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers.features import restored

Array = npt.NDArray[np.float64]  # [rows, frames]

# Decibels of a unit of a level.
_DECIBELS = {"decibel": 1.0, "log10": 10.0, "ln": 10.0 / math.log(10.0)}
# Rounding of other programs may be so many times the rounding of ours.
_ROUNDING_RMS = 4.0
_ROUNDING_MAX = 12.0


def computed(spec: FeatureSpec, clip: Clip) -> Array:
    """Returns what the engine computes, float64 [rows, frames] whatever the layout.

    Raises:
        ValueError: if the clip is too short for its padding.
        MemoryError: if there is no room for it.
    """
    # One thread: the calls are many and short.
    values = np.asarray(restored(spec, 1)(clip.samples), np.float64)
    return (values.T if spec.layout == "frames_first" else values)[:, clip.skipped_frames :]


def exact(spec: FeatureSpec) -> FeatureSpec:
    """Returns the specification in float64 throughout."""
    if spec.precision == spec.dtype == "float64":
        return spec
    return spec.replace(precision="float64", dtype="float64")


@dataclass(frozen=True)
class Gap:
    """How far two results are apart.

    Attributes:
        shapes: [rows, frames] of both.
        max_abs, rms: of the difference over the frames that both have; NaN if their rows differ
            in number, or no frame is left.
        place: row and frame of the largest difference; None: there is none.
        bad: values that are not finite in just one of the two.
    """

    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    max_abs: float
    rms: float
    place: tuple[int, int] | None = None
    bad: int = 0

    @property
    def is_of_one_shape(self) -> bool:
        """Whether both results have the same shape."""
        return self.shapes[0] == self.shapes[1]


def gap(x: Array, y: Array) -> Gap:
    """Compares two results, [rows, frames] each, frame 0 with frame 0."""
    shapes = x.shape, y.shape
    frames = min(x.shape[1], y.shape[1])
    if x.shape[0] != y.shape[0] or not x.shape[0] or not frames:
        both_empty = shapes[0] == shapes[1]
        nothing = 0.0 if both_empty else math.nan
        return Gap(shapes, nothing, nothing)
    x, y = x[:, :frames], y[:, :frames]
    finite = np.isfinite(x), np.isfinite(y)
    both = finite[0] & finite[1]
    difference = np.where(both, np.abs(np.where(both, x, 0) - np.where(both, y, 0)), 0)
    row, frame = np.unravel_index(np.argmax(difference), difference.shape)
    return Gap(
        shapes,
        float(difference[row, frame]),
        float(np.sqrt(np.mean(difference**2))),
        (int(row), int(frame)),
        int((finite[0] != finite[1]).sum()),
    )


@dataclass(frozen=True)
class Rounding:
    """Differences below this are rounding: of float32, of transforms that are not ours."""

    max_abs: float
    rms: float

    def covers(self, found: Gap) -> bool:
        """Returns whether results so far apart are the same numbers."""
        return (
            found.is_of_one_shape
            and not found.bad
            and found.max_abs <= self.max_abs
            and found.rms <= self.rms
        )


def rounding_of(spec: FeatureSpec, clip: Clip, dtype: np.dtype[Any]) -> Rounding:
    """Returns what rounding does to the result of a specification.

    It is measured: how far float32 and float64 are apart on this clip, some times over.

    Args:
        spec: the specification.
        clip: the clip.
        dtype: that of the result which is compared with it; float16 rounds most.
    """
    values = computed(exact(spec), clip)
    rounded = computed(spec.replace(precision="float32", dtype="float32"), clip)
    found = gap(values, rounded)
    finite = np.abs(values[np.isfinite(values)])
    largest, mean = (finite.max(), np.sqrt(np.mean(finite**2))) if finite.size else (0.0, 0.0)
    step = float(np.finfo(dtype).eps) if dtype.kind == "f" else 2.0**-23
    step = max(step, 2.0**-23)
    return Rounding(
        _ROUNDING_MAX * found.max_abs + 2 * step * float(largest),
        _ROUNDING_RMS * found.rms + step * float(mean),
    )


def decibels_of(spec: FeatureSpec) -> float | None:
    """Returns how many decibels a unit of the result is; None where it is no level."""
    plain = spec.mode == "mel" and not spec.pcen and spec.level != "energy"
    if not plain or spec.num_cepstra is not None or spec.normalization is not None:
        return None
    if isinstance(spec.gain, tuple) or spec.gain == 0 or spec.energy is not None:
        return None
    # A level of magnitudes says half of what one of powers does.
    exponent = spec.magnitude_exponent or 2.0
    return abs(_DECIBELS[spec.level] / spec.gain * 2.0 / exponent)
