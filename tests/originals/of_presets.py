# SPDX-License-Identifier: BSD-3-Clause
"""The original of each preset, with its own defaults."""

from __future__ import annotations

from functools import cache
from typing import Any

import tensorflow_programs
import torch_programs
from programs import Original, of_kaldi, of_librosa, of_transformers


def librosa_power(librosa: Any, clip: Any) -> Any:
    return librosa.feature.melspectrogram(y=clip)


def _transposed(original: Original) -> Original:
    return Original(original.source, lambda clip: original.call(clip).T)


def _first_channel(original: Original) -> Original:
    return Original(original.source, lambda clip: original.call(clip)[0])


def _transformers() -> dict[str, Original]:
    parakeet = of_transformers("Parakeet")
    return {
        "whisper": of_transformers("Whisper", call={"padding": "longest"}),
        "whisper_large_v3": of_transformers(
            "Whisper", {"feature_size": 128}, {"padding": "longest"}
        ),
        "parakeet": parakeet,
        "nemo": _transposed(parakeet),  # NeMo itself is far too large
        "seamless_m4t": of_transformers("SeamlessM4T"),
        "phi4_multimodal": of_transformers("Phi4Multimodal", key="audio_input_features"),
        "gemma3n": of_transformers("Gemma3nAudio", call={"padding": False}),
        "lasr": of_transformers("Lasr"),
        "ast": of_transformers("AST", key="input_values"),
        "clap": _first_channel(of_transformers("Clap", call={"truncation": "rand_trunc"})),
        "clap_fusion": _first_channel(of_transformers("Clap")),
        "speecht5_target": of_transformers("SpeechT5", of="audio_target", key="input_values"),
        "univnet": of_transformers("UnivNet"),
    }


def _torch() -> dict[str, Original]:
    from_torchaudio = torch_programs.of_torchaudio
    return {
        "beats": from_torchaudio(torch_programs.beats),
        "vocos": from_torchaudio(torch_programs.vocos),
        "torchaudio_mel": from_torchaudio(
            lambda torchaudio, clip: torchaudio.transforms.MelSpectrogram()(clip)
        ),
        "torchaudio_mfcc": from_torchaudio(
            lambda torchaudio, clip: torchaudio.transforms.MFCC()(clip)
        ),
        "panns": torch_programs.of_panns(),
        "hifigan": torch_programs.of_vocoder(22050, 80, 8000.0),
        "bigvgan": torch_programs.of_vocoder(24000, 100, None),
    }


def _tensorflow() -> dict[str, Original]:
    audioset = (400, 160, 512), (64, 125.0, 7500.0)
    return {
        "yamnet": tensorflow_programs.of_tf_signal(*audioset, 0.001),
        "vggish": tensorflow_programs.of_tf_signal(*audioset, 0.01, dtype="float64"),
        "tf_signal": tensorflow_programs.of_tf_signal((1024, 256, 1024), (80, 80.0, 7600.0), 1e-6),
    }


def _librosa_and_kaldi() -> dict[str, Original]:
    return {
        "kaldi_fbank": of_kaldi("Fbank", "80 bins", **{"mel_opts.num_bins": 80}),
        "kaldi_mfcc": of_kaldi("Mfcc", "MfccOptions default"),
        "librosa_mel": of_librosa("feature.melspectrogram", librosa_power),
        "librosa_mel_db": of_librosa(
            "power_to_db", lambda librosa, clip: librosa.power_to_db(librosa_power(librosa, clip))
        ),
        "librosa_mfcc": of_librosa(
            "feature.mfcc", lambda librosa, clip: librosa.feature.mfcc(y=clip)
        ),
        "librosa_pcen": of_librosa(
            "pcen", lambda librosa, clip: librosa.pcen(librosa_power(librosa, clip) * 2**31)
        ),
    }


@cache
def all_presets() -> dict[str, Original]:
    """Returns the originals by the names of the presets."""
    return {**_transformers(), **_torch(), **_tensorflow(), **_librosa_and_kaldi()}
