# SPDX-License-Identifier: BSD-3-Clause
"""What `specfast info` shows."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from specfast._cli.errors import failures
from specfast._engine.build import build_info

__all__ = ["facts"]


def facts() -> dict[str, Any]:
    """Returns what this build is and which packages it finds.

    Raises:
        Failed: SPECFAST_ISA names an instruction set that is not available.
    """
    with failures():
        table = dict(build_info())
    table["python"] = ".".join(str(part) for part in sys.version_info[:3])
    for package in ("numpy", "scipy", "soundfile", "matplotlib"):
        table[package] = _installed_version(package)
    return table


def _installed_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
