# SPDX-License-Identifier: BSD-3-Clause
"""Manifests of lhotse, read without it; tests/adapters compares with what lhotse itself writes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from specfast._corpus.item import Item
from specfast._corpus.sources import find_items

SOURCE = {"type": "file", "channels": [0, 1], "source": "/data/a.wav"}
RECORDING = {
    "id": "rec",
    "sources": [SOURCE],
    "sampling_rate": 16000,
    "num_samples": 160000,
    "duration": 10.0,
    "channel_ids": [0, 1],
}
CUT = {
    "id": "cut-1",
    "start": 2,
    "duration": 1.5,
    "channel": 1,
    "supervisions": [{"id": "s", "text": "so it goes"}],
    "recording": RECORDING,
    "custom": {"path": "elsewhere.wav"},
    "type": "MonoCut",
}


def found(folder: Path, *rows: dict[str, Any]) -> list[Item]:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "x.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return list(find_items([str(folder / "x.jsonl.gz")]))


def changed(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**row, **changes}.items() if value != "none"}


def recording(**changes: Any) -> dict[str, Any]:
    return changed(RECORDING, sources=[changed(SOURCE, **changes)])


def test_recordings_and_cuts_are_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    mono = changed(CUT, id="mono", channel=3, recording=recording(channels=[3]))
    relative = changed(recording(source="sub/b.wav"), id="relative")
    assert found(tmp_path, RECORDING, CUT, mono, relative) == [
        Item("rec", "/data/a.wav"),
        Item("cut-1", "/data/a.wav", 2.0, 1.5, 1),
        # The one channel of a file, whatever lhotse calls it.
        Item("mono", "/data/a.wav", 2.0, 1.5),
        # As in lhotse: below the working folder, not that of the manifest.
        Item("relative", "/sub/b.wav"),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            changed(CUT, type="MixedCut", tracks=[]),
            "MixedCut 'cut-1' is not read: only recordings",
        ),
        (changed(CUT, type="MultiCut", channel=[0, 1]), "MultiCut 'cut-1' is not read"),
        (changed(CUT, type="PaddingCut"), "PaddingCut 'cut-1' is not read"),
        (changed(CUT, recording="none"), "MonoCut 'cut-1' has no recording"),
        (changed(CUT, channel=2), r"MonoCut 'cut-1' is of channel 2, and .* has \[0, 1\]"),
        (changed(CUT, channel=[0, 1]), "MonoCut 'cut-1' is of channel"),
        (changed(CUT, start="none"), "MonoCut 'cut-1' must have `start`"),
        (changed(CUT, start=10**400), "MonoCut 'cut-1' must have `start`, a number"),
        (changed(CUT, duration="long"), "MonoCut 'cut-1' must have `duration`.*'long'"),
        (changed(CUT, duration=0), "MonoCut 'cut-1': `duration` must be"),
        (changed(CUT, id="none"), "MonoCut None has no `id`"),
        (changed(CUT, id="../a"), "MonoCut '../a': `id` must be"),
        (changed(RECORDING, sources=[SOURCE] * 2), "Recording 'rec' has 2 sources"),
        (changed(RECORDING, sources=[]), "Recording 'rec' has 0 sources"),
        (changed(RECORDING, transforms=[{"name": "Resample"}]), "Recording 'rec' has transforms"),
        (
            changed(CUT, recording=changed(RECORDING, transforms=[1])),
            "recording of MonoCut 'cut-1'",
        ),
        (recording(type="command", source="ffmpeg"), "Recording 'rec' has a source of type 'comm"),
        (recording(type="url"), "Recording 'rec' has a source of type 'url'"),
        (recording(channels="none"), "Recording 'rec' has a source without a file or channels"),
        (recording(source=""), "Recording 'rec' has a source without"),
    ],
)
def test_what_only_lhotse_can_put_together_is_refused(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"line 2: .*{message}"):
        found(tmp_path, RECORDING, row)


def test_other_manifests_of_lhotse_name_no_file(tmp_path: Path) -> None:
    supervision = {"id": "s", "recording_id": "rec", "start": 0, "duration": 1, "channel": 0}
    with pytest.raises(ValueError, match="line 1: there is no `path`, only 'id', 'recording_id'"):
        found(tmp_path, supervision)
