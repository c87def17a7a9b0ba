# SPDX-License-Identifier: BSD-3-Clause
"""Bins from the energies of bands: the least squares of every frame, by SciPy's solver and by the
conditions that its solution meets."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import nnls

import feature_oracle
import signals
from specfast import FeatureExtractor, FeatureSpec, MelToSound, presets

Array = npt.NDArray[Any]

ENERGIES = {"level": "energy", "magnitude_exponent": 1.0, "padding": "center"}
MATRIX = np.random.default_rng(5).random((65, 7)) * (np.arange(65)[:, np.newaxis] % 5 > 0)
BANKS: dict[str, dict[str, Any]] = {
    "htk": {"num_mel_bins": 40},
    "slaney": {"num_mel_bins": 80, "mel_scale": "slaney", "mel_norm": "slaney"},
    "in mel": {"num_mel_bins": 24, "mel_triangles": "mel", "min_freq": 20.0},
    "area": {"num_mel_bins": 30, "mel_norm": "area", "fft_length": 400, "max_freq": 7000.0},
    "empty bands": {"num_mel_bins": 80, "frame_length": 64, "hop_length": 32},
    "matrix": {
        "num_mel_bins": 7, "frame_length": 128, "hop_length": 32, "mel_matrix": MATRIX.tolist()
    },
}  # fmt: skip
quiet = pytest.mark.filterwarnings("ignore::specfast.EmptyBandsWarning")


def spec_of(bank: str, **changes: Any) -> FeatureSpec:
    return FeatureSpec(**{**ENERGIES, **BANKS[bank], **changes})


def weights_of(spec: FeatureSpec) -> Array:
    return np.asarray(feature_oracle.filterbank(spec))


def relative(error: Array, of: Array) -> Array:
    """The norm of each frame's error, relative to the frame."""
    size = np.linalg.norm(of, axis=0)
    return np.asarray(np.linalg.norm(error, axis=0) / np.where(size > 0, size, 1))


@quiet
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("bank", BANKS)
def test_energies_of_a_spectrum_are_met(bank: str, precision: str) -> None:
    """The default number of steps meets those of speech to 1e-3 of every frame."""
    spec = spec_of(bank, precision=precision, dtype=precision)
    energies = FeatureExtractor(spec)(signals.read_wav(signals.SPEECH)[:32000])
    bins = MelToSound(spec, num_iterations=1).magnitudes(energies)
    assert bins.shape == (spec.num_bins, energies.shape[-1])
    assert bins.dtype == precision
    assert (bins >= 0).all()
    again = weights_of(spec).T @ bins.astype(np.float64)
    assert relative(again - energies, energies).max() < 1e-3


@quiet
@pytest.mark.parametrize("bank", BANKS)
def test_residual_is_that_of_the_active_set_method(bank: str) -> None:
    """Of energies that no spectrum has."""
    spec = spec_of(bank, precision="float64", dtype="float64")
    energies = np.abs(signals.noise(spec.num_mel_bins, 6, seed=2, dtype=np.float64)) ** 3
    weights = weights_of(spec)
    bins = MelToSound(spec, band_iterations=3000).magnitudes(energies)
    for frame in range(energies.shape[-1]):
        _, best = nnls(weights.T, energies[:, frame])
        ours = float(np.linalg.norm(weights.T @ bins[:, frame] - energies[:, frame]))
        size = float(np.linalg.norm(energies[:, frame]))
        assert best - 1e-9 * size <= ours <= best + 1e-5 * size


@quiet
@pytest.mark.parametrize("bank", BANKS)
def test_conditions_of_the_minimum(bank: str) -> None:
    """The gradient is 0 where a bin is not, and nowhere points to a smaller residual."""
    spec = spec_of(bank, precision="float64", dtype="float64")
    energies = np.abs(signals.noise(spec.num_mel_bins, 5, seed=3, dtype=np.float64))
    weights = weights_of(spec)
    bins = MelToSound(spec, band_iterations=20000).magnitudes(energies)
    gradient = weights @ (weights.T @ bins - energies)
    scale = float((weights @ energies).max())
    assert (gradient > -1e-6 * scale).all()
    assert (np.abs(gradient * bins) < 1e-6 * scale * bins.max()).all()
    in_no_band = weights.sum(1) == 0
    assert (bins[in_no_band] == 0).all()


def test_a_frame_depends_on_its_energies_alone() -> None:
    """Bits are the same on any number of threads, in any company, by themselves."""
    spec = spec_of("slaney")
    energies = np.abs(signals.noise(3, 80, 47, seed=4))
    one = MelToSound(spec, num_threads=1).magnitudes(energies)
    np.testing.assert_array_equal(MelToSound(spec, num_threads=3).magnitudes(energies), one)
    np.testing.assert_array_equal(MelToSound(spec).magnitudes(energies[1]), one[1])
    np.testing.assert_array_equal(
        MelToSound(spec).magnitudes(energies[2, :, 20:21]), one[2, :, 20:21]
    )
    strided = np.ascontiguousarray(energies.swapaxes(0, 2)).swapaxes(0, 2)
    np.testing.assert_array_equal(MelToSound(spec).magnitudes(strided), one)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 3e38])
def test_a_bad_frame_spoils_no_other(wrong: float) -> None:
    spec = spec_of("htk")
    energies = np.abs(signals.noise(40, 21, seed=6))
    sound = MelToSound(spec).magnitudes(energies)
    energies[7, 9] = wrong
    bins = MelToSound(spec).magnitudes(energies)
    if wrong < np.inf:
        assert not np.isnan(np.delete(bins, 9, axis=1)).any()
    else:
        assert np.isnan(bins[:, 9]).all()
    np.testing.assert_array_equal(np.delete(bins, 9, axis=1), np.delete(sound, 9, axis=1))


def test_silence_is_silence() -> None:
    assert (MelToSound(spec_of("htk")).magnitudes(np.zeros((40, 3), np.float32)) == 0).all()
    assert MelToSound(spec_of("htk")).magnitudes(np.zeros((40, 0), np.float32)).shape == (257, 0)


# What each preset needs that normalizes; the others are undone without statistics.
@quiet
@pytest.mark.parametrize("name", presets.names())
def test_bands_of_presets_come_back(name: str) -> None:
    """Levels of the magnitudes that were found are those that were given, above the floor."""
    spec = presets.spec(name).replace(normalization=None)
    if spec.pcen or spec.mode != "mel":
        with pytest.raises(ValueError, match="`(pcen|mode)` "):
            MelToSound(spec)
        return
    if spec.energy is not None and spec.num_cepstra is not None:
        with pytest.raises(ValueError, match="`energy` takes the place of C0"):
            MelToSound(spec)
        spec = spec.replace(energy=None)
    if spec.num_cepstra is not None:
        spec = spec.replace(num_cepstra=spec.num_mel_bins)
    speech = signals.read_wav(signals.SPEECH)[:24000]
    features = FeatureExtractor(spec)(speech)
    to_sound = MelToSound(spec, num_iterations=1)
    energies = to_sound.energies(features)
    bins = to_sound.magnitudes(features).astype(np.float64)
    powers = (bins**2 + spec.power_offset) ** (spec.magnitude_exponent / 2)
    again = weights_of(spec).T @ powers
    is_met = relative(again - energies, energies)
    assert is_met.max() < 1e-3
