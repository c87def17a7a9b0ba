# SPDX-License-Identifier: BSD-3-Clause
"""`scale`: samples that are scaled while they are read give the bits of scaled ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import signals
from specfast import MelSpectrogram, STFTSpectrogram
from specfast.layers.layer import Layer

PCM = 1 / 32768
LAYERS = [
    MelSpectrogram(fft_length=512, sequence_stride=160, sequence_length=400),
    MelSpectrogram(fft_length=300, sequence_stride=700, power_to_db=False, dtype="float64"),
    MelSpectrogram(fft_length=512, sequence_stride=128, dtype="float16"),
    STFTSpectrogram(mode="stft", frame_length=256, frame_step=100, padding="same"),
    STFTSpectrogram(mode="psd", frame_length=64, fft_length=128, data_format="channels_first"),
]
each_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)


def pcm(num_samples: int, channels: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """int16 [samples, channels], the whole range of it."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(-32768, 32768, (num_samples, channels), dtype=np.int16)
    samples[:2] = [[-32768] * channels, [32767] * channels]
    return samples


def arranged(layer: Layer, interleaved: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Samples [samples, channels] as the layer takes them: a view, nothing is copied."""
    if isinstance(layer, MelSpectrogram):
        return interleaved.T
    last = layer.data_format == "channels_last"  # type: ignore[attr-defined]
    return (interleaved if last else interleaved.T)[np.newaxis]


@each_layer
@pytest.mark.parametrize("num_samples", [70, 1000, 40000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("scale", [PCM, -PCM, 0.3, 7])
def test_scaled_integers_are_scaled_floats(
    layer: Layer, num_samples: int, channels: int, scale: float
) -> None:
    samples = pcm(num_samples, channels)
    precision = np.dtype(layer.pipeline.policy.plan_dtype).type
    floats = samples.astype(precision) * precision(scale)
    wanted = layer(np.ascontiguousarray(arranged(layer, floats)))
    np.testing.assert_array_equal(layer(arranged(layer, samples), scale=scale), wanted)
    # Every second one of more samples, backwards, and floats that are scaled on their way.
    apart = np.zeros((2 * num_samples, channels), np.int16)
    apart[::-2] = samples
    np.testing.assert_array_equal(layer(arranged(layer, apart[::-2]), scale=scale), wanted)
    scaled = layer(arranged(layer, samples.astype(precision)), scale=scale)
    np.testing.assert_array_equal(scaled, wanted)
    out = np.empty_like(wanted)
    assert layer(arranged(layer, samples), out=out, scale=scale) is out
    np.testing.assert_array_equal(out, wanted)


@each_layer
def test_streams_scale_alike(layer: Layer) -> None:
    samples = pcm(5000, 2, seed=1)
    settings: dict[str, Any] = {"max_db": "running"} if layer.pipeline.clamps_to_maximum else {}
    if layer.pipeline.step_of_same_padding:
        settings["num_samples"] = len(samples)
    one, other = layer.stream(2, **settings), layer.stream(2, **settings)
    precision = np.dtype(layer.pipeline.policy.plan_dtype).type

    def side(block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        view = arranged(layer, block)
        return view if isinstance(layer, MelSpectrogram) else view[0]

    for begin in range(0, 5000, 777):
        block = samples[begin : begin + 777]
        got = one.push(side(block), scale=PCM)
        np.testing.assert_array_equal(
            got, other.push(side(block.astype(precision) * precision(PCM)))
        )
    np.testing.assert_array_equal(one.flush(), other.flush())


def test_without_a_scale_nothing_is_scaled() -> None:
    samples = pcm(4000, 1)[:, 0]
    layer = MelSpectrogram()
    np.testing.assert_array_equal(layer(samples), layer(samples.astype(np.float32)))
    np.testing.assert_array_equal(layer(samples), layer(samples, scale=1))
    with pytest.raises(TypeError, match="scale=1 / 32768"):
        STFTSpectrogram()(samples[None, :, None])


def test_other_integers_are_converted_first() -> None:
    samples = signals.noise(1, 4000, 1) * 1e6
    layer = STFTSpectrogram()
    for dtype in (np.int32, np.int8, np.uint16):
        integers = samples.astype(np.int64).astype(dtype)
        wanted = layer(integers.astype(np.float32) * np.float32(0.01))
        np.testing.assert_array_equal(layer(integers, scale=0.01), wanted)


@pytest.mark.parametrize("scale", [0, 0.0, math.nan, math.inf, 1e-39, 1e39, -1e-60, 10**400])
def test_a_scale_that_destroys_is_refused(scale: float) -> None:
    layer = MelSpectrogram(top_db=None)
    with pytest.raises(ValueError, match="`scale` must be None or a number that is not 0"):
        layer(np.zeros(4000, np.int16), scale=scale)
    with pytest.raises(ValueError, match="`scale`"):
        layer.stream().push(np.zeros(40, np.int16), scale=scale)


@pytest.mark.parametrize("scale", ["1", True, 1j, [1.0]])
def test_a_scale_that_is_no_number_is_refused(scale: Any) -> None:
    with pytest.raises(TypeError, match="`scale` must be None or a number"):
        MelSpectrogram()(np.zeros(4000, np.int16), scale=scale)


def test_float64_holds_more() -> None:
    layer = MelSpectrogram(dtype="float64", power_to_db=False)
    samples = pcm(4000, 1)[:, 0]
    np.testing.assert_array_equal(layer(samples, scale=1e-60), layer(samples * 1e-60))
