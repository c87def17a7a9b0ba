# SPDX-License-Identifier: BSD-3-Clause
"""Calls of torchaudio, torchlibrosa, and of torch and librosa as the vocoders combine them.

HiFi-GAN, BigVGAN, Vocos and BEATs come as repositories rather than packages, or need much more
than their front end: here stand the calls that they make.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from programs import Original, Result


def of_torchaudio(run: Callable[[Any, Any], Any]) -> Original:
    """`run` gets torchaudio and the clip as a tensor, and returns a tensor."""

    def call(clip: Any) -> Result:
        import torch
        import torchaudio

        return np.asarray(run(torchaudio, torch.from_numpy(clip)).numpy())

    return Original(f"torchaudio {version('torchaudio')}", call)


def beats(torchaudio: Any, clip: Any) -> Any:
    fbank = torchaudio.compliance.kaldi.fbank(
        (clip * 2**15)[None],
        num_mel_bins=128,
        sample_frequency=16000,
        frame_length=25,
        frame_shift=10,
    )
    return (fbank - 15.41663) / (2 * 6.55582)


def vocos(torchaudio: Any, clip: Any) -> Any:
    mel = torchaudio.transforms.MelSpectrogram(
        sample_rate=24000, n_fft=1024, hop_length=256, n_mels=100, center=True, power=1
    )
    return mel(clip).clip(min=1e-7).log()


def of_panns() -> Original:
    def call(clip: Any) -> Result:
        import torch
        from torchlibrosa.stft import LogmelFilterBank, Spectrogram

        spectrum = Spectrogram(n_fft=1024, hop_length=320, win_length=1024)
        levels = LogmelFilterBank(
            sr=32000, n_fft=1024, n_mels=64, fmin=50, fmax=14000, amin=1e-10, top_db=None
        )
        with torch.no_grad():
            return np.asarray(levels(spectrum(torch.from_numpy(clip)[None]))[0, 0].numpy())

    return Original(f"torchlibrosa {version('torchlibrosa')}", call)


def of_vocoder(sampling_rate: int, num_bands: int, max_freq: float | None) -> Original:
    """The way of HiFi-GAN and BigVGAN."""

    def call(clip: Any) -> Result:
        import librosa
        import torch

        bank = librosa.filters.mel(
            sr=sampling_rate, n_fft=1024, n_mels=num_bands, fmin=0, fmax=max_freq
        )
        padded = torch.nn.functional.pad(torch.from_numpy(clip)[None], (384, 384), mode="reflect")
        spectrum = torch.stft(
            padded, 1024, 256, window=torch.hann_window(1024), center=False, return_complex=True
        )[0]
        magnitude = torch.sqrt(torch.view_as_real(spectrum).pow(2).sum(-1) + 1e-9)
        return np.asarray(torch.log((torch.from_numpy(bank) @ magnitude).clamp(min=1e-5)).numpy())

    return Original(f"torch {version('torch')} with librosa {version('librosa')}", call)
