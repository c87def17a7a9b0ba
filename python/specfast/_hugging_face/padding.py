# SPDX-License-Identifier: BSD-3-Clause
"""What SequenceFeatureExtractor.pad makes of clips, in one array without a copy of each.

Clips are columns [samples, 1], as the originals hand them over before they compute features.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def clips_of(columns: Any) -> list[Array] | None:
    """Returns views [samples] of a list of columns of float32, NumPy's or torch's on the CPU.

    None for anything else.
    """
    if not isinstance(columns, list) or not columns:
        return None
    clips = [_clip_of(column) for column in columns]
    return None if any(clip is None for clip in clips) else clips  # type: ignore[return-value]


def _clip_of(column: Any) -> Array | None:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(column, torch.Tensor):
        if column.requires_grad or column.device.type != "cpu":
            return None
        column = column.numpy()
    if not isinstance(column, np.ndarray) or column.dtype != np.float32:
        return None
    return column[:, 0] if column.ndim == 2 and column.shape[1] == 1 and len(column) else None


def counts_beside(features: Mapping[str, Any], name: str) -> dict[str, Array] | None:
    """Returns all but the clips as arrays, if these are lists of integers; else None."""
    beside = {key: value for key, value in features.items() if key != name}
    for value in beside.values():
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            return None
    return {key: np.array(value) for key, value in beside.items()}


def final_length(
    lengths: list[int],
    strategy: str,
    max_length: int | None,
    truncation: bool,
    pad_to_multiple_of: int | None,
) -> int | None:
    """Returns the length that all clips have in the end; None if they do not have the same.

    Args:
        lengths: those of the clips.
        strategy: "longest", "max_length" or "do_not_pad".
        max_length, truncation, pad_to_multiple_of: those of `pad`.
    """

    def rounded_up(length: int) -> int:
        multiple = pad_to_multiple_of or 1
        return -(-length // multiple) * multiple

    limit = None if max_length is None else rounded_up(max_length)
    if truncation and limit is not None:
        lengths = [min(length, limit) for length in lengths]
    longest = max(lengths)
    if strategy == "max_length":
        wanted = limit
    elif strategy == "longest":
        wanted = rounded_up(longest)
    else:
        wanted = longest if longest == min(lengths) else None
    return wanted if wanted is not None and longest <= wanted else None


def columns(clips: list[Array], length: int, side: str, value: float) -> Array:
    """Returns clips cut or padded to one length, float32 [clips, length, 1].

    Args:
        clips: at least one.
        length: that of the result.
        side: "right" or "left", where padding goes.
        value: that of the padding.
    """
    result = np.zeros((len(clips), length, 1), np.float32)
    if value:
        result.fill(value)
    for row, part, clip in _parts(result[..., 0], clips, side):
        row[part] = clip
    return result


def mask(clips: list[Array], length: int, side: str) -> Array:
    """Returns 1 for each sample of a clip and 0 for padding, int32 [clips, length]."""
    result = np.zeros((len(clips), length), np.int32)
    for row, part, _ in _parts(result, clips, side):
        row[part] = 1
    return result


def _parts(rows: Array, clips: list[Array], side: str) -> Iterator[tuple[Array, slice, Array]]:
    """Yields each row, the part of it that a clip takes, and as much of the clip as that holds."""
    length = rows.shape[1]
    for row, clip in zip(rows, clips, strict=True):
        kept = clip[:length]
        yield row, slice(len(kept)) if side == "right" else slice(length - len(kept), None), kept
