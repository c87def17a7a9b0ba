# SPDX-License-Identifier: BSD-3-Clause
"""Every front end can be drawn, and its axes are those of its real filterbank and frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import feature_oracle
import pictures
import signals
import specfast
from specfast import plot, presets

KNOWN = ("torchaudio_mel", "lasr", "ast", "beats")  # with bands that hold no bin


def drawn(values: Any, front: Any, **more: Any) -> Any:
    """Returns the panel of a picture without a colour bar, which takes time."""
    return plot.features(values, front, ax=Figure(figsize=(12, 5)).subplots(), **more)


def by_row(values: np.ndarray, spec: specfast.FeatureSpec) -> np.ndarray:
    return values.T if spec.layout == "frames_first" else values


@pytest.mark.parametrize("name", presets.names())
def test_each_preset_is_drawn_where_it_is(name: str) -> None:
    front = presets.get(name)
    spec = front.spec
    samples = signals.noise(int(spec.sampling_rate))
    values = front(samples)
    panel = drawn(values, name)
    rows = by_row(values, spec)
    shown = pictures.image(panel)
    assert shown.shape == rows.shape == (spec.num_rows, rows.shape[1])

    # Time: the first and the last frame lie half a hop from the edges.
    times = front.times(rows.shape[1])
    hop = spec.hop_length * spec.join_frames / spec.sampling_rate
    left, right, bottom, top = panel.images[0].get_extent()
    np.testing.assert_allclose([left, right], [times[0] - hop / 2, times[-1] + hop / 2])
    assert (bottom, top) == panel.get_ylim() == (-0.5, spec.num_rows - 0.5)

    # Values: grey in bands without a bin, else those of the front end, powers in dB.
    powers = name in ("librosa_mel", "torchaudio_mel")
    wanted = 10 * np.log10(np.maximum(rows, 1e-20)) if powers else rows
    if spec.num_cepstra is None:
        bank = feature_oracle.filterbank(spec)
        is_empty = np.tile(bank.max(axis=0) == 0, spec.join_frames)
        np.testing.assert_array_equal(np.isnan(shown).all(axis=1), is_empty)
        wanted = np.where(is_empty[:, None], np.nan, wanted)
        assert ("without a bin" in panel.get_xlabel()) == is_empty.any() == (name in KNOWN)
        # Ticks: each frequency lies between the rows of the next lower and higher centre.
        peaks = np.tile(front.frequencies()[: spec.num_static_rows], spec.join_frames)
        ticks = pictures.hertz_ticks(panel)
        assert 1000.0 in ticks
        assert len(ticks) >= 4
        for hertz, row in ticks.items():
            if 0 <= row <= len(peaks) - 1:
                assert peaks[int(np.floor(row))] - 1e-6 <= hertz <= peaks[int(np.ceil(row))] + 1e-6
        assert panel.get_ylabel() == "frequency (Hz), mel scale"
    else:
        assert panel.get_ylabel() == "cepstral coefficient"
        first = "energy" if spec.energy else "0"
        assert pictures.ticks(panel)[0.0] == first
    np.testing.assert_allclose(shown, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["whisper", "librosa_mel_db", "kaldi_fbank", "clap", "bigvgan"])
def test_a_tone_lights_the_row_of_its_tick(name: str) -> None:
    """The proof that does not rest on `frequencies`: sound of that pitch is where the tick is."""
    front = presets.get(name)
    spec = front.spec
    count = int(spec.sampling_rate) // 2
    panel = drawn(front(np.zeros(count, np.float32)), front)
    for hertz, tick in pictures.hertz_ticks(panel).items():
        tone = np.sin(2 * np.pi * hertz / spec.sampling_rate * np.arange(count))
        energies = by_row(front(tone.astype(np.float32)), spec)[:, 10]
        # As wide as a window's main lobe at low frequencies, else the next row.
        assert abs(int(energies.argmax()) - tick) <= 1.0, hertz


def test_bands_of_all_kinds_stand_at_their_centres() -> None:
    """At the centre of every band the height is the number of the band."""
    for changes in ({}, {"mel_scale": "slaney"}, {"min_freq": 60.0, "max_freq": 3000.0}):
        spec = specfast.FeatureSpec(num_mel_bins=40, padding="center", **changes)
        panel = drawn(specfast.FeatureExtractor(spec)(signals.noise(4000)), spec)
        rows = panel.yaxis.get_major_locator().rows
        peaks = feature_oracle.filterbank(spec.replace(fft_length=1 << 16)).argmax(axis=0)
        np.testing.assert_allclose(
            rows.row_of(peaks * 16000.0 / (1 << 16)), np.arange(40), atol=0.01
        )


def test_zooming_in_finds_finer_ticks() -> None:
    spec = presets.spec("whisper")
    panel = drawn(presets.get("whisper")(signals.noise(16000)), spec)
    peaks = presets.get("whisper").frequencies()
    panel.set_ylim(60, 64)
    ticks = pictures.hertz_ticks(panel)
    assert len(ticks) >= 2
    for hertz, row in ticks.items():
        assert 60 <= row <= 64
        assert hertz == pytest.approx(np.interp(row, np.arange(80), peaks), rel=1e-3)


def test_blocks_have_names_and_frequencies() -> None:
    spec = specfast.FeatureSpec(
        energy="raw",
        level="ln",
        delta_order=2,
        num_mel_bins=20,
        join_frames=2,
        layout="frames_first",
    )
    values = specfast.FeatureExtractor(spec)(signals.noise(8000))
    peaks = specfast.FeatureExtractor(spec).frequencies()
    panel = plot.features(values, spec, ax=Figure(figsize=(10, 20)).subplots())
    names = [text.get_text() for text in panel.texts]
    assert names == [
        "frame 1 of 2",
        "frame 1 of 2, deltas",
        "frame 1 of 2, deltas of deltas",
        "frame 2 of 2",
        "frame 2 of 2, deltas",
        "frame 2 of 2, deltas of deltas",
    ]
    found = pictures.ticks(panel)
    assert [row for row, text in found.items() if text == "energy"] == [0, 21, 42, 63, 84, 105]
    thousands = [row % 21 for row, text in found.items() if text == "1000"]
    assert len(thousands) == 6
    assert np.ptp(thousands) < 1e-9
    pointed = panel.yaxis.get_major_formatter().format_data_short
    assert pointed(21.2) == "row 21, frame 1 of 2, deltas, energy"
    assert pointed(1.0).startswith("row 1, frame 1 of 2, ")
    # Ticks that somebody else places say their frequencies too.
    assert panel.yaxis.get_major_formatter()(22.0) == f"{peaks[1]:.0f}"


def test_cepstra_of_each_block_have_their_numbers() -> None:
    spec = presets.spec("kaldi_mfcc", delta_order=1)
    panel = drawn(specfast.FeatureExtractor(spec)(signals.noise(8000)), spec)
    names = {text: row % 13 for row, text in pictures.ticks(panel).items()}
    assert names["energy"] == 0
    for text, row in names.items():
        assert text == ("energy" if row == 0 else str(int(row)))
    assert [row // 13 for row, text in pictures.ticks(panel).items() if text == "4"] == [0, 1]


def test_spectra_of_a_specification_are_drawn_as_those_of_a_layer() -> None:
    x = signals.noise(4000)
    for mode in ("stft", "log", "angle", "real"):
        layer = specfast.STFTSpectrogram(mode=mode)
        spec = specfast.FeatureSpec(
            mode=mode,
            frame_length=256,
            hop_length=128,
            window_scaling="density",
            window_periodic=False,
            layout="frames_first",
        )
        a = drawn(layer(x[None, :, None]), layer, sampling_rate=16000)
        b = drawn(specfast.FeatureExtractor(spec)(x), spec)
        np.testing.assert_array_equal(pictures.image(a), pictures.image(b))
        assert a.images[0].get_extent() == pytest.approx(b.images[0].get_extent())
        assert a.get_ylim() == b.get_ylim() == (0.0, 8000.0)


def test_padding_of_clips_is_grey() -> None:
    clips = [signals.noise(4000), signals.noise(2000)]
    mel = specfast.MelSpectrogram(sequence_stride=100)
    stft = specfast.STFTSpectrogram()
    several = [
        (mel(clips), mel, {}),
        (stft([clip[:, None] for clip in clips]), stft, {"sampling_rate": 16000}),
        (presets.get("whisper")(clips), "whisper", {}),
    ]
    for features, front, more in several:
        panels = plot.features(features, front, ax=Figure().subplots(2), **more)
        for panel, mask in zip(panels, features.mask, strict=True):
            grey = np.isnan(pictures.image(panel)).all(axis=0)
            np.testing.assert_array_equal(grey, ~mask)
        assert panels[0].get_xlabel() == "time (s); grey: padding"
    assert [panel.get_title("left") for panel in panels] == ["signal 0", "signal 1"]


def test_what_is_not_finite_is_grey() -> None:
    mel = specfast.MelSpectrogram(num_mel_bins=20)
    values = mel(signals.noise(8000))
    values[3, 2], values[4, 5], values[5, 6] = np.nan, np.inf, -np.inf
    masked = np.ma.array(np.nan_to_num(values), mask=~np.isfinite(values))
    for given in (masked, values):
        panel = drawn(given, mel)
        grey = np.argwhere(np.isnan(pictures.image(panel))).tolist()
        assert grey == [[3, 2], [4, 5], [5, 6]]
    assert panel.get_xlabel().endswith("grey: values that are not finite")
    assert np.isfinite(panel.images[0].get_clim()).all()


def test_cepstra_far_from_the_others_do_not_set_the_colours() -> None:
    values = presets.get("librosa_mfcc")(signals.noise(22050))
    panel = plot.features(values, "librosa_mfcc")
    peak = np.abs(values[1:]).max()
    np.testing.assert_allclose(panel.images[0].get_clim(), (-peak, peak))
    bar = panel.images[0].colorbar
    assert bar.extend == ("max" if values[0].max() > peak else "min")


def test_shapes_of_results() -> None:
    mel = specfast.MelSpectrogram(num_mel_bins=20)
    x = signals.noise(4000)
    assert plot.features(mel(x[None]), mel).figure is not None
    panels = plot.features(mel(np.stack([x, x, x, x]).reshape(2, 2, -1)), mel)
    assert isinstance(panels, np.ndarray)
    assert panels.shape == (4,)
    assert panels[0].figure.get_size_inches().tolist() == [12.0, 10.0]


OWN = specfast.FeatureSpec(fft_length=1024, num_mel_bins=24, padding="center")


def mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


@pytest.mark.parametrize("energy", [None, "raw"])
def test_rows_stand_at_their_frequencies(energy: str | None) -> None:
    """Bands are even in mel, which here is HTK's; the row of an energy is below all of them."""
    spec = OWN.replace(energy=energy, layout="frames_first")
    panel = drawn(specfast.FeatureExtractor(spec)(signals.noise(8000)), spec)
    rows = np.arange(24) + (energy is not None)
    centres = mel(specfast.FeatureExtractor(OWN).frequencies())
    found = pictures.hertz_ticks(panel)
    assert 1000.0 in found
    for hertz, height in found.items():
        # Above the highest centre rows go on evenly.
        slope = centres[1] - centres[0]
        assert centres[0] + (height - rows[0]) * slope == pytest.approx(mel(hertz))
    assert (pictures.ticks(panel).get(0.0) == "energy") == (energy is not None)


def test_rows_of_a_matrix_have_the_numbers_of_their_bands() -> None:
    matrix = np.zeros((257, 5))
    matrix[10:20, [0, 1, 3]] = 1.0
    spec = specfast.FeatureSpec(num_mel_bins=5, mel_matrix=matrix)
    panel = drawn(specfast.FeatureExtractor(spec)(signals.noise(8000)), spec)
    assert panel.get_ylabel() == "band"
    assert pictures.ticks(panel) == {float(n): str(n) for n in range(5)}
    assert np.isnan(pictures.image(panel)).all(axis=1).tolist() == [
        False,
        False,
        True,
        False,
        True,
    ]


LIMITS = [
    ({"level": "energy"}, (-60.0, 20.0), "level (dB)"),
    ({"level": "decibel"}, (20.0, 100.0), "level (dB)"),
    ({"level": "ln"}, (0.0, 100.0), "level (ln)"),
    ({"level": "ln", "gain": 2.0}, (0.0, 100.0), "level (scaled ln)"),
    ({"pcen": True}, (0.0, 100.0), "PCEN"),
    ({"num_cepstra": 2}, (-100.0, 100.0), "cepstra"),
]


@pytest.mark.parametrize(("changes", "limits", "label"), LIMITS, ids=[str(c) for c, *_ in LIMITS])
def test_what_colours_mean(
    changes: dict[str, Any], limits: tuple[float, float], label: str
) -> None:
    values = np.array([[1e-12, 1.0], [10.0, 100.0]], np.float32)
    panel = plot.features(values, specfast.FeatureSpec(num_mel_bins=2, **changes))
    assert panel.images[0].get_clim() == pytest.approx(limits)
    assert panel.figure.axes[1].get_ylabel() == label


@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "stft"])
def test_modes_of_a_spectrum_show_the_same_levels(mode: str) -> None:
    x = signals.noise(4000)[None, :, None]
    layer = specfast.STFTSpectrogram(mode=mode, scaling=None)
    shown = pictures.image(drawn(layer(x), layer, sampling_rate=8000))
    spectrum = specfast.STFTSpectrogram(mode="stft", scaling=None, dtype="float64")
    parts = spectrum(x.astype(np.float64))[0].T
    power = parts[:129] ** 2 + parts[129:] ** 2
    if mode == "psd":
        power[1:-1] *= 2
    np.testing.assert_allclose(shown, 10 * np.log10(power), atol=1e-2)
