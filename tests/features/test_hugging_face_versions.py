# SPDX-License-Identifier: BSD-3-Clause
"""What `import specfast.huggingface` says where transformers is missing or of another version."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import pytest


def imported(monkeypatch: pytest.MonkeyPatch, transformers: Any) -> Any:
    """Imports specfast.huggingface where this is what `import transformers` finds."""
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    monkeypatch.delitem(sys.modules, "specfast.huggingface", raising=False)
    return importlib.import_module("specfast.huggingface")


def of_version(version: str) -> ModuleType:
    module = ModuleType("transformers")
    module.__version__ = version  # type: ignore[attr-defined]
    return module


def test_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportError) as caught:
        imported(monkeypatch, None)
    message = str(caught.value)
    assert message.startswith("specfast.huggingface needs transformers 5.24 or later (")
    assert message.endswith('): pip install "specfast[huggingface]"')


@pytest.mark.parametrize("version", ["4.57.1", "5.23.9", "5.9.0.dev0"])
def test_older(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    with pytest.raises(ImportError) as caught:
        imported(monkeypatch, of_version(version))
    assert str(caught.value) == (
        "specfast.huggingface needs transformers 5.24 or later. Received: transformers "
        f'{version}: pip install "specfast[huggingface]"'
    )


@pytest.mark.parametrize("version", ["5.24.0", "5.30.0.dev0", "10.0"])
def test_a_class_that_is_gone(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    with pytest.raises(ImportError, match=f"^transformers {version} has no ASTFeatureExtractor"):
        imported(monkeypatch, of_version(version))
