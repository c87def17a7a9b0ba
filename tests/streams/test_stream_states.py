# SPDX-License-Identifier: BSD-3-Clause
"""What a stream remembers, as bytes: those of another stream, and broken ones, are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import signals
from makers import same_bits, small_mel
from specfast import MelSpectrogram


def test_a_broken_state_is_refused() -> None:
    layer = small_mel(top_db=20)
    stream = layer.stream(2, max_db="running")
    stream.push(signals.noise(2, 200))
    state = stream._core.save()
    expected = stream.push(signals.noise(2, 200, seed=1))
    random = np.random.default_rng(9)
    fresh = layer.stream(2, max_db="running")
    for broken in [b"", state[:-1], state + b"0", state[:50], bytes(len(state))]:
        with pytest.raises(ValueError, match="bytes must|num_bytes must"):
            fresh._core.load(broken)
    for other in [
        layer.stream(1, max_db="running"),
        layer.stream(2, max_db=0.0),
        small_mel(top_db=None).stream(2),
        small_mel(top_db=20, dtype="float64").stream(2, max_db="running"),
        small_mel(top_db=20, sequence_stride=17).stream(2, max_db="running"),
    ]:
        with pytest.raises(ValueError, match="bytes must be the state of a stream like this one"):
            other._core.load(state)
    for _ in range(2000):  # whatever stands there, it is refused or it works
        hostile = bytearray(state)
        for place in random.integers(0, 130, random.integers(1, 4)):
            hostile[place] = random.integers(256)
        try:
            fresh._core.load(bytes(hostile))
        except ValueError:
            continue
        fresh.push(signals.noise(2, 100))
        fresh.flush()
    fresh._core.load(state)
    assert same_bits(fresh.push(signals.noise(2, 200, seed=1)), expected)


@pytest.mark.parametrize(
    "change",
    [{"min_power": 1e-9}, {"mag_exp": 1.0}, {"sampling_rate": 7999}, {"window": "hamming"}],
)
def test_a_state_of_other_arguments_is_refused(change: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"top_db": None, "window": "hann"}
    state = small_mel(**arguments).stream()._core.save()
    with pytest.raises(ValueError, match="fingerprint"):
        small_mel(**{**arguments, **change}).stream()._core.load(state)


def test_a_state_of_another_maximum_is_refused() -> None:
    state = small_mel().stream(max_db=10)._core.save()
    with pytest.raises(ValueError, match="fingerprint"):
        small_mel().stream(max_db=11)._core.load(state)


UMATH: Any = (
    sys.modules.get("numpy._core._multiarray_umath")
    or sys.modules["numpy.core._multiarray_umath"]  # NumPy 1
)
# Runs where the C library and NumPy must do without FMA and AVX2: their functions then round in
# another way.
OTHER_PROCESSOR = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-AVX512F",
    "NPY_DISABLE_CPU_FEATURES": " ".join(
        feature for feature in UMATH.__cpu_dispatch__ if UMATH.__cpu_features__[feature]
    ),
}
TABLES = """
import hashlib
import numpy as np
from specfast import FeatureExtractor, FeatureSpec, MelSpectrogram, _core
from specfast.front_files import read_front
digest = hashlib.sha256()
for length in [*range(2, 70), 400, 512, 1000, 1024, 2048]:
    for name in ("hann", "hamming", "blackman", "bohman", "lanczos", "cosine", "parzen",
                 "povey", "sine"):
        digest.update(np.asarray(_core.window(name, length, True)).tobytes())
for length in (256, 400, 512, 1000, 2048):
    layer = MelSpectrogram(fft_length=length, sequence_length=length, top_db=None, dtype="float64")
    x = np.random.default_rng(0).standard_normal(4096)
    stream = layer.stream()
    digest.update(stream.push(x).tobytes())
    digest.update(stream._core.save())
for number in range(40):
    common = dict(
        precision="float64", dtype="float64", frame_length=100, num_mel_bins=40, mel_norm="slaney",
        mel_scale="slaney" if number % 2 else "htk", min_freq=30 + number, max_freq=7000 + number,
    )
    cepstra = dict(level="decibel", reference=0.5 + number, num_cepstra=13, lifter=20.5 + number)
    pcen = dict(pcen=True, pcen_bias=0.25 + number, pcen_power=0.3)
    for step in (dict(window="povey"), cepstra, pcen):
        spec = FeatureSpec(**common, **step)
        extractor = FeatureExtractor(spec)
        digest.update(extractor(x).tobytes())
        digest.update(extractor.stream()._core.save())
        if spec.num_cepstra is None:
            digest.update(extractor.frequencies().tobytes())
for line in ("sine", "blackman\\n--blackman-coeff=0.3"):
    with open("fbank.conf", "w") as file:
        file.write("--dither=0\\n--window-type=" + line + "\\n")
    digest.update(read_front("fbank.conf").window_values().tobytes())
print(digest.hexdigest())
"""


def digest_of_tables(environment: dict[str, str], folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", TABLES],
        cwd=folder,
        env={**os.environ, "SPECFAST_ISA": "baseline", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


def test_tables_and_states_do_not_depend_on_the_c_library(tmp_path: Path) -> None:
    """A state is refused where the fingerprint of the window differs in one bit."""
    assert digest_of_tables(OTHER_PROCESSOR, tmp_path) == digest_of_tables({}, tmp_path)


def test_the_fingerprint_is_that_of_every_machine() -> None:
    layer = MelSpectrogram(fft_length=512, sequence_length=400, sequence_stride=160, top_db=None)
    state = layer.stream()._core.save()
    assert int.from_bytes(state[13 * 8 : 14 * 8], sys.byteorder) == 0xA404CEBCF8A8541D
