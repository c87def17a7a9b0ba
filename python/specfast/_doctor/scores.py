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
    """

    plain: float
    fitted: float
    gain: float
    offset: float


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
        self._all_finite = finite.size == values.size
        self._deviation = float(np.nanstd(self._compared)) or 1.0

    def score(self, spec: FeatureSpec) -> Score | None:
        """Returns how well a specification does; None: it has other rows, or refuses the clip."""
        if spec not in self._known:
            self._known[spec] = self._score(spec)
        return self._known[spec]

    @property
    def num_computed(self) -> int:
        """How many specifications have been computed."""
        return len(self._known)

    def gap(self, spec: FeatureSpec) -> Gap:
        """Returns how far the values are apart, for a specification that has a score."""
        return gap(computed(exact(spec), self.clip), self.values)

    def _score(self, spec: FeatureSpec) -> Score | None:
        if spec.num_rows != len(self.values):
            return None
        try:
            values = computed(exact(spec), self.clip)
        except ValueError:
            return None
        frames = min(values.shape[1], self.values.shape[1])
        x = self._as_compared(values)[:, :frames].ravel()
        y = self._compared[:, :frames].ravel()
        if not (self._all_finite and np.isfinite(x).all()):
            both = np.isfinite(x) & np.isfinite(y)
            x, y = x[both], y[both]
        if not x.size:
            return None
        missing = abs(values.shape[1] - self.values.shape[1]) / max(
            values.shape[1], self.values.shape[1]
        )
        plain = _rms(x - y) / self._deviation
        gain, offset, rest = _line(x, y)
        if self._is_energy:
            gain, offset = math.nan, math.nan
        return Score(plain + missing, rest / self._deviation + missing, gain, offset)

    def _as_compared(self, values: Array) -> Array:
        if not self._is_energy:
            finite = np.isfinite(values)
            return values if finite.all() else np.where(finite, values, np.nan)
        with np.errstate(invalid="ignore"):
            return 10 * np.log10(np.maximum(values, self._floor))


def _rms(values: Array) -> float:
    return math.sqrt(_mean_product(values, values))


def _mean_product(x: Array, y: Array) -> float:
    # Not by BLAS, whose threads cost more than they bring here.
    return float(np.einsum("i,i->", x, y)) / x.size


def _line(x: Array, y: Array) -> tuple[float, float, float]:
    """Returns gain and offset of the line with the least squares, and the rest's deviation."""
    mean_x, mean_y = float(x.mean()), float(y.mean())
    x, y = x - mean_x, y - mean_y
    spread = _mean_product(x, x)
    if spread <= 1e-24 * (mean_x**2 + 1e-300):
        return 1.0, mean_y - mean_x, _rms(y)
    gain = _mean_product(x, y) / spread
    return gain, mean_y - gain * mean_x, _rms(y - gain * x)
