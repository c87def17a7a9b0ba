# SPDX-License-Identifier: BSD-3-Clause
"""What is raised or said about files that describe a front end."""

from __future__ import annotations

from pathlib import Path


class FrontFileError(ValueError):
    """Raised for a file that describes no front end, or one that cannot be computed exactly.

    Attributes:
        path: the file, or the folder in which it was looked for.
        reason: what is wrong with it, without the path.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class KerasFileFound(FrontFileError):
    """Raised for a model of Keras, whose layers `load_keras` reads with their weights."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, "a model of Keras: specfast.load_keras(path) reads the layers that it has"
        )


class DitherWarning(UserWarning):
    """Given where a file asks for noise that is added to the samples: specfast adds none."""
