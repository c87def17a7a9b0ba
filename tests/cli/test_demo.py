# SPDX-License-Identifier: BSD-3-Clause
"""The demo passes with Keras' numbers and fails loudly with any others."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
GOLDEN = EXAMPLES / "demo_golden.npz"


def run_demo(out: Path, golden: Path = GOLDEN) -> subprocess.CompletedProcess[str]:
    arguments = [str(EXAMPLES / "demo.py"), "--golden", str(golden), "--out", str(out)]
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def golden(name: str) -> np.ndarray:
    with np.load(GOLDEN) as file:
        return np.asarray(file[name])


def test_demo_gives_keras_numbers(tmp_path: Path) -> None:
    done = run_demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("A recorded sentence becomes the numbers of two Keras layers")
    assert "5.45 s of speech" in done.stdout
    assert (
        len(re.findall(r"time +[\d.]+ ms for 5.45 s of sound: [\d,]+ times as", done.stdout)) == 2
    )
    assert f"picture  {tmp_path / 'mel.png'}" in done.stdout
    assert done.stdout.endswith("OK: these are Keras' numbers\n")
    for name in ("mel.npz", "mel.png", "stft.npz", "stft.png"):
        assert (tmp_path / name).stat().st_size > 10_000


def test_demo_fails_with_other_numbers(tmp_path: Path) -> None:
    values = {name: golden(name) for name in ("mel", "stft_log")}
    values["mel"][5, 7] += 0.01
    np.savez(tmp_path / "golden.npz", **values)
    done = run_demo(tmp_path, tmp_path / "golden.npz")
    assert done.returncode == 1
    assert "FAILED: these are not Keras' numbers" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_says_what_is_missing(tmp_path: Path) -> None:
    done = run_demo(tmp_path, tmp_path / "missing.npz")
    assert done.returncode == 1
    assert "missing.npz" in done.stderr


def shift_loudest(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[np.unravel_index(np.argmax(values), values.shape)] += 0.01
    return values


def put_nan(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[5, 7] = np.nan
    return values


@pytest.mark.parametrize("change", [shift_loudest, put_nan], ids=lambda f: f.__name__)
def test_every_difference_counts(
    demo: ModuleType, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    mel, stft = golden("mel"), golden("stft_log")
    assert demo.mel_difference(mel, mel) == 0
    assert demo.stft_difference(stft, stft) == 0
    for ours, wanted in ((change(mel), mel), (mel, change(mel))):
        assert not demo.mel_difference(ours, wanted) <= demo.MEL_BOUND_DB
    for ours, wanted in ((change(stft), stft), (stft, change(stft))):
        assert not demo.stft_difference(ours, wanted) <= demo.STFT_BOUND


def test_another_shape_is_a_failure(demo: ModuleType) -> None:
    for name, difference in (("mel", demo.mel_difference), ("stft_log", demo.stft_difference)):
        with pytest.raises(SystemExit, match="FAILED"):
            difference(golden(name)[:, :-1], golden(name))
