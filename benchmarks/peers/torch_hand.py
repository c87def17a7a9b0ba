# SPDX-License-Identifier: BSD-3-Clause
"""torch by hand: torch.stft, or framed rfft, then power, matmul and logarithm in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import definitions
from ..workloads import Workload
from .base import Call, versions_of

_DB = 10.0


class Adapter:
    """The Keras definition in as few torch operations as it takes."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)

    def versions(self) -> dict[str, str]:
        return versions_of("torch")

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        tensor = torch.from_numpy(np.ascontiguousarray(work.signals(x)))
        make = _mel_forms if work.layer == "mel" else _stft_forms

        def inferring(call: Callable[[Tensor], Tensor]) -> Call:
            def run() -> Tensor:
                with torch.inference_mode():
                    return call(tensor)

            return run

        return {name: inferring(call) for name, call in make(work).items()}

    def result(self, value: Any) -> NDArray[Any]:
        return np.asarray(value)


def _power_by_parts(spectrum: Tensor) -> Tensor:
    return torch.view_as_real(spectrum).square().sum(-1)


def _power_by_abs(spectrum: Tensor) -> Tensor:
    return spectrum.abs().square_()


_POWERS = {"re^2 + im^2": _power_by_parts, "abs^2": _power_by_abs}


def _mel_forms(work: Workload) -> dict[str, Callable[[Tensor], Tensor]]:
    n, hop, length = work.fft_length, work.hop, work.frame_length
    dtype = getattr(torch, work.compute_dtype)
    weights = torch.from_numpy(definitions.mel_matrix(work))  # (bins, bands)
    weights_t = weights.T.contiguous()
    window = torch.from_numpy(definitions.window(work))
    padded_window = torch.from_numpy(definitions.centred_window(work))

    def level(mel: Tensor) -> Tensor:
        db = mel.clamp_(min=definitions.MIN_POWER).log10_().mul_(_DB)
        return db.clamp_(min=float(db.max()) - definitions.TOP_DB)

    def by_stft(power: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def call(x: Tensor) -> Tensor:
            spectrum = torch.stft(
                x.to(dtype), n, hop, length, window, pad_mode="reflect", return_complex=True
            )
            return level(torch.matmul(weights_t, power(spectrum)))

        return call

    def by_frames(power: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def call(x: Tensor) -> Tensor:
            padded = torch.nn.functional.pad(x.to(dtype), (n // 2, n // 2), mode="reflect")
            spectrum = torch.fft.rfft(padded.unfold(-1, n, hop) * padded_window)
            return level(torch.matmul(power(spectrum), weights)).transpose(-1, -2).contiguous()

        return call

    forms = {f"torch.stft, {name}": by_stft(power) for name, power in _POWERS.items()}
    forms |= {f"framed rfft, {name}": by_frames(power) for name, power in _POWERS.items()}
    return forms


def _stft_forms(work: Workload) -> dict[str, Callable[[Tensor], Tensor]]:
    n, hop, length = work.fft_length, work.hop, work.frame_length
    window = torch.from_numpy(definitions.window(work))
    margin = (n - length) // 2

    def epilogue(spectrum: Tensor, power: Callable[[Tensor], Tensor]) -> Tensor:
        if work.mode == "stft":
            return torch.cat((spectrum.real, spectrum.imag), dim=-1)
        energy = power(spectrum)
        if work.mode == "psd":
            energy[..., 1:-1] *= 2
            return energy
        # log(sqrt(p)) with both of Keras' clamps in one
        return energy.clamp_(min=definitions.EPSILON).log_().mul_(0.5)

    def by_frames(power: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def call(x: Tensor) -> Tensor:
            spectrum = torch.fft.rfft(x.unfold(-1, length, hop) * window, n=n)
            return epilogue(spectrum, power)

        return call

    def by_stft(power: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def call(x: Tensor) -> Tensor:
            # torch centres a short window in the transform, so frames start earlier.
            padded = torch.nn.functional.pad(x, (margin, margin))
            spectrum = torch.stft(
                padded, n, hop, length, window, center=False, return_complex=True
            )
            return epilogue(spectrum.transpose(-1, -2), power).contiguous()

        return call

    powers = {"re, im": _power_by_parts} if work.mode == "stft" else _POWERS
    forms = {f"framed rfft, {name}": by_frames(power) for name, power in powers.items()}
    if work.mode != "stft" or margin == 0:  # a moved window turns phases
        forms |= {f"torch.stft, {name}": by_stft(power) for name, power in powers.items()}
    return forms
