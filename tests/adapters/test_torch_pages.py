# SPDX-License-Identifier: BSD-3-Clause
"""Programs of the guide for torch, and for lhotse, which imports it."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_programs import ROOT, programs, run


def test_the_program_for_torch() -> None:
    assert run(programs("frameworks")[1])["y"].shape == (8, 98, 257)


def test_the_program_for_lhotse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lhotse

    monkeypatch.chdir(tmp_path)
    recording = lhotse.Recording.from_file(ROOT / "examples/speech.wav")
    recordings = lhotse.RecordingSet.from_recordings([recording])
    lhotse.CutSet.from_manifests(recordings=recordings).to_file("cuts.jsonl.gz")
    block = programs("corpus-sources")[0].replace("num_jobs=8", "num_jobs=1")
    (cut,) = run(block)["cuts"]
    assert cut.load_features().shape == (545, 80)
