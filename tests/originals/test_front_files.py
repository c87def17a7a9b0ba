# SPDX-License-Identifier: BSD-3-Clause
"""What keys of files mean, by running the originals with the same values.

The values differ from the defaults, each key at least once. A key that is read wrongly changes
features by percents; float32 changes them by less than 1e-4 of the largest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from specfast import FeatureExtractor
from specfast.front_files import read_front

TOLERANCE = 1e-4

HUGGING_FACE: list[tuple[str, dict[str, Any]]] = [
    ("Whisper", {"chunk_length": 3, "feature_size": 40}),
    ("Whisper", {"chunk_length": 1, "sampling_rate": 22050, "n_fft": 512, "hop_length": 200}),
    ("AST", {"do_normalize": False, "max_length": 100, "num_mel_bins": 64}),
    ("AST", {"mean": 1.0, "std": 2.0, "max_length": 300}),
    ("SeamlessM4T", {"padding_value": 1.0}),
    ("SeamlessM4T", {"stride": 1, "num_mel_bins": 40, "feature_size": 40}),
    ("SeamlessM4T", {"stride": 3}),
    ("Parakeet", {"preemphasis": None, "feature_size": 64}),
    ("Parakeet", {"preemphasis": 0.5, "n_fft": 1024, "win_length": 500, "hop_length": 200}),
    ("Gemma3nAudio", {"frame_length_ms": 25, "fft_overdrive": False, "input_scale_factor": 2.0}),
    ("Gemma3nAudio", {"per_bin_mean": [1.5] * 128, "per_bin_stddev": [2.0] * 128}),
    ("Gemma3nAudio", {"preemphasis": 0.0, "mel_floor": 0.01, "hop_length_ms": 5}),
    ("Phi4Multimodal", {"preemphasis": 0.5, "mel_min_frequency": 50, "mel_max_frequency": 7000}),
    ("Lasr", {"feature_size": 64, "win_length": 320}),
    ("SpeechT5", {"win_length": 50, "hop_length": 12, "win_function": "hamming_window"}),
    ("SpeechT5", {"win_function": "boxcar", "fmin": 0, "mel_floor": 1e-3, "num_mel_bins": 40}),
    ("Clap", {"truncation": "rand_trunc", "frequency_min": 50, "max_length_s": 5}),
    ("Clap", {"truncation": "rand_trunc", "padding": "pad", "max_length_s": 3}),
    ("Clap", {"max_length_s": 5}),
    ("UnivNet", {"do_normalize": True, "compression_factor": 3.0}),
    ("UnivNet", {"fmax": 8000, "fmin": 50, "hop_length": 300, "mel_floor": 1e-3}),
]

KALDI: list[tuple[str, dict[str, Any]]] = [
    ("fbank", {"num-mel-bins": 80, "snip-edges": False}),
    *(
        ("fbank", {"window-type": window})
        for window in ("hamming", "hanning", "blackman", "rectangular", "sine")
    ),
    ("fbank", {"window-type": "blackman", "blackman-coeff": 0.4}),
    ("fbank", {"use-energy": True}),
    ("fbank", {"use-energy": True, "raw-energy": False, "energy-floor": 1e12}),
    ("fbank", {"use-log-fbank": False}),
    ("fbank", {"use-power": False}),
    ("fbank", {"round-to-power-of-two": False}),
    ("fbank", {"frame-length": 25.6, "frame-shift": 8.0}),
    ("fbank", {"remove-dc-offset": False, "preemphasis-coefficient": 0.0}),
    ("fbank", {"sample-frequency": 22050.0, "low-freq": 40.0, "high-freq": -400.0}),
    ("mfcc", {"use-energy": False, "num-mel-bins": 40, "num-ceps": 40}),
    ("mfcc", {"raw-energy": False, "cepstral-lifter": 0.0}),
    ("mfcc", {"sample-frequency": 8000.0, "snip-edges": False}),
]
# Attributes of kaldi-native-fbank that are not named as the options of Kaldi.
ATTRIBUTES = {
    "sample-frequency": "samp_freq",
    "frame-length": "frame_length_ms",
    "frame-shift": "frame_shift_ms",
    "preemphasis-coefficient": "preemph_coeff",
    "num-mel-bins": "num_bins",
}

Samples = npt.NDArray[np.float32]


def noise(rate: float) -> Samples:
    """Returns somewhat more than two seconds of noise, float32 [samples]."""
    rng = np.random.default_rng(3)
    return (rng.standard_normal(int(2 * rate) + 77) * 0.1).astype(np.float32)


def of_transformers(kind: str, values: dict[str, Any], x: Samples) -> npt.NDArray[Any]:
    """Returns what a feature extractor with these values makes of a clip."""
    import transformers

    extractor = getattr(transformers, f"{kind}FeatureExtractor")(**values)
    given: dict[str, Any] = {"audio_target" if kind == "SpeechT5" else "raw_speech": x}
    if kind == "Gemma3nAudio":
        given["padding"] = False
    result = extractor(**given, sampling_rate=extractor.sampling_rate)
    names = ("input_features", "input_values", "audio_input_features")
    features = np.asarray(next(result[name] for name in names if name in result)[0])
    return features[0] if kind == "Clap" else features


def of_kaldi(kind: str, options: dict[str, Any], x: Samples) -> npt.NDArray[Any]:
    """Returns what kaldi-native-fbank makes of a clip, without noise and with Kaldi's defaults."""
    import kaldi_native_fbank as knf

    settings = knf.FbankOptions() if kind == "fbank" else knf.MfccOptions()
    settings.frame_opts.dither = 0.0
    settings.mel_opts.num_bins = 23
    for key, value in options.items():
        name = ATTRIBUTES.get(key, key.replace("-", "_"))
        places = (settings, settings.frame_opts, settings.mel_opts)
        setattr(next(place for place in places if hasattr(place, name)), name, value)
    program = (knf.OnlineFbank if kind == "fbank" else knf.OnlineMfcc)(settings)
    program.accept_waveform(settings.frame_opts.samp_freq, (x * 32768).tolist())
    program.input_finished()
    return np.array([program.get_frame(i) for i in range(program.num_frames_ready)])


def assert_close(path: Path, expected: npt.NDArray[Any], x: Samples) -> None:
    actual = np.asarray(FeatureExtractor(read_front(path))(x))
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= TOLERANCE * np.abs(expected).max()


@pytest.mark.parametrize(("kind", "values"), HUGGING_FACE)
def test_hugging_face(tmp_path: Path, kind: str, values: dict[str, Any]) -> None:
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps({"feature_extractor_type": f"{kind}FeatureExtractor", **values}))
    x = noise(read_front(path).sampling_rate)
    assert_close(path, of_transformers(kind, values, x), x)


@pytest.mark.parametrize(("kind", "options"), KALDI)
def test_kaldi(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    path = tmp_path / f"{kind}.conf"
    path.write_text("".join(f"--{key}={str(value).lower()}\n" for key, value in options.items()))
    x = noise(options.get("sample-frequency", 16000))
    assert_close(path, of_kaldi(kind, options, x), x)
