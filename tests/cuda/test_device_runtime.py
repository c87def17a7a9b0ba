# SPDX-License-Identifier: BSD-3-Clause
"""What the library asks of CUDA, as nvcc compiles it, on two devices that are the host.

Each test is a process of its own, since a process has one library for GPUs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import host_library

BEGIN = """
import ctypes, sys
import numpy as np
import specfast
from specfast import _core
from device_arrays import Dlpack, Interface

fake = ctypes.CDLL({library!r})
fake.fake_calls.restype = ctypes.c_char_p
fake.fake_most_borrowed.restype = ctypes.c_longlong
fake.fake_failure.argtypes = [ctypes.c_char_p, ctypes.c_int]
cufft = {cufft!r}

def calls():
    return fake.fake_calls().decode().splitlines()

def mel(**arguments):
    return specfast.MelSpectrogram(**{{"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 8,
        "sampling_rate": 8000, "max_freq": 4000, "top_db": None, **arguments}})

def fails(call, *parts, kind=RuntimeError):
    try:
        call()
    except kind as error:
        missing = [part for part in parts if part not in str(error)]
        assert not missing, f"{{missing}} not in: {{error}}"
    else:
        raise AssertionError(f"no {{kind.__name__}} with {{parts}}")
    # What failed here must not appear in a later call of the program.
    assert fake.fake_last_error() == 0

x = np.random.default_rng(0).standard_normal((3, 700)).astype(np.float32)
"""


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The paths of the library for GPUs and of a cuFFT for it."""
    folder = tmp_path_factory.mktemp("fake")
    cufft = host_library.compiled(
        folder, "fake_cuda/fake_cufft.cpp", "-O1", "-Wl,-soname,libcufft.so.12"
    )
    return host_library.compiled(folder, "fake_cuda/fake_cuda.cpp"), cufft


@pytest.fixture
def run(libraries: tuple[Path, Path]) -> host_library.Runner:
    """Runs a program of Python behind the beginning of all of them."""
    library, cufft = map(str, libraries)

    def run_program(program: str) -> None:
        support = str(Path(host_library.__file__).parent)
        done = subprocess.run(
            [sys.executable, "-c", BEGIN.format(library=library, cufft=cufft) + program],
            env={**os.environ, "SPECFAST_CUDA_LIBRARY": library, "PYTHONPATH": support},
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, textwrap.indent(done.stderr, "  ")

    return run_program


def test_the_fake_sees_faults(run: host_library.Runner) -> None:
    run("""
LAUNCH_FAILURE = 719
assert [fake.fake_faulty_block(beyond) for beyond in (0, 1)] == [LAUNCH_FAILURE] * 2
""")


def test_a_call_is_one_launch_in_the_stream_of_the_caller(run: host_library.Runner) -> None:
    run("""
layer = mel()
expected = layer(x)
layer(Interface(x))  # makes the plan
calls()
y = layer(Interface(x, stream=0x55))
(launch,) = [line for line in calls() if not line.startswith(("cudaMalloc", "cudaGetDeviceCount"))]
assert launch.startswith("cudaLaunchKernel device 0 stream 85 blocks "), launch
assert np.abs(y.copy_to_host() - expected).max() <= 2e-3
""")


def test_a_clamp_is_two_launches_more_and_waits_for_nothing(run: host_library.Runner) -> None:
    run("""
layer = mel(top_db=20.0)
expected = layer(x)
for number in range(2):
    calls()
    y = layer(Interface(x, stream=0x55))
    seen = calls()
    launches = [line for line in seen if "Launch" in line]
    assert len(launches) == 3
    assert all(" device 0 stream 85 " in line for line in launches)
    of_pool = [line.split()[0] for line in seen if "Async" in line]
    if number == 0:
        continue  # it makes the plan, whose tables are copied, and the pool
    assert of_pool == ["cudaMallocFromPoolAsync"] * 2 + ["cudaFreeAsync"] * 2, seen
    assert all(line.endswith(" stream 85") for line in seen if "Async" in line)
    assert not any("Synchronize" in line or "PoolCreate" in line for line in seen), seen
assert fake.fake_most_borrowed() > 0
assert np.abs(y.copy_to_host() - expected).max() <= 2e-3
""")


def test_another_device_is_left_as_the_current_one(run: host_library.Runner) -> None:
    run("""
layer = mel(top_db=20.0)
y = layer(Dlpack(x, device=(2, 1)))
seen = calls()
assert y.device == "cuda:1"
assert "cudaMemPoolCreate device 1" in seen
on_stream = [line for line in seen if " stream " in line]
assert len(on_stream) > 5
assert all(" device 1 " in line for line in on_stream), seen
assert fake.fake_current_device() == 0
assert np.abs(y.copy_to_host() - layer(x)).max() <= 2e-3
assert specfast.build_info()["cuda"]["name"] == "fake 1"
fails(lambda: layer(Dlpack(x, device=(2, 2))), "'cuda:2'", "less than the number of GPUs, 2")
assert fake.fake_current_device() == 0
""")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            'fake.fake_failure(b"cudaGetDeviceCount", 35)',
            "driver is missing, or too old for CUDA 13",
        ),
        ('fake.fake_failure(b"cudaGetDeviceCount", 100)', "there is no NVIDIA GPU"),
        ("fake.fake_devices(0)", "there is no NVIDIA GPU"),
        ('fake.fake_failure(b"cudaGetDeviceCount", 719)', "cudaGetDeviceCount failed"),
    ],
)
def test_a_missing_driver_or_device(run: host_library.Runner, setting: str, message: str) -> None:
    run(f"""
{setting}
for call in (lambda: mel(device="cuda")(x), lambda: mel()(Interface(x))):
    fails(call, {message!r}, "pip install specfast-cuda13", "'cuda:0'")
fake.fake_failure(b"cudaGetDeviceCount", 0)
fake.fake_devices(1)
assert mel(device="cuda")(x).shape == (3, 8, 44)  # and from now on there is one
""")


def test_failures_of_the_device(run: host_library.Runner) -> None:
    run("""
layer = mel(top_db=20.0, device="cuda")
expected = layer(x)
out_of_memory, launch_failure = 2, 719
for function in (b"cudaMalloc", b"cudaMallocFromPoolAsync"):
    fake.fake_failure(function, out_of_memory)
    fails(lambda: layer(x), "no memory for a result of shape (3, 8, 44)", kind=MemoryError)
    fake.fake_failure(function, 0)
    assert np.array_equal(layer(x), expected)
for function in (b"cudaLaunchKernel", b"cudaMemcpyAsync", b"cudaStreamSynchronize"):
    fake.fake_failure(function, launch_failure)
    fails(lambda: layer(x), function.decode() + " failed: a fault of the test")
    fake.fake_failure(function, 0)
    assert np.array_equal(layer(x), expected)
assert fake.fake_most_borrowed() > 0  # and all is given back
fake.fake_failure(b"cudaLaunchKernel", launch_failure)
fails(lambda: mel()(Interface(x)), "cudaLaunchKernel failed")
""")


def test_cufft_is_loaded_when_a_length_needs_it(run: host_library.Runner) -> None:
    run("""
layer, wide = mel(fft_length=60), mel(dtype="float64")
mel()(Interface(x))
assert specfast.build_info()["cuda"]["cufft"] is None
for call in (lambda: layer(Interface(x)), lambda: wide(Interface(x))):
    fails(call, "needs NVIDIA's cuFFT", "libcufft.so.12")
fft = ctypes.CDLL(cufft)  # the dynamic linker knows it by its name from now on
assert np.abs(layer(Interface(x)).copy_to_host() - layer(x)).max() <= 2e-3
assert np.abs(wide(Interface(x)).copy_to_host() - wide(x)).max() <= 1e-9
assert specfast.build_info()["cuda"]["cufft"] == "12.0"
for count in range(100, 800, 100):  # other numbers of frames: few plans are kept
    layer(Interface(x[:, :count]))
assert 0 < fft.fake_num_plans() <= 8
""")


@pytest.mark.parametrize("mode", ["mel", "stft"])
def test_the_workspace_is_bounded(run: host_library.Runner, mode: str) -> None:
    run(f"""
fft = ctypes.CDLL(cufft)
mel()(Interface(x))  # loads the library
config = _core.Config({mode!r})
config.frame_length = config.fft_length = 60
config.hop = 10
if {mode!r} == "mel":
    config.num_mel_bins, config.top_db_scope = 8, None
plan = _core.Plan(config, "any_rank")
wanted = plan(x, None, 1, 0.0)
frames = 4 * 60 + 8 * 31  # bytes of a frame, and of its spectrum
results = []
for limit in (0, 60 * frames, 8 * frames, 1):
    device_plan = _core.DevicePlan(config, plan, 0, limit)
    result, before = np.zeros_like(wanted), fft.fake_num_executed()
    device_plan.execute(x.ctypes.data, x.shape, x.strides, "float32", result.ctypes.data,
                        "float32", 0x55)
    assert fake.fake_most_borrowed() <= max(limit, frames) + 96 or limit == 0
    results.append((fft.fake_num_executed() - before, result))
counts = [count for count, _ in results]
assert counts == sorted(set(counts)), counts  # the smaller the limit, the more parts
assert all(np.array_equal(result, results[0][1]) for _, result in results)
assert np.linalg.norm(results[0][1] - wanted) <= 1e-6 * np.linalg.norm(wanted)
""")


def test_samples_at_every_address(run: host_library.Runner) -> None:
    """Frames that begin at odd samples are read one by one; the bits are the same."""
    run("""
layers = [mel(), mel(sequence_stride=17), mel(fft_length=128, sequence_length=99),
          specfast.STFTSpectrogram(frame_length=75, frame_step=25, fft_length=128, mode="stft")]
for layer in layers:
    for offset in (0, 1):
        view = x[:, offset:offset + 600]
        shaped = view if layer.name.startswith("mel") else view[..., None]
        moved = np.zeros((3, 601), np.float32)[:, 1:]
        moved[...] = view
        moved = moved if layer.name.startswith("mel") else moved[..., None]
        here, there = (layer(Interface(a)).copy_to_host() for a in (shaped, moved))
        assert np.array_equal(here, there)
        assert np.linalg.norm(here - layer(shaped)) <= 1e-5 * np.linalg.norm(here)
# A NaN behind the end of a frame, under the transform, is none of the frame's.
x[:, 300] = np.nan
for length in (75, 76):
    layer = specfast.STFTSpectrogram(frame_length=length, frame_step=25, fft_length=128)
    here = layer(Interface(x[..., None])).copy_to_host()
    assert np.array_equal(np.isnan(here), np.isnan(layer(x[..., None])))
    assert 0 < np.isnan(here).sum() < here.size / 2
""")
