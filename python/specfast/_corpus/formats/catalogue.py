# SPDX-License-Identifier: BSD-3-Clause
"""The list of the formats, by the name that users give."""

from __future__ import annotations

from specfast._corpus.formats.interface import Format
from specfast._corpus.formats.npy import Npy
from specfast._corpus.formats.safetensors import Safetensors
from specfast._corpus.formats.webdataset import WebDataset
from specfast._corpus.formats.zarr import Zarr
from specfast._spec import checks

__all__ = ["FORMATS", "format_of"]

_ALL: tuple[Format, ...] = (Safetensors(), Npy(), WebDataset(), Zarr())
FORMATS = {each.name: each for each in _ALL}


def format_of(name: str) -> Format:
    """Returns the format of a name.

    Raises:
        TypeError, ValueError: There is none.
    """
    return FORMATS[checks.choice("format", name, tuple(FORMATS))]
