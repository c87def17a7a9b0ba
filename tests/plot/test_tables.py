# SPDX-License-Identifier: BSD-3-Clause
"""What notebooks show of layers, specifications and results: small tables that stand alone."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import signals
import specfast
from specfast import presets

MEL = specfast.MelSpectrogram(name='<img onerror="x()">&amp;', num_mel_bins=40)
ISTFT = specfast.ISTFT(frame_length=512, padding="center")
OBJECTS: dict[str, Any] = {
    "mel": MEL,
    "stft": specfast.STFTSpectrogram(window=np.hanning(256) + 0.1, name="\udc80 \U0001f3b5"),
    "istft": ISTFT,
    "griffin_lim": specfast.GriffinLim(ISTFT, seed=7),
    "mel_to_sound": specfast.MelToSound("whisper", num_iterations=3),
    "features": MEL([signals.noise(4000), signals.noise(3000)]),
    "extractor": presets.get("kaldi_mfcc"),
    "spectra": specfast.FeatureSpec(mode="log", frame_length=256),
    "rows": specfast.FeatureSpec(num_mel_bins=2, gain=(1.0, 2.0), num_samples=800, energy=None),
    **{name: presets.spec(name) for name in presets.names()},
}


class Table(HTMLParser):
    """Reads a table and refuses what is not closed, and what would load or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("table", "caption", "tr", "th", "td", "b")
        assert {name for name, _ in attrs} <= {"style"}
        self.open.append(tag)
        if tag in ("th", "td"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "th" in self.open or "td" in self.open:
            self.cells[-1] += data

    def rows(self) -> dict[str, str]:
        return dict(zip(self.cells[::2], self.cells[1::2], strict=True))


@pytest.mark.parametrize("name", OBJECTS)
def test_tables_are_sound_and_small(name: str) -> None:
    shown = OBJECTS[name]
    text = shown._repr_html_()
    text.encode("utf-8")
    assert type(shown).__name__ in text
    rows = Table(text).rows()
    assert 3 <= len(rows) <= 20
    assert all(value and len(value) <= 160 for value in rows.values())


def test_tables_say_what_is_computed() -> None:
    rows = Table(presets.get("kaldi_mfcc")._repr_html_()).rows()
    assert rows["samples"] == "16000 Hz, times 32768"
    assert rows["frames"] == "400 samples (25 ms) every 160 samples (10 ms)"
    assert rows["padding"] == "valid"
    assert rows["conditioning"] == "mean removed, preemphasis 0.97 of each frame"
    assert rows["window"] == "povey"
    assert rows["spectrum"] == "512 points, 257 bins, power"
    assert rows["bands"] == "23 mel bands, 20 to 8000 Hz, on the htk scale"
    assert rows["level"] == "ln, raw energy as a row"
    assert rows["result"] == "[..., frames, rows] with 13 rows, float32, cepstra"
    assert Table(presets.spec("whisper")._repr_html_()).rows()["scaling"] == "times 0.25, plus 1"
    rows = Table(OBJECTS["rows"]._repr_html_()).rows()
    assert rows["scaling"] == "times one for each row, plus 0"
    assert rows["samples"] == "16000 Hz, each clip of 800 samples"
    assert Table(MEL._repr_html_()).rows()["name"] == '<img onerror="x()">&amp;'
    assert Table(OBJECTS["features"]._repr_html_()).rows() == {
        "values": "2×40×8 float32",
        "num_frames": "[8, 6]",
        "mask": "2×8 bool",
    }


def test_what_is_not_a_default_is_emphasised() -> None:
    text = MEL._repr_html_()
    assert "<b>40</b>" in text
    assert "<b>2048</b>" not in text
    assert "<b>7</b>" in OBJECTS["griffin_lim"]._repr_html_()
    assert "<b>3</b>" in OBJECTS["mel_to_sound"]._repr_html_()


def test_tables_need_no_matplotlib() -> None:
    code = """if True:
        import sys
        import specfast
        specfast.MelSpectrogram()._repr_html_()
        specfast.presets.get("whisper")._repr_html_()
        assert not {"matplotlib", "specfast.plot"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], timeout=120, check=True)
