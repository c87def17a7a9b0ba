# SPDX-License-Identifier: BSD-3-Clause
"""A build for 32 bits is refused: sizes are checked in 64 bits, and are allocated as they are."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFUSAL = "specfast needs a 64-bit target"

# With nothing to link, a compiler needs no 32-bit libraries to say how long its pointers are.
WITH_32_BITS = ("-DCMAKE_CXX_FLAGS=-m32", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY")
# For processors without such a mode: a compiler that CMake does not ask.
AS_IF_32_BITS = ("-DCMAKE_CXX_COMPILER_FORCED=ON", "-DCMAKE_SIZEOF_VOID_P=4")


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("options", [WITH_32_BITS, AS_IF_32_BITS], ids=["m32", "as if"])
def test_cmake_refuses(options: tuple[str, ...], tmp_path: Path) -> None:
    if options is WITH_32_BITS and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("this processor's compilers have no -m32")
    done = run("cmake", "-G", "Ninja", "-S", ROOT, "-B", tmp_path, *options)
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert REFUSAL in said, done.stderr
    assert "this compiler's pointers have 4 bytes" in said


@pytest.mark.parametrize("size_type", ["unsigned", "unsigned long"])
def test_the_compiler_refuses(size_type: str, tmp_path: Path) -> None:
    """Without our CMake too: the header of checked sizes asserts what it relies on."""
    header = ROOT / "cpp/engine/base/checked.h"
    source = tmp_path / "sizes.cpp"
    # Of a whole 32-bit compiler only size_t matters, and its headers may be missing.
    source.write_text(
        f"namespace std {{ using size_t = {size_type}; }}\nusing int64_t = long long;\n"
        + re.sub(r"#(include|pragma) .*", "", header.read_text("utf-8")),
        encoding="utf-8",
    )
    done = run("c++", "-std=c++17", "-fsyntax-only", source)
    assert (REFUSAL in done.stderr) == (size_type == "unsigned"), done.stderr
    assert (done.returncode == 0) == (size_type == "unsigned long"), done.stderr
