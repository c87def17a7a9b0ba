# SPDX-License-Identifier: BSD-3-Clause
"""What the fields of a FeatureSpec must be to each other."""

from __future__ import annotations

from typing import Any

from specfast._spec import checks, windows

FeatureSpec = Any  # which calls `check` when it is made

_ZERO_PADDINGS = ("same", "end")  # Keras and TensorFlow know nothing else


def check(spec: FeatureSpec) -> None:
    """Refuses a specification whose fields contradict each other.

    Raises:
        ValueError: naming the field and what it contradicts.
        ImportError: for a window that only SciPy has, without SciPy.
    """
    for relation in _RELATIONS:
        relation(spec)


def _contradiction(spec: FeatureSpec, name: str, accepted: str, *others: str) -> ValueError:
    """Returns the error for a field that does not fit to others, which it shows."""
    shown = ", ".join(f"{each}={checks.short(getattr(spec, each))}" for each in (name, *others))
    return ValueError(f"`{name}` must be {accepted}. Received: {shown}")


def _check_lengths(spec: FeatureSpec) -> None:
    if spec.fft_length < spec.frame_length:
        raise _contradiction(spec, "fft_length", "at least `frame_length`", "frame_length")
    if spec.frame_span < spec.frame_length:
        raise _contradiction(spec, "frame_span", "at least `frame_length`", "frame_length")
    if spec.padding == "center" and spec.frame_span != spec.fft_length:
        raise _contradiction(
            spec, "frame_span", "`fft_length` with padding 'center'", "fft_length"
        )
    if spec.padding in ("same", "end", "hops") and spec.frame_span != spec.frame_length:
        raise _contradiction(spec, "frame_span", "`frame_length` with this padding", "padding")
    if spec.padding != "sides" and spec.pad_length is not None:
        raise _contradiction(spec, "pad_length", "None but with padding 'sides'", "padding")
    if spec.padding == "valid" and spec.pad_mode is not None:
        raise _contradiction(spec, "pad_mode", "None with padding 'valid'", "padding")
    if spec.padding in _ZERO_PADDINGS and spec.pad_mode != "constant":
        raise _contradiction(spec, "pad_mode", "'constant' with this padding", "padding")
    if spec.num_samples is None and spec.sample_padding != "zeros":
        raise _contradiction(
            spec, "sample_padding", "'zeros' without `num_samples`", "num_samples"
        )


# Everything that belongs to bands, and so needs the mode "mel".
_OF_BANDS = (
    "remove_dc",
    "energy",
    "preemphasis",
    "magnitude_exponent",
    "power_offset",
    "mel_matrix",
    "level",
    "dynamic_range",
    "pcen",
    "num_cepstra",
    "gain",
    "offset",
    "normalization",
    "delta_order",
)


def _check_mode(spec: FeatureSpec) -> None:
    if spec.mode != "mel":
        for name in _OF_BANDS:
            default = spec.__dataclass_fields__[name].default
            if getattr(spec, name) != default:
                raise _contradiction(spec, name, f"{default!r} without a filterbank", "mode")
    elif spec.window_scaling is not None:
        raise _contradiction(spec, "window_scaling", "None in mode 'mel'", "mode")
    if spec.mode != "mel" and spec.fft_length < 2:
        raise _contradiction(spec, "fft_length", "at least 2", "mode")


def _check_window(spec: FeatureSpec) -> None:
    if not (isinstance(spec.window, str) and windows.is_built_in(spec.window)):
        spec.window_values()


def _check_filterbank(spec: FeatureSpec) -> None:
    if spec.max_freq <= spec.min_freq:
        raise _contradiction(spec, "max_freq", "greater than `min_freq`", "min_freq")
    if spec.mel_matrix is None:
        return
    if min(map(min, spec.mel_matrix)) < 0:
        raise ValueError(
            "`mel_matrix` must not be negative. "
            f"Received: {min(map(min, spec.mel_matrix))} among its weights"
        )
    shape = len(spec.mel_matrix), len(spec.mel_matrix[0])
    if shape != (spec.num_bins, spec.num_mel_bins):
        raise ValueError(
            f"`mel_matrix` must have shape [fft_length // 2 + 1][num_mel_bins] = "
            f"{(spec.num_bins, spec.num_mel_bins)}. Received: mel_matrix of shape {shape}"
        )


def _check_level(spec: FeatureSpec) -> None:
    if spec.level == "energy":
        for name in ("dynamic_range",):
            if getattr(spec, name) is not None:
                raise _contradiction(spec, name, "None without a logarithm", "level")
    if spec.precision == "float32" and spec.dtype == "float64":
        raise _contradiction(spec, "precision", "'float64' for results in float64", "dtype")
    if spec.pcen:
        _check_pcen(spec)
    if spec.preemphasis == 0 and spec.preemphasis_rule != "frame":
        raise _contradiction(
            spec, "preemphasis_rule", "'frame' without preemphasis", "preemphasis"
        )


def _check_pcen(spec: FeatureSpec) -> None:
    for name in ("level", "energy", "num_cepstra", "gain", "offset"):
        default = spec.__dataclass_fields__[name].default
        if getattr(spec, name) != default:
            raise _contradiction(spec, name, f"{default!r} with pcen", "pcen")


def _check_rows(spec: FeatureSpec) -> None:
    if spec.num_cepstra is None:
        if spec.lifter:
            raise _contradiction(spec, "lifter", "0 without cepstra", "num_cepstra")
    elif spec.num_cepstra > spec.num_mel_bins:
        raise _contradiction(spec, "num_cepstra", "at most `num_mel_bins`", "num_mel_bins")
    if spec.delta_order > 2:
        raise _contradiction(spec, "delta_order", "0, 1 or 2")
    for name in ("gain", "offset"):
        value = getattr(spec, name)
        if isinstance(value, tuple) and len(value) != spec.num_static_rows:
            raise ValueError(
                f"`{name}` must be a number or one for each of {spec.num_static_rows} rows. "
                f"Received: {name} of {len(value)} numbers"
            )


def _check_arrangement(spec: FeatureSpec) -> None:
    if spec.join_frames > 1 and spec.layout != "frames_first":
        raise _contradiction(spec, "layout", "'frames_first' with join_frames", "join_frames")
    if spec.num_frames is not None and spec.frames_multiple != 1:
        raise _contradiction(spec, "frames_multiple", "1 with `num_frames`", "num_frames")


_RELATIONS = (
    _check_lengths,
    _check_mode,
    _check_window,
    _check_filterbank,
    _check_level,
    _check_rows,
    _check_arrangement,
)


def _takes_logarithms(spec: FeatureSpec) -> bool:
    return spec.mode == "mel" and spec.level != "energy" and not spec.pcen


def _makes_triangles(spec: FeatureSpec) -> bool:
    return spec.mode == "mel" and spec.mel_matrix is None


# Fields that belong to a step, and whether a specification has that step.
_PARAMETERS = (
    (("energy_floor",), lambda spec: spec.energy is not None),
    (
        ("window_periodic",),
        lambda spec: isinstance(spec.window, str) and spec.window != "povey",
    ),
    (("epsilon",), lambda spec: spec.mode in ("log", "magnitude")),
    (("num_mel_bins",), lambda spec: spec.mode == "mel"),
    (("min_freq", "max_freq", "mel_scale", "mel_triangles", "mel_norm"), _makes_triangles),
    (("floor", "floor_rule", "reference"), _takes_logarithms),
    (("dynamic_range_scope",), lambda spec: spec.dynamic_range is not None),
    (
        ("pcen_gain", "pcen_bias", "pcen_power", "pcen_epsilon", "pcen_time_constant"),
        lambda spec: spec.pcen,
    ),
    (("dct_norm",), lambda spec: spec.num_cepstra is not None),
    (
        ("normalization_ddof", "normalization_epsilon", "normalization_epsilon_in"),
        lambda spec: spec.normalization is not None,
    ),
    (("delta_window",), lambda spec: spec.delta_order > 0),
)


def without_effect(spec: FeatureSpec) -> frozenset[str]:
    """Returns the fields of steps that a specification does not have."""
    return frozenset(
        name for names, has_step in _PARAMETERS if not has_step(spec) for name in names
    )
