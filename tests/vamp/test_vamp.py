# SPDX-License-Identifier: BSD-3-Clause
"""The Vamp plugin in a real host, against the Python layers. Run by `make vamp`."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import signals
import specfast

BLOCK = 1024
PREFIX = Path(os.environ["SPECFAST_PREFIX"])
PLUGIN = next(PREFIX.rglob("specfast-vamp.so"))


def host(*arguments: object) -> str:
    done = subprocess.run(
        ["vamp-simple-host", *map(str, arguments)],
        env={**os.environ, "VAMP_PATH": str(PLUGIN.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def columns(plugin: str, recording: Path) -> tuple[np.ndarray, np.ndarray]:
    """Seconds [frames] and values [frames, rows] that the host prints."""
    lines = host(f"specfast-vamp:{plugin}:{plugin}", recording).splitlines()
    times, values = zip(*(line.split(":", 1) for line in lines), strict=True)
    return np.array(times, float), np.array([text.split() for text in values], float)


def padded(recording: Path) -> np.ndarray:
    """float32 [samples]: as the host gives it to the plugin, with zeros to a whole block."""
    samples = signals.read_wav(recording)
    return np.pad(samples, (0, -len(samples) % BLOCK))


each_recording = pytest.mark.parametrize("recording", signals.RECORDINGS, ids=lambda p: p.name)


@each_recording
def test_mel_has_the_numbers_of_python(recording: Path) -> None:
    times, values = columns("mel", recording)
    wanted = specfast.MelSpectrogram(top_db=None, sampling_rate=16000)(padded(recording))
    assert values.shape == wanted.T.shape
    np.testing.assert_allclose(values, wanted.T, rtol=1e-5, atol=1e-6)  # six digits are printed
    np.testing.assert_allclose(times, np.arange(len(times)) * 512 / 16000, atol=1e-8)


@each_recording
def test_stft_has_the_numbers_of_python(recording: Path) -> None:
    times, values = columns("stft", recording)
    layer = specfast.STFTSpectrogram(mode="log", frame_length=256, frame_step=128)
    wanted = layer(padded(recording)[None, :, None])[0]
    assert values.shape == wanted.shape
    np.testing.assert_allclose(values, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(times, (np.arange(len(times)) * 128 + 128) / 16000, atol=1e-8)


def test_parameters_have_units_and_ranges() -> None:
    pattern = r"Identifier: +(\w+)\n.*\n(?: - Unit: +(\w+)\n)? - Range: +(\S+ -> \S+)\n"
    listed = {
        name: (unit, range_) for name, unit, range_ in re.findall(pattern, host("--list-full"))
    }
    assert listed == {
        "fft_length": ("samples", "2 -> 65536"),
        "hop": ("samples", "1 -> 65536"),
        "bands": ("", "1 -> 1024"),
        "min_freq": ("Hz", "0 -> 24000"),
        "max_freq": ("Hz", "1 -> 24000"),
        "level": ("", "0 -> 1"),
        "mode": ("", "0 -> 1"),
        "frame_length": ("samples", "2 -> 65536"),
    }


def test_only_the_descriptor_is_exported() -> None:
    lines = subprocess.run(
        ["nm", "-D", "--defined-only", PLUGIN],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["vampGetPluginDescriptor"]
