# SPDX-License-Identifier: BSD-3-Clause
"""A picture's title is decoration: no file name, locale or font ends a job or leaks a warning."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib import font_manager

import pictures
import specfast
from cli_runner import environment, run_process
from specfast import plot
from specfast._plot.figures import letters

SPEECH = Path("examples/speech.wav").absolute()
LAYER = specfast.MelSpectrogram(fft_length=256, num_mel_bins=4, sampling_rate=8000)
LEVELS = LAYER(np.sin(np.arange(1000, dtype=np.float32)))


def title_of(title: str) -> str:
    """Draws a picture with this title and returns the one that is in it; warnings are errors."""
    figure = plot.features(LEVELS, LAYER, size=(300, 200), title=title).figure
    figure.savefig(io.BytesIO())
    return pictures.title(figure)


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec=None), min_size=1, max_size=30))
@example("caf\udce9.wav")
@example("\ud800 \udc7f \udd00 \udfff")
@example("\u4e2d\u6587.wav")
@example("\U0001f3b5 a\nb\x00c \u202e")
@example("$\\frac{1}{2$ ^_{")
@example("x" * 5000)
def test_any_text_is_a_title(title: str) -> None:
    shown = title_of(title)
    assert 0 < len(shown) <= 31  # 10 pixels each and the dots
    assert shown.isprintable()


def test_what_can_be_drawn_stays() -> None:
    assert title_of("caf\u00e9 $5.wav: mel, 80 bands") == "caf\u00e9 $5.wav: mel, 80 bands"
    assert title_of("caf\udce9.wav") == "caf\ufffd.wav"
    assert title_of("a\tb") == "a?b"


def test_a_font_that_has_the_letters_is_found() -> None:
    """matplotlib itself brings one font with mathematical letters that the usual one lacks."""
    families = {entry.name for entry in font_manager.fontManager.ttflist}
    usual = letters(font_manager.findfont(font_manager.FontProperties()))
    others = {
        letter
        for family in families
        if "Last Resort" not in family
        for letter in letters(font_manager.findfont(font_manager.FontProperties(family=family)))
        - usual
        if chr(letter).isprintable()
    }
    assert others, "every font has the same letters"
    letter = chr(min(others))
    assert title_of(f"a{letter}") == f"a{letter}"


NAMES = [b"caf\xe9.wav", "\u4e2d\u6587.wav".encode(), b"$x_{.wav", b"line\nbreak.wav"]
PLACES = [
    {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "error"},
    {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii:strict"},
    {"LC_ALL": "C.UTF-8", "MPLCONFIGDIR": "/dev/null/none", "HOME": "/dev/null"},
]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_any_name_in_any_locale(tmp_path: Path, place: dict[str, str]) -> None:
    if place.get("PYTHONUTF8") == "0" and not soundfile.__file__.isascii():
        place = place | packages_in(tmp_path / "ascii")
    names = NAMES if place is PLACES[0] else NAMES[:1]
    for number, name in enumerate(names):
        source = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118
        shutil.copy(SPEECH, source)
        target = tmp_path / f"{number}.png"
        done = run_process(
            "mel", "-q", os.fsdecode(source), "-o", target, env=environment(**place)
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), name
        assert target.read_bytes()[1:4] == b"PNG"


def packages_in(folder: Path) -> dict[str, str]:
    """Returns what makes a child find soundfile in this folder, which is made here."""
    folder.mkdir()
    for name in ("soundfile.py", "_soundfile.py", "_soundfile_data"):
        (folder / name).symlink_to(Path(soundfile.__file__).with_name(name))
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def test_a_folder_that_the_locale_cannot_write(tmp_path: Path) -> None:
    """soundfile hands the path of its library to the system in the locale's encoding."""
    place = PLACES[2] | packages_in(tmp_path / "\u00fc")
    done = run_process("mel", SPEECH, "-o", tmp_path / "a.png", env=environment(**place))
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"soundfile cannot be loaded from" in done.stderr
    assert b"Set PYTHONUTF8=1 or LC_ALL=C.UTF-8" in done.stderr
    assert done.stderr.count(b"\n") == 1


LOOKS = [
    ({"MPLBACKEND": "no such backend"}, ""),
    ({}, "text.usetex: True\nfont.family: No Such Font\nfigure.facecolor: red\n"),
    ({}, "no setting: [\nsavefig.dpi: many\n"),
]


@pytest.mark.parametrize(("place", "settings"), LOOKS, ids=range(len(LOOKS)))
def test_settings_of_matplotlib_do_not_decide(
    tmp_path: Path, place: dict[str, str], settings: str
) -> None:
    """A backend, a font or a TeX that is missing ends no job, and all get the same picture."""
    (tmp_path / "matplotlibrc").write_text(settings)
    pictures = []
    for number, env in enumerate(
        (environment(), environment(**place, MATPLOTLIBRC=str(tmp_path)))
    ):
        target = tmp_path / f"{number}.png"
        done = run_process("mel", "-q", SPEECH, "-o", target, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        pictures.append(target.read_bytes())
    assert pictures[0] == pictures[1]


def test_bands_without_a_bin_are_said_and_grey(tmp_path: Path) -> None:
    target = tmp_path / "x.png"
    done = run_process("mel", SPEECH, "-o", target, "--fft-length", 256, "--num-mel-bins", 200)
    warning, report = done.stderr.decode().splitlines()
    assert warning.startswith("Warning: 43 of 200 mel bands hold no bin")
    assert report.startswith(str(target))
    layer = specfast.MelSpectrogram(fft_length=256, num_mel_bins=200)
    panel = plot.features(layer(np.ones(4000, np.float32)), layer)
    image = np.ma.getmaskarray(panel.images[0].get_array())
    assert image.all(axis=1).sum() == 43
    assert "43 bands without a bin" in panel.get_xlabel()
