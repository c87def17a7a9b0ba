# SPDX-License-Identifier: BSD-3-Clause
"""The oracle of features, against values worked out by hand, np.pad, SciPy and Keras' formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.fft import dct
from scipy.signal import lfilter, lfilter_zi

import feature_oracle
import oracle
import signals
from specfast._spec.feature_spec import FeatureSpec, field_names

CLIP = signals.speech_like(4000, seed=1).astype(np.float64)
SMALL: dict[str, Any] = {"frame_length": 64, "hop_length": 24, "num_mel_bins": 12}


def spec_of(**fields: Any) -> FeatureSpec:
    return FeatureSpec(**{**SMALL, **fields})


def levels_of(spec: FeatureSpec, clip: Any = CLIP) -> np.ndarray:
    return feature_oracle.levels_and_energy(spec, clip)[0]


# --- each field does something ---------------------------------------------------------------

# Fields, and a value that must change the result of the specification before it.
CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"sampling_rate": 8000.0}),
    ({}, {"mode": "magnitude"}),
    ({}, {"input_scale": 2.0}),
    ({}, {"num_samples": 3000}),
    ({"num_samples": 9000}, {"sample_padding": "repeat"}),
    ({"fft_length": 128}, {"frame_length": 65}),
    ({}, {"hop_length": 25}),
    ({}, {"fft_length": 128}),
    ({}, {"padding": "center"}),
    ({"padding": "center"}, {"pad_mode": "edge"}),
    ({"padding": "sides"}, {"pad_length": 30}),
    ({}, {"frame_span": 80}),
    ({}, {"drop_frames": 2}),
    ({"normalization": "per_band"}, {"masked_frames": 2}),
    ({}, {"remove_dc": True}),
    ({}, {"energy": "raw"}),
    ({"energy": "raw"}, {"energy_floor": 10.0}),
    ({}, {"preemphasis": 0.9}),
    ({"preemphasis": 0.9, "window": "hamming"}, {"preemphasis_rule": "signal"}),
    ({}, {"window": "povey"}),
    ({}, {"window_periodic": False}),
    ({"mode": "magnitude"}, {"window_scaling": "density"}),
    ({"mode": "magnitude"}, {"epsilon": 1.0}),
    ({}, {"magnitude_exponent": 1.0}),
    ({}, {"power_offset": 1.0}),
    ({}, {"num_mel_bins": 13}),
    ({}, {"min_freq": 300.0}),
    ({}, {"max_freq": 7000.0}),
    ({}, {"mel_scale": "slaney"}),
    ({}, {"mel_triangles": "mel"}),
    ({}, {"mel_norm": "area"}),
    ({}, {"mel_matrix": np.ones((33, 12))}),
    ({}, {"level": "ln"}),
    ({"level": "ln"}, {"floor": 1.0}),
    ({"level": "ln"}, {"floor_rule": "add"}),
    ({"level": "ln"}, {"reference": 2.0}),
    ({"level": "ln"}, {"dynamic_range": 3.0}),
    ({}, {"pcen": True}),
    *[
        ({"pcen": True}, {f"pcen_{name}": value})
        for name, value in {
            "gain": 0.8,
            "bias": 1.0,
            "power": 0.3,
            "time_constant": 0.1,
            "epsilon": 1e-3,
        }.items()
    ],
    ({}, {"num_cepstra": 6}),
    ({"num_cepstra": 6}, {"dct_norm": None}),
    ({"num_cepstra": 6}, {"lifter": 22.0}),
    ({}, {"gain": 2.0}),
    ({}, {"offset": tuple(range(12))}),
    ({}, {"normalization": "per_band"}),
    ({"normalization": "per_band"}, {"normalization_ddof": 0}),
    ({"normalization": "per_band"}, {"normalization_epsilon": 1.0}),
    (
        {"normalization": "per_band", "normalization_epsilon": 1.0},
        {"normalization_epsilon_in": "variance"},
    ),
    ({}, {"delta_order": 1}),
    ({"delta_order": 1}, {"delta_window": 3}),
    ({}, {"num_frames": 20}),
    ({}, {"frames_multiple": 50}),
    ({"num_frames": 200}, {"pad_value": -1.0}),
    ({"layout": "frames_first"}, {"join_frames": 2}),
    ({}, {"layout": "frames_first"}),
]


@pytest.mark.parametrize(("base", "change"), CHANGES, ids=str)
def test_a_field_does_something(base: dict[str, Any], change: dict[str, Any]) -> None:
    before = feature_oracle.features(spec_of(**base), CLIP)
    after = feature_oracle.features(spec_of(**{**base, **change}), CLIP)
    assert before.shape != after.shape or not np.array_equal(before, after)


def test_no_field_is_forgotten() -> None:
    changed = {name for _, change in CHANGES for name in change}
    # That of a batch has tests of its own; the first two mean nothing here.
    elsewhere = {"precision", "dtype", "dynamic_range_scope"}
    assert changed | elsewhere == set(field_names())


def test_no_value_is_rounded() -> None:
    for precision in ("float32", "float64"):
        result = feature_oracle.features(spec_of(precision=precision, dtype="float32"), CLIP)
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, feature_oracle.features(spec_of(), CLIP))


# --- the whole chain is that of the layers ----------------------------------------------------


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", oracle.STFT_MODES)
def test_modes_without_bands_are_those_of_stft_spectrogram(mode: str, padding: str) -> None:
    spec = spec_of(mode=mode, padding=padding, window_scaling="density", layout="frames_first")
    wanted = oracle.stft_spectrogram(
        CLIP[None, :, None],
        mode=mode,
        frame_length=64,
        frame_step=24,
        periodic=True,
        padding=padding,
    )
    np.testing.assert_allclose(feature_oracle.features(spec, CLIP), wanted[0], atol=1e-12)


def test_mel_decibels_are_those_of_mel_spectrogram() -> None:
    spec = FeatureSpec(
        frame_length=200,
        hop_length=64,
        fft_length=256,
        padding="center",
        num_mel_bins=20,
        min_freq=125.0,
        max_freq=3800.0,
        mel_triangles="mel",
        level="decibel",
        dynamic_range=60.0,
    )
    wanted = oracle.mel_spectrogram(
        CLIP,
        fft_length=256,
        sequence_stride=64,
        sequence_length=200,
        num_mel_bins=20,
        min_freq=125.0,
        max_freq=3800.0,
        top_db=60.0,
    )
    np.testing.assert_allclose(feature_oracle.features(spec, CLIP), wanted, atol=1e-10)


# --- samples and frames -----------------------------------------------------------------------


def test_clips_are_cut_padded_and_repeated() -> None:
    clip = np.array([1.0, 2.0, 3.0])
    for fields, wanted in [
        ({"num_samples": 2}, [1, 2]),
        ({"num_samples": 5}, [1, 2, 3, 0, 0]),
        ({"num_samples": 8, "sample_padding": "repeat"}, [1, 2, 3, 1, 2, 3, 0, 0]),
        ({"num_samples": 2, "sample_padding": "repeat"}, [1, 2]),
        ({"input_scale": 10.0}, [10, 20, 30]),
        ({"preemphasis": 0.5, "preemphasis_rule": "signal"}, [1, 1.5, 2]),
    ]:
        np.testing.assert_array_equal(feature_oracle.samples(spec_of(**fields), clip), wanted)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("num_samples", [2, 5, 16])
def test_padding_is_that_of_numpy(mode: Any, num_samples: int) -> None:
    signal = np.random.default_rng(0).standard_normal(num_samples)
    room = num_samples - 1  # beyond that, versions of NumPy differ
    wanted = np.pad(signal, room, mode=mode)
    positions = np.arange(-room, num_samples + room)
    np.testing.assert_array_equal(feature_oracle.padded_at(signal, positions, mode), wanted)


def test_long_reflections_repeat() -> None:
    signal, positions = np.array([1.0, 2.0, 3.0]), np.arange(-6, 9)
    for mode, wanted in [
        ("reflect", [3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1]),
        ("symmetric", [1, 2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3]),
    ]:
        np.testing.assert_array_equal(
            feature_oracle.padded_at(signal, positions, mode), wanted, mode
        )
    np.testing.assert_array_equal(
        feature_oracle.padded_at(np.ones(1), np.arange(-3, 4), "reflect"), np.ones(7)
    )
    with pytest.raises(ValueError, match="no samples"):
        feature_oracle.padded_at(np.ones(0), np.arange(-3, 0), "reflect")


@pytest.mark.parametrize(
    ("fields", "num_samples", "starts"),
    [
        ({}, 9, []),
        ({}, 10, [0]),
        ({}, 17, [0, 4]),
        ({"frame_span": 13}, 17, [1, 5]),
        ({"padding": "center", "fft_length": 16}, 9, [-5, -1, 3]),
        ({"padding": "sides", "fft_length": 16, "pad_length": 6}, 9, [-3, 1]),
        ({"padding": "same"}, 9, [-4, 0, 4]),
        ({"padding": "end"}, 9, [0, 4, 8]),
        ({"padding": "hops"}, 9, [-3, 1]),
        ({"padding": "hops"}, 10, [-3, 1, 5]),
    ],
    ids=str,
)
def test_frames_lie_where_they_should(
    fields: dict[str, Any], num_samples: int, starts: list[int]
) -> None:
    spec = spec_of(**{"frame_length": 10, "hop_length": 4, **fields})
    assert feature_oracle.frame_starts(spec, num_samples).tolist() == starts


def test_frames_that_are_left_out() -> None:
    spec = spec_of(drop_frames=1, masked_frames=2, pad_value=7.0, layout="frames_first")
    assert feature_oracle.frame_counts(spec, 64 + 5 * 24) == (5, 3)
    assert feature_oracle.frame_counts(spec, 63) == (0, 0)
    result = feature_oracle.features(spec, CLIP[: 64 + 5 * 24])
    whole = feature_oracle.features(spec_of(layout="frames_first"), CLIP[: 64 + 5 * 24])
    np.testing.assert_array_equal(result, [*whole[:3], np.full(12, 7.0), np.full(12, 7.0)])


def test_a_clip_without_frames() -> None:
    fields = {"normalization": "per_band", "delta_order": 2, "level": "ln", "dynamic_range": 1.0}
    for extra in ({}, {"pcen": True, "level": "energy", "dynamic_range": None}):
        result = feature_oracle.features(spec_of(**{**fields, **extra}), CLIP[:10])
        assert result.shape == (36, 0)


# --- conditioning -----------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "wanted"), [("frame", [0.5, 3, 7]), ("signal", [1, 4, 9])])
def test_preemphasis_of_a_frame(rule: str, wanted: list[float]) -> None:
    spec = spec_of(frame_length=3, preemphasis=0.5, preemphasis_rule=rule)
    block = np.array([[1.0, 4.0, 9.0]])
    wanted_row = [wanted[0], 3.5, 7.0] if rule != "signal" else wanted
    np.testing.assert_array_equal(feature_oracle.preemphasized(spec, block), [wanted_row])


def test_energies_and_their_floors() -> None:
    clip = np.full(64, 3.0)
    clip[::2] = 5.0  # deviations of 1 from a mean of 4
    hann_energy = np.sum(spec_of().window_values() ** 2)
    for fields, signal, wanted in [
        ({"energy": "raw"}, clip, math.log(32 * 9 + 32 * 25)),
        ({"energy": "raw", "remove_dc": True}, clip, math.log(64)),
        ({"energy": "raw", "input_scale": 2.0}, np.ones(64), math.log(4 * 64)),
        ({"energy": "windowed"}, np.ones(64), math.log(hann_energy)),
        ({"energy": "raw"}, np.zeros(64), -23 * math.log(2)),
        ({"energy": "raw", "energy_floor": 2.0}, np.zeros(64), math.log(2)),
    ]:
        result = feature_oracle.features(spec_of(level="ln", **fields), signal)
        assert result.shape == (13, 1)
        assert result[0, 0] == pytest.approx(wanted, rel=1e-14)
        cepstra = feature_oracle.features(spec_of(level="ln", num_cepstra=5, **fields), signal)
        assert cepstra.shape == (5, 1)
        assert cepstra[0, 0] == result[0, 0]


def test_a_tone_and_the_power_of_its_bin() -> None:
    clip = np.cos(2 * np.pi * 8 * np.arange(64) / 64)
    for exponent, wanted in [(2.0, 32.0**2), (1.0, 32.0)]:
        spec = spec_of(window=None, magnitude_exponent=exponent, mel_matrix=np.eye(33, 12))
        energies = feature_oracle.features(spec, clip)[:, 0]
        np.testing.assert_allclose(energies, wanted * (np.arange(12) == 8), atol=1e-12)
    spec = spec.replace(power_offset=9.0)
    energies = feature_oracle.features(spec, clip)[:, 0]
    np.testing.assert_allclose(energies, np.where(np.arange(12) == 8, 1033.0**0.5, 3.0))


# --- filterbank -------------------------------------------------------------------------------


def test_triangles_in_mel_are_keras() -> None:
    spec = spec_of(min_freq=125.0, max_freq=3800.0, mel_triangles="mel")
    wanted = oracle.mel_matrix(12, 33, 16000, 125.0, 3800.0)
    np.testing.assert_allclose(feature_oracle.filterbank(spec), wanted, atol=1e-15)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_scales(scale: str) -> None:
    known = {"htk": {0.0: 0.0, 700.0: 1127 * math.log(2)}, "slaney": {500.0: 7.5, 6400.0: 42.0}}
    for hertz, mel in known[scale].items():
        assert float(feature_oracle._mel(np.longdouble(hertz), scale)) == pytest.approx(mel)
    hertz = np.array([0.0, 10.0, 999.0, 1000.0, 1001.0, 8000.0])
    there = feature_oracle._mel(hertz, scale)
    np.testing.assert_allclose(feature_oracle._hertz(there, scale), hertz, rtol=1e-14, atol=1e-12)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_triangles_in_hertz(scale: str) -> None:
    spec = FeatureSpec(frame_length=4096, num_mel_bins=9, mel_scale=scale)
    weights = feature_oracle.filterbank(spec)
    ends = [float(feature_oracle._mel(np.longdouble(end), scale)) for end in (0.0, 8000.0)]
    edges = feature_oracle._hertz(np.linspace(*ends, 11), scale).astype(np.float64)
    bins = np.arange(2049) * 16000 / 4096
    between = (bins >= edges[1]) & (bins <= edges[-2])
    np.testing.assert_allclose(weights[between].sum(axis=1), 1.0, atol=1e-12)
    for band in range(9):
        wanted = np.interp(bins, edges[band : band + 3], [0, 1, 0])
        np.testing.assert_allclose(weights[:, band], wanted, atol=1e-12)
    widths = edges[2:] - edges[:-2]
    slaney = feature_oracle.filterbank(spec.replace(mel_norm="slaney"))
    np.testing.assert_allclose(slaney, weights * 2 / widths, rtol=1e-11, atol=1e-15)
    area = feature_oracle.filterbank(spec.replace(mel_norm="area"))
    np.testing.assert_allclose(area.sum(axis=0), 1.0)
    np.testing.assert_allclose(area * weights.sum(axis=0), weights, atol=1e-12)


def test_outer_bins() -> None:
    clip = np.ones(64) + np.cos(np.pi * np.arange(64))  # DC and the Nyquist frequency only
    fields = {"window": None, "num_mel_bins": 1, "max_freq": 20000.0, "min_freq": 0.0}
    weights = feature_oracle.filterbank(spec_of(**fields))
    assert weights[-1, 0] > 0
    energy = feature_oracle.features(spec_of(**fields), clip)
    np.testing.assert_allclose(energy, 64.0**2 * weights[-1, 0])
    matrix = np.ones((33, 1))
    assert feature_oracle.features(spec_of(**fields, mel_matrix=matrix), clip) == pytest.approx(
        2 * 64.0**2
    )


# --- levels -----------------------------------------------------------------------------------


def test_levels_floors_and_reference() -> None:
    energies = levels_of(spec_of())
    for level, logarithm, factor in [
        ("decibel", np.log10, 10.0),
        ("log10", np.log10, 1.0),
        ("ln", np.log, 1.0),
    ]:
        for rule in ("clamp", "add"):
            spec = spec_of(level=level, floor=0.01, floor_rule=rule, reference=4.0)
            above = np.maximum(energies, 0.01) if rule == "clamp" else energies + 0.01
            np.testing.assert_allclose(levels_of(spec), factor * logarithm(above / 4), atol=1e-12)


def test_range_of_clip_and_batch() -> None:
    clips = [CLIP, CLIP[:2000] / 100]
    for scope in ("clip", "batch"):
        spec = spec_of(level="decibel", dynamic_range=10.0, dynamic_range_scope=scope)
        results = feature_oracle._of_clips(spec, clips)
        free = feature_oracle._of_clips(spec.replace(dynamic_range=None), clips)
        loudest = [free[0].max(), free[1].max() if scope == "clip" else free[0].max()]
        for result, levels, maximum in zip(results, free, loudest, strict=True):
            np.testing.assert_array_equal(result, np.maximum(levels, maximum - 10))


def test_pcen_is_a_filter_from_its_steady_state() -> None:
    spec = spec_of(pcen=True)
    energies = levels_of(spec_of())
    constant = 0.4 * 16000 / 24
    b = (math.sqrt(1 + 4 * constant**2) - 1) / (2 * constant**2)
    state = np.repeat(lfilter_zi([b], [1, b - 1])[:, None], 12, axis=1)
    smooth, _ = lfilter([b], [1, b - 1], energies, axis=0, zi=state)
    wanted = (energies / (1e-6 + smooth) ** 0.98 + 2) ** 0.5 - 2**0.5
    np.testing.assert_allclose(levels_of(spec), wanted, rtol=1e-10, atol=1e-15)


# --- rows and their arrangement ---------------------------------------------------------------


@pytest.mark.parametrize("norm", ["ortho", None])
def test_cepstra_are_those_of_scipy(norm: str | None) -> None:
    levels = levels_of(spec_of(level="ln"))
    spec = spec_of(level="ln", num_cepstra=7, dct_norm=norm, layout="frames_first")
    wanted = dct(levels, axis=1, norm=norm)[:, :7]
    np.testing.assert_allclose(feature_oracle.features(spec, CLIP), wanted, atol=1e-12)
    lifted = feature_oracle.features(spec.replace(lifter=4.0), CLIP)
    by_hand = 1 + 2 * np.array([0, 0.5**0.5, 1, 0.5**0.5, 0, -(0.5**0.5), -1])
    np.testing.assert_allclose(lifted, wanted * by_hand, atol=1e-12)


def test_normalized_rows() -> None:
    levels = levels_of(spec_of(level="ln"))
    for ddof in (0, 1):
        for place in ("std", "variance"):
            spec = spec_of(
                normalization="per_band",
                normalization_ddof=ddof,
                normalization_epsilon=0.25,
                normalization_epsilon_in=place,
                masked_frames=3,
            )
            valid = levels[:-3]
            variance = valid.var(axis=0, ddof=ddof)
            divisor = np.sqrt(variance + 0.25) if place == "variance" else variance**0.5 + 0.25
            result = feature_oracle.normalized(spec, levels)[:-3]
            np.testing.assert_allclose(result, (valid - valid.mean(axis=0)) / divisor, atol=1e-12)
    single = feature_oracle.normalized(spec_of(normalization="per_band"), levels[:1])
    np.testing.assert_array_equal(single, np.zeros((1, 12)))


def test_derivatives_of_polynomials_and_at_the_ends() -> None:
    time = np.arange(20.0)[:, None]
    for window in (1, 2, 3):
        spec = spec_of(delta_order=2, delta_window=window)
        values = feature_oracle.with_deltas(spec, 3 * time**2 + 5 * time)
        inner = slice(2 * window, -2 * window)
        np.testing.assert_allclose(values[inner, 1], 6 * time[inner, 0] + 5, atol=1e-12)
        np.testing.assert_allclose(values[inner, 2], 6.0, atol=1e-12)
    # By hand with 1 frame on each side: taps (-1, 0, 1) / 2, and (1, 0, -2, 0, 1) / 4.
    spec = spec_of(delta_order=2, delta_window=1, masked_frames=1)
    values = feature_oracle.with_deltas(spec, np.array([[1.0], [2], [4], [8], [99]]))
    np.testing.assert_array_equal(values[:4, 1], [0.5, 1.5, 3, 2])
    np.testing.assert_array_equal(values[:4, 2], [0.75, 1.25, 0.25, -1.5])


def test_arrangement_of_frames() -> None:
    values = np.arange(10.0).reshape(5, 2)
    for fields, wanted in [
        ({"num_frames": 2}, [[0, 1], [2, 3]]),
        ({"num_frames": 6, "pad_value": -1}, [*values.tolist(), [-1, -1]]),
        ({"frames_multiple": 3, "pad_value": -1}, [*values.tolist(), [-1, -1]]),
        ({"join_frames": 2}, [[0, 1, 2, 3], [4, 5, 6, 7]]),
        ({"join_frames": 3, "frames_multiple": 3}, [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 0, 0]]),
    ]:
        spec = spec_of(layout="frames_first", **fields)
        np.testing.assert_array_equal(feature_oracle.arranged(spec, values), wanted)


def test_a_batch_is_each_clip_alone() -> None:
    spec = spec_of(level="ln", normalization="per_band", pad_value=-5.0, masked_frames=1)
    clips = [CLIP, CLIP[:3000], CLIP[:10]]
    result = feature_oracle.features(spec, clips)
    assert result.shape == (3, 12, 165)
    for clip, rows in zip(clips, result, strict=True):
        alone = feature_oracle.features(spec, clip)
        np.testing.assert_array_equal(rows[:, : alone.shape[1]], alone)
        np.testing.assert_array_equal(rows[:, alone.shape[1] :], -5.0)
    batch = np.stack([CLIP, CLIP, CLIP])
    np.testing.assert_array_equal(
        feature_oracle.features(spec, batch, lengths=[4000, 3000, 10]), result
    )
