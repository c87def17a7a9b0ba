# SPDX-License-Identifier: BSD-3-Clause
"""The originals of the presets, called as their users call them; the environment names one.

Extractors, options, tables and tensors are made before the clock starts, as far as the program
lets its user do that.  So are the lists of samples that kaldi-native-fbank's binding asks for.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..workloads import SAMPLING_RATE_HZ, Workload
from .base import Call, versions_of

Forms = dict[str, Call]


class Adapter:
    """One original."""

    def __init__(self, threads: int) -> None:
        self._program = os.environ["SPECFAST_BENCH_ORIGINAL"]
        if self._program.startswith("kaldi"):
            return
        import torch

        torch.set_num_threads(threads)

    def versions(self) -> dict[str, str]:
        return versions_of(*_VERSIONS[self._program])

    def forms(self, work: Workload, x: NDArray[Any]) -> Forms:
        return _PROGRAMS[self._program](work.preset, x)

    def result(self, value: Any) -> NDArray[Any]:
        return np.asarray(_frames(value) if hasattr(value, "get_frame") else value)


# ---- openai-whisper, transformers --------------------------------------------------------------


def _openai_whisper(preset: str, x: NDArray[Any]) -> Forms:
    from whisper.audio import log_mel_spectrogram

    del preset
    return {"log_mel_spectrogram": lambda: log_mel_spectrogram(x).numpy()}


_EXTRACTORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "whisper": ("Whisper", "input_features", {}),
    "parakeet": ("Parakeet", "input_features", {}),
    "ast": ("AST", "input_values", {"max_length": 2998}),
}


def _transformers(preset: str, x: NDArray[Any]) -> Forms:
    import transformers

    kind, key, arguments = _EXTRACTORS[preset]
    extractor = getattr(transformers, f"{kind}FeatureExtractor")(**arguments)

    def call() -> Any:
        features = extractor(x, sampling_rate=SAMPLING_RATE_HZ, return_tensors="np")
        return features[key][0]

    return {f"{kind}FeatureExtractor": call}


def _transformers_in_numpy(preset: str, x: NDArray[Any]) -> Forms:
    """As where torch (for Whisper) or torchaudio (for AST) is not installed."""
    import importlib

    for name in ("whisper", "audio_spectrogram_transformer"):
        module = importlib.import_module(f"transformers.models.{name}.feature_extraction_{name}")
        for question in ("is_torch_available", "is_speech_available"):
            if name == "whisper" or question == "is_speech_available":
                setattr(module, question, lambda: False)
    return _transformers(preset, x)


# ---- kaldi-native-fbank ------------------------------------------------------------------------


def _kaldi_bank(samples: Any) -> Any:
    """Returns an OnlineFbank that has computed all frames of a clip."""
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(SAMPLING_RATE_HZ, samples)
    bank.input_finished()
    return bank


def _frames(bank: Any) -> NDArray[Any]:
    return np.array([bank.get_frame(t) for t in range(bank.num_frames_ready)])


def _as_int16(x: NDArray[Any]) -> NDArray[Any]:
    return 32768 * x


def _kaldi(preset: str, x: NDArray[Any]) -> Forms:
    del preset
    array, samples = _as_int16(x), _as_int16(x).tolist()
    return {
        "from a list": lambda: _frames(_kaldi_bank(samples)),
        "from an array": lambda: _frames(_kaldi_bank(array)),
    }


def _kaldi_loop(preset: str, x: NDArray[Any]) -> Forms:
    """The loop in C++ and the binding's copy of the samples; nobody asks for the frames."""
    del preset
    array, samples = _as_int16(x), _as_int16(x).tolist()
    return {
        "from a list": lambda: _kaldi_bank(samples),
        "from an array": lambda: _kaldi_bank(array),
    }


# ---- torch and librosa -------------------------------------------------------------------------


def _vocoder(preset: str, x: NDArray[Any]) -> Forms:
    """HiFi-GAN's `mel_spectrogram`, whose window and filterbank are kept between calls."""
    import librosa
    import torch

    del preset
    bank = torch.from_numpy(
        librosa.filters.mel(sr=SAMPLING_RATE_HZ, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    )
    window, clip = torch.hann_window(1024), torch.from_numpy(x)[None]

    def call() -> Any:
        padded = torch.nn.functional.pad(clip[:, None], (384, 384), mode="reflect")[:, 0]
        spectrum = torch.stft(
            padded, 1024, hop_length=256, window=window, center=False, return_complex=True
        )
        magnitude = torch.sqrt(torch.view_as_real(spectrum).pow(2).sum(-1) + 1e-9)
        return torch.log(torch.clamp(bank @ magnitude, min=1e-5))[0].numpy()

    return {"torch.stft": call}


def _librosa_mfcc(preset: str, x: NDArray[Any]) -> Forms:
    import librosa

    del preset
    librosa.feature.mfcc(y=x, sr=SAMPLING_RATE_HZ)  # compiles for half a minute
    return {"feature.mfcc": lambda: librosa.feature.mfcc(y=x, sr=SAMPLING_RATE_HZ)}


_PROGRAMS: dict[str, Callable[[str, NDArray[Any]], Forms]] = {
    "openai-whisper": _openai_whisper,
    "transformers": _transformers,
    "transformers-numpy": _transformers_in_numpy,
    "kaldi-front-end": _kaldi,
    "kaldi-front-end-loop": _kaldi_loop,
    "vocoder": _vocoder,
    "librosa-mfcc": _librosa_mfcc,
}
_VERSIONS = {
    "openai-whisper": ("openai-whisper", "torch"),
    "transformers": ("transformers", "torch", "torchaudio"),
    "transformers-numpy": ("transformers", "numpy"),
    "kaldi-front-end": ("kaldi-native-fbank",),
    "kaldi-front-end-loop": ("kaldi-native-fbank",),
    "vocoder": ("torch", "librosa"),
    "librosa-mfcc": ("librosa", "numpy", "scipy"),
}
