# SPDX-License-Identifier: BSD-3-Clause
"""Which inverse undoes the transform of a FeatureSpec."""

from __future__ import annotations

from typing import Any

from specfast._spec import checks
from specfast._spec.feature_spec import FeatureSpec

_MODES = ("stft", "magnitude")
_PADDINGS = ("valid", "center", "same", "sides")
# What makes frames of a result that are none of the transform.
_ARRANGEMENTS = ("masked_frames", "num_frames", "frames_multiple", "join_frames")
_LAYOUTS = {"bands_first": "bins_frames", "frames_first": "frames_bins"}


def inverse_arguments(spec: FeatureSpec) -> dict[str, Any]:
    """Returns the arguments of an ISTFT for the spectra, or the magnitudes, of a specification.

    Raises:
        ValueError: naming the field that no inverse has.
    """
    _check(spec)
    is_centered = spec.frame_span > spec.frame_length
    return {
        "frame_length": spec.frame_length,
        "frame_step": spec.hop_length,
        "fft_length": spec.fft_length,
        "window": spec.window if isinstance(spec.window, str) else spec.window_values(),
        "periodic": spec.window_periodic and spec.window != "povey",
        "scaling": spec.window_scaling,
        "padding": spec.padding,
        "pad_length": spec.pad_length,
        "layout": _LAYOUTS[spec.layout],
        "centered_window": is_centered,
        # The engine transforms from the first sample under the window on.
        "phase_origin": (spec.fft_length - spec.frame_length) // 2 if is_centered else 0,
        "gain": spec.input_scale,
        "dtype": spec.precision,
    }


def _check(spec: FeatureSpec) -> None:
    if spec.mode not in _MODES:
        raise _refused(spec, "mode", f"one of {_MODES}")
    if spec.padding not in _PADDINGS:
        raise _refused(spec, "padding", f"one of {_PADDINGS}")
    if spec.frame_span not in (spec.frame_length, spec.fft_length):
        raise _refused(spec, "frame_span", "`frame_length` or `fft_length`")
    if spec.fft_length % 2:
        raise _refused(spec, "fft_length", "even")
    for name in _ARRANGEMENTS:
        default = spec.__dataclass_fields__[name].default
        if getattr(spec, name) != default:
            raise _refused(spec, name, repr(default))


def _refused(spec: FeatureSpec, name: str, accepted: str) -> ValueError:
    return ValueError(
        f"`{name}` of a specification must be {accepted} for an inverse. "
        f"{checks.received(name, getattr(spec, name))}"
    )
