# SPDX-License-Identifier: BSD-3-Clause
"""Finds the C and C++ library that this package carries. See docs/embedding.md."""

from __future__ import annotations

from pathlib import Path

from specfast import _core

_FOLDER = Path(_core.__file__).parent


def get_include() -> str:
    """Returns the folder to include headers from, as in `#include <specfast/specfast.h>`."""
    return str(_FOLDER / "include")


def get_cmake_dir() -> str:
    """Returns the CMake package's folder, for `-Dspecfast_DIR=` or `find_package(... PATHS)`."""
    return str(_FOLDER / "lib" / "cmake" / "specfast")
