# SPDX-License-Identifier: BSD-3-Clause
"""Specifications for tests: one for each step, and random ones of all steps together."""

from __future__ import annotations

from typing import Any

import numpy as np

from specfast import FeatureSpec

FRAMINGS: list[dict[str, Any]] = [
    {"padding": "valid"},
    {"padding": "valid", "frame_length": 300, "frame_span": 333, "fft_length": 400},
    {"padding": "valid", "frame_length": 100, "hop_length": 170},
    {"padding": "center"},
    {"padding": "center", "pad_mode": "constant", "masked_frames": 1},
    {"padding": "center", "pad_mode": "edge", "fft_length": 405},
    {"padding": "center", "pad_mode": "symmetric", "frame_length": 401},
    {"padding": "center", "drop_frames": 1},
    {"padding": "sides"},
    {"padding": "sides", "pad_length": 700, "pad_mode": "symmetric", "frame_span": 512},
    {"padding": "sides", "pad_length": 0, "frame_span": 450},
    {"padding": "end"},
    {"padding": "hops"},
    {"padding": "hops", "hop_length": 500, "pad_mode": "reflect"},
    {"padding": "hops", "pad_mode": "constant", "drop_frames": 2, "masked_frames": 1},
]
# Steps that a stream can take too.
STEPS: list[dict[str, Any]] = [
    {},
    {"level": "ln", "remove_dc": True},
    {"level": "ln", "preemphasis": 0.97, "window": "povey"},
    {"level": "ln", "preemphasis": 0.97, "preemphasis_rule": "signal", "input_scale": 3.0},
    {"level": "log10", "remove_dc": True, "energy": "raw", "energy_floor": 0.01},
    {"level": "ln", "energy": "windowed", "preemphasis": 0.5, "fft_length": 1000},
    {"level": "decibel", "floor_rule": "add", "floor": 1e-4, "reference": 0.5},
    {"level": "log10", "floor_rule": "add", "floor": 1e-2, "magnitude_exponent": 1.0},
    {"level": "ln", "magnitude_exponent": 1.0, "power_offset": 1e-3},
    {"level": "ln", "magnitude_exponent": 1.5, "power_offset": 1e-3, "window": None},
    {"level": "ln", "mel_scale": "slaney", "mel_norm": "slaney", "gain": 0.5, "offset": -1.0},
    {"level": "ln", "mel_triangles": "mel", "mel_norm": "area", "offset": tuple(range(12))},
    {"level": "decibel", "num_cepstra": 7, "lifter": 22.0, "dct_norm": None},
    {"level": "ln", "num_cepstra": 5, "energy": "raw", "gain": (1.0, -2.0, 0.5, 3.0, 4.0)},
    {"pcen": True, "pcen_time_constant": 0.05},
]
# Steps that need the whole clip.
SCOPES: list[dict[str, Any]] = [
    {"level": "decibel", "dynamic_range": 20.0},
    {"level": "log10", "dynamic_range": 1.0, "gain": 0.25, "offset": 1.0},
    {"level": "ln", "dynamic_range": 3.0, "gain": -1.0},
    {"level": "decibel", "dynamic_range": 30.0, "num_cepstra": 6, "energy": "raw"},
    {"level": "ln", "normalization": "per_band"},
    {"level": "ln", "normalization": "per_band", "normalization_epsilon_in": "variance"},
    {"level": "ln", "dynamic_range": 5.0, "normalization": "per_band", "normalization_ddof": 0},
    {"level": "ln", "delta_order": 2, "delta_window": 3},
    {"level": "ln", "delta_order": 1, "normalization": "per_band", "num_cepstra": 5},
    {"pcen": True, "normalization": "per_band", "delta_order": 1},
]
_BASE = {
    "frame_length": 256,
    "hop_length": 100,
    "num_mel_bins": 12,
    "min_freq": 60.0,
    "floor": 1e-4,
}


def made(*parts: dict[str, Any], **more: Any) -> FeatureSpec:
    """Returns the specification of a framing and steps; what they say last counts."""
    fields: dict[str, Any] = dict(_BASE)
    for part in (*parts, more):
        fields.update(part)
    if fields.get("fft_length", 1 << 20) < fields["frame_length"]:
        fields["fft_length"] = fields["frame_length"]
    return FeatureSpec(**fields)


def clip(num_samples: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Returns noise with a tone and an offset, float32 [num_samples]."""
    random = np.random.default_rng(seed)
    tone = np.sin(np.arange(num_samples) * 0.3)
    return (0.1 * random.standard_normal(num_samples) + 0.3 * tone + 0.05).astype(np.float32)
