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
        "frame_length": ("samples", "3 -> 65536"),
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


# ---- A host of our own: orders of calls that no host of the SDK makes ---------------------------

HOST = Path(__file__).with_name("host.cpp")
CAPI = HOST.parents[1] / "capi"
MEMORY = (CAPI / "memory.cpp", CAPI / "guarded.cpp")


@pytest.fixture(scope="module")
def own_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """host.cpp; the plugin takes its operator new."""
    program = tmp_path_factory.mktemp("host") / "host"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "vamp"], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    done = subprocess.run(
        ["c++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-mismatched-new-delete",
         "-rdynamic", *flags, f"-I{CAPI}", HOST, *MEMORY, "-ldl", "-o", program],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return program


def own(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, PLUGIN, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def times_of(done: subprocess.CompletedProcess[str]) -> np.ndarray:
    assert done.returncode == 0, (done.returncode, done.stdout[-500:], done.stderr[-500:])
    return np.array(done.stdout.split(), float)


@pytest.mark.parametrize("begin", [(0, 0), (10, 0), (83, 250_000_001), (-2, -500_000_000)])
def test_columns_stand_where_the_first_block_does(own_host: Path, begin: tuple[int, int]) -> None:
    """A host that analyses a selection, or begins anew after reset, draws them in place."""
    times = times_of(own(own_host, "times", *begin))
    wanted = begin[0] + begin[1] * 1e-9 + np.arange(1 + 16000 // 512) * 512 / 16000
    np.testing.assert_allclose(times, wanted, rtol=0, atol=1.01e-9)


def test_parameters_count_from_the_next_initialise(own_host: Path) -> None:
    """Hop 512 and 128 bands were prepared, 4096 and 64 set: `host.cpp` compares the rows."""
    times = times_of(own(own_host, "settings"))
    prepared, later = np.arange(1 + 4096 // 512) * 512 / 16000, np.arange(2) * 4096 / 16000
    np.testing.assert_allclose(times, [*prepared, *later], rtol=0, atol=1.01e-9)


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_calls(own_host: Path, seed: int) -> None:
    """Before initialise, after the end, numbers out of range, NULL: refused, or an empty set."""
    done = own(own_host, "orders", seed, 10_000)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr[-500:]


def test_no_call_throws_without_memory(own_host: Path) -> None:
    done = own(own_host, "starved")
    assert done.returncode == 0, (done.stdout, done.stderr[-500:])
    assert "specfast: std::bad_alloc" in done.stderr


def test_the_file_can_be_copied_alone() -> None:
    needed = subprocess.run(
        ["readelf", "-d", PLUGIN], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "vamp" not in " ".join(re.findall(r"NEEDED.*\[(.*)\]", needed))
