# SPDX-License-Identifier: BSD-3-Clause
"""A rough comparison of a peer's result with ours, so that both are timed on the same work.

This is no accuracy test (the test suite has those): it catches another window, scale, layout or
number of frames.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .workloads import Workload

SAME_DB = 0.02  # root mean square over the cells that stand well above the floor
NEAR_DB = 1.5  # median, after removing a constant offset: other filters, another window
SAME_RELATIVE = 1e-4  # L2
SAME_FEATURES = 1e-4  # root mean square, as a share of the deviation of ours
SAME_MISSED = 0.15  # by which share of ours they miss the magnitudes
SAME_GRADIENT = 1e-2  # of a logarithm, whose smallest bins count most


def compare(
    work: Workload, ours: NDArray[Any], theirs: NDArray[Any], definition: str
) -> dict[str, Any]:
    """Distance between two results, its unit, and whether it is small enough.

    ``definition`` is "same" (the Keras formula) or "near" (a similar feature).
    """
    if ours.shape != theirs.shape:
        return {"ok": False, "distance": f"shape {theirs.shape} instead of {ours.shape}"}
    if work.layer == "preset":
        distance = float(np.sqrt(np.mean((theirs.astype(np.float64) - ours) ** 2)) / ours.std())
        return {"ok": distance <= SAME_FEATURES, "distance": distance, "unit": "deviations (rms)"}
    if work.layer == "mel":
        loud = ours > ours.max() - 60.0
        delta = (theirs.astype(np.float64) - ours)[loud]
        if definition == "near":
            distance = float(np.median(np.abs(delta - np.median(delta))))
            return {"ok": distance <= NEAR_DB, "distance": distance, "unit": "dB (median)"}
        distance = float(np.sqrt(np.mean(delta**2)))
        return {"ok": distance <= SAME_DB, "distance": distance, "unit": "dB (rms)"}
    if work.layer == "griffin_lim":  # other phases, which must meet the magnitudes as well
        distance = _missed(work, theirs) / _missed(work, ours)
        return {
            "ok": abs(distance - 1) <= SAME_MISSED,
            "distance": distance,
            "unit": "of our miss",
        }
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    if work.layer == "stft" and work.mode == "log" and not work.gradient:
        a, b = np.exp(a), np.exp(b)
    distance = float(np.linalg.norm(b - a) / np.linalg.norm(a))
    allowed = SAME_GRADIENT if work.gradient else SAME_RELATIVE
    return {"ok": distance <= allowed, "distance": distance, "unit": "relative L2"}


def _missed(work: Workload, signals: NDArray[Any]) -> float:
    """How far the magnitudes of signals are from those wanted, as a share of these."""
    wanted = work.make_input()
    found = np.abs(work.spectra(signals.astype(np.float64)))
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
