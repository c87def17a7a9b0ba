# SPDX-License-Identifier: BSD-3-Clause
"""The blocks of the guide that need a framework, run as they stand there.

tests/house/test_docs.py runs those that show a session; these show programs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import BACKEND

ROOT = Path(__file__).resolve().parents[2]
# How many programs a page has, each of which a test below runs.
COUNTS = {"frameworks": 4, "corpus-sources": 1}


def programs(page: str) -> list[str]:
    """Returns the blocks of Python in a page that are no sessions."""
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    return [block for block in blocks if not block.startswith(">>>")]


def run(block: str) -> dict[str, Any]:
    """Returns the names that a block leaves."""
    names: dict[str, Any] = {}
    exec(compile(block, "<page>", "exec"), names)
    return names


@pytest.mark.parametrize("page", COUNTS)
def test_every_program_is_known(page: str) -> None:
    assert len(programs(page)) == COUNTS[page]


def test_the_program_for_keras(rng: np.random.Generator) -> None:
    model = run(programs("frameworks")[0])["model"]
    result = model.predict(rng.standard_normal((2, 16000, 1)), verbose=0)
    assert result.shape == (2, 4)


@pytest.mark.skipif(BACKEND != "torch", reason="a program for torch")
def test_the_program_for_torch() -> None:
    assert run(programs("frameworks")[1])["y"].shape == (8, 98, 257)


@pytest.mark.skipif(BACKEND != "jax", reason="a program for JAX")
def test_the_program_for_jax() -> None:
    names = run(programs("frameworks")[2])
    assert names["y"].shape == (8, 80, 32)
    shapes = [kernel.shape for kernel in names["kernels"]]
    assert [gradient.shape for gradient in names["gradients"]] == shapes


# JAX complains of whatever forks later, which torch's tests do.
@pytest.mark.skipif(BACKEND != "jax", reason="a program for all frameworks")
def test_the_program_for_front_ends() -> None:
    assert run(programs("frameworks")[3])["y"].shape == (80, 100)


@pytest.mark.skipif(BACKEND != "torch", reason="a program for lhotse")
def test_the_program_for_lhotse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lhotse

    monkeypatch.chdir(tmp_path)
    recording = lhotse.Recording.from_file(ROOT / "examples/speech.wav")
    recordings = lhotse.RecordingSet.from_recordings([recording])
    lhotse.CutSet.from_manifests(recordings=recordings).to_file("cuts.jsonl.gz")
    block = programs("corpus-sources")[0].replace("num_jobs=8", "num_jobs=1")
    (cut,) = run(block)["cuts"]
    assert cut.load_features().shape == (545, 80)
