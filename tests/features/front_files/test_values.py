# SPDX-License-Identifier: BSD-3-Clause
"""What a value of a key means, beyond the files that are published; and what a missing key means.

Expected values were computed by hand from the sources of the originals.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import front_file_makers as makers
import numpy as np
import published
import pytest

from specfast import FeatureSpec
from specfast.front_files import read_front
from specfast.presets import spec as preset


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Whisper", preset("whisper", num_samples=480000)),
        ("AST", preset("ast")),
        ("SeamlessM4T", preset("seamless_m4t")),
        ("Parakeet", preset("parakeet")),
        ("Gemma3nAudio", preset("gemma3n")),
        ("Phi4Multimodal", preset("phi4_multimodal")),
        ("Lasr", preset("lasr")),
        ("SpeechT5", preset("speecht5_target")),
        ("Clap", preset("clap_fusion")),
        ("UnivNet", preset("univnet")),
    ],
)
def test_defaults_of_hugging_face(tmp_path: Path, kind: str, expected: FeatureSpec) -> None:
    values = {"feature_extractor_type": f"{kind}FeatureExtractor"}
    assert read_front(makers.json_file(tmp_path, values)) == expected


def test_defaults_of_nemo(tmp_path: Path) -> None:
    target = {"_target_": published.NEMO_PARAKEET["_target_"]}
    assert read_front(makers.yaml_file(tmp_path, target)) == preset(
        "nemo", num_mel_bins=64, frame_length=320, frames_multiple=16
    )


def test_defaults_of_kaldi(tmp_path: Path) -> None:
    """A file may hold comments only: it says that there is nothing to say."""
    assert read_front(makers.kaldi_file(tmp_path, {})) == preset("kaldi_fbank", num_mel_bins=23)
    assert read_front(makers.kaldi_file(tmp_path, {}, "mfcc.conf")) == preset("kaldi_mfcc")


JSON_VALUES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        {"feature_extractor_type": "WhisperFeatureExtractor"},
        {"sampling_rate": 22050},
        {"max_freq": 8000.0, "num_samples": 661500},
    ),
    (published.AST, {"do_normalize": False}, {"gain": 1.0, "offset": 0.0, "pad_value": 0.0}),
    (published.AST, {"mean": 1, "std": 2}, {"gain": 0.25, "offset": -0.25, "pad_value": -0.25}),
    (published.W2V_BERT, {"stride": 1}, {"join_frames": 1, "frames_multiple": 2}),
    (
        published.PARAKEET["feature_extractor"],
        {"preemphasis": None},
        {"preemphasis": 0.0, "preemphasis_rule": "frame"},
    ),
    (
        published.GEMMA3N,
        {"per_bin_mean": [3.0] * 128, "per_bin_stddev": [2.0] * 128},
        {"gain": (0.5,) * 128, "offset": (-1.5,) * 128},
    ),
    (
        published.GEMMA3N,
        {"per_bin_mean": [3.0] * 128},
        {"gain": (1.0,) * 128, "offset": (-3.0,) * 128},
    ),
    (
        published.GEMMA3N,
        {"preemphasis": 0.0, "preemphasis_htk_flavor": False, "input_scale_factor": 2},
        {"preemphasis": 0.0, "input_scale": 2.0},
    ),
    (
        {key: value for key, value in published.GEMMA3N.items() if key != "fft_length"},
        {"frame_length_ms": 25, "frame_length": 400, "fft_overdrive": False},
        {"frame_length": 400, "frame_span": 401, "fft_length": 512},
    ),
    (published.CLAP_FUSED, {"padding": "pad"}, {"sample_padding": "zeros"}),
    (published.SPEECHT5, {"win_function": "boxcar"}, {"window": None}),
    (published.UNIVNET, {"compression_factor": 10.0}, {"offset": math.log(10)}),
    (published.UNIVNET, {"filter_length": None, "fmax": None}, {"max_freq": 12000.0}),
    (
        published.UNIVNET,
        {"do_normalize": True, "normalize_min": -3.0, "normalize_max": 1.0},
        {"gain": 0.5, "offset": 0.5},  # 2 (v + 3) / 4 - 1
    ),
]


@pytest.mark.parametrize(("values", "changes", "fields"), JSON_VALUES)
def test_json(
    tmp_path: Path, values: dict[str, Any], changes: dict[str, Any], fields: dict[str, Any]
) -> None:
    spec = read_front(makers.json_file(tmp_path, {**values, **changes}))
    assert {name: getattr(spec, name) for name in fields} == fields


NEMO_VALUES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"window_size": 0.0249999}, {"frame_length": 399}),  # int(399.9984)
    ({"log_zero_guard_value": "tiny"}, {"floor": 2.0**-126}),
    ({"log_zero_guard_value": "eps", "log_zero_guard_type": "clamp"}, {"floor": 2.0**-23}),
    ({"log": False}, {"level": "energy"}),
    ({"mel_norm": None}, {"mel_norm": None}),
    ({"normalize": None}, {"normalization": None}),
    ({"normalize": False}, {"normalization": None}),
    ({"n_fft": None}, {"fft_length": 512}),
    ({"preemph": 0.0}, {"preemphasis": 0.0, "preemphasis_rule": "frame"}),
    ({"window": "hamming"}, {"window": "hamming", "window_periodic": False}),
    ({"features": "${encoder.feat_in}"}, {"num_mel_bins": 80}),
    ({"pad_to": 8, "pad_value": -1}, {"frames_multiple": 8, "pad_value": -1.0}),
]


@pytest.mark.parametrize(("changes", "fields"), NEMO_VALUES)
def test_nemo(tmp_path: Path, changes: dict[str, Any], fields: dict[str, Any]) -> None:
    spec = read_front(makers.yaml_file(tmp_path, {**published.NEMO_PARAKEET, **changes}))
    assert {name: getattr(spec, name) for name in fields} == fields


def test_nemo_with_gradients(tmp_path: Path) -> None:
    section = {**published.NEMO_HIFIGAN, "use_grads": True}
    assert read_front(makers.yaml_file(tmp_path, section)).power_offset == 1e-5


def test_yaml_as_it_is_written_by_hand(tmp_path: Path) -> None:
    """Aliases of numbers, a model one level down, exponents without a point, capitals."""
    path = tmp_path / "config.yaml"
    path.write_text(
        "model:\n"
        "  sample_rate: &rate 8000\n"
        "  preprocessor:\n"
        "    _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor\n"
        "    sample_rate: *rate  # as above\n"
        "    features: &bands 40\n"
        "    log_zero_guard_value: 1e-5\n"
        "    log: True\n"
        "    normalize: ~\n"
        "  encoder: {feat_in: *bands, dropout: .1, kernel: [5]}\n"
    )
    spec = read_front(path)
    assert (spec.sampling_rate, spec.num_mel_bins, spec.floor) == (8000.0, 40, 1e-5)
    assert (spec.level, spec.normalization, spec.frame_length) == ("ln", None, 160)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"log": False}, {"level": "decibel", "dynamic_range": 80.0}),
        ({"window": None}, {"window": None}),
        ({"norm": None, "n_mfcc": 20}, {"dct_norm": None, "num_cepstra": 20}),
        ({"highfreq": 4000}, {"max_freq": 4000.0}),
    ],
)
def test_nemo_mfcc(tmp_path: Path, changes: dict[str, Any], fields: dict[str, Any]) -> None:
    spec = read_front(makers.yaml_file(tmp_path, {**published.NEMO_MFCC, **changes}))
    assert {name: getattr(spec, name) for name in fields} == fields


KALDI_VALUES: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"sample-frequency": "22050"}, {"frame_length": 551, "hop_length": 220}),
    ({"frame-length": "25.6", "frame_shift": "8"}, {"frame_length": 409, "hop_length": 128}),
    ({"round-to-power-of-two": "false"}, {"fft_length": 400}),
    ({"snip-edges": "false"}, {"padding": "hops", "pad_mode": "symmetric"}),
    ({"remove-dc-offset": "f"}, {"remove_dc": False}),
    ({"use-energy": ""}, {"energy": "raw", "num_rows": 24}),  # no value stands for true
    ({"use-energy": "t", "raw-energy": "0"}, {"energy": "windowed"}),
    ({"use-energy": "true", "energy-floor": "1.0"}, {"energy_floor": 1.0}),
    ({"energy-floor": "1.0"}, {"energy": None, "energy_floor": 0.0}),
    ({"use-log-fbank": "false"}, {"level": "energy"}),
    ({"use-power": "false"}, {"magnitude_exponent": 1.0}),
    ({"high-freq": "0"}, {"max_freq": 8000.0}),
    ({"window-type": "rectangular"}, {"window": None}),
    ({"window-type": "hanning"}, {"window": "hann", "window_periodic": False}),
    ({"window-type": "sine"}, {"window": "sine", "window_periodic": False}),
    ({"window-type": "blackman"}, {"window": "blackman", "window_periodic": False}),
    ({"dither": "0"}, {"window": "povey"}),
]


@pytest.mark.parametrize(("options", "fields"), KALDI_VALUES)
def test_kaldi(tmp_path: Path, options: dict[str, str], fields: dict[str, Any]) -> None:
    spec = read_front(makers.kaldi_file(tmp_path, options))
    assert {name: getattr(spec, name) for name in fields} == fields


def test_the_window_of_kaldi_without_a_name(tmp_path: Path) -> None:
    n = np.arange(16)
    options = {"window-type": "blackman", "blackman-coeff": "0.4", "frame-length": "1"}
    window = read_front(makers.kaldi_file(tmp_path, options)).window_values()
    expected = 0.4 - 0.5 * np.cos(2 * np.pi * n / 15) + 0.1 * np.cos(4 * np.pi * n / 15)
    np.testing.assert_allclose(window, expected, atol=1e-15)
