# SPDX-License-Identifier: BSD-3-Clause
"""Draws a chart on matplotlib's Axes, which are the caller's or those of a figure of our own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from specfast._plot import shades
from specfast._plot.charts import Chart, Values
from specfast._plot.shades import Shades
from specfast._spec import checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More panels than this cannot be told apart, and take minutes to lay out.
MAX_PANELS = 32
_GREY = "0.7"
_MAX_PIXELS = 1 << 16


def require_matplotlib() -> None:
    """Imports matplotlib.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'drawing a picture needs matplotlib ({error}): pip install "specfast[plot]"'
        ) from error


@dataclass(frozen=True)
class Look:
    """Where and how values are drawn: arguments of `specfast.plot.features`, not yet checked."""

    ax: Any = None
    vmin: float | None = None
    vmax: float | None = None
    cmap: Any = None
    colorbar: bool | None = None
    title: str = ""
    size: tuple[int, int] | None = None


def draw(values: Any, chart: Chart, num_samples: int | None, look: Look) -> Any:
    """Draws values and returns their Axes: see `specfast.plot.features`."""
    require_matplotlib()
    array, mask = shades.array_of(values)
    panels = chart.panels(array)
    count = panels.shape[0] * panels.shape[1]
    if count > MAX_PANELS:
        raise ValueError(
            f"`values` must hold at most {MAX_PANELS} signals, a panel each. Received: {count} "
            f"in values of shape {array.shape}"
        )
    is_own = look.ax is None
    has_bar = is_own if look.colorbar is None else checks.flag("colorbar", look.colorbar)
    if not isinstance(look.title, str):
        raise TypeError(f"`title` must be a string. {checks.received('title', look.title)}")
    colours = None if look.cmap is None else _colour_map(look.cmap)
    times = chart.times(panels.shape[3], num_samples)
    shown = shades.shades_of(panels, chart, mask, look.vmin, look.vmax)
    given = _new_axes(count, look.size) if is_own else _checked_axes(look.ax, count, look.size)
    images = [
        _draw_panel(panel, signal, times, shown, chart, colours)
        for panel, signal in zip(
            given, shown.panels.reshape(-1, *shown.panels.shape[2:]), strict=True
        )
    ]
    _label(given, shown, chart, is_own=is_own)
    if has_bar:
        where = given if count > 1 else given[0]
        given[0].figure.colorbar(images[0], ax=where, label=shown.label, extend=shown.extend)
    if look.title:
        from specfast._plot.figures import set_title

        set_title(given[0], look.title, of_figure=is_own)
    if not is_own:
        return look.ax
    return given[0] if count == 1 else np.array(given, dtype=object)


# ---- Axes --------------------------------------------------------------------------------------


def _new_axes(count: int, size: Any) -> list[Axes]:
    from specfast._plot.figures import panels_of_picture

    if size is not None:
        try:
            width, height = size
        except (TypeError, ValueError):
            raise TypeError(
                f"`size` must be a width and a height in pixels. {checks.received('size', size)}"
            ) from None
        width, height = (
            checks.integer(f"size[{i}]", side, minimum=1, maximum=_MAX_PIXELS)
            for i, side in enumerate((width, height))
        )
        size = width, height
    return panels_of_picture(count, size)


def _checked_axes(ax: Any, count: int, size: Any) -> list[Axes]:
    """Returns the caller's Axes, one for each panel."""
    from matplotlib.axes import Axes

    if size is not None:
        raise ValueError(
            "`size` must be None with `ax`, whose figure has a size. "
            f"{checks.received('size', size)}"
        )
    is_one = isinstance(ax, Axes)
    try:
        panels = [ax] if is_one else list(np.asarray(ax, dtype=object).flat)
    except Exception:  # of an object that claims to be an array
        panels = [None]
    if not all(isinstance(panel, Axes) for panel in panels):
        raise TypeError(
            f"`ax` must be matplotlib Axes, or an array of them. {checks.received('ax', ax)}"
        )
    for panel in panels:
        if panel.name != "rectilinear":
            raise ValueError(
                f"`ax` must have two straight axes. Received: Axes of projection {panel.name!r}"
            )
    if len(panels) != count:
        signals = "1 signal" if count == 1 else f"{count} signals"
        raise ValueError(
            f"`ax` must be as many Axes as `values` hold signals, for {signals} {count}. "
            f"Received: {len(panels)}"
        )
    return panels


# ---- A panel -----------------------------------------------------------------------------------


def _colour_map(cmap: Any) -> Any:
    import matplotlib as mpl

    try:
        return mpl.colormaps.get_cmap(cmap)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "`cmap` must be a colour map of matplotlib, or the name of one. "
            f"{checks.received('cmap', cmap)}"
        ) from error


def _draw_panel(
    panel: Axes, values: Values, times: Values, shown: Shades, chart: Chart, colours: Any
) -> Any:
    """Draws rows over time; returns the image."""
    import matplotlib as mpl

    rows, half = chart.rows, 0.5 * chart.hop
    is_linear = chart.mode != "mel" and len(rows.blocks) == 1
    bottom, top = -0.5, len(values) - 0.5
    if is_linear:
        bins = rows.hertz
        half_bin = 0.25 * chart.sampling_rate / max(len(bins) - 1, 1)
        bottom, top = -half_bin, bins[-1] + half_bin
    colours = mpl.colormaps[shown.colours] if colours is None else colours
    image = panel.imshow(
        values,
        origin="lower",
        aspect="auto",
        cmap=colours.with_extremes(bad=_GREY),
        interpolation=shown.interpolation,
        vmin=shown.limits[0],
        vmax=shown.limits[1],
        extent=(times[0] - half, times[-1] + half, bottom, top),
    )
    if is_linear:
        panel.set_ylim(0.0, max(bins[-1], half_bin))
    else:
        _label_rows(panel, chart)
    return image


def _label_rows(panel: Axes, chart: Chart) -> None:
    """Gives an axis of rows its ticks, and each block its name."""
    from specfast._plot.ticks import RowFormatter, RowLocator

    rows = chart.rows
    locator = RowLocator(rows)
    panel.yaxis.set_major_locator(locator)
    panel.yaxis.set_major_formatter(RowFormatter(locator))
    if not 1 < len(rows.blocks) <= MAX_PANELS:
        return
    for start, name in zip(rows.starts(), rows.blocks, strict=True):
        if start:
            for color, width in (("white", 2.5), ("black", 1.0)):
                panel.axhline(start - 0.5, color=color, linewidth=width)
        panel.text(
            0.005,
            start + len(rows.hertz) - 1.0,
            name,
            transform=panel.get_yaxis_transform(),
            verticalalignment="top",
            fontsize="small",
            color="white",
            bbox={"facecolor": "black", "alpha": 0.6, "linewidth": 0.0, "pad": 1.5},
        )


def _label(panels: list[Axes], shown: Shades, chart: Chart, *, is_own: bool) -> None:
    """Says which signals these are, what the axes are, and what is grey."""
    grey = f"; grey: {', '.join(shown.grey)}" if shown.grey else ""
    for panel in panels[-1:] if is_own else panels:
        panel.set_xlabel(f"time (s){grey}")
    if len(panels) > 1:
        for panel, name in zip(panels, _names(shown.panels, chart), strict=True):
            panel.set_title(name, loc="left", fontsize="small")
    if is_own and len(panels) > 1:
        # One label for all panels: their heights may be small.
        panels[0].figure.supylabel(chart.rows.label, fontsize="medium")
        return
    for panel in panels:
        panel.set_ylabel(chart.rows.label)


def _names(panels: Values, chart: Chart) -> list[str]:
    """Returns what each panel shows, by the numbers of clip and signal where there are several."""
    each = [
        [f"{word} {number}" if count > 1 else "" for number in range(count)]
        for word, count in zip(chart.signals, panels.shape, strict=False)
    ]
    return [", ".join(filter(None, pair)) for pair in itertools.product(*each)]
