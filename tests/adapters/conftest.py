# SPDX-License-Identifier: BSD-3-Clause
"""The adapters on one framework at a time: KERAS_BACKEND says on which."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BACKEND = os.environ["KERAS_BACKEND"]
FRAMEWORKS = ("jax", "tensorflow", "torch")
# Tests of a framework without Keras run with the backend of that name.
collect_ignore_glob = [f"test_{name}*.py" for name in FRAMEWORKS if name != BACKEND]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what other people's imports deprecate
    importlib.import_module("keras")


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    return sys.modules["keras"]


@pytest.fixture(scope="session")
def adapter() -> ModuleType:
    return importlib.import_module("specfast.keras")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Only our own warnings are errors here."""
    with warnings.catch_warnings():
        for module in ("keras", *FRAMEWORKS, "numpy", "scipy", "absl"):
            warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def requested_gradients(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The keywords of every call for gradients, from now on."""
    from specfast._adapters.functional import SpectrogramFunction

    requested = []
    original = SpectrogramFunction.pull_back

    def watched(self: Any, *arguments: Any, **wanted: Any) -> Any:
        requested.append(wanted)
        return original(self, *arguments, **wanted)

    monkeypatch.setattr(SpectrogramFunction, "pull_back", watched)
    return requested


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires_trainable_backend: of Keras' own tests")


def pytest_report_header() -> str:
    return f"Keras backend: {BACKEND}"
