# SPDX-License-Identifier: BSD-3-Clause
"""A library for GPUs whose device is the host: what a GPU would compute, without one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import specfast
from compilers import c_command, cxx_command
from specfast._engine import devices

_ROOT = Path(__file__).resolve().parents[2]
# Compiling takes far longer than the blocks run: nothing is optimized.
_FLAGS = (
    "-std=c++17 -O0 -g1 -Wno-unknown-pragmas -fPIC -shared -fvisibility=hidden -ffp-contract=off"
)
_INCLUDED = ("cpp", "cpp/include", "tests/cuda", "tests/cuda/fake_cuda")
_WARNINGS = "-O0 -Wall -Wextra -Wpedantic -Werror"
_SANITIZED = "-fsanitize=address,undefined -fno-sanitize-recover=all"

Runner = Callable[[str], None]


def compiled(folder: Path, source: str = "host_backend.cpp", *flags: str) -> Path:
    """Compiles a library, with the sanitizers where the test runner has them; its path.

    Args:
        folder: where it is put.
        source: its text, in tests/cuda; that of the library whose device is the host.
        flags: for the compiler.
    """
    path = folder / f"lib{Path(source).stem}.so"
    included = [f"-I{_ROOT / part}" for part in _INCLUDED]
    _compile(cxx_command(), source, path, *_FLAGS.split(), *included, *flags)
    return path


def compiled_program(folder: Path, source: str) -> Path:
    """Compiles a program of tests/cuda, C99 or C++17, for the package's library; its path."""
    path, include = folder / Path(source).stem, Path(specfast.get_include())
    libraries = include.with_name("lib")
    linked = (f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lspecfast", "-lm")
    is_c = source.endswith(".c")
    compiler = [*c_command(), "-std=c99"] if is_c else [*cxx_command(), "-std=c++17"]
    _compile(compiler, source, path, *_WARNINGS.split(), f"-I{include}", libs=linked)
    return path


def _compile(
    compiler: list[str], source: str, path: Path, *flags: str, libs: tuple[str, ...] = ()
) -> None:
    command = [
        *compiler,
        *flags,
        *(_SANITIZED.split() if "asan" in os.environ.get("LD_PRELOAD", "") else []),
        *("-o", str(path), str(_ROOT / "tests/cuda" / source), *libs, "-ldl"),
    ]
    # A sanitizer that the test runner preloads is no business of the compiler's.
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    subprocess.run(command, check=True, timeout=200, env=environment)


def use(path: Path) -> None:
    """Makes the library that of this process, which can have one only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(devices.LIBRARY_VARIABLE, str(path))
        devices.require(0)
