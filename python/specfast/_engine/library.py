# SPDX-License-Identifier: BSD-3-Clause
"""Finds the C and C++ library that this package carries. See docs/embedding.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specfast import _core

if TYPE_CHECKING:
    from pathlib import Path


def get_include() -> str:
    """Returns the folder to include headers from, as in `#include <specfast/specfast.h>`."""
    return str(_folder() / "include")


def get_cmake_dir() -> str:
    """Returns the CMake package's folder, for `-Dspecfast_DIR=` or `find_package(... PATHS)`."""
    return str(_folder() / "lib" / "cmake" / "specfast")


def _folder() -> Path:
    from pathlib import Path  # costs an eighth of `import specfast`

    return Path(_core.__file__).parent
