# SPDX-License-Identifier: BSD-3-Clause
"""Figures of our own: their size, their title, PNG. None of them is known to pyplot."""

from __future__ import annotations

import io
import re
from typing import BinaryIO

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

_DOTS_PER_INCH = 100
# A longer title would be no title, or wider than the picture.
_MAX_TITLE = 100
_PIXELS_PER_LETTER = 10
_REPLACEMENT = "?"


class Picture(Figure):  # type: ignore[misc, unused-ignore]
    """A figure that notebooks show, whether or not they have loaded pyplot."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        write_png(self, stream)
        return stream.getvalue()


def write_png(figure: Figure, stream: BinaryIO) -> None:
    """Writes `figure` as PNG into `stream`, in exactly the pixels it was made for."""
    figure.savefig(stream, format="png", dpi=_DOTS_PER_INCH)


def panels_of_picture(count: int, size: tuple[int, int] | None) -> list[Axes]:
    """Returns `count` empty panels above each other with one time axis.

    Args:
        count: how many.
        size: width and height of their figure in pixels; None: see `specfast.plot.features`.
    """
    width, height = size or (1200, max(500, 250 * count))
    inches = (width / _DOTS_PER_INCH, height / _DOTS_PER_INCH)
    figure = Picture(figsize=inches, dpi=_DOTS_PER_INCH, layout="constrained")
    return list(figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0])


def set_title(panel: Axes, title: str, *, of_figure: bool) -> None:
    """Writes a title above a panel, or above all of its figure."""
    figure = panel.figure
    width = figure.bbox.width if of_figure else panel.bbox.width
    text, families = _drawable(title, width * _DOTS_PER_INCH / figure.dpi)
    # parse_math=False: a "$" in a file name is a "$".
    write = figure.suptitle if of_figure else panel.set_title
    write(text, parse_math=False, fontfamily=families)


def _drawable(title: str, width: float) -> tuple[str, list[str]]:
    """Returns a title without characters that cannot be drawn and with no more than a picture of
    this width in pixels has room for, and the fonts that draw it.

    A title is often the name of a file: it may hold bytes that are no text, line breaks, and
    scripts that the usual font lacks. Nothing of that may end a job.
    """
    # Bytes of a name that are no UTF-8 are surrogates in Python, which no font can draw; other
    # surrogates are nothing at all.
    text = re.sub("[\ud800-\udc7f\udd00-\udfff]", _REPLACEMENT, title)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = "".join(letter if letter.isprintable() else _REPLACEMENT for letter in text)
    half = max(min(_MAX_TITLE, int(width / _PIXELS_PER_LETTER)) // 2, 1)
    if len(text) > 2 * half:
        text = f"{text[:half]}…{text[-half:]}"
    usual = font_manager.FontProperties()
    families = list(usual.get_family())
    missing = set(map(ord, text)) - letters(font_manager.findfont(usual))
    for font in font_manager.fontManager.ttflist if missing else ():
        # matplotlib's own font of boxes, one for each script.
        found = set() if "Last Resort" in font.name else missing & letters(font.fname)
        if found:
            # A family is asked for by its name: what another of its faces has is not drawn.
            regular = font_manager.findfont(font_manager.FontProperties(family=font.name))
            found &= letters(regular)
        if found:
            families.append(font.name)
            missing -= found
        if not missing:
            break
    return "".join(_REPLACEMENT if ord(letter) in missing else letter for letter in text), families


def letters(path: str) -> set[int]:
    """Returns the characters of a font file; none if it cannot be read."""
    try:
        return set(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return set()
