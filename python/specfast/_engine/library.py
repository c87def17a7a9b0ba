# SPDX-License-Identifier: BSD-3-Clause
"""Where the C and C++ library lies that this package carries. See docs/embedding.md."""

from __future__ import annotations

from pathlib import Path

from specfast import _core

_FOLDER = Path(_core.__file__).parent


def get_include() -> str:
    """The folder to include headers from: it holds `specfast/specfast.h` and `specfast.hpp`."""
    return str(_FOLDER / "include")


def get_cmake_dir() -> str:
    """The folder of the CMake package, for `-Dspecfast_DIR=` or `find_package(... PATHS)`."""
    return str(_FOLDER / "lib" / "cmake" / "specfast")
