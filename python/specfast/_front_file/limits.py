# SPDX-License-Identifier: BSD-3-Clause
"""Makes specifications of what a file says, within bounds: a few bytes order no gigabytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfast._spec import checks as _checks
from specfast._spec.feature_spec import FeatureSpec

MAX_LENGTH = 1 << 20
MAX_BANDS = 1 << 14
MAX_SAMPLES = 1 << 28  # a GiB in float32: 4.6 hours at 16 kHz
MAX_WEIGHTS = 1 << 25  # of a filterbank

_LARGEST = {
    "frame_length": MAX_LENGTH,
    "hop_length": MAX_LENGTH,
    "fft_length": MAX_LENGTH,
    "frame_span": MAX_LENGTH,
    "pad_length": MAX_LENGTH,
    "num_mel_bins": MAX_BANDS,
    "num_cepstra": MAX_BANDS,
    "num_samples": MAX_SAMPLES,
    "num_frames": MAX_LENGTH,
    "frames_multiple": MAX_LENGTH,
    "join_frames": MAX_LENGTH,
    "delta_window": MAX_LENGTH,
    "drop_frames": MAX_LENGTH,
    "masked_frames": MAX_LENGTH,
}


def check(fields: Mapping[str, Any]) -> None:
    """Refuses fields of a FeatureSpec from a file that are larger than any front end needs.

    Raises:
        ValueError: naming the field.
    """
    for name, largest in _LARGEST.items():
        value = fields.get(name)
        if isinstance(value, int | float) and value > largest:
            raise ValueError(
                f"`{name}` of a file must be at most {largest}. {_checks.received(name, value)}"
            )


def specification(base: FeatureSpec, **fields: Any) -> FeatureSpec:
    """Returns `base` with the fields that a file gives.

    Raises:
        ValueError: for a field that is too large; and as FeatureSpec.
    """
    check(fields)
    return within(base.replace(**fields))


def within(spec: FeatureSpec) -> FeatureSpec:
    """Returns the specification if its filterbank is not too large, else raises ValueError."""
    weights = spec.num_bins * spec.num_mel_bins
    if weights > MAX_WEIGHTS:
        raise ValueError(
            f"a filterbank of a file must have at most {MAX_WEIGHTS} weights. Received: "
            f"fft_length={spec.fft_length}, num_mel_bins={spec.num_mel_bins}"
        )
    return spec
