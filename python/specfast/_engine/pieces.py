# SPDX-License-Identifier: BSD-3-Clause
"""Results that are rounded to fewer digits piece by piece, while a piece is in the cache.

A whole result in float64 goes out to memory and comes back, which costs a twentieth of a call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from specfast import _core
from specfast._engine import arrays
from specfast._engine.arrays import Array
from specfast._spec.feature_spec import FeatureSpec

# Of the engine's values, for each thread: a quarter of a small second-level cache.
_PIECE_BYTES = 1 << 18


def frames_stand_alone(spec: FeatureSpec) -> bool:
    """Returns whether each frame depends on no other samples of its clip than its own."""
    return (
        spec.padding == "valid"
        and spec.dynamic_range is None
        and spec.normalization is None
        and not spec.pcen
        and not (spec.delta_order or spec.drop_frames or spec.masked_frames)
        and (spec.preemphasis == 0 or spec.preemphasis_rule == "frame")
    )


def run(
    plan: _core.Plan, spec: FeatureSpec, x: Array, result: Array, num_threads: int, scale: float
) -> None:
    """Computes features into `result`, with the bits of one call that is rounded at the end.

    Args:
        plan: that of the specification.
        spec: one whose frames stand alone.
        x: [clips, samples], with at least one frame.
        result: [clips, rows, frames] or [clips, frames, rows], as the specification says.
        num_threads: the threads of a call, at least 1.
        scale: as for the plan.
    """
    bands_first = spec.layout == "bands_first"
    targets = result.swapaxes(-1, -2) if bands_first else result
    frame_bytes = spec.num_rows * np.dtype(spec.precision).itemsize
    num_clips, num_frames, num_rows = targets.shape
    size = min(max(_PIECE_BYTES * num_threads // frame_bytes, 1), num_clips * num_frames)
    memory = np.empty(size * num_rows, spec.precision)
    for clips, first, last in _pieces(num_clips, num_frames, size):
        begin, end = first * spec.hop_length, (last - 1) * spec.hop_length + spec.frame_span
        target = targets[clips, first:last]
        if bands_first:
            target = target.swapaxes(-1, -2)
        values = memory[: math.prod(target.shape)].reshape(target.shape)
        plan(x[clips, begin:end], values, num_threads, scale)
        arrays.rounded(values, result.dtype, target)


def _pieces(num_clips: int, num_frames: int, size: int) -> Iterator[tuple[slice, int, int]]:
    """Yields clips, first and last frame of pieces: several whole clips, or a part of one.

    Args:
        num_clips, num_frames: how many there are, at least one.
        size: the most frames of a piece, over all its clips.
    """
    together = max(size // num_frames, 1)
    for clip in range(0, num_clips, together):
        for first in range(0, num_frames, size):
            yield slice(clip, clip + together), first, min(first + size, num_frames)
