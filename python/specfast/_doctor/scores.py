# SPDX-License-Identifier: BSD-3-Clause
"""How well a specification explains a result that comes from elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from specfast._doctor.clip import Clip
from specfast._doctor.comparison import Array, Gap, computed, exact, gap
from specfast._spec.feature_spec import FeatureSpec

# Results with such a ratio of their maximum to their median are energies, compared in decibels.
_ENERGY_RATIO = 50.0
_RANGE_DB = 100.0


@dataclass(frozen=True)
class Score:
    """How far the result of a specification is from the target, in deviations of the target.

    Attributes:
        plain: the root mean square of the difference; frames that one of them lacks count one
            deviation each.
        fitted: the same with the gain and the offset that fit best.
        gain, offset: these, of the values as they are; NaN where energies are compared.
        gap: the difference of the values.
    """

    plain: float
    fitted: float
    gain: float
    offset: float
    gap: Gap


class Target:
    """A result that is to be explained, on the clip that it was made from.

    Args:
        values: [rows, frames].
        clip: the clip.
    """

    def __init__(self, values: Array, clip: Clip) -> None:
        self.values = values
        self.clip = clip
        self._known: dict[FeatureSpec, Score | None] = {}
        finite = values[np.isfinite(values)]
        middle = float(np.median(finite)) if finite.size else 0.0
        largest = float(finite.max(initial=0.0))
        self._is_energy = bool(
            finite.size and finite.min() >= 0 and largest > _ENERGY_RATIO * middle and middle > 0
        )
        self._floor = largest * 10 ** (-_RANGE_DB / 10)
        self._compared = self._as_compared(values)
        self._deviation = float(np.std(self._compared)) or 1.0

    def score(self, spec: FeatureSpec) -> Score | None:
        """Returns how well a specification does; None: it has other rows, or refuses the clip."""
        if spec not in self._known:
            self._known[spec] = self._score(spec)
        return self._known[spec]

    @property
    def num_computed(self) -> int:
        """How many specifications have been computed."""
        return len(self._known)

    def _score(self, spec: FeatureSpec) -> Score | None:
        if spec.num_rows != len(self.values):
            return None
        try:
            values = computed(exact(spec), self.clip)
        except ValueError:
            return None
        frames = min(values.shape[1], self.values.shape[1])
        if not frames:
            return None
        x, y = self._as_compared(values)[:, :frames], self._compared[:, :frames]
        both = np.isfinite(x) & np.isfinite(y)
        if not both.any():
            return None
        x, y = x[both], y[both]
        lacking = abs(values.shape[1] - self.values.shape[1])
        missing = lacking / max(values.shape[1], self.values.shape[1])
        gain, offset = _line(x, y)
        plain = math.sqrt(float(np.mean((x - y) ** 2))) / self._deviation
        fitted = math.sqrt(float(np.mean((gain * x + offset - y) ** 2))) / self._deviation
        if self._is_energy:
            gain, offset = math.nan, math.nan
        return Score(
            plain + missing, fitted + missing, gain, offset, gap(values, self.values)
        )

    def _as_compared(self, values: Array) -> Array:
        if not self._is_energy:
            return np.where(np.isfinite(values), values, np.nan)
        with np.errstate(invalid="ignore"):
            return 10 * np.log10(np.maximum(values, self._floor))


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Returns gain and offset of the line through points with the least squares."""
    mean_x, mean_y = float(x.mean()), float(y.mean())
    spread = float(np.mean((x - mean_x) ** 2))
    if spread <= 1e-24 * (mean_x**2 + 1e-300):
        return 1.0, mean_y - mean_x
    gain = float(np.mean((x - mean_x) * (y - mean_y))) / spread
    return gain, mean_y - gain * mean_x
