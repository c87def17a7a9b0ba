# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of what front ends return, and of recordings, on matplotlib's Axes.

matplotlib is optional: `pip install "specfast[plot]"`. It is imported on first use, without
pyplot, so that no window, backend or global setting of the caller is touched.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specfast._plot import charts, drawing
from specfast._spec import checks as _checks
from specfast.audio import read_audio
from specfast.layers import FeatureExtractor, MelSpectrogram, STFTSpectrogram

if TYPE_CHECKING:
    import numpy.typing as npt

    from specfast._spec.feature_spec import FeatureSpec

    Front = str | FeatureSpec | FeatureExtractor | MelSpectrogram | STFTSpectrogram

__all__ = ["features", "recording"]

_FILES = (str, os.PathLike, bytes, bytearray, memoryview)
_SOURCES = (
    "`source` must be a path, bytes, a binary file, or real samples of shape (samples,) or "
    "(samples, channels)."
)


def features(
    values: Any,
    front: Front,
    *,
    sampling_rate: float | None = None,
    num_samples: int | None = None,
    ax: Any = None,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: Any = None,
    colorbar: bool | None = None,
    title: str = "",
    size: tuple[int, int] | None = None,
) -> Any:
    """Draws what a front end returned, rows over time: spectrograms, cepstra, features of models.

    Time is in seconds, at the middles of frames (`front.times`). Bins lie at their frequencies;
    bands stand at equal distances, labelled in Hz by the centres of the real filterbank
    (`front.frequencies`); cepstra have their numbers. Joined frames and derivatives are blocks
    with names. Powers, magnitudes and spectra are drawn in dB, other values as they are. What
    says nothing of a signal is grey: bands without a bin, the padding of a `Features`, and values
    that are not finite.

    Args:
        values: what a call of `front` returned, of any rank that it returns, or a `Features`; a
            panel for each signal, at most 32.
        front: the STFTSpectrogram, MelSpectrogram or FeatureExtractor that returned them; for an
            extractor also its FeatureSpec, or the name of a preset.
        sampling_rate: in Hz; needed with an STFTSpectrogram, which does not know it.
        num_samples: the length of the signals; needed with padding "same", where the times of
            frames depend on it.
        ax: matplotlib Axes, or an array of them, one for each signal. Nothing else of their figure
            changes. None: a new figure, which pyplot does not know.
        vmin, vmax: the values shown as the first and the last colour. None: of levels in dB the
            80 dB below the highest one, else the lowest and the highest value; of phases, parts
            of spectra and cepstra limits around zero.
        cmap: a colour map or its name. None: one that fits the values.
        colorbar: whether a colour bar takes room from the Axes. None: only of a new figure.
        title: text above the picture.
        size: width and height of a new figure in pixels. None: 1200 x 500, higher for more than
            two signals.

    Returns:
        `ax`; without it the new Axes, or for several signals an array of them. Their `figure` is
        what notebooks show, and `ax.figure.savefig(path)` writes it.

    Raises:
        ImportError: if matplotlib is not installed; the message says how to get it.
        TypeError: for values that are no real numbers, no front end, or no Axes.
        ValueError: for values that `front` does not return, without a frame or with too many
            signals; a number of Axes that is not that of the signals; a preset that there is not;
            a rate or a length that is missing or contradicts `front`; limits in the wrong order.

    Example:
        >>> import numpy as np
        >>> from specfast import MelSpectrogram, plot
        >>> mel = MelSpectrogram(sampling_rate=16000)
        >>> ax = plot.features(mel(np.sin(np.arange(16000, dtype=np.float32))), mel)
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('time (s)', 'frequency (Hz), mel scale')
    """
    chart = charts.chart_of(front, sampling_rate)
    look = drawing.Look(ax, vmin, vmax, cmap, colorbar, title, size)
    return drawing.draw(values, chart, num_samples, look)


def recording(
    source: Any,
    front: Front | None = None,
    *,
    sampling_rate: float | None = None,
    mono: bool = False,
    scale: float | None = None,
    ax: Any = None,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: Any = None,
    colorbar: bool | None = None,
    title: str | None = None,
    size: tuple[int, int] | None = None,
) -> Any:
    """Draws a recording as a front end sees it: reads it, computes, and draws with `features`.

    Args:
        source: a path, bytes or a binary file, as for `specfast.audio.read_audio`; or samples,
            an array of shape (samples,) or (samples, channels).
        front: as for `features`. None: a MelSpectrogram of the recording's rate.
        sampling_rate: of samples in an array, in Hz; a file says its own.
        mono: whether the mean of all channels is drawn, rather than a panel for each.
        scale: the factor by which samples are multiplied, as in a call of `front`: 1 / 32768 for
            int16.
        ax, vmin, vmax, cmap, colorbar, size: as for `features`.
        title: text above the picture. None: the names of file and front end above a new figure.

    Returns:
        As `features`.

    Raises:
        AudioError: if the file is missing or broken, as `read_audio`.
        ImportError: if matplotlib, or for a file soundfile, is not installed.
        TypeError, ValueError: as `features` and a call of `front`; ValueError also for a front end
            of another rate, since nothing is resampled, and for too few samples for a frame.
    """
    drawing.require_matplotlib()
    samples, rate, name = _samples_of(source, sampling_rate, _checks.flag("mono", mono))
    made = MelSpectrogram(sampling_rate=rate) if front is None else charts.made(front)
    knows_rate = not isinstance(made, STFTSpectrogram)
    chart = charts.chart_of(made, None if knows_rate else rate, signals="channel")
    if chart.sampling_rate != rate:
        raise ValueError(
            f"`source` must have the {chart.sampling_rate:g} Hz of `front`, as nothing is "
            f"resampled. Received: {rate:g} Hz"
        )
    values = made(_signals_for(made, samples), scale=scale)
    if values.size == 0:
        raise ValueError(
            "`source` must have enough samples for a frame of `front`. "
            f"Received: {len(samples)} samples"
        )
    if title is None:
        shown = f"{front}, {chart.rows.count} rows" if isinstance(front, str) else chart.title
        title = ": ".join(filter(None, [name, shown])) if ax is None else ""
    look = drawing.Look(ax, vmin, vmax, cmap, colorbar, title, size)
    return drawing.draw(values, chart, len(samples), look)


def _samples_of(
    source: Any, sampling_rate: float | None, mono: bool
) -> tuple[npt.NDArray[Any], float, str]:
    """Returns samples [samples, channels], their rate, and the name of their file."""
    if isinstance(source, _FILES) or hasattr(source, "read"):
        if sampling_rate is not None:
            raise ValueError(
                "`sampling_rate` must be None for a file, which says its own. "
                f"{_checks.received('sampling_rate', sampling_rate)}"
            )
        samples, file_rate = read_audio(source, mono=mono)
        is_path = isinstance(source, str | os.PathLike)
        name = Path(os.fsdecode(source)).name if is_path else ""
        return samples.reshape(len(samples), -1), file_rate, name
    try:
        array = _checks.to_array(source)
    except Exception as error:
        raise TypeError(f"{_SOURCES} {_checks.received('source', source)}: {error}") from error
    if not _checks.holds_reals(array):
        raise TypeError(f"{_SOURCES} {_checks.received('source', source)}")
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(f"{_SOURCES} Received: an array of shape {array.shape}")
    if array.ndim == 2 and array.shape[1] > drawing.MAX_PANELS:
        raise ValueError(
            f"`source` must have at most {drawing.MAX_PANELS} channels, along its second axis. "
            f"Received: an array of shape {array.shape}"
        )
    if sampling_rate is None:
        raise ValueError(
            "`sampling_rate` must be given with samples. Received: sampling_rate=None"
        )
    rate = _checks.positive_hertz("sampling_rate", sampling_rate)
    array = array.reshape(len(array), -1)
    return array.mean(axis=1, keepdims=True, dtype=np.float64) if mono else array, rate, ""


def _signals_for(
    front: STFTSpectrogram | MelSpectrogram | FeatureExtractor, samples: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Returns samples [samples, channels] as the front end takes them, read in place."""
    if isinstance(front, STFTSpectrogram):
        first = front.data_format == "channels_first"
        return (samples.T if first else samples)[np.newaxis]
    return samples[:, 0] if samples.shape[1] == 1 else samples.T
