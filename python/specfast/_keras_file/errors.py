# SPDX-License-Identifier: BSD-3-Clause
"""The parts of a Keras file by name, and what is raised or said about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from specfast._spec import checks as _checks

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"

WAY_OUT = "Load the model with Keras and pass the layer to specfast.from_keras"


class KerasFileError(ValueError):
    """Raised for a file that is no Keras model, or is not read because it is broken or hostile."""


@contextmanager
def as_keras_file_error(what: str) -> Iterator[None]:
    """Turns whatever a reader of damaged data raises into a KerasFileError that begins so.

    Such readers raise a dozen types, none of them documented; only a lack of memory is not the
    file's own fault.
    """
    try:
        yield
    except (KerasFileError, MemoryError):
        raise
    except Exception as error:
        reason = _checks.clipped(str(error)) or type(error).__name__
        raise KerasFileError(f"{what}: {reason}") from error


class NotSearchedWarning(UserWarning):
    """Given by `load_keras` for parts of a model that may hold layers it cannot see."""
