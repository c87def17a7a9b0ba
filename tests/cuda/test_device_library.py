# SPDX-License-Identifier: BSD-3-Clause
"""The library of GPUs: where it is looked for, what is said without it, and child processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import specfast
from makers import Array, same_bits, small_mel, small_stft
from signals import noise

FORK = """
import os, sys, numpy as np, specfast
layer = specfast.MelSpectrogram(device="cuda")
x = np.zeros(4000, np.float32)
layer(x)
if os.fork() == 0:
    other = specfast.MelSpectrogram(device="cuda")
    for call in (lambda: layer(x), lambda: other(x)):
        try:
            call()
        except RuntimeError as error:
            print(error)
    print(specfast.build_info()["cuda"], flush=True)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
layer(x)
"""
CALL = """
import numpy as np, specfast
print(specfast.build_info()["cuda"])
try:
    specfast.MelSpectrogram(device="cuda:2")(np.zeros(4000, np.float32))
except RuntimeError as error:
    print(error)
"""
USE = """
import numpy as np, specfast
specfast.MelSpectrogram(device="cuda")(np.zeros(4000, np.float32))
print(specfast.build_info()["cuda"]["library"])
"""


def run(code: str, **variables: Any) -> str:
    """Runs a program of Python; what it prints."""
    inherited = {key: value for key, value in os.environ.items() if "SPECFAST_CUDA" not in key}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | {key: str(value) for key, value in variables.items()},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_library() -> None:
    facts, error = run(CALL).splitlines()
    assert "pip install specfast-cuda13" in facts
    assert "pip install specfast-cuda13" in error
    assert "device 'cuda:2'" in error
    assert "libspecfast_cuda.so" in error


def test_a_library_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    path.write_text("nothing")
    facts, error = run(CALL, SPECFAST_CUDA_LIBRARY=path).splitlines()
    assert str(path) in facts
    assert "not in use yet" in facts
    assert "pip install specfast-cuda13" in error
    assert str(path) in error


@pytest.mark.parametrize("name", ["specfast_cuda13", "specfast_cuda12"])
def test_the_package_is_found(name: str, tmp_path: Path, library: Path) -> None:
    (tmp_path / f"{name}.py").write_text(f"library = {str(library)!r}\n")
    assert run(USE, PYTHONPATH=tmp_path).strip() == str(library)
    # The variable is for tests and for builds of one's own.
    copy = tmp_path / "another.so"
    copy.write_bytes(library.read_bytes())
    shown = run(USE, PYTHONPATH=tmp_path, SPECFAST_CUDA_LIBRARY=copy)
    assert shown.strip() == str(copy)


def test_a_package_that_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "specfast_cuda13.py").write_text("import a_module_that_is_not_there\n")
    assert "a_module_that_is_not_there" in run(CALL, PYTHONPATH=tmp_path)


def test_to_ask_loads_nothing(library: Path) -> None:
    code = "import specfast; specfast.build_info(); print(open('/proc/self/maps').read())"
    assert library.name not in run(code, SPECFAST_CUDA_LIBRARY=library)


def test_a_forked_child(library: Path) -> None:
    lines = run(FORK, SPECFAST_CUDA_LIBRARY=library).splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("a forked process cannot use the GPU")


@pytest.mark.usefixtures("gpu")
def test_facts() -> None:
    facts = specfast.build_info()["cuda"]
    assert facts["name"] == "the host"
    assert facts["num_devices"] == 1
    assert Path(facts["library"]).is_file() or facts["library"] == "libspecfast_cuda.so"


@pytest.mark.usefixtures("gpu")
def test_threads_share_a_layer() -> None:
    layer, x = small_mel(device="cuda"), noise(4, 500)
    expected = small_mel(device="cuda")(x)
    results: list[Array] = []
    threads = [threading.Thread(target=lambda: results.append(layer(x))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(same_bits(y, expected) for y in results)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("make", [small_mel, small_stft])
def test_configuration_and_pickle(make: Any) -> None:
    assert "device" not in make().get_config()
    layer = make(device="cuda:0")
    x = noise(2, 300, 1) if make is small_stft else noise(2, 300)
    expected = layer(x)
    assert layer.get_config()["device"] == "cuda:0"
    assert "device='cuda:0'" in repr(layer)
    for other in (type(layer).from_config(layer.get_config()), pickle.loads(pickle.dumps(layer))):
        assert other.device == "cuda:0"
        assert same_bits(other(x), expected)


@pytest.mark.parametrize("value", ["gpu", "cuda:", "cuda:-1", "cuda:01", "CUDA", "cuda:1 ", ""])
def test_names_that_are_no_device(value: str) -> None:
    with pytest.raises(ValueError, match="`device` must be None, 'cpu', 'cuda'"):
        small_mel(device=value)


def test_types_that_are_no_device() -> None:
    with pytest.raises(TypeError, match="`device` must be None"):
        small_stft(device=1)
