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

# The same for trained kernels, and for gradients of both layers.
DIFFERENTIATE = """
import sys, warnings
import numpy as np
import specfast

warnings.simplefilter("ignore")
isa, dtype, source, target = sys.argv[1:]
assert specfast.build_info()["isa"] == isa, specfast.build_info()
x = np.load(source).astype(dtype)
random = np.random.default_rng(1)
results = {}
for length, mode, trained in [
    (64, "magnitude", True), (61, "psd", True), (300, "stft", True), (64, "psd", False),
    (97, "magnitude", False), (400, "stft", False),
]:
    layer = specfast.STFTSpectrogram(
        mode=mode, frame_length=length, frame_step=length // 3, fft_length=length + 7,
        epsilon=0.01, dtype=dtype,
    )
    if trained:
        layer.set_weights([w + random.normal(0, 0.1, w.shape) for w in layer.get_weights()])
    y, pullback = layer.vjp(x)
    gradients = pullback(random.standard_normal(y.shape))
    name = f"{length} {mode} {trained}"
    results[name] = y
    results[name + " signal"] = gradients.signal
    for index, gradient in enumerate(gradients.weights):
        results[f"{name} {index}"] = gradient
for length in (128, 99):
    layer = specfast.MelSpectrogram(
        fft_length=length, sequence_stride=40, num_mel_bins=10, sampling_rate=8000, top_db=None,
        power_to_db=False, dtype=dtype,
    )
    y, pullback = layer.vjp(x[..., 0])
    results[f"mel {length} signal"] = pullback(random.standard_normal(y.shape)).signal
np.savez(target, **results)
"""


def spectra(isa: str, dtype: str, folder: Path, program: str = COMPUTE) -> dict[str, np.ndarray]:
    """What the program computes with this instruction set: a result for each length, or name."""
    source, target = folder / "x.npy", folder / f"{isa}-{dtype}.npz"
    np.save(source, signals.noise(2, 5000, 1))
    subprocess.run(
        [sys.executable, "-c", program, isa, dtype, str(source), str(target)],
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_instruction_sets_agree_on_gradients(dtype: str, tmp_path: Path) -> None:
    available = specfast.build_info()["available_isas"]
    reference = "baseline" if "baseline" in available else "generic"
    expected = spectra(reference, dtype, tmp_path, DIFFERENTIATE)
    assert len(expected) == 26
    for isa in available:
        found = spectra(isa, dtype, tmp_path, DIFFERENTIATE)
        for name, values in expected.items():
            error = np.linalg.norm(found[name] - values) / np.linalg.norm(values)
            assert error <= 16.0 * EPS[dtype], (isa, name)
