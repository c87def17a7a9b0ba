# SPDX-License-Identifier: BSD-3-Clause
"""Planted differences are found by name: between specifications, and in results from elsewhere.

What comes from elsewhere is computed by the float64 oracle, which does not use the engine.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import feature_oracle
from specfast import FeatureSpec, doctor, presets
from specfast._doctor import shifts

# The name that the doctor must say, the stage, the preset, and what is changed in it.
PLANTED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("window symmetry", "window", "whisper", {"window_periodic": False}),
    ("window symmetry", "window", "nemo", {"window_periodic": True}),
    ("mel norm", "filterbank", "whisper", {"mel_norm": None}),
    ("mel norm", "filterbank", "kaldi_fbank", {"mel_norm": "slaney"}),
    ("mel scale", "filterbank", "whisper", {"mel_scale": "htk"}),
    ("mel scale", "filterbank", "torchaudio_mel", {"mel_scale": "slaney"}),
    ("padding", "frames", "whisper", {"pad_mode": "constant"}),
    ("padding", "frames", "kaldi_fbank", {"padding": "hops"}),
    ("padding", "frames", "torchaudio_mel", {"padding": "valid"}),
    ("padding", "frames", "whisper", {"padding": "sides", "pad_length": 280}),
    ("padding", "frames", "kaldi_fbank", {"padding": "sides", "pad_length": 80}),
    ("dropped frames", "frames", "whisper", {"drop_frames": 0}),
    ("dropped frames", "frames", "kaldi_fbank", {"drop_frames": 1}),
    ("log base", "level", "whisper", {"level": "ln"}),
    ("log base", "level", "hifigan", {"level": "log10"}),
    ("log base", "level", "torchaudio_mel", {"level": "decibel"}),
    ("floor rule", "level", "nemo", {"floor_rule": "clamp"}),
    ("floor rule", "level", "kaldi_fbank", {"floor_rule": "add"}),
    ("floor rule", "level", "vocos", {"floor_rule": "add"}),
    ("preemphasis", "conditioning", "kaldi_fbank", {"preemphasis": 0.0}),
    ("preemphasis", "conditioning", "whisper", {"preemphasis": 0.97}),
    ("preemphasis", "conditioning", "nemo", {"preemphasis_rule": "frame"}),
    ("input scale", "samples", "kaldi_fbank", {"input_scale": 1.0}),
    ("input scale", "samples", "whisper", {"input_scale": 32768.0}),
    ("input scale", "samples", "nemo", {"input_scale": 1 / 32768}),
    ("band edges", "filterbank", "kaldi_fbank", {"min_freq": 0.0}),
    ("band edges", "filterbank", "whisper", {"max_freq": 7600.0}),
    ("band edges", "filterbank", "whisper", {"min_freq": 55.0}),
    ("hop length", "frames", "whisper", {"hop_length": 128}),
    ("transform length", "frames", "whisper", {"fft_length": 512}),
    ("window", "window", "kaldi_fbank", {"window": "hamming"}),
    ("power or magnitude", "spectrum", "hifigan", {"magnitude_exponent": 2.0}),
    ("mel triangles", "filterbank", "torchaudio_mel", {"mel_triangles": "mel"}),
    ("DC removal", "conditioning", "kaldi_fbank", {"remove_dc": False}),
    ("gain and offset", "behind the level", "whisper", {"gain": 1.0, "offset": 0.0}),
    ("gain and offset", "behind the level", "beats", {"gain": 0.31, "offset": -2.5}),
    ("normalization", "behind the level", "nemo", {"normalization_ddof": 0}),
    ("dynamic range", "level", "whisper", {"dynamic_range": None}),
    ("PCEN", "level", "librosa_pcen", {"pcen_bias": 3.3}),
    ("number of bands", "filterbank", "whisper", {"num_mel_bins": 128}),
    ("sampling rate", "filterbank", "whisper", {"sampling_rate": 22050.0}),
    ("cepstra", "behind the level", "torchaudio_mfcc", {"num_cepstra": 13}),
    ("layout", "arrangement", "whisper", {"layout": "frames_first"}),
]
planted = pytest.mark.parametrize(
    ("name", "stage", "preset", "change"),
    PLANTED,
    ids=[f"{preset}-{'-'.join(change)}" for _, _, preset, change in PLANTED],
)


@cache
def clip_of(rate: float) -> np.ndarray[Any, Any]:
    return doctor.make_clip(rate)


def names(diagnosis: doctor.Diagnosis) -> list[str]:
    return [cause.name for cause in diagnosis.causes]


def test_a_clip_belongs_to_who_asked_for_it() -> None:
    clip = doctor.make_clip()
    before = clip.copy()
    clip[:] = 0
    assert np.array_equal(doctor.make_clip(), before)


@planted
def test_between_two_specifications(
    name: str, stage: str, preset: str, change: dict[str, Any]
) -> None:
    a = presets.spec(preset)
    diagnosis = doctor.diagnose(a, a.replace(**change))
    assert not diagnosis.same
    assert names(diagnosis) == [name]
    assert diagnosis.first_difference is not None
    assert diagnosis.first_difference.stage == stage
    assert name in str(diagnosis)


@planted
def test_in_a_result_from_elsewhere(
    name: str, stage: str, preset: str, change: dict[str, Any]
) -> None:
    a = presets.spec(preset)
    b = a.replace(**change)
    clip = clip_of(a.sampling_rate)
    diagnosis = doctor.diagnose(a, feature_oracle.features(b, clip), clip)
    assert not diagnosis.same
    assert diagnosis.explained
    assert names(diagnosis) == [name]
    assert diagnosis.spec == b
    assert diagnosis.first_difference is not None
    assert diagnosis.first_difference.stage == stage


# Several at once, as in the reports from which such a tool was asked for.
SEVERAL: list[tuple[str, dict[str, Any]]] = [
    ("whisper", {"mel_scale": "htk", "mel_norm": None, "window_periodic": False}),
    ("kaldi_fbank", {"input_scale": 1.0, "window": "hann", "window_periodic": False}),
    ("torchaudio_mel", {"level": "ln", "floor": 1e-6, "floor_rule": "add"}),
    ("whisper", {"level": "ln", "gain": 1.0, "offset": 0.0, "dynamic_range": None}),
]


@pytest.mark.parametrize(
    ("preset", "change"), SEVERAL, ids=[f"{n[0]}-{len(n[1])}" for n in SEVERAL]
)
def test_several_at_once(preset: str, change: dict[str, Any]) -> None:
    a = presets.spec(preset)
    b = a.replace(**change)
    clip = clip_of(a.sampling_rate)
    diagnosis = doctor.diagnose(a, feature_oracle.features(b, clip), clip)
    assert diagnosis.explained
    fields = {field for cause in diagnosis.causes for field in cause.fields}
    assert fields == set(change)
    assert diagnosis.spec == b


# ---- Shifts in time ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "shift", "change"),
    [("whisper", 2, {}), ("kaldi_fbank", -3, {}), ("nemo", 4, {"mel_norm": None})],
    ids=str,
)
def test_results_that_begin_with_another_frame(
    preset: str, shift: int, change: dict[str, Any]
) -> None:
    """The result of A without its first frames, or behind frames that are none."""
    a = presets.spec(preset)
    clip = clip_of(a.sampling_rate)
    frames = feature_oracle.features(a.replace(**change), clip)
    frames = frames if a.layout == "frames_first" else frames.T
    theirs = np.vstack([np.zeros((max(-shift, 0), frames.shape[1])), frames[max(shift, 0) :]])
    theirs = theirs if a.layout == "frames_first" else theirs.T
    diagnosis = doctor.diagnose(a, theirs, clip)
    assert diagnosis.explained
    assert names(diagnosis)[0] == "shift in time"
    assert {field for cause in diagnosis.causes for field in cause.fields} == set(change)
    assert diagnosis.spec == a.replace(**change)
    count = f"{abs(shift)} frames"
    said = f"without the first {count} of A" if shift > 0 else f"behind {count} that A has not"
    assert str(diagnosis).endswith(said)
    assert diagnosis.first_difference is not None
    assert diagnosis.first_difference.stage == "frames"


def test_shifts_that_are_none() -> None:
    spoken = feature_oracle.features(presets.spec("whisper"), clip_of(16000.0))
    noise = np.random.default_rng(0).standard_normal(spoken.shape)
    for a, b in ((spoken, spoken), (spoken, noise), (noise, noise[:, :8]), (spoken, spoken[:9])):
        assert shifts.likely_shift(a, b) == 0
    assert shifts.likely_shift(spoken, 3 * spoken[:, 16:] + 0.1 * noise[:, 16:]) == 16
    assert shifts.likely_shift(spoken[:, 5:], spoken) == -5
    assert shifts.likely_shift(np.ones((80, 90)), spoken) == 0


# ---- Whole front ends --------------------------------------------------------------------------


def test_another_preset_is_recognised() -> None:
    """Twelve differences are too many to be found one after the other."""
    clip = clip_of(16000.0)
    features = feature_oracle.features(presets.spec("nemo"), clip)
    diagnosis = doctor.diagnose("whisper", features, clip)
    assert diagnosis.explained
    assert {"preemphasis", "normalization", "window symmetry", "padding"} <= set(names(diagnosis))


def test_effects_are_those_of_each_choice_alone() -> None:
    a = presets.spec("whisper")
    b = a.replace(mel_norm=None, window_periodic=False)
    diagnosis = doctor.diagnose(a, b)
    assert names(diagnosis) == ["mel norm", "window symmetry"]
    clip = clip_of(a.sampling_rate)
    without_norm = feature_oracle.features(b.replace(mel_norm="slaney"), clip)
    wanted = np.sqrt(np.mean((without_norm - feature_oracle.features(b, clip)) ** 2))
    assert diagnosis.causes[0].effect == pytest.approx(wanted, rel=1e-3)


def test_levels_are_compared_in_decibels() -> None:
    a = presets.spec("hifigan")
    diagnosis = doctor.diagnose(a, a.replace(gain=1.0, offset=1.0))
    # The natural logarithm of a magnitude: one unit is 20 / ln(10) dB.
    assert diagnosis.difference.decibels == pytest.approx(20 / np.log(10), rel=1e-4)


# ---- Nothing is claimed that is not there ------------------------------------------------------


@pytest.mark.parametrize("preset", presets.names())
def test_the_same_front_end_is_the_same(preset: str) -> None:
    diagnosis = doctor.diagnose(preset, presets.spec(preset))
    assert diagnosis.same
    assert diagnosis.causes == ()
    assert diagnosis.first_difference is None
    assert "Same numbers" in str(diagnosis)


@pytest.mark.parametrize("preset", ["whisper", "nemo", "kaldi_fbank", "librosa_mfcc", "vocos"])
def test_rounding_is_no_difference(preset: str) -> None:
    a = presets.spec(preset)
    clip = clip_of(a.sampling_rate)
    exact = feature_oracle.features(a, clip)
    for features in (exact, exact.astype(np.float32), exact.astype(np.float16)):
        if features.dtype == np.float16 and np.abs(exact).max() > 6e4:
            continue
        assert doctor.diagnose(a, features, clip).same, features.dtype
    for precision in ("float32", "float64"):
        other = a.replace(precision=precision, dtype="float32")
        assert doctor.diagnose(a, other).same


def test_what_nobody_can_explain_is_not_explained() -> None:
    clip = clip_of(16000.0)
    noise = np.random.default_rng(0).standard_normal((80, 247))
    diagnosis = doctor.diagnose("whisper", noise, clip)
    assert not diagnosis.explained
    assert diagnosis.causes == ()
    assert diagnosis.spec is None
    assert "No combination of usual mistakes explains it" in str(diagnosis)


def test_fields_without_effect_are_no_causes() -> None:
    a = FeatureSpec(level="ln", floor=1e-30)
    diagnosis = doctor.diagnose(a, a.replace(floor=1e-29), 0.1 + clip_of(16000.0)[:8000])
    assert diagnosis.same
    assert [finding.name for finding in diagnosis.findings if "effect" in finding.name]
    assert "floor" in str(diagnosis)
