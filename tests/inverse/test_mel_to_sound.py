# SPDX-License-Identifier: BSD-3-Clause
"""Sound from features: it has the features that were given, as nearly as they tell."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import signals
import specfast
from specfast import FeatureExtractor, FeatureSpec, MelSpectrogram, MelToSound, presets

SPEECH = signals.read_wav(signals.SPEECH)[8000:32000]
BASE = FeatureSpec(padding="center", num_mel_bins=64, level="ln", frame_length=512)
# Padding, preemphasis, scales, levels: what each lets come back is the same sound.
WAYS: dict[str, dict[str, Any]] = {
    "center": {},
    "valid": {"padding": "valid"},
    "same": {"padding": "same"},
    "end": {"padding": "end"},
    "sides": {"padding": "sides"},
    "hops": {"padding": "hops"},
    "short window": {"frame_length": 400, "fft_length": 512},
    "spanned": {"padding": "valid", "frame_length": 400, "fft_length": 512, "frame_span": 401},
    "signal preemphasis": {"preemphasis": 0.97, "preemphasis_rule": "signal"},
    "frame preemphasis": {"preemphasis": 0.9},
    "scaled": {"input_scale": 32768.0},
    "decibels": {"level": "decibel", "reference": 1e-4},
    "log10": {"level": "log10", "floor": 1e-8, "floor_rule": "add"},
    "magnitudes": {"level": "energy", "magnitude_exponent": 1.0},
    "gains": {"gain": 0.25, "offset": tuple(np.linspace(-1, 1, 64))},
    "cepstra": {"num_cepstra": 64, "lifter": 22.0},
    "plain cepstra": {"num_cepstra": 64, "dct_norm": None},
    "energy": {"energy": "raw"},
    "derivatives": {"delta_order": 2},
    "joined": {"join_frames": 2, "layout": "frames_first"},
    "double": {"precision": "float64", "dtype": "float64"},
}


def distance(spec: FeatureSpec, features: Any, sound: Any) -> float:
    """How far the bands of a sound are from those of features: dB, of the loudest 60 dB."""
    to_sound = MelToSound(spec, num_iterations=1)
    wanted = to_sound.energies(features)
    found = to_sound.energies(FeatureExtractor(spec)(sound))
    frames = min(wanted.shape[-1], found.shape[-1])
    floor = wanted.max() * 1e-6
    levels = [10 * np.log10(np.maximum(e[..., 1 : frames - 1], floor)) for e in (wanted, found)]
    return float(np.abs(levels[0] - levels[1]).mean())


@pytest.mark.parametrize("way", WAYS)
def test_features_of_the_result_are_those_given(way: str) -> None:
    spec = BASE.replace(**WAYS[way])
    features = FeatureExtractor(spec)(SPEECH)
    to_sound = MelToSound(spec)
    # With "same" frames lie as the length says.
    length = len(SPEECH) - (0 if way == "same" else 1000)
    sound = to_sound(features, length)
    assert sound.shape == (length,)
    assert sound.dtype == spec.precision
    assert distance(spec, features, sound) < 2.5
    # The sound of noise has other features: the distance can fail.
    noise = signals.noise(len(SPEECH)).astype(sound.dtype) * np.std(SPEECH)
    assert distance(spec, features, noise) > 10
    energy = float(np.sum(sound.astype(np.float64) ** 2) / np.sum(SPEECH[:length] ** 2))
    assert 0.5 < energy < 1.6


@pytest.mark.parametrize("way", ["center", "valid", "same", "end", "sides", "hops", "spanned"])
def test_sound_is_where_it_was(way: str) -> None:
    """Bursts come back at their samples, whatever the padding; as many samples as there were."""
    spec = BASE.replace(**WAYS[way])
    burst = np.zeros(16000, np.float32)
    for begin in (3000, 9000, 12500):
        burst[begin : begin + 400] = signals.noise(400, seed=begin)
    sound = MelToSound(spec)(FeatureExtractor(spec)(burst))
    assert abs(len(sound) - 16000) < spec.hop_length + (spec.frame_span if way == "valid" else 0)
    smooth = np.ones(200) / 200
    loud = [np.convolve(x.astype(np.float64) ** 2, smooth, "same") for x in (burst, sound)]
    count = min(map(len, loud))
    shifts = range(-300, 301, 20)
    inner = slice(400, count - 400)
    fits = [np.dot(loud[0][inner], np.roll(loud[1][:count], shift)[inner]) for shift in shifts]
    assert abs(shifts[int(np.argmax(fits))]) <= 60


def test_fronts_of_every_kind() -> None:
    layer = MelSpectrogram(fft_length=512, sequence_stride=128, num_mel_bins=40, top_db=None)
    sound = MelToSound(layer, num_iterations=8)
    features = layer(SPEECH)
    np.testing.assert_array_equal(
        sound(features), MelToSound(sound.spec, num_iterations=8)(features)
    )
    assert distance(sound.spec, features, sound(features)) < 3.5
    of_preset = MelToSound("whisper")
    assert of_preset.spec == presets.spec("whisper")
    assert MelToSound(presets.get("whisper")).spec == of_preset.spec
    assert specfast.MelToSound is MelToSound
    again = pickle.loads(pickle.dumps(MelToSound("hifigan", seed=3)))
    assert repr(again) == repr(MelToSound("hifigan", seed=3))
    assert "seed=3" in repr(again)


def test_batches_and_seeds() -> None:
    features = np.stack([FeatureExtractor(BASE)(SPEECH), FeatureExtractor(BASE)(SPEECH[::-1])])
    sounds = MelToSound(BASE, num_iterations=3)(features)
    np.testing.assert_array_equal(
        MelToSound(BASE, num_iterations=3, num_threads=1)(features), sounds
    )
    other = MelToSound(BASE, num_iterations=3, seed=1)(features)
    assert not np.array_equal(other, sounds)


@pytest.mark.parametrize("way", ["center", "valid", "frame preemphasis", "double"])
def test_magnitudes_are_half_way(way: str) -> None:
    to_sound = MelToSound(BASE.replace(**WAYS[way]), num_iterations=2)
    features = FeatureExtractor(to_sound.spec)(SPEECH[:8000])
    magnitudes = to_sound.magnitudes(features)
    kept = magnitudes.copy()
    for length in (None, 5000, 0):
        want = to_sound(features, length)
        np.testing.assert_array_equal(to_sound.from_magnitudes(magnitudes, length), want)
    np.testing.assert_array_equal(magnitudes, kept)
    assert to_sound.from_magnitudes(magnitudes[:, :0]).shape == (0,)


@pytest.mark.parametrize(
    ("magnitudes", "error", "message"),
    [
        (np.zeros((256, 9), np.float32), ValueError, r"\(\.\.\., 257, frames\).*\(256, 9\)"),
        (np.zeros(257, np.float32), ValueError, r"shape \(257,\)"),
        (np.zeros((257, 9), np.int32), TypeError, "dtype int32"),
        ([[0.0]], TypeError, "`magnitudes` must be an array"),
        (np.full((257, 9), -1, np.float32), ValueError, "`magnitudes` must"),
        (np.full((257, 9), np.nan, np.float32), ValueError, "`magnitudes` must"),
    ],
)
def test_wrong_magnitudes(magnitudes: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MelToSound(BASE).from_magnitudes(magnitudes)


def test_statistics_undo_normalization() -> None:
    plain = BASE.replace(layout="frames_first")
    spec = plain.replace(normalization="per_band")
    features = FeatureExtractor(plain)(SPEECH).astype(np.float64)
    statistics = {"mean": features.mean(0), "deviation": features.std(0, ddof=1)}
    normalized = FeatureExtractor(spec)(SPEECH)
    energies = MelToSound(spec).energies(normalized, **statistics)
    np.testing.assert_allclose(energies, np.exp(features).T, rtol=1e-4)
    sound = MelToSound(spec)(normalized, **statistics)
    assert distance(plain, features, sound) < 2.5
    with pytest.raises(ValueError, match="`mean` must be given.*normalization='per_band'"):
        MelToSound(spec)(normalized)
    with pytest.raises(ValueError, match="`deviation` must be finite, of shape"):
        MelToSound(spec)(normalized, mean=statistics["mean"], deviation=np.ones(3))
    with pytest.raises(ValueError, match="`mean` must be None"):
        MelToSound(plain)(features, mean=statistics["mean"])


@pytest.mark.parametrize(
    ("changes", "silent"),
    [({"masked_frames": 2}, 2), ({"num_frames": 160}, 9), ({"frames_multiple": 160}, 9)],
)
def test_frames_that_are_none_are_silent(changes: dict[str, Any], silent: int) -> None:
    """The clip has 151 frames; those behind it hold the padding's value."""
    spec = BASE.replace(pad_value=-3.0, **changes)
    energies = MelToSound(spec).energies(FeatureExtractor(spec)(SPEECH))
    assert (energies[:, -silent:] == 0).all()
    assert (energies[:, -silent - 1] > 0).all()


def test_ends_do_not_burst() -> None:
    """Where next to nothing of a window is, a sum of frames divided by it would be noise."""
    spec = BASE.replace(padding="valid", num_mel_bins=20)
    to_sound = MelToSound(spec, num_iterations=2)
    features = FeatureExtractor(spec)(signals.noise(8000))
    sound = to_sound(features, to_sound.max_length(features.shape[-1]))
    assert np.abs(sound[:400]).max() < 2 * np.abs(sound[400:-400]).max()
    assert np.abs(sound[-400:]).max() < 2 * np.abs(sound[400:-400]).max()


LOST: dict[str, dict[str, Any]] = {
    "mode": {"mode": "magnitude"},
    "pcen": {"pcen": True},
    "energy": {"energy": "raw", "num_cepstra": 13},
    "magnitude_exponent": {"magnitude_exponent": 0.0},
    "gain": {"gain": 0.0},
    "fft_length": {"fft_length": 513},
}


@pytest.mark.parametrize("name", LOST)
def test_what_is_lost_is_refused_by_name(name: str) -> None:
    level = {} if name in ("mode", "pcen") else {"level": "ln"}
    spec = FeatureSpec(padding="center", **level, **LOST[name])
    with pytest.raises(ValueError, match=rf"^`{name}` .* Received: {name}="):
        MelToSound(spec)


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (np.zeros((64, 9), np.int16), TypeError, "must be float16.*int16"),
        (np.zeros((63, 9), np.float32), ValueError, r"\(\.\.\., 64, frames\).*\(63, 9\)"),
        (np.zeros(64, np.float32), ValueError, r"shape \(64,\)"),
        (np.full((64, 9), np.nan, np.float32), ValueError, "must be finite"),
        (np.full((64, 9), 200, np.float32), ValueError, "must be finite, and energies"),
    ],
)
def test_wrong_features(features: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MelToSound(BASE)(features)


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="`front` must be the name"):
        MelToSound(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`band_iterations` must be"):
        MelToSound(BASE, band_iterations=0)
    to_sound = MelToSound(BASE, num_iterations=1)
    most = to_sound.max_length(9)
    features = FeatureExtractor(BASE)(SPEECH[: 8 * 160])
    assert to_sound(features, most).shape == (most,)
    with pytest.raises(ValueError, match=f"`length` must be at most {most}.*length={most + 1}"):
        to_sound(features, most + 1)
    assert to_sound(features[:, :0]).shape == (0,)
    with pytest.raises(ValueError, match="`length` must be at least 1281.*length=1280"):
        MelToSound(BASE.replace(padding="same"))(features, 1280)
