# SPDX-License-Identifier: BSD-3-Clause
"""Every instruction set of this machine gives the same numbers, but for rounding."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import signals
import specfast

EPS = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}

# Powers of two, products of 2, 3 and 5, other even numbers and twice a prime; long ones too.
LENGTHS = (2, 8, 30, 64, 98, 120, 254, 400, 512, 1200, 1458, 2048, 4096)

# Computes all lengths in a process of its own: the instruction set is chosen once.
COMPUTE = f"""
import sys, warnings
import numpy as np
import specfast

warnings.simplefilter("ignore")
isa, dtype, source, target = sys.argv[1:]
assert specfast.build_info()["isa"] == isa, specfast.build_info()
x = np.load(source).astype(dtype)
np.savez(target, **{{
    str(n): specfast.STFTSpectrogram(
        mode="stft", frame_length=n, frame_step=max(1, n // 3), fft_length=n, window="hamming",
        scaling=None, dtype=dtype,
    )(x)
    for n in {LENGTHS}
}})
"""


def spectra(isa: str, dtype: str, folder: Path) -> dict[str, np.ndarray]:
    """float [batch, frames, 2 * bins] by length, from this instruction set."""
    source, target = folder / "x.npy", folder / f"{isa}-{dtype}.npz"
    np.save(source, signals.noise(2, 5000, 1))
    subprocess.run(
        [sys.executable, "-c", COMPUTE, isa, dtype, str(source), str(target)],
        env={**os.environ, "SPECFAST_ISA": isa},
        check=True,
        timeout=120,
    )
    with np.load(target) as file:
        return {name: file[name].astype(np.float64) for name in file}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_instruction_sets_agree(dtype: str, tmp_path: Path) -> None:
    available = specfast.build_info()["available_isas"]
    reference = "baseline" if "baseline" in available else "generic"
    expected = spectra(reference, dtype, tmp_path)
    assert len(expected) == len(LENGTHS)
    for isa in available:
        if isa == reference:
            continue
        found = spectra(isa, dtype, tmp_path)
        for length in map(str, LENGTHS):
            real, imaginary = np.split(expected[length], 2, axis=-1)
            peak = np.hypot(real, imaginary).max(axis=-1, keepdims=True)
            difference = np.abs(found[length] - expected[length])
            assert (difference <= 4.0 * EPS[dtype] * peak).all(), (isa, length)
