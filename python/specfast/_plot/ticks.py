# SPDX-License-Identifier: BSD-3-Clause
"""Ticks of an axis of rows: round frequencies, as many as there is room for, at any zoom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import Formatter, Locator, MaxNLocator

from specfast._plot.rows import Rows

# The least distance of two ticks: a part of an axis of one block, and lines of text.
_LEAST_PART = 0.06
_LEAST_LINES = 1.2


class RowLocator(Locator):  # type: ignore[misc, unused-ignore]
    """Puts ticks on rows, the roundest frequencies first."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        # What the ticks that were placed last are called.
        self.texts: dict[float, str] = {}

    def __call__(self) -> list[float]:
        axis: Any = self.axis
        return self.tick_values(*axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Returns the rows of ticks between two rows."""
        low, high = sorted((vmin, vmax))
        spacing = (high - low) * max(_LEAST_PART / len(self.rows.blocks), self._line())
        self.texts = {}
        for candidates in (self._round(high), self._between(low, high, spacing)):
            for row, text in candidates:
                apart = all(abs(row - other) > spacing for other in self.texts)
                if low <= row <= high and apart:
                    self.texts[row] = text
            if self.rows.has_hertz and len(self.texts) > 1:
                break
        return list(self.texts)

    def _line(self) -> float:
        """Returns the height of a line with its distance to the next, as a part of the axis."""
        axis: Any = self.axis
        if axis is None:
            return 0.0
        points = FontProperties(size=mpl.rcParams["ytick.labelsize"]).get_size_in_points()
        height = float(axis.axes.bbox.height * 72.0 / axis.axes.figure.dpi)
        return _LEAST_LINES * points / max(height, 1.0)

    def _round(self, high: float) -> Iterator[tuple[float, str]]:
        """Yields names, then round frequencies, in all blocks that may be in view."""
        rows = self.rows
        starts = [start for start in rows.starts() if start <= high]
        for start in starts:
            for number, name in rows.names.items():
                yield float(start + number), name
        if not rows.has_hertz:
            return
        top = float(np.nanmax(rows.hertz) if rows.edges is None else rows.edges[1])
        for hertz in _round_frequencies(top):
            row = float(rows.row_of(hertz))
            for start in starts:
                yield start + row, f"{hertz:g}"

    def _between(self, low: float, high: float, spacing: float) -> Iterator[tuple[float, str]]:
        """Yields finer frequencies of what is in view; numbers of rows that have none."""
        rows, size = self.rows, len(self.rows.hertz)
        for start in rows.starts():
            bottom, top = max(low - start, -0.5), min(high - start, size - 0.5)
            if bottom >= top:
                continue
            if not rows.has_hertz:
                room = int(np.clip((top - bottom) / max(spacing, 1e-9), 1, 10))
                for number in MaxNLocator(room, integer=True).tick_values(bottom, top):
                    if 0 <= number < size:
                        yield start + float(number), f"{number:g}"
                continue
            known = rows.hertz_of(np.linspace(bottom, top, 64))
            known = known[np.isfinite(known)]
            if len(known) > 1:
                for hertz in MaxNLocator(5).tick_values(known[0], known[-1]):
                    yield start + float(rows.row_of(hertz)), f"{hertz:g}"


class RowFormatter(Formatter):  # type: ignore[misc, unused-ignore]
    """Calls ticks what their locator calls them, and other places by their frequency."""

    def __init__(self, locator: RowLocator) -> None:
        self.locator = locator

    def __call__(self, x: float, pos: int | None = None) -> str:
        texts = self.locator.texts
        return texts[x] if x in texts else self._place(x)[2].removesuffix(" Hz")

    def format_data_short(self, value: float) -> str:
        """Returns what the pointer shows beside a picture."""
        number, block, what = self._place(value)
        return ", ".join(filter(None, [f"row {number}", block, what]))

    def _place(self, value: float) -> tuple[int, str, str]:
        """Returns the nearest row, its block, and its name or the frequency at this height."""
        rows = self.locator.rows
        size = len(rows.hertz)
        number = int(np.clip(round(value), 0, rows.count - 1))
        block, row = divmod(number, size)
        hertz = float(rows.hertz_of(value - block * size)) if rows.has_hertz else np.nan
        what = rows.names.get(row, f"{hertz:.0f} Hz" if np.isfinite(hertz) else "")
        return number, rows.blocks[block], what


def _round_frequencies(highest: float) -> list[float]:
    """Returns round frequencies up to `highest` Hz, the roundest first: 10, 100, 1000, ..."""
    decades = range(1, len(str(int(highest))) + 1)
    return [f * 10.0**d for f in (1, 5, 2, 3, 7) for d in decades if f * 10.0**d <= highest]
