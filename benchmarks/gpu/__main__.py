# SPDX-License-Identifier: BSD-3-Clause
"""Times a GPU: specfast, torch, torchaudio and Keras side by side, and a copy, on CUDA events.

    python -m benchmarks.gpu

Inputs rotate among several that exceed the second-level cache together; all arrays stay on the
device. A time is that of a call in a row of them, between two events of one stream: what Python
does for a call runs beside the GPU, and counts where it takes longer. It is timed alone too. The
result of torch is compared before it is timed, and so is that of Keras, which uses torch here.
Transforms of 2000 samples show what ours take through cuFFT.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

import specfast

_CACHE_BYTES = 256 << 20
_CALLS, _ROWS = 20, 9  # calls in a row between two events, and rows
_DEVICE = "cuda"
_RATE = 16000

Call = Callable[[torch.Tensor], Any]


@dataclass(frozen=True)
class Job:
    """A workload on the GPU."""

    title: str
    clips: int
    samples: int
    fft_length: int
    hop: int
    num_mel_bins: int  # 0: the power of each bin

    def ours(self) -> Any:
        if self.num_mel_bins == 0:
            return specfast.STFTSpectrogram(
                mode="psd",
                frame_length=self.fft_length,
                frame_step=self.hop,
                scaling=None,
                periodic=True,
            )
        return specfast.MelSpectrogram(
            fft_length=self.fft_length,
            sequence_stride=self.hop,
            num_mel_bins=self.num_mel_bins,
            sampling_rate=_RATE,
            top_db=None,
        )

    @property
    def is_centred(self) -> bool:
        """Whether frames reach beyond the signal, as the layer's defaults have it."""
        return self.num_mel_bins > 0


JOBS = [
    Job("W2 mel 2048/512/80, 256 clips of 10 s", 256, 160000, 2048, 512, 80),
    Job("W3 mel 512/160/80, 64 clips of 30 s", 64, 480000, 512, 160, 80),
    Job("by cuFFT: mel 2000/500/80, 256 clips of 10 s", 256, 160000, 2000, 500, 80),
    Job("psd 512/128, 64 clips of 30 s", 64, 480000, 512, 128, 0),
]


def milliseconds(call: Call, inputs: list[torch.Tensor]) -> float:
    """Returns the time of a call in a row: the median of some rows."""
    times = []
    for _ in range(_ROWS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for i in range(_CALLS):
            call(inputs[i % len(inputs)])
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / _CALLS)
    return statistics.median(times[1:])


def host_microseconds(call: Call, x: torch.Tensor) -> float:
    """Returns the time after which a call returns, while the GPU has nothing else to do."""
    times = []
    for _ in range(_CALLS):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        call(x)
        times.append(time.perf_counter() - begin)
    return 1e6 * statistics.median(times)


def torch_pipeline(job: Job) -> Call:
    """The same with torch's own operations."""
    window = torch.hann_window(job.fft_length, device=_DEVICE)
    bins = job.fft_length // 2 + 1
    bands = None
    if job.num_mel_bins:
        matrix = specfast.linear_to_mel_weight_matrix(job.num_mel_bins, bins, _RATE, 20.0, 8000.0)
        bands = torch.tensor(matrix, dtype=torch.float32, device=_DEVICE)

    def call(x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.stft(
            x,
            job.fft_length,
            job.hop,
            window=window,
            center=job.is_centred,
            pad_mode="reflect",
            return_complex=True,
        )
        power = spectrum.real.square() + spectrum.imag.square()
        if bands is None:
            power[:, 1:-1] *= 2
            return power.transpose(-1, -2)
        energy = torch.matmul(power.transpose(-1, -2), bands).transpose(-1, -2)
        return 10 * torch.log10(energy.clamp(min=1e-10))

    return call


def torchaudio_pipeline(job: Job) -> Call | None:
    """Returns torchaudio's own transform, or None where it is not installed."""
    try:
        import torchaudio
    except (ImportError, OSError):  # or one for another torch
        return None
    sizes = {"n_fft": job.fft_length, "hop_length": job.hop, "center": job.is_centred}
    if job.num_mel_bins == 0:
        return torchaudio.transforms.Spectrogram(**sizes).to(_DEVICE)
    mel = torchaudio.transforms.MelSpectrogram(
        _RATE, n_mels=job.num_mel_bins, f_min=20.0, f_max=8000.0, **sizes
    ).to(_DEVICE)
    level = torchaudio.transforms.AmplitudeToDB().to(_DEVICE)
    return lambda x: level(mel(x))


def keras_layer(job: Job) -> Call | None:
    """Returns Keras' own layer, or None where Keras is not installed."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        import keras
    except (ImportError, OSError):
        return None
    if job.num_mel_bins == 0:
        layer = keras.layers.STFTSpectrogram(
            mode="psd",
            frame_length=job.fft_length,
            frame_step=job.hop,
            scaling=None,
            periodic=True,
        )
        return lambda x: layer(x[..., None])
    return keras.layers.MelSpectrogram(
        fft_length=job.fft_length,
        sequence_stride=job.hop,
        num_mel_bins=job.num_mel_bins,
        sampling_rate=_RATE,
        top_db=1000.0,  # without a clamp it does not go
    )


def copy_bandwidth() -> float:
    """Returns the bytes per second that a copy reads and writes."""
    source = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() / (milliseconds(target.copy_, [source]) * 1e-3)


def require_equal(job: Job, own: Call, peer: Call, x: torch.Tensor) -> torch.Tensor:
    """Returns our result, after it has been compared with that of torch."""
    ours, theirs = own(x), peer(x)
    ours = ours if ours.shape == theirs.shape else ours.reshape(theirs.shape)
    tolerance = {"rtol": 0.0, "atol": 5e-3} if job.num_mel_bins else {"rtol": 1e-3, "atol": 1e-2}
    torch.testing.assert_close(ours, theirs, **tolerance)
    return ours


def report(job: Job, bandwidth: float) -> None:
    one = 4 * job.clips * job.samples
    inputs = [
        torch.randn(job.clips, job.samples, device=_DEVICE) for _ in range(_CACHE_BYTES // one + 2)
    ]
    layer = job.ours()
    own = layer if job.num_mel_bins else lambda x: layer(x[..., None])
    calls = {
        "specfast": own,
        "torch": torch_pipeline(job),
        "torchaudio": torchaudio_pipeline(job),
        "Keras": keras_layer(job),
    }
    result = require_equal(job, own, calls["torch"], inputs[0])
    if calls["Keras"]:
        require_equal(job, own, calls["Keras"], inputs[0])
    times = {name: milliseconds(call, inputs) for name, call in calls.items() if call}
    ours = times["specfast"]
    floor = 4 * (inputs[0].numel() + result.numel()) / bandwidth * 1e3
    print(f"\n{job.title}; a call returns after {host_microseconds(own, inputs[0]):.1f} us")
    for name, each in times.items():
        print(f"  {name:<11} {1e3 * each:9.1f} us   {each / ours:6.2f} times ours")
    print(f"  {'copy':<11} {1e3 * floor:9.1f} us   {100 * floor / ours:6.1f} % of its bandwidth")


def main() -> None:
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    bandwidth = copy_bandwidth()
    print(f"copy: {bandwidth / 1e12:.2f} TB/s, read and written")
    for job in JOBS:
        report(job, bandwidth)


if __name__ == "__main__":
    main()
