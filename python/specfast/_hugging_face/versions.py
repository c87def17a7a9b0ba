# SPDX-License-Identifier: BSD-3-Clause
"""Finds transformers, in a version that the drop-in classes know."""

from __future__ import annotations

import importlib
import re
from typing import Any

# The version that the tests compare with, to the digit that says whether code has changed.
KNOWN = "5.24"
_INSTALL = 'pip install "specfast[huggingface]"'


def transformers() -> Any:
    """Returns the module of transformers.

    Raises:
        ImportError: if it is missing, or older than `KNOWN`.
    """
    try:
        module = importlib.import_module("transformers")
    except ImportError as error:
        raise ImportError(
            f"specfast.huggingface needs transformers {KNOWN} or later ({error}): {_INSTALL}"
        ) from error
    if _number(module.__version__) < _number(KNOWN):
        raise ImportError(
            f"specfast.huggingface needs transformers {KNOWN} or later. Received: transformers "
            f"{module.__version__}: {_INSTALL}"
        )
    return module


def is_known() -> bool:
    """Returns whether the installed transformers is the one that the tests compare with."""
    return _number(transformers().__version__) == _number(KNOWN)


def original(name: str) -> Any:
    """Returns a class of transformers.

    Raises:
        ImportError: as `transformers`; and if that has no such class.
    """
    module = transformers()
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ImportError(
            f"transformers {module.__version__} has no {name}, for which specfast.huggingface has "
            f"a drop-in class; transformers {KNOWN} has"
        ) from error


def _number(version: str) -> tuple[int, ...]:
    """Returns the first two numbers of a version."""
    return tuple(int(digits) for digits in re.findall(r"\d+", version)[:2])
