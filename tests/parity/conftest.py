# SPDX-License-Identifier: BSD-3-Clause
"""An installed Keras, and a table of both errors at the end of a run."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# layer and mode -> (our relative error, Keras' relative error) of every case
ERRORS: dict[str, list[tuple[float, float]]] = {}
# what is measured on the recording -> (our error, Keras' error)
RECORDING: dict[str, tuple[float, float]] = {}


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other people's imports deprecate
        return importlib.import_module("keras")


@pytest.fixture(scope="session")
def errors() -> dict[str, list[tuple[float, float]]]:
    return ERRORS


@pytest.fixture(scope="session")
def recording_figures() -> dict[str, tuple[float, float]]:
    return RECORDING


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Only our own warnings are errors here."""
    with warnings.catch_warnings():
        for module in ("keras", "jax", "tensorflow", "torch", "numpy", "scipy"):
            warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")
        yield


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not (ERRORS or RECORDING):
        return
    import keras

    name = f"Keras {keras.__version__} ({keras.backend.backend()})"
    if ERRORS:
        terminalreporter.section(f"relative L2 error against float64: specfast and {name}")
        _write_errors(terminalreporter.write_line)
    if RECORDING:
        terminalreporter.section(f"error against float64 on examples/speech.wav: us and {name}")
        for what, (ours, theirs) in RECORDING.items():
            terminalreporter.write_line(f"{what:<45}{ours:>10.1e}{theirs:>10.1e}")


def _write_errors(write: Callable[[str], None]) -> None:
    titles = ("", "cases", "ours <= Keras'", "ours: median", "max", "Keras': median", "max")
    row = "{:<15}{:>6} {:>15} {:>13} {:>8} {:>16} {:>8}"
    write(row.format(*titles))
    for name, pairs in sorted(ERRORS.items()):
        ours, theirs = np.array(pairs).T
        figures = (np.median(ours), ours.max(), np.median(theirs), theirs.max())
        smaller = int(np.sum(ours <= theirs))
        write(row.format(name, len(pairs), smaller, *(f"{figure:.1e}" for figure in figures)))
