# SPDX-License-Identifier: BSD-3-Clause
"""The calls of originals whose results are stored in tests/golden/front_ends, as presets."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import signals
from specfast._spec import preset_specs
from specfast._spec.feature_spec import FeatureSpec

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "front_ends"

_AT_16_KHZ = {"sampling_rate": 16000.0}

# Name of a file: the preset, and the fields in which the stored call differs from its defaults.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "hf_ast": ("ast", {"num_frames": 320}),
    "hf_clap": ("clap", {**_AT_16_KHZ, "num_samples": 48000}),
    "hf_gemma3n": ("gemma3n", {}),
    "hf_lasr": ("lasr", {}),
    "hf_parakeet": ("parakeet", {}),
    "hf_phi4": ("phi4_multimodal", {}),
    "hf_seamless_m4t": ("seamless_m4t", {}),
    "hf_speecht5_target": ("speecht5_target", {}),
    "hf_univnet": ("univnet", _AT_16_KHZ),
    "hf_whisper_80": ("whisper", {}),
    "hf_whisper_128": ("whisper_large_v3", {}),
    "kaldi_fbank_40_energy": ("kaldi_fbank", {"num_mel_bins": 40, "energy": "raw"}),
    "kaldi_fbank_80": ("kaldi_fbank", {}),
    "kaldi_fbank_80_hamming_noedges": (
        "kaldi_fbank",
        {"window": "hamming", "window_periodic": False, "padding": "hops", "max_freq": 7600.0},
    ),
    "kaldi_mfcc_13": ("kaldi_mfcc", {}),
    "librosa_mel": ("librosa_mel", _AT_16_KHZ),
    "librosa_mel_db": ("librosa_mel_db", _AT_16_KHZ),
    "librosa_mel_htk": (
        "librosa_mel",
        {
            **_AT_16_KHZ,
            "frame_length": 400,
            "hop_length": 160,
            "fft_length": 400,
            "padding": "valid",
            "pad_mode": None,
            "num_mel_bins": 64,
            "mel_scale": "htk",
            "mel_norm": None,
            "magnitude_exponent": 1.0,
        },
    ),
    "librosa_mfcc_20": ("librosa_mfcc", _AT_16_KHZ),
    "librosa_pcen": ("librosa_pcen", _AT_16_KHZ),
    "openai_whisper_80": ("whisper", {}),
    "openai_whisper_128": ("whisper_large_v3", {}),
}


def spec(name: str) -> FeatureSpec:
    """Returns the specification of a stored call."""
    preset, changes = CALLS[name]
    return preset_specs.spec(preset).replace(**changes)


def make_clips(recording: signals.Signal) -> dict[str, signals.Signal]:
    """Returns clips at 16 kHz: of a recording, a sweep in noise, one of 5 frames, and silence."""
    seconds = np.arange(17600) / 16000
    sweep = np.sin(2 * np.pi * (100 * seconds + 6900 * seconds**2 / 2.2))
    noise = np.random.default_rng(1).standard_normal(17600)
    return {
        "speech": recording[:48000],
        "synth": (0.4 * sweep * np.minimum(1, 20 * seconds) + 0.01 * noise).astype(np.float32),
        "short": recording[8000:8800],
        "silence": signals.silence(8000),
    }


@cache
def clips() -> dict[str, signals.Signal]:
    """Returns the clips that the originals were given, by the name of their results."""
    with np.load(GOLDEN / "clips.npz") as file:
        return dict(file)


def stored(name: str, clip: str) -> npt.NDArray[np.float32]:
    """Returns what the original returned for a clip, in the layout of its preset."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        result = file[f"y_{clip}"]
    # CLAP's comes as one channel of a picture.
    return np.asarray(result[0] if result.ndim == 3 else result)
