# SPDX-License-Identifier: BSD-3-Clause
"""The compiler of tests that build small programs of their own."""

from __future__ import annotations

import os
import shlex
import shutil

__all__ = ["cxx_command"]


def cxx_command() -> list[str]:
    """Returns the command and its arguments: those of the variable CXX, or one on the PATH."""
    named = shlex.split(os.environ.get("CXX", ""))
    return named or [next(filter(None, map(shutil.which, ["c++", "g++", "clang++"])), "c++")]
