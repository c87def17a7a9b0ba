# SPDX-License-Identifier: BSD-3-Clause
"""Files as they are published give the specifications of their front ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import front_file_makers as makers
import numpy as np
import published
import pytest

from specfast import FeatureSpec
from specfast.front_files import DitherWarning, read_front
from specfast.presets import spec as preset

THIRTY_SECONDS = {"num_samples": 480000}

JSON_FILES: dict[str, tuple[dict[str, Any], FeatureSpec]] = {
    "whisper": (published.WHISPER, preset("whisper", **THIRTY_SECONDS)),
    "whisper-large-v3": (
        published.WHISPER_LARGE_V3,
        preset("whisper_large_v3", **THIRTY_SECONDS),
    ),
    "qwen2-audio": (published.QWEN2_AUDIO, preset("whisper_large_v3", **THIRTY_SECONDS)),
    "qwen-omni": (published.QWEN_OMNI, preset("whisper_large_v3", num_samples=4800000)),
    "ast": (published.AST, preset("ast")),
    "w2v-bert": (published.W2V_BERT, preset("w2v_bert", pad_value=1.0)),
    "seamless-m4t": (published.SEAMLESS_M4T, preset("seamless_m4t")),
    "parakeet": (published.PARAKEET, preset("parakeet", num_mel_bins=128)),
    "gemma3n": (published.GEMMA3N, preset("gemma3n")),
    "phi4": (published.PHI4, preset("phi4_multimodal")),
    "lasr": (published.LASR, preset("lasr")),
    "speecht5": (published.SPEECHT5, preset("speecht5_target")),
    "clap-fused": (published.CLAP_FUSED, preset("clap_fusion", min_freq=50.0)),
    "clap-unfused": (published.CLAP_UNFUSED, preset("clap", min_freq=50.0)),
    "univnet": (published.UNIVNET, preset("univnet")),
    "hifigan": (published.HIFIGAN, preset("hifigan")),
    "hifigan-v3": (published.HIFIGAN_V3, preset("hifigan")),
    "hifigan-32k": (
        published.HIFIGAN_32K,
        preset(
            "hifigan",
            sampling_rate=32000.0,
            frame_length=2048,
            fft_length=2048,
            hop_length=512,
            max_freq=11025.0,
        ),
    ),
    "bigvgan": (published.BIGVGAN, preset("bigvgan")),
    "bigvgan-v2": (published.BIGVGAN_V2, preset("bigvgan")),
    "bigvgan-v2-44k": (
        published.BIGVGAN_V2_44K,
        preset(
            "hifigan",
            sampling_rate=44100.0,
            frame_length=2048,
            fft_length=2048,
            hop_length=512,
            num_mel_bins=128,
            max_freq=22050.0,
        ),
    ),
}


@pytest.mark.parametrize(("values", "expected"), JSON_FILES.values(), ids=JSON_FILES)
def test_json(tmp_path: Path, values: Mapping[str, Any], expected: FeatureSpec) -> None:
    assert read_front(makers.json_file(tmp_path, values)) == expected


_FASTPITCH = FeatureSpec(
    sampling_rate=44100.0,
    frame_length=2048,
    hop_length=512,
    fft_length=2048,
    padding="center",
    pad_mode="constant",
    masked_frames=1,
    window_periodic=False,
    magnitude_exponent=1.0,
    mel_scale="slaney",
    mel_norm="slaney",
    level="ln",
    floor=1e-5,
    floor_rule="add",
)
NEMO_FILES: dict[str, tuple[dict[str, Any], FeatureSpec]] = {
    "parakeet": (published.NEMO_PARAKEET, preset("nemo", num_mel_bins=128)),
    "fastconformer": (published.NEMO_FASTCONFORMER, preset("nemo")),
    "streaming": (published.NEMO_STREAMING, preset("nemo", normalization=None)),
    "citrinet": (published.NEMO_CITRINET, preset("nemo", frames_multiple=16)),
    "fastpitch": (published.NEMO_FASTPITCH, _FASTPITCH),
    "hifigan": (
        published.NEMO_HIFIGAN,
        _FASTPITCH.replace(
            sampling_rate=22050.0,
            frame_length=1024,
            hop_length=256,
            fft_length=1024,
            padding="sides",
            pad_mode="constant",
            max_freq=8000.0,
            floor_rule="clamp",
            pad_value=-11.52,
        ),
    ),
    "mfcc": (
        published.NEMO_MFCC,
        FeatureSpec(
            frame_length=400,
            hop_length=160,
            fft_length=512,
            padding="center",
            num_mel_bins=64,
            level="ln",
            floor=1e-6,
            floor_rule="add",
            num_cepstra=64,
        ),
    ),
}


@pytest.mark.parametrize(("section", "expected"), NEMO_FILES.values(), ids=NEMO_FILES)
def test_nemo(tmp_path: Path, section: Mapping[str, Any], expected: FeatureSpec) -> None:
    assert read_front(makers.yaml_file(tmp_path, section)) == expected
    text = makers.nemo_text(section).encode()
    for packed in (False, True):
        members = {"./weights.ckpt": bytes(100_000), "./model_config.yaml": text}
        assert read_front(makers.nemo_file(tmp_path, members, packed=packed)) == expected


_HIRES = preset(
    "kaldi_mfcc", num_mel_bins=40, num_cepstra=40, energy=None, min_freq=20.0, max_freq=7600.0
)
KALDI_FILES = {
    "aishell/s10/conf/fbank.conf": preset("kaldi_fbank", num_mel_bins=40),
    "aspire/s5/conf/fbank.conf": preset(
        "kaldi_fbank",
        num_mel_bins=40,
        sampling_rate=8000.0,
        frame_length=200,
        hop_length=80,
        fft_length=256,
        min_freq=40.0,
        max_freq=3800.0,
    ),
    "aishell/v1/conf/mfcc.conf": preset("kaldi_mfcc", num_mel_bins=40, num_cepstra=20),
    "aishell2/s5/conf/mfcc_hires.conf": _HIRES,
    "vosk/mfcc.conf": _HIRES,
}


@pytest.mark.parametrize("name", published.KALDI)
def test_kaldi(tmp_path: Path, name: str) -> None:
    path = makers.kaldi_file(tmp_path, published.KALDI[name], name)
    assert read_front(path) == KALDI_FILES[name]


def test_kaldi_with_dither_is_computed_without_and_says_so(tmp_path: Path) -> None:
    path = makers.kaldi_file(tmp_path, published.KALDI_DITHERED)
    with pytest.warns(DitherWarning, match="--dither=1; specfast adds none") as caught:
        spec = read_front(path)
    assert caught[0].filename == __file__
    assert (spec.window, spec.window_periodic, spec.max_freq) == ("hamming", False, 3800.0)


def test_own_format(tmp_path: Path) -> None:
    spec = preset("clap").replace(num_mel_bins=2, mel_matrix=np.eye(513, 2))
    path = tmp_path / "front.json"
    path.write_text(spec.to_json(indent=1), "utf-8")
    assert read_front(path) == spec
    path.write_text("\ufeff" + spec.to_json(), "utf-8")  # a byte order mark does no harm
    assert read_front(path, num_mel_bins=3, mel_matrix=None).num_mel_bins == 3


def test_folders(tmp_path: Path) -> None:
    """As in transformers, a nested feature extractor wins, then preprocessor_config.json."""
    makers.json_file(tmp_path, {"model_type": "parakeet"}, "config.json")
    makers.json_file(tmp_path, published.WHISPER)
    assert read_front(tmp_path) == JSON_FILES["whisper"][1]
    makers.json_file(tmp_path, {"processor_class": "WhisperProcessor"}, "processor_config.json")
    assert read_front(tmp_path) == JSON_FILES["whisper"][1]
    makers.json_file(tmp_path, published.PARAKEET, "processor_config.json")
    assert read_front(str(tmp_path)) == JSON_FILES["parakeet"][1]


def test_old_whisper_files_hold_a_filterbank(tmp_path: Path) -> None:
    """It is computed anew, as transformers does; only its shape is looked at."""
    for shape in ((80, 201), (201, 80)):
        values = {**published.WHISPER, "mel_filters": np.zeros(shape).tolist()}
        assert read_front(makers.json_file(tmp_path, values)) == JSON_FILES["whisper"][1]


def test_overrides(tmp_path: Path) -> None:
    path = makers.json_file(tmp_path, published.WHISPER)
    assert read_front(path, num_samples=None) == preset("whisper")
    assert read_front(path, num_samples=None, layout="frames_first").layout == "frames_first"
    with pytest.raises(TypeError, match="`n_mels` is no field of FeatureSpec"):
        read_front(path, n_mels=80)
    with pytest.raises(ValueError, match="`hop_length` must be an integer between 1"):
        read_front(path, hop_length=0)
