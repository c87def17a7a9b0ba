# SPDX-License-Identifier: BSD-3-Clause
"""The search for the specification that a result from elsewhere was made with.

It starts from a known specification and changes one choice after the other, keeping the best few
combinations, until one gives the result up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from specfast._doctor.comparison import Rounding, rounding_of
from specfast._doctor.fitting import fitted, refined
from specfast._doctor.hypotheses import Hypothesis, for_rows, hypotheses
from specfast._doctor.scores import Target
from specfast._doctor.subjects import SUBJECTS, changed_fields, with_fields_of
from specfast._spec.feature_spec import FeatureSpec

_DEPTH = 4
_PLAIN_WIDTH, _FITTED_WIDTH = 3, 2
# Seconds of sound that are computed at most: what a search costs does not depend on the machine.
_MAX_SAMPLES = 1500 * 48000
# A combination must explain so much, or nothing is claimed.
_LEAST_SHARE = 0.5
# A choice of a combination that explains less than this is left out again.
_LEAST_GAIN = 0.05
# Below this, a score may be rounding, which then is measured.
_NEARLY = 0.05


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        spec: the best specification; None: none is convincing.
        is_exact: whether it gives the target up to rounding.
        share: how much of the difference it explains, 0 to 1.
        rounding: that of `spec`, or of the one that the search began with.
    """

    spec: FeatureSpec | None
    is_exact: bool
    share: float
    rounding: Rounding


class Search:
    """Looks for a specification.

    Args:
        start: the known specification.
        target: what is to be explained.
        dtype: in which the target came; it decides how much is rounding.
    """

    def __init__(self, start: FeatureSpec, target: Target, dtype: np.dtype[np.generic]) -> None:
        self._start = start
        self._target = target
        self._dtype = dtype

    def run(self) -> Found:
        """Returns the best explanation of the target."""
        beam = self._first()
        if not beam:
            return self._found(None)
        for _ in range(_DEPTH):
            solved = self._solved(beam)
            if solved is not None:
                return self._found(self._pruned(solved), is_exact=True)
            if self._is_spent():
                break
            tried = [spec for base in beam for spec in self._next(base)]
            beam = self._best([*beam, *tried])
            beam = self._best([*beam, *self._refinements(beam[0])])
        solved = self._solved(beam)
        if solved is not None:
            return self._found(self._pruned(solved), is_exact=True)
        return self._partly(self._pruned(beam[0], _LEAST_GAIN))

    # ---- Candidates ----------------------------------------------------------------------------

    def _first(self) -> list[FeatureSpec]:
        """Returns the start, or what has the rows of the target in its place."""
        rows = len(self._target.values)
        if self._start.num_rows == rows:
            return [self._start] if self._target.score(self._start) else []
        return self._best([hypothesis.spec for hypothesis in for_rows(self._start, rows)])

    def _next(self, base: FeatureSpec) -> Iterator[FeatureSpec]:
        """Yields a specification with each choice changed that was not changed before."""
        changed = self._subjects(base)
        score = self._target.score(base)
        frames = self._target.values.shape[1]
        candidates = hypotheses(base, len(self._target.clip.samples), frames)
        fits: Iterator[Hypothesis] = fitted(base, score) if score else iter(())
        for candidate in (*candidates, *fits):
            if candidate.subject not in changed:
                yield candidate.spec

    def _subjects(self, spec: FeatureSpec) -> set[str]:
        fields = changed_fields(self._start, spec)
        return {subject.name for subject in SUBJECTS if set(subject.fields) & set(fields)}

    def _refinements(self, spec: FeatureSpec) -> list[FeatureSpec]:
        """Returns the best specification with numbers that are not in the catalogue."""
        return refined(spec, set(changed_fields(self._start, spec)), self._plain)

    def _is_spent(self) -> bool:
        return self._target.num_computed * len(self._target.clip.samples) > _MAX_SAMPLES

    # ---- Choice --------------------------------------------------------------------------------

    def _plain(self, spec: FeatureSpec) -> float:
        score = self._target.score(spec)
        return np.inf if score is None else score.plain

    def _fitted(self, spec: FeatureSpec) -> float:
        score = self._target.score(spec)
        return np.inf if score is None else score.fitted

    def _best(self, specs: list[FeatureSpec]) -> list[FeatureSpec]:
        """Returns the few best, the very best first; of equal ones, those that came first."""
        usable = [spec for spec in dict.fromkeys(specs) if self._target.score(spec)]
        plain = sorted(usable, key=self._plain)[:_PLAIN_WIDTH]
        return list(dict.fromkeys([*plain, *sorted(usable, key=self._fitted)[:_FITTED_WIDTH]]))

    def _solved(self, specs: list[FeatureSpec]) -> FeatureSpec | None:
        return next((spec for spec in specs if self._is_exact(spec)), None)

    def _is_exact(self, spec: FeatureSpec) -> bool:
        score = self._target.score(spec)
        if score is None or score.plain > _NEARLY:
            return False
        return self._rounding(spec).covers(score.gap)

    def _rounding(self, spec: FeatureSpec) -> Rounding:
        return rounding_of(spec, self._target.clip, self._dtype)

    def _pruned(self, spec: FeatureSpec, least: float = 0.0) -> FeatureSpec:
        """Returns a specification without the changes that it does as well without."""
        allowed = self._plain(spec) + least * self._plain(self._start)
        for subject in reversed(SUBJECTS):
            names = set(subject.fields) & set(changed_fields(self._start, spec))
            if not names:
                continue
            try:
                without = with_fields_of(spec, self._start, names)
            except ValueError:
                continue
            if self._is_exact(without) or (least and self._plain(without) <= allowed):
                spec = without
        return spec

    # ---- Result --------------------------------------------------------------------------------

    def _found(self, spec: FeatureSpec | None, *, is_exact: bool = False) -> Found:
        rounding = self._rounding(self._start if spec is None else spec)
        return Found(spec, is_exact, 1.0 if is_exact else 0.0, rounding)

    def _partly(self, spec: FeatureSpec) -> Found:
        start = self._plain(self._start)
        share = 1 - self._plain(spec) / start if np.isfinite(start) else 1 - self._plain(spec)
        if spec == self._start or share < _LEAST_SHARE:
            return self._found(None)
        return Found(spec, False, max(share, 0.0), self._rounding(spec))
