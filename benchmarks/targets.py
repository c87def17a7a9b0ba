# SPDX-License-Identifier: BSD-3-Clause
"""The project's targets, and the figures that meet or miss them.

Ratios are peer's median / ours, from one run on one thread.  Where a target has one aim and
several musts, the aim belongs to the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .peers import OURS, PEERS
from .runner import Table

_KIND = {peer.key: peer.kind for peer in PEERS}
_DEFINITION = {peer.key: peer.definition for peer in PEERS}
_MIB = 2**20


@dataclass(frozen=True)
class Verdict:
    """One target: what was measured, what must and should be."""

    row: str  # a workload, or the name of another row
    what: str
    value: float | None  # None: not measured in this run
    must: float
    aim: float | None = None
    unit: str = "x"
    at_most: bool = False
    apart: bool = False  # belongs to its row, but not into the row of the table

    def met(self, limit: float | None) -> bool | None:
        """Whether the value keeps to a limit; None where either is missing."""
        if self.value is None or limit is None:
            return None
        return self.value <= limit if self.at_most else self.value >= limit

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        fields = ("row", "what", "value", "must", "aim", "unit", "at_most")
        plain: dict[str, Any] = {name: getattr(self, name) for name in fields}
        return {**plain, "must_met": self.met(self.must), "aim_met": self.met(self.aim)}


def fastest(table: Table, workload: str, kinds: Iterable[str], same: bool = False) -> str | None:
    """The fastest peer of these kinds; ``same`` leaves out those with another definition."""
    wanted = set(kinds)
    candidates = {
        key: result.median_s
        for key, result in table.results.get(workload, {}).items()
        if _KIND[key] in wanted and not (same and _DEFINITION[key] != "same")
    }
    return min(candidates, key=lambda key: candidates[key]) if candidates else None


def ratio(table: Table, workload: str, kinds: Iterable[str], same: bool = False) -> float | None:
    """The fastest such peer's median / ours."""
    peer = fastest(table, workload, kinds, same)
    ours = table.median_s(workload)
    theirs = table.median_s(workload, peer) if peer else None
    return theirs / ours if theirs is not None and ours is not None else None


_KERAS = ("keras",)
_ALL = ("keras", "peer", "original")


def speed(table: Table) -> list[Verdict]:
    """Targets of the one-thread table."""
    verdicts = [
        Verdict("W1", "Keras / ours", ratio(table, "W1", _KERAS), 7, 12),
        Verdict("W1", "peer / ours", ratio(table, "W1", _ALL), 4.5),
        Verdict("W2", "Keras / ours", ratio(table, "W2", _KERAS), 9, 13),
        Verdict("W2", "peer / ours", ratio(table, "W2", _ALL), 8),
        Verdict("W2", "of bare MKL", _of_mkl(table), 0.26, 0.19, at_most=True),
        Verdict("W3", "Keras / ours", ratio(table, "W3", _KERAS), 7.5, 11),
        Verdict("W3", "peer / ours", ratio(table, "W3", _ALL), 6),
        Verdict("W4", "peer / ours", ratio(table, "W4", _ALL), 6, 10),
    ]
    verdicts += [
        Verdict(key, "same peer / ours", ratio(table, key, _ALL, same=True), 5, 8)
        for key in ("W7a", "W7b", "W8a", "W8b", "W8c")
    ]
    verdicts += [
        Verdict(key, "Keras / ours", ratio(table, key, _KERAS), 1) for key in ("W9a", "W9b")
    ]
    verdicts += [
        Verdict(key, "peer / ours", ratio(table, key, _ALL), must)
        for key, must in (("W10", 12), ("W11", 15), ("W12", 20), ("W13", 15), ("W15", 6))
    ]
    verdicts += [Verdict(key, "peer / ours", ratio(table, key, _ALL), 5) for key in ("W16", "W17")]
    verdicts += [
        Verdict("W2", f"{isa}: Keras / ours", _forced(table, isa), must, apart=True)
        for isa, must in (("avx2", 5), ("baseline", 3))
    ]
    return [v for v in verdicts if v.row in table.results]


def _of_mkl(table: Table) -> float | None:
    bare = [table.median_s("W2", key) for key in ("fft-torch-mkl", "fft-mkl")]
    known, ours = [t for t in bare if t is not None], table.median_s("W2")
    return ours / min(known) if known and ours is not None else None


def _forced(table: Table, isa: str) -> float | None:
    keras = fastest(table, "W2", _KERAS)
    theirs = table.median_s("W2", keras) if keras else None
    ours = table.median_s("W2", f"{OURS}-{isa}")
    return theirs / ours if theirs is not None and ours is not None else None


def scaling(curves: dict[str, Any]) -> list[Verdict]:
    """Targets on two threads, on float64, and on time over length."""
    verdicts = [
        Verdict("two threads", f"{name}, over one", speedups["2"], 1.8, 1.95)
        for name, speedups in curves.get("speedup", {}).items()
        if "2" in speedups
    ]
    verdicts += [
        Verdict(double, f"of {single}'s time, in turns", ratio, 2.0, at_most=True)
        for double, single, ratio in curves.get("float64_over_float32", [])
    ]
    linear = curves.get("longest_over_10s")
    if linear is not None:
        what = f"time a second, {curves['longest_s']:g} s over 10 s, out="
        verdicts.append(Verdict("W6", what, linear, 1.05, at_most=True))
    return verdicts


def footprint(figures: dict[str, Any]) -> list[Verdict]:
    """Targets on memory, import, wheel, the overhead of a call and pushes."""
    rows = (
        ("W6", "memory beyond input and output", "extra_memory_bytes", 16, 4, "MiB", _MIB),
        ("install", "import beyond NumPy", "import_s", 30, 15, "ms", 1e-3),
        ("install", "wheel", "wheel_bytes", 2, None, "MB", 1e6),
        ("W4", "a call on a tiny input", "tiny_call_s", 3, None, "us", 1e-6),
        ("W5", "C++, median push", "c_p50_s", 5, 2, "us", 1e-6),
        ("W5", "C++, p99.9", "c_p999_s", 50, None, "us", 1e-6),
        ("W5", "Python, median push", "python_p50_s", 10, None, "us", 1e-6),
    )
    return [
        Verdict(row, what, figures[key] / scale, must, aim, unit, at_most=True)
        for row, what, key, must, aim, unit, scale in rows
        if figures.get(key) is not None
    ]
