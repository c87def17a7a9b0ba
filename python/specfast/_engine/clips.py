# SPDX-License-Identifier: BSD-3-Clause
"""Calls for clips of different lengths: a list of them, or one padded array with their lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from specfast._engine import arrays, device_calls, device_views
from specfast._engine.arrays import Array
from specfast._engine.pipeline import Pipeline
from specfast._spec import checks, html

Counts = npt.NDArray[np.int64]


class Features(NamedTuple):
    """What a call returns for clips of different lengths.

    Attributes:
        values: the result for a batch of clips, padded to the clip with most frames.
        num_frames: int64 [clips], how many frames of each clip are valid.
        mask: bool [clips, frames], which those are.
    """

    values: Array
    num_frames: Counts
    mask: npt.NDArray[np.bool_]

    def _repr_html_(self) -> str:
        counts = checks.short(self.num_frames.tolist())
        rows = [("values", self.values), ("num_frames", counts), ("mask", self.mask)]
        return html.table("Features", rows)


@dataclass(frozen=True)
class _Clips:
    """Clips, checked.

    Attributes:
        rows: the channels of all clips, one after the other, each of shape [samples].
        shape: that of an input which holds all of them; its axis of samples has any length.
        lengths: how many samples each clip has, in the shape of the axes of clips.
    """

    rows: list[Array]
    shape: tuple[int, ...]
    lengths: Counts


def is_list_of_clips(x: Any, *, nested: bool = False) -> bool:
    """Returns whether `x` is a list of arrays, each a clip, rather than one of numbers.

    Args:
        x: the samples of a call.
        nested: whether the lists in a list are clips too, and so an empty one holds none.
    """
    if not isinstance(x, list | tuple):
        return False
    if nested and not x:
        return True
    return any(_has_axes(item) or (nested and isinstance(item, list)) for item in x)


def _has_axes(item: Any) -> bool:
    """Returns whether this is an array rather than a number, which those of NumPy are too."""
    try:
        return len(getattr(item, "shape", ())) > 0
    except (TypeError, ValueError):  # no shape of an array
        return False


def call(pipeline: Pipeline, x: Any, lengths: Any, out: Any, scale: float | None) -> Features:
    """Returns what every clip gives alone, padded.

    Args:
        pipeline: that of a layer or an extractor.
        x: a list of clips, or one padded array if there are `lengths`.
        lengths: how many samples each clip of a padded array has; None: `x` is a list.
        out: takes the values; None: a new array does.
        scale: the factor by which samples are multiplied; None: there is none.

    Raises:
        TypeError: for samples, lengths or an `out` of a wrong type or dtype.
        ValueError: for a wrong shape, clips that are too short, lengths beyond the array, an
            empty list, or an unfit `out`.
        NotImplementedError: on a device.
        MemoryError: if there is no room for the result.
    """
    factor = 0.0 if scale is None else pipeline.checked_scale(scale)
    _check_no_device(pipeline, x, is_list=lengths is None)
    if out is not None:
        arrays.check_is_array(out)
    if lengths is None:
        clips = _of_list(pipeline, x, out, scaled=scale is not None)
    else:
        clips = _of_padded(pipeline, x, lengths, out, scaled=scale is not None)
    each = clips.lengths.ravel().tolist()
    frames = max(map(pipeline.frames_of, each), default=0)
    rows = _alike([pipeline.fitted(row) for row in clips.rows], pipeline.policy.plan_dtype)
    values = pipeline.run_rows(rows, clips.shape, frames, out, factor)
    valid = np.array([pipeline.valid_frames_of(n) for n in each], dtype=np.int64)
    counts = valid.reshape(clips.lengths.shape)
    mask = np.arange(frames // pipeline.join_frames) < counts[..., None]
    return Features(values, counts, mask)


def _check_no_device(pipeline: Pipeline, x: Any, *, is_list: bool) -> None:
    given = x if is_list else (x,)
    if pipeline.computes_on_device or any(device_views.kind_of(clip) for clip in given):
        raise device_calls.refuse("clips of different lengths")


# ---- A list ----------------------------------------------------------------------------------


def _of_list(pipeline: Pipeline, x: Sequence[Any], out: Any, *, scaled: bool) -> _Clips:
    if not x:
        raise ValueError(f"`x` given as a list must hold a clip. {checks.received('x', x)}")
    clips = [_clip_of_list(pipeline, *item, out, scaled=scaled) for item in enumerate(x)]
    signals = [pipeline.to_signals(clip[None])[0] for clip in clips]
    for number, signal in enumerate(signals):
        if len(signal) != len(signals[0]):
            raise ValueError(
                "`x` given as a list must hold clips with the same number of channels. "
                f"Received: {len(signals[0])} in x[0] and {len(signal)} in x[{number}]"
            )
        received = f"x[{number}] of shape {clips[number].shape}"
        _check_long_enough(pipeline, signal.shape[-1], received)
    rows = [channel for signal in signals for channel in signal]
    lengths = np.array([signal.shape[-1] for signal in signals], dtype=np.int64)
    return _Clips(rows, (len(clips), *clips[0].shape), lengths)


def _clip_of_list(pipeline: Pipeline, number: int, x: Any, out: Any, *, scaled: bool) -> Array:
    name = f"x[{number}]"
    clip: Array = x
    # Everything that is no sample array of the engine's own kind takes the longer way.
    if not (type(x) is np.ndarray and x.dtype in pipeline.readable_dtypes and x.flags.aligned):
        try:
            clip = pipeline.samples(x, out, scaled=scaled)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"`{name}` is no clip: {error}") from error
    if clip.ndim != pipeline.signal_rank:
        raise ValueError(
            f"`x` given as a list must hold clips of shape ({pipeline.signal_axes}). "
            f"Received: {name} of shape {clip.shape}"
        )
    if out is not None:
        arrays.check_no_overlap(out, clip)
    return clip


# ---- A padded array ----------------------------------------------------------------------------


def _of_padded(pipeline: Pipeline, x: Any, lengths: Any, out: Any, *, scaled: bool) -> _Clips:
    if is_list_of_clips(x):
        raise ValueError(
            "`lengths` must be None for a list of clips, which have their own. "
            f"{checks.received('lengths', lengths)}"
        )
    samples = pipeline.samples(x, out, scaled=scaled)
    pipeline.check_call(samples.shape)
    if out is not None:
        arrays.check_no_overlap(out, samples)
    signals = pipeline.to_signals(samples)
    leading, (channels, num_samples) = signals.shape[:-2], signals.shape[-2:]
    counts = _checked_lengths(lengths, leading, num_samples)
    if counts.size:
        place = int(counts.argmin())
        shown = ", ".join(str(i) for i in np.unravel_index(place, counts.shape))
        _check_long_enough(pipeline, int(counts.min()), f"lengths[{shown}]={counts.min()}")
    clips = signals.reshape(math.prod(leading), channels, num_samples)
    pairs = zip(clips, counts.ravel().tolist(), strict=True)
    rows = [channel[:count] for clip, count in pairs for channel in clip]
    return _Clips(rows, samples.shape, counts)


def _checked_lengths(lengths: Any, shape: tuple[int, ...], num_samples: int) -> Counts:
    """Returns the lengths of the clips of a padded array, which have axes of this shape."""
    try:
        counts = np.asarray(lengths)
    except Exception as error:
        raise _no_lengths(lengths) from error
    if counts.dtype.kind not in "iu" and (counts.size or isinstance(lengths, np.ndarray)):
        raise _no_lengths(lengths)
    if counts.shape != shape:
        raise ValueError(
            f"`lengths` must have shape {shape}, one for each clip of `x`. "
            f"Received: lengths of shape {counts.shape}"
        )
    bad = counts[(counts < 0) | (counts > num_samples)]
    if bad.size:
        raise ValueError(
            f"`lengths` must be between 0 and the {num_samples} samples of `x`. "
            f"Received: {int(bad[0])} among them"
        )
    return counts.astype(np.int64)


def _no_lengths(lengths: Any) -> TypeError:
    return TypeError(f"`lengths` must be integers. {checks.received('lengths', lengths)}")


# ---- Both --------------------------------------------------------------------------------------


def _check_long_enough(pipeline: Pipeline, num_samples: int, received: str) -> None:
    if num_samples < pipeline.min_samples:
        plural = "" if pipeline.min_samples == 1 else "s"
        raise ValueError(
            f"each clip of `x` must have at least {pipeline.min_samples} sample{plural}. "
            f"Received: {received}"
        )


def _alike(rows: list[Array], dtype: str) -> list[Array]:
    """Returns rows of one dtype and one stride, for the engine: converted where they differ."""
    if len({row.dtype for row in rows}) > 1:
        rows = [row.astype(dtype) for row in rows]
    if len({row.strides for row in rows if len(row) > 1}) > 1:
        rows = [np.ascontiguousarray(row) for row in rows]
    return rows
