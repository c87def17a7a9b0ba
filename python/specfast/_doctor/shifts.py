# SPDX-License-Identifier: BSD-3-Clause
"""Results that are shifted in time by whole frames, which no field of a specification says."""

from __future__ import annotations

import dataclasses

import numpy as np

from specfast._doctor.clip import Clip
from specfast._doctor.comparison import Array, Gap
from specfast._doctor.result import Cause

_MAX_FRAMES = 16
_LEAST_COMMON = 12  # frames that both have, or their likeness means little
# A shift is likely if results are so alike behind it, and half as unlike as before.
_LEAST_LIKENESS = 0.5
_LESS_UNLIKE = 0.5


def likely_shift(a: Array, b: Array) -> int:
    """Returns the number of the frame of A that looks like frame 0 of B; 0: none looks better.

    Args:
        a, b: results, [rows, frames]; below 0 if B has more frames in front.
    """
    if a.shape[0] != b.shape[0]:
        return 0
    shifts = sorted(range(-_MAX_FRAMES, _MAX_FRAMES + 1), key=abs)
    alike = {shift: _likeness(a[:, max(shift, 0) :], b[:, max(-shift, 0) :]) for shift in shifts}
    best = max(shifts, key=lambda shift: alike[shift])
    is_likely = alike[best] > _LEAST_LIKENESS and 1 - alike[best] < _LESS_UNLIKE * (1 - alike[0])
    return best if is_likely else 0


def _likeness(a: Array, b: Array) -> float:
    """Returns the correlation of the frames that two results have, the means of rows apart."""
    frames = min(a.shape[1], b.shape[1])
    if frames < _LEAST_COMMON:
        return -1.0
    a, b = a[:, :frames], b[:, :frames]
    both = np.isfinite(a) & np.isfinite(b)
    a, b = (np.where(both, each, 0.0) for each in (a, b))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 and np.isfinite(size) else -1.0


def moved(shift: int, clip: Clip, values: Array) -> tuple[Clip, Array]:
    """Returns a clip whose results begin later, or values without the frames in front of them."""
    return dataclasses.replace(clip, skipped_frames=max(shift, 0)), values[:, max(-shift, 0) :]


def cause_of(shift: int, found: Gap) -> Cause:
    """Returns the cause that says a shift.

    Args:
        shift: not 0.
        found: how far the results are apart if it alone is left.
    """
    count = f"{abs(shift)} frame{'s' if abs(shift) > 1 else ''}"
    text = f"without the first {count} of A" if shift > 0 else f"behind {count} that A has not"
    effect = found.rms if found.is_of_one_shape else None
    return Cause("shift in time", "frames", {}, text, effect)
