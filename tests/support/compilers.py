# SPDX-License-Identifier: BSD-3-Clause
"""The compilers of tests that build small programs of their own."""

from __future__ import annotations

import os
import shlex
import shutil

__all__ = ["c_command", "cxx_command"]


def c_command() -> list[str]:
    """Returns the compiler of C and its arguments: that of the variable CC, or of the PATH."""
    return _command("CC", "cc", "gcc", "clang")


def cxx_command() -> list[str]:
    """Returns the compiler of C++ and its arguments: that of the variable CXX, or of the PATH."""
    return _command("CXX", "c++", "g++", "clang++")


def _command(variable: str, *names: str) -> list[str]:
    named = shlex.split(os.environ.get(variable, ""))
    return named or [next(filter(None, map(shutil.which, names)), names[0])]
