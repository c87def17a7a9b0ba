# SPDX-License-Identifier: BSD-3-Clause
"""What tests look at in a picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.image import imread


def pixels(figure: Any) -> np.ndarray:
    """Returns a figure as it is written, [rows, columns, 4]."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    stream.seek(0)
    return np.asarray(imread(stream))


def ticks(panel: Any) -> dict[float, str]:
    """Returns the heights of ticks and what they are called."""
    heights = panel.yaxis.get_majorticklocs()
    return dict(zip(heights, panel.yaxis.get_major_formatter().format_ticks(heights), strict=True))


def hertz_ticks(panel: Any) -> dict[float, float]:
    """Returns the frequencies at ticks and their heights."""
    return {float(text): height for height, text in ticks(panel).items() if text != "energy"}


def image(panel: Any) -> np.ndarray:
    """Returns the values that are drawn, [rows, frames]; NaN where they are grey."""
    return np.ma.filled(panel.images[0].get_array().astype(np.float64), np.nan)


def title(figure: Any) -> str:
    """Returns the text above all of a figure; matplotlib has a function for it from 3.8 on."""
    text = figure._suptitle
    return "" if text is None else str(text.get_text())
