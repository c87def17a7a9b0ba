# SPDX-License-Identifier: BSD-3-Clause
"""What layers and other front ends compute, as a specification."""

from __future__ import annotations

from typing import Any

from specfast._spec import checks, preset_specs
from specfast._spec.feature_spec import FeatureSpec
from specfast._spec.policy import Policy
from specfast.layers.features import FeatureExtractor
from specfast.layers.mel import MelSpectrogram
from specfast.layers.stft import STFTSpectrogram


def spec_of_front(front: Any, *, also: str = "") -> FeatureSpec:
    """Returns the specification of a front end.

    Args:
        front: the name of a preset, a FeatureSpec, a FeatureExtractor or a MelSpectrogram.
        also: what else the caller accepts, for messages.

    Raises:
        TypeError: if it is none of these.
        ValueError: if there is no such preset; as `spec_of_layer`.
    """
    if isinstance(front, FeatureSpec):
        return front
    if isinstance(front, FeatureExtractor):
        return front.spec
    if isinstance(front, MelSpectrogram):
        return spec_of_layer(front)
    if isinstance(front, str):
        return preset_specs.spec(front, argument="front")
    raise TypeError(
        f"`front` must be the name of a preset, {also}a FeatureSpec, a FeatureExtractor or a "
        f"MelSpectrogram. {checks.received('front', front)}"
    )


def spec_of_layer(layer: STFTSpectrogram | MelSpectrogram) -> FeatureSpec:
    """Returns the specification of a layer: a FeatureExtractor of it gives the layer's numbers.

    It is that of one signal [..., samples]: `data_format` and `expand_dims` of an STFTSpectrogram
    have no part in it, and its result is [..., frames, rows].

    Raises:
        TypeError: if it is no layer of this package.
        ValueError: for a layer with trained weights, and one in half precision.
    """
    if not isinstance(layer, STFTSpectrogram | MelSpectrogram):
        raise TypeError(
            "`layer` must be an STFTSpectrogram or a MelSpectrogram. "
            f"{checks.received('layer', layer)}"
        )
    if not layer.is_analytic:
        raise ValueError(
            "`layer` must not have trained weights, which no specification has. "
            f"Received: {layer!r}"
        )
    policy = layer.pipeline.policy
    if policy.compute_dtype not in ("float32", "float64"):
        raise ValueError(
            "`layer` must compute in float32 or float64. "
            f"Received: dtype={policy.name!r} of {layer!r}"
        )
    return _of_mel(layer, policy) if isinstance(layer, MelSpectrogram) else _of_stft(layer, policy)


def _of_mel(layer: MelSpectrogram, policy: Policy) -> FeatureSpec:
    clamped = layer.power_to_db and layer.top_db is not None and layer.top_db != float("inf")
    return FeatureSpec(
        sampling_rate=layer.sampling_rate,
        precision=policy.plan_dtype,
        dtype=policy.plan_dtype,
        frame_length=layer.fft_length if layer.window is None else layer.sequence_length,
        hop_length=layer.sequence_stride,
        fft_length=layer.fft_length,
        padding="center",
        window=_window(layer.window),
        magnitude_exponent=layer.mag_exp,
        num_mel_bins=layer.num_mel_bins,
        min_freq=layer.min_freq,
        max_freq=layer.max_freq,
        mel_triangles="mel",
        level="decibel" if layer.power_to_db else "energy",
        floor=layer.min_power,
        reference=max(abs(layer.ref_power), layer.min_power),
        dynamic_range=layer.top_db if clamped else None,
        dynamic_range_scope=layer.top_db_scope,
    )


def _of_stft(layer: STFTSpectrogram, policy: Policy) -> FeatureSpec:
    arguments = layer.pipeline.arguments
    return FeatureSpec(
        precision=policy.plan_dtype,
        dtype=policy.plan_dtype,
        mode=layer.mode,
        frame_length=layer.frame_length,
        hop_length=arguments.hop,
        fft_length=arguments.num_points,
        padding=layer.padding,
        window=_window(arguments.window_values),
        window_scaling=None if layer.window is None else layer.scaling,
        epsilon=layer.epsilon,
        layout="frames_first",
    )


def _window(window: Any) -> str | tuple[float, ...] | None:
    return window if window is None or isinstance(window, str) else tuple(window.tolist())
