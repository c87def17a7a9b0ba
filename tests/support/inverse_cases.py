# SPDX-License-Identifier: BSD-3-Clause
"""Transforms of other libraries, by the arguments of ISTFT that invert them.

`tests/originals/inverse_programs.py` makes the calls that these are named after,
`tests/golden/inverse.npz` holds what they returned.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Case(NamedTuple):
    """How ISTFT inverts the spectra of a call.

    Attributes:
        arguments: those of ISTFT.
        length: that of its call.
        is_two_sided: whether the program returned negative frequencies too, behind the others.
    """

    arguments: dict[str, Any]
    length: int | None = None
    is_two_sided: bool = False


NUM_SAMPLES = 301
_COMPLEX: dict[str, Any] = {"layout": "bins_frames", "exact_fft_length": True}
_HANN: dict[str, Any] = {"window": "hann", "periodic": True, **_COMPLEX}
_TORCH: dict[str, Any] = {"scaling": None, "padding": "center", "centered_window": True, **_HANN}
_SCIPY: dict[str, Any] = {"scaling": "spectrum", "padding": "sides", "pad_length": 20, **_HANN}

CASES: dict[str, Case] = {
    "torch": Case({"frame_length": 64, "frame_step": 16, "fft_length": 64, **_TORCH}),
    "torch_short_window_normalized": Case(
        {"frame_length": 47, "frame_step": 13, "fft_length": 64, "gain": 0.125, **_TORCH},
        length=NUM_SAMPLES,
    ),
    "torch_two_sided": Case(
        {"frame_length": 64, "frame_step": 20, "fft_length": 64, **_TORCH}, is_two_sided=True
    ),
    "torch_odd": Case({"frame_length": 63, "frame_step": 21, "fft_length": 63, **_TORCH}),
    "torch_not_centered": Case(
        {
            **_TORCH,
            "frame_length": 60,
            "frame_step": 15,
            "fft_length": 60,
            "padding": "valid",
            "window": "hamming",
        }
    ),
    "torch_batch": Case({"frame_length": 64, "frame_step": 32, "fft_length": 64, **_TORCH}),
    "librosa": Case({"frame_length": 64, "frame_step": 16, "fft_length": 64, **_TORCH}),
    "librosa_short_window": Case(
        {"frame_length": 50, "frame_step": 12, "fft_length": 64, **_TORCH}, length=NUM_SAMPLES
    ),
    "librosa_odd_window": Case(
        {"frame_length": 41, "frame_step": 10, "fft_length": 64, **_TORCH}, length=NUM_SAMPLES
    ),
    "scipy": Case(
        {"frame_length": 40, "frame_step": 20, "fft_length": 40, **_SCIPY}, length=NUM_SAMPLES
    ),
    "scipy_density_zeros_behind": Case(
        {
            **_SCIPY,
            "frame_length": 40,
            "frame_step": 10,
            "fft_length": 50,
            "scaling": "density",
            "gain": 8000**-0.5,
        },
        length=NUM_SAMPLES,
    ),
    "scipy_odd_frame": Case(
        {**_SCIPY, "frame_length": 41, "frame_step": 11, "fft_length": 41}, length=NUM_SAMPLES
    ),
    "scipy_no_boundary": Case(
        {
            "frame_length": 40,
            "frame_step": 20,
            "fft_length": 40,
            "window": "hamming",
            "periodic": True,
            "scaling": "spectrum",
            "padding": "valid",
            **_COMPLEX,
        },
        length=NUM_SAMPLES,
    ),
    "short_time_fft": Case(
        # Frames begin at p_min * hop - m_num_mid.
        {**_SCIPY, "frame_length": 40, "frame_step": 10, "fft_length": 64, "scaling": None}
        | {"pad_length": 30, "phase_origin": 20},
        length=NUM_SAMPLES,
    ),
    "short_time_fft_psd": Case(
        {**_SCIPY, "frame_length": 41, "frame_step": 8, "fft_length": 63, "scaling": "density"}
        | {"pad_length": 36, "phase_origin": 20, "gain": 8000**-0.5},
        length=NUM_SAMPLES,
    ),
    "short_time_fft_magnitude_from_start": Case(
        {**_SCIPY, "frame_length": 40, "frame_step": 10, "fft_length": 40, "pad_length": 30},
        length=NUM_SAMPLES,
    ),
}


def signal(name: str) -> npt.NDArray[np.float64]:
    """Returns the signal of a case: [samples], or [2, 3, samples] for a batch."""
    shape = (2, 3, NUM_SAMPLES) if name.endswith("batch") else (NUM_SAMPLES,)
    seed = list(CASES).index(name)
    return np.random.default_rng(seed).standard_normal(shape)


def one_sided(case: Case, spectra: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Returns the bins that ISTFT reads of what a program returned."""
    if not case.is_two_sided:
        return spectra
    return spectra[..., : spectra.shape[-2] // 2 + 1, :]
