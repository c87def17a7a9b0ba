# SPDX-License-Identifier: BSD-3-Clause
"""Results against the golden values that tests/golden/make_golden.py wrote from Keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import judge
import specfast

FOLDER = Path(__file__).resolve().parents[1] / "golden"

pytestmark = pytest.mark.filterwarnings("ignore:`fft_length` is recommended:UserWarning")


def load(name: str) -> list[Any]:
    """Every case of a file as (input, arguments, Keras' output)."""
    with np.load(FOLDER / f"{name}.npz") as file:
        cases = json.loads(str(file["cases"]))
        return [
            pytest.param(file[f"x_{source}"], arguments, file[f"y_{number}"], id=f"{number}")
            for number, (source, arguments) in enumerate(cases)
        ]


def without_dtype(arguments: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in arguments.items() if key != "dtype"}


@pytest.mark.parametrize(("x", "arguments", "expected"), load("stft"))
def test_stft(x: Any, arguments: dict[str, Any], expected: Any) -> None:
    layer = specfast.STFTSpectrogram(**arguments)
    ours = layer(x)
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    assert tuple(layer.compute_output_shape(x.shape)) == expected.shape
    # With dtype float64 too: JAX rounds the angles of the kernels to float32 on the way.
    judge.assert_stft_close(ours, expected, x, without_dtype(arguments))
    our_error, _ = judge.stft_error(ours, x, without_dtype(arguments))
    their_error, _ = judge.stft_error(expected, x, without_dtype(arguments))
    assert our_error <= max(their_error, judge.stft_rounding(x, without_dtype(arguments)))


@pytest.mark.parametrize(("x", "arguments", "expected"), load("mel"))
def test_mel(x: Any, arguments: dict[str, Any], expected: Any) -> None:
    layer = specfast.MelSpectrogram(**arguments)
    ours = layer(x)
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    assert tuple(layer.compute_output_shape(x.shape)) == expected.shape
    if arguments.get("dtype") == "float16":  # both round float32 once
        judge.assert_mel_close(ours, expected, x, without_dtype(arguments), eps=2.0**-12)
        return
    judge.assert_mel_close(ours, expected, x, without_dtype(arguments))
    our_error, _ = judge.mel_error(ours, x, without_dtype(arguments))
    their_error, _ = judge.mel_error(expected, x, without_dtype(arguments))
    assert our_error <= max(their_error, judge.mel_rounding(x, without_dtype(arguments)))


def test_golden_values_name_their_makers() -> None:
    for name in ("stft", "mel"):
        with np.load(FOLDER / f"{name}.npz") as file:
            versions = json.loads(str(file["versions"]))
        assert versions["keras"].startswith("3.")
        assert versions["backend"] == "jax"
    assert sum(path.stat().st_size for path in FOLDER.glob("*.npz")) < 1_000_000
