# SPDX-License-Identifier: BSD-3-Clause
"""ISTFT against the inverses of torch, librosa and SciPy, live, in both precisions."""

from __future__ import annotations

import inverse_programs
import numpy as np
import pytest

from inverse_cases import CASES, one_sided, signal
from specfast import ISTFT


@pytest.mark.parametrize("name", CASES)
def test_round_trip_is_no_worse_than_theirs(name: str) -> None:
    case, x = CASES[name], signal(name)
    spectra, theirs = inverse_programs.PROGRAMS[name](x)
    ours = ISTFT(**case.arguments, dtype="float64")(one_sided(case, spectra), length=case.length)
    common = min(ours.shape[-1], theirs.shape[-1])
    inner = slice(0, common)
    error = np.linalg.norm(ours[..., inner] - x[..., inner])
    their_error = np.linalg.norm(theirs[..., inner] - x[..., inner])
    assert error <= max(1.1 * their_error, 1e-15 * np.linalg.norm(x))


@pytest.mark.parametrize("name", CASES)
def test_single_precision_is_no_worse_than_theirs(name: str) -> None:
    """Of spectra in single precision, against the double precision inverse of these."""
    case, x = CASES[name], signal(name)
    spectra = one_sided(case, inverse_programs.PROGRAMS[name](x)[0]).astype(np.complex64)
    exact = ISTFT(**case.arguments, dtype="float64")(spectra, length=case.length)
    ours = ISTFT(**case.arguments)(spectra, length=case.length)
    assert np.linalg.norm(ours - exact) <= 2e-7 * np.linalg.norm(exact)
