# SPDX-License-Identifier: BSD-3-Clause
"""Spectra of a FeatureExtractor as complex numbers, and the inverse that a FeatureSpec has."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import signals
from specfast import ISTFT, FeatureExtractor, FeatureSpec, GriffinLim, LostSamplesWarning, presets

NUM_SAMPLES = 4001
SPECS: dict[str, dict[str, Any]] = {
    "librosa": {"frame_length": 512, "padding": "center", "pad_mode": "constant"},
    "torch, short window": {"frame_length": 300, "fft_length": 512, "padding": "center"},
    "torch, odd window": {"frame_length": 301, "fft_length": 512, "padding": "center"},
    "symmetric window": {"window": "hamming", "window_periodic": False, "padding": "center"},
    "povey": {"window": "povey", "padding": "center"},
    "no window": {"window": None, "padding": "center"},
    "window by values": {"window": tuple(np.hanning(402)[1:-1]), "padding": "center"},
    "scipy": {
        "frame_length": 400,
        "fft_length": 512,
        "frame_span": 400,
        "padding": "sides",
        "pad_length": 200,
        "pad_mode": "constant",
        "window_scaling": "density",
        "input_scale": 16000**-0.5,
    },
    "sides": {"frame_length": 400, "fft_length": 512, "padding": "sides", "hop_length": 100},
    "keras": {"padding": "same", "window_periodic": False, "window_scaling": "spectrum"},
    "frames first": {"padding": "center", "layout": "frames_first"},
    "scaled": {"padding": "center", "input_scale": 32768.0},
}


def signal(dtype: str = "float32") -> Any:
    return (0.3 * signals.noise(NUM_SAMPLES, seed=1)).astype(dtype)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECS)
def test_spectra_come_back(name: str, precision: str) -> None:
    spec = FeatureSpec(mode="stft", precision=precision, dtype=precision, **SPECS[name])
    x = signal(precision)
    spectra = FeatureExtractor(spec).spectra(x)
    with warnings.catch_warnings():
        # A length says how far the last frames reach, and is known in the call only.
        warnings.simplefilter("ignore", LostSamplesWarning)
        again = ISTFT.from_spec(spec)(spectra, length=NUM_SAMPLES)
    bound = {"float32": 3e-7, "float64": 1e-15}[precision]
    assert np.linalg.norm(again - x) <= bound * np.linalg.norm(x)


@pytest.mark.parametrize("layout", ["bands_first", "frames_first"])
def test_spectra_are_the_halves(layout: str) -> None:
    spec = FeatureSpec(mode="stft", padding="center", layout=layout)
    extractor = FeatureExtractor(spec)
    x = np.stack([signal(), signal()[::-1]])
    parts, spectra = extractor(x), extractor.spectra(x)
    axis = 1 if layout == "bands_first" else 2
    real, imaginary = np.split(parts, 2, axis)
    assert spectra.dtype == np.complex64
    np.testing.assert_array_equal(spectra.real, real)
    np.testing.assert_array_equal(spectra.imag, imaginary)


def test_spectra_are_those_of_the_definition() -> None:
    x = signal("float64")
    spec = FeatureSpec(mode="stft", precision="float64", dtype="float64", window=None)
    frames = np.lib.stride_tricks.sliding_window_view(x, 400)[::160]
    wanted = np.fft.rfft(frames, 512).T
    np.testing.assert_allclose(FeatureExtractor(spec).spectra(x), wanted, rtol=0, atol=1e-12)


def test_clips_of_several_lengths_and_scales() -> None:
    extractor = FeatureExtractor(FeatureSpec(mode="stft", padding="center"))
    pcm = (signal() * 32767).astype(np.int16)
    values, num_frames, mask = extractor.spectra([pcm, pcm[:1000]], scale=1 / 32768)
    assert values.dtype == np.complex64
    assert mask.sum(axis=1).tolist() == num_frames.tolist()
    alone = extractor.spectra(pcm[:1000], scale=1 / 32768)
    np.testing.assert_array_equal(values[1][:, : num_frames[1]], alone)


def test_magnitudes_have_an_inverse_for_griffin_lim() -> None:
    spec = FeatureSpec(
        mode="magnitude",
        epsilon=0.0,
        frame_length=300,
        hop_length=75,
        fft_length=512,
        padding="center",
        input_scale=0.5,
    )
    x = signals.read_wav(signals.SPEECH)[20000:30000]
    wanted = FeatureExtractor(spec)(x)
    sound = GriffinLim(ISTFT.from_spec(spec), pad_mode="reflect")(wanted, length=len(x))
    found = FeatureExtractor(spec)(sound)
    assert np.linalg.norm(found - wanted) < 0.15 * np.linalg.norm(wanted)
    assert np.linalg.norm(sound) == pytest.approx(np.linalg.norm(x), rel=0.05)


def test_an_inverse_of_a_specification_is_like_any_other() -> None:
    spec = FeatureSpec(mode="stft", padding="center")
    istft = ISTFT.from_spec(spec, num_threads=1, layout="frames_bins")
    assert (istft.layout, istft.num_threads) == ("frames_bins", 1)
    spectra = FeatureExtractor(spec).spectra(signal()).T
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(istft))(spectra), istft(spectra))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mode": "mel"}, "`mode` of a specification must be one of ('stft', 'magnitude')"),
        ({"mode": "log"}, "Received: mode='log'"),
        ({"padding": "end"}, "`padding` of a specification must be one of"),
        ({"padding": "hops"}, "Received: padding='hops'"),
        ({"frame_span": 450}, "`frame_span` of a specification must be `frame_length` or"),
        ({"fft_length": 401}, "`fft_length` of a specification must be even"),
        ({"masked_frames": 1}, "`masked_frames` of a specification must be 0"),
        ({"num_frames": 7}, "`num_frames` of a specification must be None"),
        ({"frames_multiple": 2}, "`frames_multiple` of a specification must be 1"),
        ({"join_frames": 2, "layout": "frames_first"}, "`join_frames` of a specification must"),
        ({"hop_length": 500}, "`frame_step`"),
    ],
    ids=str,
)
def test_what_has_no_inverse(fields: dict[str, Any], message: str) -> None:
    spec = FeatureSpec(**{"mode": "stft", **fields})
    with pytest.raises(ValueError) as raised:
        ISTFT.from_spec(spec)
    assert message in str(raised.value)


def test_what_is_no_specification() -> None:
    with pytest.raises(TypeError, match="`spec` must be a FeatureSpec. Received: spec='whisper'"):
        ISTFT.from_spec("whisper")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="did you mean `num_threads`"):
        ISTFT.from_spec(FeatureSpec(mode="stft"), n_jobs=2)


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (presets.get("whisper"), "`mode` of the specification must be 'stft' for spectra"),
        (
            FeatureExtractor(FeatureSpec(mode="stft", join_frames=2, layout="frames_first")),
            "`join_frames` of the specification must be 1",
        ),
    ],
)
def test_what_has_no_spectra(extractor: FeatureExtractor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extractor.spectra(signal())
