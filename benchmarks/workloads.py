# SPDX-License-Identifier: BSD-3-Clause
"""What is timed: the workloads, their parameters and their input signals.

Keys with a letter behind the number are parts of one workload (W7, W8); asking for ``W7`` means
all of its parts.  Parameters carry the names of the Keras layers, which specfast shares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLING_RATE_HZ = 16000
_SEED = 20240607


_OF_STFT = ("stft", "inverse", "griffin_lim")


@dataclass(frozen=True)
class Workload:
    """One layer with its parameters, and the shape and dtype of the input it is called with."""

    key: str
    title: str
    # "stft", "mel", "inverse" (of complex spectra, with padding on both sides), "griffin_lim" of
    # their magnitudes, or "preset": then the parameters are its name and other fields.
    layer: str
    shape: tuple[int, ...]
    params: dict[str, Any] = field(default_factory=dict)
    input_dtype: str = "float32"
    compute_dtype: str = "float32"
    reuse_output: bool = False  # ours only: write into the same array each time
    trained: bool = False  # STFT: kernels that are no longer the analytic ones
    gradient: bool = False  # and the gradients of the input and the kernels

    @property
    def frame_length(self) -> int:
        """Length of the window in samples."""
        if self.layer in _OF_STFT:
            return int(self.params.get("frame_length", 256))
        return int(self.params.get("sequence_length") or self.fft_length)

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        if self.layer in _OF_STFT:
            return int(self.params.get("frame_step") or self.frame_length // 2)
        return int(self.params.get("sequence_stride", 512))

    @property
    def fft_length(self) -> int:
        """Length of the transform in samples."""
        has_length = self.layer in _OF_STFT
        return int(self.params["fft_length"] if has_length else self._mel_fft_length)

    @property
    def _mel_fft_length(self) -> int:
        return int(self.params.get("fft_length", 2048))

    @property
    def num_mel_bins(self) -> int:
        """Number of bands of a mel workload."""
        return int(self.params.get("num_mel_bins", 128))

    @property
    def mode(self) -> str:
        """Output mode of an STFT workload."""
        return str(self.params.get("mode", "log"))

    @property
    def preset(self) -> str:
        """Name of the preset of a front-end workload."""
        return str(self.params["preset"])

    @property
    def samples(self) -> int:
        """Samples of one signal."""
        return self.shape[1] if self.layer == "stft" else self.shape[-1]

    @property
    def seconds(self) -> float:
        """Seconds of audio in the whole input."""
        return float(np.prod(self.shape)) / SAMPLING_RATE_HZ

    def signals(self, x: NDArray[Any]) -> NDArray[Any]:
        """The input as ``(signals, samples)``: without the channel axis, with a batch axis."""
        return x[..., 0] if self.layer == "stft" else x.reshape(-1, self.samples)

    def prepare_kernels(self, layer: Any) -> None:
        """Gives a layer, which Keras must have built, the kernels of this workload."""
        if not self.trained:
            return
        rng = np.random.default_rng(_SEED)
        layer.set_weights(
            [
                (values * rng.uniform(0.9, 1.1, values.shape)).astype(values.dtype)
                for values in layer.get_weights()
            ]
        )

    def make_cotangent(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """A gradient of the output, the same in every process."""
        rng = np.random.default_rng(_SEED)
        return rng.standard_normal(shape, dtype=np.float32).astype(self.compute_dtype)

    def make_input(self) -> NDArray[Any]:
        """The same noise in every process, at about the level of speech."""
        noise = self.noise()
        if self.layer == "inverse":
            return self.spectra(noise)
        if self.layer == "griffin_lim":
            spectra: NDArray[Any] = np.abs(self.spectra(noise))
            return spectra
        if self.input_dtype == "int16":
            return (noise * 32767).clip(-32768, 32767).astype(np.int16)
        return noise.astype(self.input_dtype, copy=False)

    def noise(self) -> NDArray[np.float32]:
        """Samples in float32."""
        noise = np.random.default_rng(_SEED).standard_normal(self.shape, dtype=np.float32)
        noise *= np.float32(0.1)
        return noise

    def spectra(self, x: NDArray[Any]) -> NDArray[Any]:
        """Spectra [signals, bins, frames] that lie frame by frame, as torch returns them."""
        side = self.fft_length // 2
        padded = np.pad(x, ((0, 0), (side, side)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.frame_length, axis=-1)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.frame_length) / self.frame_length)
        spectra = np.fft.rfft(frames[:, :: self.hop] * window, self.fft_length)
        return np.swapaxes(spectra.astype(np.complex64), 1, 2)


_SPEECH = {"fft_length": 512, "sequence_length": 400, "sequence_stride": 160, "num_mel_bins": 80}
_W1 = {"mode": "log", "frame_length": 256, "frame_step": 128, "fft_length": 512}
_HOUR = 3600 * SAMPLING_RATE_HZ
_CLIP = (30 * SAMPLING_RATE_HZ,)


def _front_end(key: str, preset: str, **changes: Any) -> Workload:
    title = f"front end {preset}, 30 s"
    return Workload(key, title, "preset", _CLIP, {"preset": preset, **changes})


WORKLOADS: tuple[Workload, ...] = (
    Workload(
        "W1",
        "STFT log 256/128, fft 512, 3 x 10 s",
        "stft",
        (3, 160000, 1),
        _W1,
    ),
    Workload("W2", "mel 2048/512, 128 bands, 16 x 10 s", "mel", (16, 160000)),
    Workload("W3", "mel 400/160, fft 512, 80 bands, 4 x 30 s", "mel", (4, 480000), _SPEECH),
    Workload("W4", "mel 2048/512, 128 bands, one clip of 1 s", "mel", (16000,)),
    Workload("W6", "mel 2048/512, 128 bands, one hour", "mel", (_HOUR,)),
    Workload(
        "W7a",
        "STFT stft 2048/512, 16 x 10 s",
        "stft",
        (16, 160000, 1),
        {"mode": "stft", "frame_length": 2048, "frame_step": 512, "fft_length": 2048},
    ),
    Workload(
        "W7b",
        "STFT psd 400/160, fft 400, 16 x 10 s",
        "stft",
        (16, 160000, 1),
        {"mode": "psd", "frame_length": 400, "frame_step": 160, "fft_length": 400},
    ),
    Workload("W8a", "W2 in float64", "mel", (16, 160000), {}, "float64", "float64"),
    Workload("W8b", "W3 in float64", "mel", (4, 480000), _SPEECH, "float64", "float64"),
    Workload("W8c", "W3 from int16", "mel", (4, 480000), _SPEECH, "int16"),
    Workload("W9a", "W1 with trained kernels", "stft", (3, 160000, 1), _W1, trained=True),
    Workload(
        "W9b",
        "W9a with the gradients of signal and kernels",
        "stft",
        (3, 160000, 1),
        _W1,
        trained=True,
        gradient=True,
    ),
    _front_end("W10", "whisper"),
    _front_end("W11", "parakeet"),
    _front_end("W12", "kaldi_fbank"),
    _front_end("W13", "ast", num_frames=2998),  # all frames, rather than the model's first 1024
    _front_end("W14", "hifigan", sampling_rate=SAMPLING_RATE_HZ),
    _front_end("W15", "librosa_mfcc", sampling_rate=SAMPLING_RATE_HZ),
    Workload(
        "W16",
        "inverse STFT 2048/512, 16 x 10 s",
        "inverse",
        (16, 160000),
        {"frame_length": 2048, "frame_step": 512, "fft_length": 2048},
    ),
    Workload(
        "W17",
        "Griffin-Lim 2048/512, 32 iterations, 10 s",
        "griffin_lim",
        (1, 220500),
        {"frame_length": 2048, "frame_step": 512, "fft_length": 2048},
    ),
)


def one_signal(seconds: float, like: str = "W2") -> Workload:
    """One signal of this many seconds, with the parameters of a mel workload."""
    model = next(w for w in WORKLOADS if w.key == like)
    samples = round(seconds * SAMPLING_RATE_HZ)
    title = f"{like}'s parameters, one signal of {seconds:g} s"
    return Workload(f"{like}:{seconds:g}s", title, "mel", (samples,), model.params)


def select(names: list[str] | None) -> list[Workload]:
    """Workloads by key or by key without the letter (``W7``); None means all.

    Raises ValueError for a name that matches nothing.
    """
    if names is None:
        return list(WORKLOADS)
    chosen = []
    for name in names:
        found = [w for w in WORKLOADS if w.key == name or w.key[:-1] == name]
        if not found:
            known = ", ".join(w.key for w in WORKLOADS)
            raise ValueError(f"unknown workload {name!r}; choose from {known}")
        chosen += found
    return chosen
