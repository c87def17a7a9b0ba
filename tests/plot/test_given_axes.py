# SPDX-License-Identifier: BSD-3-Clause
"""Axes of the caller are drawn on and nothing else changes; recordings in one call; bad input."""

from __future__ import annotations

import io
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import pictures
import signals
import specfast
from specfast import plot
from specfast.audio import AudioError, read_audio

SPEECH = Path("examples/speech.wav").absolute()
MEL = specfast.MelSpectrogram(num_mel_bins=20, fft_length=512)
STFT = specfast.STFTSpectrogram()
LEVELS = MEL(signals.noise(4000))
SPECTRUM = STFT(signals.noise(4000)[None, :, None])


# ---- Axes of the caller ------------------------------------------------------------------------


def test_axes_in_axes_out() -> None:
    figure = Figure()
    grid = figure.subplots(2, 2)
    before = [panel.get_position().bounds for panel in figure.axes]
    assert plot.features(LEVELS, MEL, ax=grid[0, 1]) is grid[0, 1]
    column = grid[:, 0]
    assert plot.features(np.stack([LEVELS, LEVELS]), MEL, ax=column) is column
    assert plot.recording(SPEECH, "whisper", ax=grid[1, 1]) is grid[1, 1]
    assert [len(panel.images) for panel in figure.axes] == [1, 1, 1, 1]
    assert [panel.get_position().bounds for panel in figure.axes] == before
    assert [text.get_text() for text in figure.texts] == []
    assert figure.get_layout_engine() is None
    assert grid[1, 1].get_title() == ""
    assert grid[0, 1].get_ylabel() == "frequency (Hz), mel scale"


def test_colour_bar_and_title_of_given_axes() -> None:
    figure = Figure()
    panel = figure.subplots()
    plot.features(LEVELS, MEL, ax=panel, colorbar=True, title="a $5_b", cmap="viridis")
    assert len(figure.axes) == 2
    assert figure.axes[1].get_ylabel() == "level (dB)"
    assert panel.get_title() == "a $5_b"
    assert panel.images[0].get_cmap().name == "viridis"
    assert plot.features(LEVELS, MEL, colorbar=False).figure.axes[1:] == []


def test_nothing_global_changes() -> None:
    """In a process of its own, into which nobody else has imported pyplot."""
    code = """if True:
        import sys
        import warnings
        warnings.simplefilter("error", UserWarning)
        # Old versions of matplotlib call pyparsing by names that it deprecates.
        warnings.filterwarnings("ignore", r"'\\w+' deprecated - use")
        import matplotlib as mpl
        import numpy as np
        from specfast import plot, presets
        before = dict(mpl.rcParams)
        plot.recording(np.ones(20000, np.float32), "kaldi_mfcc", sampling_rate=16000)
        axes = plot.recording("examples/speech.wav", presets.spec("whisper"))
        assert axes.figure._repr_png_()[:4] == b"\\x89PNG"
        assert dict(mpl.rcParams) == before
        assert "matplotlib.pyplot" not in sys.modules
        print("fine")
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        # Looking at a backend that is still to be chosen would choose it, in pyplot.
        env={**os.environ, "MPLBACKEND": "agg"},
    )
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_without_matplotlib_the_way_to_it_is_said() -> None:
    code = """if True:
        import sys
        sys.modules["matplotlib"] = None
        from specfast import MelSpectrogram, plot
        import numpy as np
        try:
            plot.features(np.zeros((128, 2)), MelSpectrogram())
        except ImportError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert 'pip install "specfast[plot]"' in done.stdout


def test_pictures_can_be_pickled_and_keep_their_ticks() -> None:
    panel = plot.features(LEVELS, MEL)
    again = pickle.loads(pickle.dumps(panel.figure)).axes[0]
    assert pictures.ticks(again) == pictures.ticks(panel)


@pytest.mark.parametrize("size", [(1200, 500), (400, 250), (250, 160)])
def test_labels_neither_overlap_nor_are_cut(size: tuple[int, int]) -> None:
    panel = plot.recording(SPEECH, "seamless_m4t", size=size)
    figure = panel.figure
    pictures.pixels(figure)
    boxes = [label.get_window_extent() for label in panel.get_yticklabels() if label.get_text()]
    assert len(boxes) >= 2
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.y1 <= figure.bbox.height
    label = panel.xaxis.label.get_window_extent()
    assert label.y0 >= 0


# ---- One call from a recording -----------------------------------------------------------------


def test_recordings_of_all_kinds_give_the_same_picture() -> None:
    samples, rate = read_audio(SPEECH)
    wanted = plot.features(specfast.MelSpectrogram()(samples[:, 0]), specfast.MelSpectrogram())
    several: list[tuple[Any, dict[str, Any]]] = [
        (SPEECH, {}),
        (str(SPEECH), {"mono": True}),
        (SPEECH.read_bytes(), {}),
        (io.BytesIO(SPEECH.read_bytes()), {}),
        (samples, {"sampling_rate": rate}),
        (samples[:, 0], {"sampling_rate": rate}),
        (np.repeat(samples, 2, axis=1), {"sampling_rate": rate, "mono": True}),
        ((samples * 32768).astype(np.int16), {"sampling_rate": rate, "scale": 1 / 32768}),
    ]
    for source, more in several:
        panel = plot.recording(source, ax=Figure().subplots(), **more)
        np.testing.assert_array_equal(pictures.image(panel), pictures.image(wanted))
    assert pictures.title(plot.recording(SPEECH).figure) == "speech.wav: mel, 128 bands"
    whisper = plot.recording(SPEECH, "whisper", title="A sentence")
    assert pictures.title(whisper.figure) == "A sentence"


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("expand_dims", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_channels_of_a_recording(data_format: str, expand_dims: bool, padding: str) -> None:
    stereo = np.stack([signals.noise(4000), signals.noise(4000, seed=2)], axis=1)
    layer = specfast.STFTSpectrogram(
        data_format=data_format, expand_dims=expand_dims, padding=padding
    )
    panels = plot.recording(stereo, layer, sampling_rate=8000, ax=Figure().subplots(2))
    for number, panel in enumerate(panels):
        assert panel.get_title("left") == f"channel {number}"
        alone = specfast.STFTSpectrogram(padding=padding)
        values = alone(stereo[None, :, number : number + 1])[0]
        np.testing.assert_allclose(
            pictures.image(panel), values.T * (20 / np.log(10)), rtol=1e-5, atol=1e-3
        )
        times = layer.times(len(values), 8000, num_samples=4000)
        assert panel.images[0].get_extent()[0] == pytest.approx(times[0] - 64 / 8000)
    panels = plot.recording(stereo, MEL, sampling_rate=16000, ax=Figure().subplots(2))
    assert [panel.get_title("left") for panel in panels] == ["channel 0", "channel 1"]


# ---- Bad input ---------------------------------------------------------------------------------

SAME = specfast.STFTSpectrogram(padding="same")
POLAR = Figure().add_subplot(projection="polar")
TWO = Figure().subplots(2)

# a call, the error, and what its message holds
BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: plot.features(np.zeros(5), MEL), ValueError, r"`values`.*(..., 20, frames).*(5,)"),
    (lambda: plot.features(LEVELS.T, MEL), ValueError, "`values`.*values of shape"),
    (lambda: plot.features(np.zeros((20, 0)), MEL), ValueError, "`values` must hold a frame"),
    (lambda: plot.features(np.zeros((33, 20, 4)), MEL), ValueError, "at most 32 signals"),
    (lambda: plot.features(LEVELS + 0j, MEL), TypeError, "`values` must be real.*complex64"),
    (lambda: plot.features("abc", MEL), TypeError, "`values` must be an array of real numbers"),
    (lambda: plot.features([[1], [1, 2]], MEL), TypeError, "`values` must be an array"),
    (lambda: plot.features(None, MEL), TypeError, "`values`.*values=None"),
    (
        lambda: plot.features(np.zeros((1, 2, 3, 4, 5)), STFT, sampling_rate=8000),
        ValueError,
        r"`values`.*frames, channels \* 129.*(1, 2, 3, 4, 5)",
    ),
    (
        lambda: plot.features(np.zeros((7, 130)), STFT, sampling_rate=8000),
        ValueError,
        r"channels \* 129.*(7, 130)",
    ),
    (lambda: plot.features(SPECTRUM, STFT), ValueError, "`sampling_rate` must be given"),
    (lambda: plot.features(SPECTRUM, STFT, sampling_rate=-1), ValueError, "-1"),
    (
        lambda: plot.features(SPECTRUM, SAME, sampling_rate=8000),
        ValueError,
        "`num_samples`.*num_samples=None",
    ),
    (lambda: plot.features(LEVELS, MEL, sampling_rate=8000), ValueError, "16000 Hz.*=8000"),
    (lambda: plot.features(LEVELS, "wisper"), ValueError, "`front`.*Did you mean 'whisper'"),
    (lambda: plot.features(LEVELS, 80), TypeError, "`front` must be.*front=80"),
    (lambda: plot.features(LEVELS, MEL, ax=5), TypeError, "`ax` must be matplotlib Axes.*ax=5"),
    (lambda: plot.features(LEVELS, MEL, ax=Figure()), TypeError, "`ax` must be matplotlib Axes"),
    (lambda: plot.features(LEVELS, MEL, ax=POLAR), ValueError, "`ax`.*'polar'"),
    (lambda: plot.features(LEVELS, MEL, ax=TWO), ValueError, "for 1 signal 1. Received: 2"),
    (
        lambda: plot.features(np.stack([LEVELS] * 3), MEL, ax=TWO),
        ValueError,
        "for 3 signals 3. Received: 2",
    ),
    (lambda: plot.features(LEVELS, MEL, ax=TWO[0], size=(3, 4)), ValueError, "`size`.*(3, 4)"),
    (lambda: plot.features(LEVELS, MEL, size=5), TypeError, "`size`.*size=5"),
    (lambda: plot.features(LEVELS, MEL, size=(0, 5)), ValueError, r"size\[0\]"),
    (lambda: plot.features(LEVELS, MEL, vmin=3, vmax=2), ValueError, "vmin=3, vmax=2"),
    (lambda: plot.features(LEVELS, MEL, vmin=np.nan), ValueError, "`vmin`.*nan"),
    (lambda: plot.features(LEVELS, MEL, vmax="a"), TypeError, "`vmax`.*'a'"),
    (lambda: plot.features(LEVELS, MEL, cmap="no such"), ValueError, "`cmap`.*'no such'"),
    (lambda: plot.features(LEVELS, MEL, cmap=5), TypeError, "`cmap`.*5"),
    (lambda: plot.features(LEVELS, MEL, colorbar="yes"), TypeError, "`colorbar`.*'yes'"),
    (lambda: plot.features(LEVELS, MEL, title=5), TypeError, "`title`.*5"),
    (
        lambda: plot.features(
            specfast.Features(LEVELS, np.array([3]), np.zeros((1, 3), bool)), MEL
        ),
        ValueError,
        r"mask of shape \(1, 3\)",
    ),
    (lambda: plot.recording("no such.wav"), AudioError, "no such.wav"),
    (lambda: plot.recording(SPEECH, sampling_rate=16000), ValueError, "`sampling_rate`.*None"),
    (lambda: plot.recording(SPEECH, "clap"), ValueError, "48000 Hz of `front`.*16000 Hz"),
    (lambda: plot.recording(np.zeros(9)), ValueError, "`sampling_rate` must be given"),
    (lambda: plot.recording(np.zeros(0), sampling_rate=8000), ValueError, r"`source`.*\(0,\)"),
    (lambda: plot.recording(np.zeros((2, 999)), sampling_rate=8000), ValueError, "999"),
    (lambda: plot.recording(np.zeros((2, 2, 2)), sampling_rate=8000), ValueError, "(2, 2, 2)"),
    (lambda: plot.recording(np.zeros(9) + 0j, sampling_rate=8000), TypeError, "`source`"),
    (lambda: plot.recording(None), TypeError, "`source`.*None"),
    (lambda: plot.recording(SPEECH, mono="yes"), TypeError, "`mono`"),
    (
        lambda: plot.recording(np.zeros(99), "kaldi_fbank", sampling_rate=16000),
        ValueError,
        "`source`.*99 samples",
    ),
    (lambda: plot.recording(np.zeros(99), STFT, sampling_rate=8000), ValueError, "256"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=range(len(BAD)))
def test_bad_input_is_named(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
    # Before any work: nothing was drawn on the Axes.
    assert not any(panel.images for panel in (POLAR, *TWO))


def test_the_caller_s_settings_apply() -> None:
    """Colours and fonts of a figure are those of the program that draws it."""
    with mpl.rc_context({"ytick.labelsize": 30, "image.origin": "upper"}):
        panel = plot.features(LEVELS, MEL, size=(600, 400))
        pictures.pixels(panel.figure)
        boxes = [label.get_window_extent() for label in panel.get_yticklabels()]
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])
    assert panel.get_ylim() == (-0.5, 19.5)


def test_docstrings_name_every_argument() -> None:
    for function in (plot.features, plot.recording):
        names = [name for name in function.__annotations__ if name != "return"]
        described = function.__doc__ or ""
        assert [name for name in names if not re.search(rf"\b{name}\b.*:", described)] == []
