# SPDX-License-Identifier: BSD-3-Clause
"""Times a GPU: specfast, torch and torchaudio side by side, and a copy, on CUDA events.

    python -m benchmarks.gpu

Inputs rotate among several that exceed the second-level cache together; all arrays stay on the
device. A time is the median of calls of one stream.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

import specfast

_CACHE_BYTES = 256 << 20
_CALLS, _WARM_UP = 50, 5
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
                mode="psd", frame_length=self.fft_length, frame_step=self.hop, scaling=None
            )
        return specfast.MelSpectrogram(
            fft_length=self.fft_length,
            sequence_stride=self.hop,
            num_mel_bins=self.num_mel_bins,
            sampling_rate=_RATE,
            top_db=None,
        )

    @property
    def bytes_moved(self) -> int:
        frames = (self.samples - self.fft_length) // self.hop + 1
        rows = self.num_mel_bins or self.fft_length // 2 + 1
        return 4 * self.clips * (self.samples + frames * rows)


JOBS = [
    Job("W2 mel 2048/512/80, 256 clips of 10 s", 256, 160000, 2048, 512, 80),
    Job("W3 mel 512/160/80, 64 clips of 30 s", 64, 480000, 512, 160, 80),
    Job("psd 512/128, 64 clips of 30 s", 64, 480000, 512, 128, 0),
]


def milliseconds(call: Call, inputs: list[torch.Tensor]) -> float:
    """Returns the median time of a call."""
    times = []
    for i in range(_WARM_UP + _CALLS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call(inputs[i % len(inputs)])
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times[_WARM_UP:])


def torch_pipeline(job: Job) -> Call:
    """The same with torch's own operations."""
    window = torch.hann_window(job.fft_length, device="cuda")
    bins = job.fft_length // 2 + 1
    bands = None
    if job.num_mel_bins:
        matrix = specfast.linear_to_mel_weight_matrix(job.num_mel_bins, bins, _RATE, 20.0, 8000.0)
        bands = torch.tensor(matrix, dtype=torch.float32, device="cuda")

    def call(x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.stft(
            x, job.fft_length, job.hop, window=window, center=False, return_complex=True
        )
        power = spectrum.real.square() + spectrum.imag.square()
        if bands is None:
            return power
        energy = torch.matmul(power.transpose(-1, -2), bands).transpose(-1, -2)
        return 10 * torch.log10(energy.clamp(min=1e-10))

    return call


def torchaudio_pipeline(job: Job) -> Call | None:
    """Returns torchaudio's own transform, or None where it is not installed."""
    try:
        import torchaudio
    except ImportError:
        return None
    sizes = {"n_fft": job.fft_length, "hop_length": job.hop, "center": False}
    if job.num_mel_bins == 0:
        return torchaudio.transforms.Spectrogram(**sizes).cuda()
    mel = torchaudio.transforms.MelSpectrogram(_RATE, n_mels=job.num_mel_bins, **sizes).cuda()
    level = torchaudio.transforms.AmplitudeToDB().cuda()
    return lambda x: level(mel(x))


def copy_bandwidth() -> float:
    """Returns the bytes per second that a copy reads and writes."""
    source = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() / (milliseconds(target.copy_, [source]) * 1e-3)


def report(job: Job, bandwidth: float) -> None:
    one = 4 * job.clips * job.samples
    inputs = [
        torch.randn(job.clips, job.samples, device="cuda") for _ in range(_CACHE_BYTES // one + 2)
    ]
    layer = job.ours()
    own = layer if job.num_mel_bins else lambda x: layer(x[..., None])
    calls = {"specfast": own, "torch": torch_pipeline(job), "torchaudio": torchaudio_pipeline(job)}
    times = {name: milliseconds(call, inputs) for name, call in calls.items() if call}
    ours = times["specfast"]
    floor = job.bytes_moved / bandwidth * 1e3
    print(f"\n{job.title}")
    for name, time in times.items():
        print(f"  {name:<11} {1e3 * time:9.1f} us   {time / ours:6.2f} times ours")
    print(f"  {'copy':<11} {1e3 * floor:9.1f} us   {100 * floor / ours:6.1f} % of its bandwidth")


def main() -> None:
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    bandwidth = copy_bandwidth()
    print(f"copy: {bandwidth / 1e12:.2f} TB/s, read and written")
    for job in JOBS:
        report(job, bandwidth)


if __name__ == "__main__":
    main()
