# SPDX-License-Identifier: BSD-3-Clause
"""The inverses of torch's, librosa's and SciPy's transforms, of what these programs returned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inverse_cases import CASES, one_sided, signal
from specfast import ISTFT

GOLDEN = np.load(Path(__file__).resolve().parents[1] / "golden" / "inverse.npz")
# The spectra are stored in complex64.
TOLERANCE = 2e-6


def relative(error: Any, of: Any) -> float:
    return float(np.linalg.norm(error) / np.linalg.norm(of))


@pytest.mark.parametrize("name", CASES)
def test_spectra_of_other_programs(name: str) -> None:
    case, x = CASES[name], signal(name)
    spectra = one_sided(case, GOLDEN[f"{name}.spectra"])
    theirs = GOLDEN[f"{name}.signal"]
    istft = ISTFT(**case.arguments, dtype="float64")
    ours = istft(spectra, length=case.length)
    common = min(ours.shape[-1], theirs.shape[-1])
    assert relative(ours[..., :common] - theirs[..., :common], theirs) < TOLERANCE
    assert relative(ours - x[..., : ours.shape[-1]], x) < TOLERANCE
    if case.length is None:  # torch and librosa count as we do
        assert ours.shape == theirs.shape


@pytest.mark.parametrize("name", CASES)
def test_the_memory_order_makes_no_difference(name: str) -> None:
    case = CASES[name]
    spectra = one_sided(case, GOLDEN[f"{name}.spectra"])
    istft = ISTFT(**case.arguments)
    by_frames = ISTFT(**{**case.arguments, "layout": "frames_bins"})
    expected = istft(np.ascontiguousarray(spectra), length=case.length)
    frames = np.ascontiguousarray(np.swapaxes(spectra, -1, -2))
    for other in (
        istft(np.swapaxes(frames, -1, -2), length=case.length),
        istft(spectra[..., ::-1, :][..., ::-1, :], length=case.length),
        by_frames(frames, length=case.length),
        by_frames(np.repeat(frames, 2, axis=-1)[..., ::2], length=case.length),
    ):
        np.testing.assert_array_equal(other, expected)


def test_an_odd_transform_is_not_that_of_keras() -> None:
    spectra = GOLDEN["torch_odd.spectra"]
    arguments = {**CASES["torch_odd"].arguments, "exact_fft_length": False}
    wrong = ISTFT(**arguments, dtype="float64")(spectra)
    theirs = GOLDEN["torch_odd.signal"]
    assert relative(wrong - theirs[: len(wrong)], theirs) > 0.1
