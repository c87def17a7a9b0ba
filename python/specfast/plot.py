# SPDX-License-Identifier: BSD-3-Clause
"""Draws the output of a layer as a picture with labelled axes.

matplotlib is optional: `pip install "specfast[plot]"`. It is imported on first use, without
pyplot, so that no window, backend or global setting of the caller is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from specfast._spec import axes as _axes

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["feature_figure", "mel_figure", "stft_figure", "write_png"]

_DOTS_PER_INCH = 100
# Depth in dB that is shown below the loudest point when the caller names no range.
_DEFAULT_DEPTH_DB = 80.0
# More panels than this cannot be told apart, and take minutes to lay out.
_MAX_PANELS = 32
# A longer title would be no title, or wider than the picture.
_MAX_TITLE = 100
_PIXELS_PER_LETTER = 10
_REPLACEMENT = "?"
# Power and magnitude have no logarithm at zero; this is far below anything a layer returns.
_SMALLEST = 1e-20


def mel_figure(
    output: npt.ArrayLike,
    config: Mapping[str, Any],
    *,
    size: tuple[int, int] | None = None,
    db_range: tuple[float, float] | None = None,
    title: str = "",
) -> Figure:
    """Draws what MelSpectrogram returned for one recording, one panel a channel.

    Args:
        output: Shape (num_mel_bins, frames) or (channels, num_mel_bins, frames).
        config: The layer's `get_config()`; its band edges label the axis in Hz.
        size: Width and height of the picture in pixels. None: 1200 x 500, higher for more
            than two channels.
        db_range: Levels in dB shown as the darkest and the brightest colour. Default: from
            80 dB below the highest level, or from the lowest level if that is nearer.
        title: Text above the picture.

    Returns:
        A matplotlib Figure. Bands stand at equal distances, labelled in Hz; time is in
        seconds. Powers (`power_to_db=False`) are drawn as 10 log10(power). Bands that hold no
        bin are grey: they say nothing of the signal.

    Raises:
        ImportError: matplotlib is not installed; the message says how to get it.
        ValueError: `output` has neither two nor three axes, or more than 32 channels.
    """
    values = _panels_of(output, "num_mel_bins")
    if not config["power_to_db"]:
        values = 10.0 * np.log10(np.maximum(values, _SMALLEST))

    is_empty = _axes.empty_mel_bands(config)
    values = np.where(is_empty[:, np.newaxis], np.float32(np.nan), values)
    half = 0.5 * config["sequence_stride"] / config["sampling_rate"]
    times = _axes.mel_times(config, values.shape[2])
    picture = _Picture(
        values,
        extent=(times[0] - half, times[-1] + half, -0.5, values.shape[1] - 0.5),
        limits=_limits(values, db_range),
        label="level (dB)",
        frequency_label="frequency (Hz), mel scale",
    )
    figure, panels = _drawn(picture, size, title)
    _label_rows(figure, panels, partial(_axes.mel_band_of, config), config["max_freq"])
    if is_empty.any():
        panels[-1].set_xlabel(f"time (s); grey: {is_empty.sum()} bands without a bin")
    return figure


def stft_figure(
    output: npt.ArrayLike,
    config: Mapping[str, Any],
    *,
    num_channels: int,
    num_samples: int,
    sampling_rate: float,
    size: tuple[int, int] | None = None,
    db_range: tuple[float, float] | None = None,
    title: str = "",
) -> Figure:
    """Draws what STFTSpectrogram returned for one recording, one panel a channel.

    Args:
        output: One entry of the layer's batch, so of rank 2, or of rank 3 with
            `expand_dims`, in the layout that `config` states.
        config: The layer's `get_config()`.
        num_channels, num_samples: Of the recording.
        sampling_rate: In Hz; the layer itself knows no rate.
        size, db_range, title: As in `mel_figure`. The modes "real", "imag" and "angle" do not
            use `db_range`.

    Returns:
        A matplotlib Figure, frequency in Hz over time in seconds. Modes "log", "magnitude",
        "psd" and "stft" (its magnitude) are drawn in dB; "angle" in radians, "real" and
        "imag" as they are, around zero.

    Raises:
        ImportError: matplotlib is not installed; the message says how to get it.
        ValueError: There are more than 32 channels.
    """
    mode = config["mode"]
    values = _by_channel(_at_least_float32(np.asarray(output)), config, num_channels)
    look: dict[str, Any]
    if mode == "angle":
        look = {"limits": (-np.pi, np.pi), "label": "phase (radians)", "colours": "twilight"}
        # A mean of phases on both sides of pi says nothing.
        look["interpolation"] = "nearest"
    elif mode in ("real", "imag"):
        peak = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values))) or 1.0
        look = {"limits": (-peak, peak), "label": f"{mode} part", "colours": "RdBu"}
    else:
        values = _levels(values, mode)
        look = {"limits": _limits(values, db_range), "label": "level (dB)"}

    num_bins, num_frames = values.shape[1:]
    times = _axes.stft_times(config, num_frames, num_samples, sampling_rate)
    half = 0.5 * (config["frame_step"] or config["frame_length"] // 2) / sampling_rate
    half_bin = 0.25 * sampling_rate / max(num_bins - 1, 1)
    top = float(_axes.stft_frequencies(num_bins, sampling_rate)[-1])
    extent = (times[0] - half, times[-1] + half, -half_bin, top + half_bin)
    picture = _Picture(values, extent=extent, frequency_label="frequency (Hz)", **look)
    figure, panels = _drawn(picture, size, title)
    for panel in panels:
        panel.set_ylim(0.0, max(top, half_bin))
    return figure


def feature_figure(
    output: npt.ArrayLike,
    times: npt.ArrayLike,
    frequencies: npt.ArrayLike | None = None,
    *,
    unit: str = "",
    size: tuple[int, int] | None = None,
    db_range: tuple[float, float] | None = None,
    title: str = "",
) -> Figure:
    """Draws what FeatureExtractor returned for one recording, one panel a channel.

    Args:
        output: Shape (rows, frames) or (channels, rows, frames).
        times: The extractor's, in seconds, shape (frames,).
        frequencies: The extractor's, in Hz, shape (rows,); None: rows have none.
        unit: What the values are. "power" is drawn in dB, everything else as it is.
        size, title: As in `mel_figure`.
        db_range: Values shown as the darkest and the brightest colour. Default: as in
            `mel_figure` for "dB" and "power", else the lowest and the highest one.

    Returns:
        A matplotlib Figure. Rows stand at equal distances, labelled in Hz where their frequencies
        rise, else by their numbers; time is in seconds.

    Raises:
        ImportError, ValueError: As `mel_figure`.
    """
    values = _panels_of(output, "rows")
    if unit == "power":
        values, unit = 10.0 * np.log10(np.maximum(values, _SMALLEST)), "dB"
    seconds = np.asarray(times, np.float64)
    half = 0.5 * (seconds[1] - seconds[0] if len(seconds) > 1 else 0.01)
    hertz = np.array([] if frequencies is None else frequencies, np.float64)
    rows = np.flatnonzero(np.isfinite(hertz))
    rises = len(rows) > 1 and bool((np.diff(hertz[rows]) > 0).all())
    picture = _Picture(
        values,
        extent=(seconds[0] - half, seconds[-1] + half, -0.5, values.shape[1] - 0.5),
        limits=_limits(values, db_range, _DEFAULT_DEPTH_DB if unit == "dB" else np.inf),
        label=unit or "value",
        frequency_label="frequency (Hz)" if rises else "row",
    )
    figure, panels = _drawn(picture, size, title)
    if rises:
        row_of = partial(np.interp, xp=hertz[rows], fp=rows, left=np.nan, right=np.nan)
        _label_rows(figure, panels, row_of, float(hertz[rows[-1]]))
    return figure


def write_png(figure: Figure, stream: BinaryIO) -> None:
    """Writes `figure` as PNG into `stream`, in exactly the pixels it was made for."""
    figure.savefig(stream, format="png", dpi=_DOTS_PER_INCH)


@dataclass(frozen=True)
class _Picture:
    """Values and how they are shown.

    Attributes:
        values: [channels, rows, frames].
        extent: The edges in time (seconds) and height: left, right, bottom, top.
        limits: The values shown as the first and the last colour.
        label: What the values are.
        frequency_label: What heights are.
        colours: The name of matplotlib's colour map.
        interpolation: How matplotlib scales the image; None: its default.
    """

    values: npt.NDArray[Any]
    extent: tuple[float, float, float, float]
    limits: tuple[float, float]
    label: str
    frequency_label: str
    colours: str = "magma"
    interpolation: str | None = None


def _drawn(
    picture: _Picture, size: tuple[int, int] | None, title: str
) -> tuple[Figure, list[Axes]]:
    """Returns a figure with one image a channel and a colour bar, and its panels."""
    figure, panels = _panels(len(picture.values), size, title)
    import matplotlib as mpl  # _panels has found it

    colours = mpl.colormaps[picture.colours].with_extremes(bad="0.7")
    for panel, values in zip(panels, picture.values, strict=True):
        image = panel.imshow(
            values,
            origin="lower",
            aspect="auto",
            cmap=colours,
            interpolation=picture.interpolation,
            vmin=picture.limits[0],
            vmax=picture.limits[1],
            extent=picture.extent,
        )
    # One label for all panels: their heights may be small.
    figure.supylabel(picture.frequency_label, fontsize="medium")
    figure.colorbar(image, ax=panels, label=picture.label)
    return figure, panels


def _panels(count: int, size: tuple[int, int] | None, title: str) -> tuple[Figure, list[Axes]]:
    """Returns an empty figure and `count` panels above each other with one time axis."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f'drawing a picture needs matplotlib ({error}): pip install "specfast[plot]"'
        ) from error
    if count > _MAX_PANELS:
        raise ValueError(f"a picture shows at most {_MAX_PANELS} channels. Received {count}")
    size = size or (1200, max(500, 250 * count))
    inches = (size[0] / _DOTS_PER_INCH, size[1] / _DOTS_PER_INCH)
    figure = Figure(figsize=inches, dpi=_DOTS_PER_INCH, layout="constrained")
    grid = figure.subplots(count, 1, sharex=True, squeeze=False)
    panels: list[Axes] = list(grid[:, 0])
    panels[-1].set_xlabel("time (s)")
    if count > 1:
        for channel, panel in enumerate(panels):
            panel.set_title(f"channel {channel}", loc="left", fontsize="small")
    if title:
        text, families = _drawable(title, figure.get_figwidth() * _DOTS_PER_INCH)
        # parse_math=False: a "$" in a file name is a "$".
        figure.suptitle(text, parse_math=False, fontfamily=families)
    return figure, panels


def _drawable(title: str, width: float) -> tuple[str, list[str]]:
    """Returns a title without characters that cannot be drawn and with no more than a picture of
    this width in pixels has room for, and the fonts that draw it.

    A title is often the name of a file: it may hold bytes that are no text, line breaks, and
    scripts that the usual font lacks. Nothing of that may end a job.
    """
    from matplotlib import font_manager

    # Bytes of a name that are no UTF-8 are surrogates in Python, which no font can draw; other
    # surrogates are nothing at all.
    text = re.sub("[\ud800-\udc7f\udd00-\udfff]", _REPLACEMENT, title)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = "".join(letter if letter.isprintable() else _REPLACEMENT for letter in text)
    half = min(_MAX_TITLE, int(width / _PIXELS_PER_LETTER)) // 2
    if len(text) > 2 * half:
        text = f"{text[:half]}…{text[-half:]}"
    usual = font_manager.FontProperties()
    families = list(usual.get_family())
    missing = set(map(ord, text)) - _letters(font_manager.findfont(usual))
    for font in font_manager.fontManager.ttflist if missing else ():
        # matplotlib's own font of boxes, one for each script.
        found = set() if "Last Resort" in font.name else missing & _letters(font.fname)
        if found:
            families.append(font.name)
            missing -= found
        if not missing:
            break
    return "".join(_REPLACEMENT if ord(letter) in missing else letter for letter in text), families


def _letters(path: str) -> set[int]:
    """Returns the characters of a font file; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return set(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return set()


def _panels_of(output: npt.ArrayLike, rows: str) -> npt.NDArray[Any]:
    """Returns values as [channels, rows, frames], in float32 or more."""
    values = _at_least_float32(np.asarray(output))
    if values.ndim == 2:
        values = values[np.newaxis]
    if values.ndim != 3:
        raise ValueError(
            f"`output` must have shape ({rows}, frames) or (channels, {rows}, frames). "
            f"Received shape {values.shape}"
        )
    return values


def _at_least_float32(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.astype(np.float32) if values.dtype.itemsize < 4 else values


def _levels(values: npt.NDArray[Any], mode: str) -> npt.NDArray[Any]:
    """Returns the output of a mode, [channels, rows, frames], as levels in dB."""
    levels: npt.NDArray[Any]
    if mode == "log":
        levels = values * (20.0 / np.log(10.0))
    elif mode == "psd":
        levels = 10.0 * np.log10(np.maximum(values, _SMALLEST))
    else:
        magnitudes = np.hypot(*np.split(values, 2, axis=1)) if mode == "stft" else values
        levels = 20.0 * np.log10(np.maximum(magnitudes, _SMALLEST))
    return levels


def _limits(
    levels: npt.NDArray[Any],
    db_range: tuple[float, float] | None,
    depth: float = _DEFAULT_DEPTH_DB,
) -> tuple[float, float]:
    """Returns the levels of the darkest and the brightest colour, at most `depth` apart."""
    if db_range is not None:
        return db_range
    finite = levels[np.isfinite(levels)]
    if finite.size == 0:
        return (-_DEFAULT_DEPTH_DB, 0.0)
    high = float(finite.max())
    low = max(float(finite.min()), high - depth)
    return (low, high) if low < high else (low - 1.0, high + 1.0)


def _label_rows(
    figure: Figure, panels: list[Axes], row_of: Callable[[float], float], highest: float
) -> None:
    """Labels rows with the round frequencies in Hz that there is room for.

    Args:
        figure, panels: A drawn picture of rows at equal distances.
        row_of: Returns where a frequency lies among the rows; NaN: beyond them.
        highest: The highest frequency in Hz.
    """
    bottom, top = panels[0].get_ylim()
    # A label needs about 20 pixels.
    pixels = figure.get_figheight() * _DOTS_PER_INCH / len(panels)
    spacing = (top - bottom) * max(0.06, 20.0 / pixels)
    heights: dict[float, float] = {}
    for hertz in _round_frequencies(highest):
        height = float(row_of(hertz))
        apart = all(abs(height - other) > spacing for other in heights.values())
        if bottom <= height <= top and apart:
            heights[hertz] = height
    for panel in panels:
        panel.set_yticks(list(heights.values()), [f"{hertz:g}" for hertz in heights])


def _round_frequencies(highest: float) -> list[float]:
    """Returns round frequencies up to `highest` Hz, the roundest first: 10, 100, 1000, ..."""
    decades = range(1, len(str(int(highest))) + 1)
    return [f * 10.0**d for f in (1, 5, 2, 3, 7) for d in decades if f * 10.0**d <= highest]


def _by_channel(
    output: npt.NDArray[Any], config: Mapping[str, Any], num_channels: int
) -> npt.NDArray[Any]:
    """Returns one recording's output as (channels, rows, frames), whatever its layout."""
    first = config["data_format"] == "channels_first"
    if config["expand_dims"]:
        return output.transpose(0, 2, 1) if first else output.transpose(2, 1, 0)
    if first:
        return output.reshape(num_channels, -1, output.shape[1])
    return output.reshape(output.shape[0], num_channels, -1).transpose(1, 2, 0)
