# SPDX-License-Identifier: BSD-3-Clause
"""The search for the specification that a result from elsewhere was made with.

It starts from a known specification and changes one choice after the other, keeping the best few
combinations, until one gives the result up to rounding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfast._doctor.comparison import Rounding, exact, rounding_of
from specfast._doctor.fitting import fitted, refined
from specfast._doctor.hypotheses import Hypothesis, for_rows, hypotheses
from specfast._doctor.scores import Target
from specfast._doctor.subjects import SUBJECTS, changed_fields, with_fields_of
from specfast._spec import preset_specs
from specfast._spec.feature_spec import FeatureSpec

DEPTH = 4
_BEGINNINGS, _PLAIN_WIDTH, _FITTED_WIDTH = 2, 3, 2
# Specifications are computed until there are so many of them, and so many samples in all: these
# are numbers, as a clock would give other results on other machines.
_MAX_SAMPLES = 2500 * 48000
_LEAST_COMPUTED = 1000
# A combination must explain so much, or nothing is claimed.
_LEAST_SHARE = 0.6
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

    def __init__(self, start: FeatureSpec, target: Target, dtype: np.dtype[Any]) -> None:
        self._known = start
        self._start = exact(start)
        self._target = target
        self._dtype = dtype
        # What each specification was made of: the start or a preset.
        self._roots: dict[FeatureSpec, FeatureSpec] = {}

    def run(self, depth: int = DEPTH) -> Found:
        """Returns the best explanation of the target, of so many changes one after the other."""
        beam = self._beginnings()
        if not beam:
            return self._found(None)
        for step in range(depth + 1):
            solved = [spec for spec in beam if self._is_exact(spec)]
            if solved:
                simplest = min(map(self._pruned, solved), key=self._length)
                return self._found(simplest, is_exact=True)
            if step == depth or self._is_spent():
                break
            beam = self._best([*beam, *self._widened(beam)])
            finer = [spec for base in beam for spec in self._refinements(base)]
            beam = self._best([*beam, *finer])
        return self._partly(self._pruned(beam[0], _LEAST_GAIN))

    # ---- Candidates ----------------------------------------------------------------------------

    def _beginnings(self) -> list[FeatureSpec]:
        """Returns the start and what is better than it already."""
        best = self._best(self._first())[:_BEGINNINGS]
        has_start = self._target.score(self._start) is not None
        return list(dict.fromkeys([*best, self._start] if has_start else best))

    def _first(self) -> Iterator[FeatureSpec]:
        """Yields the start, or what has the rows of the target in its place; and presets."""
        rows = len(self._target.values)
        if self._start.num_rows == rows:
            yield self._start
        else:
            for hypothesis in for_rows(self._start, rows):
                yield self._rooted(hypothesis.spec, self._start)
        for name in preset_specs.names():
            preset = preset_specs.spec(name)
            if preset.num_rows == rows and preset.sampling_rate == self._start.sampling_rate:
                preset = exact(preset)
                yield self._rooted(preset, preset)

    def _rooted(self, spec: FeatureSpec, root: FeatureSpec) -> FeatureSpec:
        self._roots.setdefault(spec, root)
        return spec

    def _root(self, spec: FeatureSpec) -> FeatureSpec:
        return self._roots.get(spec, self._start)

    def _widened(self, beam: list[FeatureSpec]) -> Iterator[FeatureSpec]:
        """Yields specifications with one more choice changed, as many as may be computed."""
        for base in beam:
            tried: list[Hypothesis] = []
            for candidate in self._next(base):
                if self._is_spent():
                    return
                if self._target.score(candidate.spec):
                    tried.append(candidate)
                    yield self._rooted(candidate.spec, self._root(base))
            for cost in (self._plain, self._fitted):
                yield self._rooted(self._composed(base, tried, cost), self._root(base))

    def _composed(
        self, base: FeatureSpec, tried: list[Hypothesis], cost: Callable[[FeatureSpec], float]
    ) -> FeatureSpec:
        """Returns a specification with several changes, each of which is for the better."""
        best: dict[str, FeatureSpec] = {}
        for candidate in sorted(tried, key=lambda each: cost(each.spec)):
            if cost(candidate.spec) < cost(base):
                best.setdefault(candidate.subject, candidate.spec)
        composed = base
        for spec in best.values():
            with contextlib.suppress(ValueError):  # contradicts another one
                more = with_fields_of(composed, spec, changed_fields(base, spec))
                composed = more if cost(more) < cost(composed) else composed
        return composed

    def _next(self, base: FeatureSpec) -> Iterator[Hypothesis]:
        """Yields every change of one choice, also of one that was changed before."""
        score = self._target.score(base)
        if score:
            yield from fitted(base, score)
        frames = self._target.values.shape[1]
        yield from hypotheses(base, len(self._target.clip.samples), frames)
        changed = self._changed(base)
        for subject in SUBJECTS:
            if names := changed & set(subject.fields):
                with contextlib.suppress(ValueError):  # contradicts the rest
                    without = with_fields_of(base, self._root(base), names)
                    yield Hypothesis(subject.name, without)

    def _changed(self, spec: FeatureSpec) -> set[str]:
        return set(changed_fields(self._root(spec), spec))

    def _refinements(self, spec: FeatureSpec) -> Iterator[FeatureSpec]:
        """Yields the best specification with numbers that are not in the catalogue."""
        for each in refined(spec, self._changed(spec), self._plain):
            yield self._rooted(each, self._root(spec))

    def _is_spent(self) -> bool:
        count = self._target.num_computed
        return count > _LEAST_COMPUTED and count * len(self._target.clip.samples) > _MAX_SAMPLES

    # ---- Choice --------------------------------------------------------------------------------

    def _plain(self, spec: FeatureSpec) -> float:
        score = self._target.score(spec)
        return np.inf if score is None else _coarse(score.plain)

    def _fitted(self, spec: FeatureSpec) -> float:
        score = self._target.score(spec)
        return np.inf if score is None else _coarse(score.fitted)

    def _best(self, specs: Iterable[FeatureSpec]) -> list[FeatureSpec]:
        """Returns the few best, the very best first; of equal ones, those that came first."""
        usable = [spec for spec in dict.fromkeys(specs) if self._target.score(spec)]
        plain = sorted(usable, key=self._plain)[:_PLAIN_WIDTH]
        return list(dict.fromkeys([*plain, *sorted(usable, key=self._fitted)[:_FITTED_WIDTH]]))

    def _length(self, spec: FeatureSpec) -> int:
        """Returns how long it takes to say a specification: 80 and None before 79.99983."""
        fields = changed_fields(self._start, spec)
        return sum(len(name) + len(repr(value)) for name, (_, value) in fields.items())

    def _is_exact(self, spec: FeatureSpec) -> bool:
        score = self._target.score(spec)
        if score is None or score.plain > _NEARLY:
            return False
        return self._rounding(spec).covers(self._target.gap(spec))

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
        if spec is None:
            return Found(None, False, 0.0, self._rounding(self._start))
        return Found(self._as_known(spec), is_exact, 1.0, self._rounding(spec))

    def _as_known(self, spec: FeatureSpec) -> FeatureSpec:
        """Returns a specification in the precision of the known one."""
        return spec.replace(precision=self._known.precision, dtype=self._known.dtype)

    def _partly(self, spec: FeatureSpec) -> Found:
        start = self._plain(self._start)
        share = max(1 - self._plain(spec) / (start if np.isfinite(start) else 1.0), 0.0)
        is_claimed = spec != self._start and share >= _LEAST_SHARE
        found = self._as_known(spec) if is_claimed else None
        return Found(found, False, share, self._rounding(spec))


def _coarse(cost: float) -> float:
    """Returns a cost so rounded that of numbers that do as well, the first and plainest counts."""
    return round(float(f"{cost:.4g}"), 7)
