# SPDX-License-Identifier: BSD-3-Clause
"""Pictures: the axes tell the truth, every mode and layout can be drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import oracle
import pictures
import signals
import specfast
from specfast import plot
from specfast._spec import axes as _axes

RATE = 16000


def tone(hertz: float, num_samples: int = 8000) -> np.ndarray:
    return np.sin(2 * np.pi * hertz / RATE * np.arange(num_samples)).astype(np.float32)


def click(num_samples: int, at: int) -> np.ndarray:
    samples = np.zeros(num_samples, np.float32)
    samples[at] = 1.0
    return samples


@pytest.mark.parametrize(
    "settings",
    [{}, {"fft_length": 512, "num_mel_bins": 40, "min_freq": 300.0, "max_freq": 5000.0}],
    ids=["defaults", "40 bands"],
)
def test_mel_frequencies_are_the_peaks_of_the_real_filterbank(settings: dict[str, Any]) -> None:
    config = specfast.MelSpectrogram(**settings).get_config()
    frequencies = _axes.mel_frequencies(config)
    num_bins = 8193
    weights = specfast.linear_to_mel_weight_matrix(
        num_mel_bins=config["num_mel_bins"],
        num_spectrogram_bins=num_bins,
        sampling_rate=RATE,
        lower_edge_hertz=config["min_freq"],
        upper_edge_hertz=config["max_freq"],
    )
    peaks = np.argmax(weights, axis=0) * (RATE / 2 / (num_bins - 1))
    np.testing.assert_allclose(frequencies, peaks, atol=RATE / 2 / (num_bins - 1))


def htk_mel(hertz: float) -> float:
    return 1127.0 * math.log1p(hertz / 700.0)


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 4321.0])
def test_a_tone_stands_at_its_frequency(hertz: float) -> None:
    mel = specfast.MelSpectrogram(sampling_rate=RATE, num_mel_bins=64)
    frequencies = _axes.mel_frequencies(mel.get_config())
    band = int(np.argmax(mel(tone(hertz))[:, 8]))
    assert (
        abs(htk_mel(frequencies[band]) - htk_mel(hertz))
        <= (np.diff(_axes.mel_edges(mel.get_config()))[0])
    )

    stft = specfast.STFTSpectrogram(frame_length=400, fft_length=512)
    row = stft(tone(hertz)[None, :, None])[0, 10]
    frequencies = _axes.stft_frequencies(len(row), RATE)
    assert abs(frequencies[int(np.argmax(row))] - hertz) <= RATE / 512


def test_an_odd_transform_has_the_frequencies_of_the_even_one() -> None:
    # Keras runs an odd fft_length N as N - 1: here 300 points, 151 bins up to 8000 Hz.
    with pytest.warns(UserWarning, match="power of two"):
        layer = specfast.STFTSpectrogram(frame_length=256, fft_length=301)
    row = layer(tone(4000.0)[None, :, None])[0, 10]
    frequencies = _axes.stft_frequencies(len(row), RATE)
    assert frequencies[-1] == RATE / 2
    assert frequencies[int(np.argmax(row))] == pytest.approx(4000.0)


@pytest.mark.parametrize("at", [3000, 5555])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_click_stands_at_its_time(at: int, padding: str) -> None:
    samples = click(8000, at)
    mel = specfast.MelSpectrogram(sampling_rate=RATE, fft_length=512, sequence_stride=100)
    times = _axes.mel_times(mel.get_config(), 81)
    levels = mel(samples)
    assert levels.shape[1] == 81
    assert abs(times[int(np.argmax(levels.sum(axis=0)))] - at / RATE) <= 100 / RATE

    stft = specfast.STFTSpectrogram(frame_length=250, frame_step=100, padding=padding, mode="psd")
    powers = stft(samples[None, :, None])[0].sum(axis=1)
    times = _axes.stft_times(stft.get_config(), len(powers), 8000, RATE)
    assert abs(times[int(np.argmax(powers))] - at / RATE) <= 50 / RATE


def test_mel_ticks_stand_where_the_band_of_that_frequency_is_drawn() -> None:
    layer = specfast.MelSpectrogram(sampling_rate=RATE)
    levels = layer(signals.noise(20000))
    panel = plot.features(levels, layer)
    ticks = pictures.hertz_ticks(panel)
    assert {100.0, 1000.0} <= set(ticks)
    for hertz, height in ticks.items():
        # Band b peaks at edge b + 1, so heights -1 to 128 are the 130 edges.
        drawn = np.interp(height, np.arange(-1, 129), _axes.mel_edges(layer.get_config()))
        assert drawn == pytest.approx(htk_mel(hertz))
    # The picture ends half a hop after the last frame's middle.
    assert panel.get_xlim()[1] == pytest.approx((levels.shape[1] - 0.5) * 512 / RATE)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("expand_dims", [False, True])
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_each_layout_draws_the_same_picture(
    mode: str, data_format: str, expand_dims: bool
) -> None:
    stereo = np.stack([tone(700.0, 4000), tone(2900.0, 4000)], axis=1)
    drawn = []
    for form, expand in (("channels_last", False), (data_format, expand_dims)):
        layer = specfast.STFTSpectrogram(mode=mode, data_format=form, expand_dims=expand)
        batch = (stereo if form == "channels_last" else stereo.T)[None]
        for values in (layer(batch), layer(batch)[0]):
            panels = Figure().subplots(2)
            plot.features(values, layer, sampling_rate=RATE, ax=panels)
            assert [panel.get_title("left") for panel in panels] == ["channel 0", "channel 1"]
            drawn.append([np.asarray(panel.images[0].get_array()) for panel in panels])
    for images in drawn[1:]:
        np.testing.assert_array_equal(drawn[0], images)
    if mode in ("log", "magnitude", "psd", "stft"):
        loudest = [int(np.argmax(image[:, 5])) * RATE / 256 for image in drawn[0]]
        np.testing.assert_allclose(loudest, [700.0, 2900.0], atol=RATE / 256)


@pytest.mark.parametrize("size", [(1200, 500), (333, 217)])
def test_size_is_in_pixels(size: tuple[int, int]) -> None:
    layer = specfast.MelSpectrogram(sampling_rate=RATE)
    panel = plot.features(layer(signals.noise(9000)), layer, size=size)
    assert pictures.pixels(panel.figure).shape[:2] == (size[1], size[0])


def test_limits() -> None:
    layer = specfast.MelSpectrogram(sampling_rate=RATE, top_db=None)
    levels = layer(signals.chirp(20000))
    usual = (max(levels.min(), levels.max() - 80.0), levels.max())

    def limits(**given: float) -> tuple[float, float]:
        return plot.features(levels, layer, **given).images[0].get_clim()

    assert limits() == usual
    assert limits(vmin=-30.0, vmax=10.0) == (-30.0, 10.0)
    assert limits(vmin=-30.0) == (-30.0, usual[1])
    assert limits(vmax=10.0) == (usual[0], 10.0)
    # One limit beyond all values leaves a picture of one colour, which is what was asked for.
    assert limits(vmin=usual[1] + 5)[0] == usual[1] + 5


def test_powers_are_drawn_in_db() -> None:
    signal = signals.noise(9000)
    images = []
    for power_to_db in (True, False):
        layer = specfast.MelSpectrogram(power_to_db=power_to_db, top_db=None)
        images.append(plot.features(layer(signal), layer).images[0].get_array())
    np.testing.assert_allclose(images[0], images[1], atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("fill", [0.0, np.nan, 1.0])
def test_dull_and_broken_signals_can_be_drawn(fill: float, dtype: str) -> None:
    samples = np.full(5000, fill, np.float32)
    mel = specfast.MelSpectrogram(sampling_rate=RATE, dtype=dtype)
    panel = plot.features(mel(samples), mel, size=(300, 200))
    assert pictures.pixels(panel.figure).shape == (200, 300, 4)
    grey = "; grey: values that are not finite" if np.isnan(fill) else ""
    assert panel.get_xlabel() == f"time (s){grey}"
    for mode in oracle.STFT_MODES:
        stft = specfast.STFTSpectrogram(mode=mode, dtype=dtype)
        values = stft(samples[None, :, None])
        panel = plot.features(values, stft, sampling_rate=RATE, ax=Figure().subplots())
        assert np.ma.getmaskarray(panel.images[0].get_array()).all() == np.isnan(fill)
        low, high = panel.images[0].get_clim()
        assert low < high


def test_one_frame_and_one_band() -> None:
    mel = specfast.MelSpectrogram(sampling_rate=RATE, num_mel_bins=1)
    panel = plot.features(mel(signals.noise(100)), mel)
    assert pictures.pixels(panel.figure).shape[0] == 500
    assert pictures.hertz_ticks(panel)
