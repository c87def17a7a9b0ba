# SPDX-License-Identifier: BSD-3-Clause
"""Clips of lhotse's manifests of recordings and cuts, without lhotse.

Read are recordings that are one file, and cuts of one channel of such a recording. All else, which
only lhotse itself can put together, is refused: a run of it goes through
`specfast.corpus.lhotse.SpecfastExtractor`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from specfast._corpus.item import Item, is_real
from specfast._spec import checks

__all__ = ["clip_of_lhotse", "is_of_lhotse"]

_CUTS = ("MonoCut", "MultiCut", "MixedCut", "PaddingCut", "DataCut", "Cut")


def is_of_lhotse(row: Mapping[str, Any]) -> bool:
    """Returns whether a row is a recording or a cut of lhotse's."""
    return "sources" in row or row.get("type") in _CUTS


def clip_of_lhotse(row: Mapping[str, Any]) -> Item:
    """Returns the clip of a recording or a cut.

    Raises:
        ValueError: It is something else; the message has the name and the id of what it is.
    """
    kind = row.get("type", "Recording")
    name = f"{kind} {checks.short(row.get('id'))}"
    if "sources" in row:
        path, _ = _file_of(row, name)
        return _item(row, name, path)
    if kind != "MonoCut":
        raise ValueError(f"{name} is not read: only recordings and MonoCuts are")
    recording = row.get("recording")
    if not isinstance(recording, Mapping):
        raise ValueError(f"{name} has no recording; its features alone are no sound")
    path, channels = _file_of(recording, f"the recording of {name}")
    channel = row.get("channel", 0)
    if channel not in channels:
        raise ValueError(
            f"{name} is of channel {checks.short(channel)}, and its recording has "
            f"{checks.short(channels)}"
        )
    return _item(
        row,
        name,
        path,
        _number(row, "start", name),
        _number(row, "duration", name),
        None if len(channels) == 1 else channels.index(channel),
    )


def _item(row: Mapping[str, Any], name: str, path: str, *clip: Any) -> Item:
    if "id" not in row:
        raise ValueError(f"{name} has no `id`")
    try:
        return Item(row["id"], path, *clip)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _file_of(recording: Mapping[str, Any], name: str) -> tuple[str, list[int]]:
    """Returns the one file of a recording, and the channels in it."""
    if recording.get("transforms"):
        raise ValueError(f"{name} has transforms, which only lhotse applies")
    sources = recording.get("sources", [])
    if not isinstance(sources, list) or len(sources) != 1 or not isinstance(sources[0], dict):
        count = len(sources) if isinstance(sources, list) else checks.short(sources)
        raise ValueError(f"{name} has {count} sources: only recordings of one file are read")
    kind, path, channels = (sources[0].get(key) for key in ("type", "source", "channels"))
    if kind != "file":
        raise ValueError(f"{name} has a source of type {checks.short(kind)}: only files are read")
    if not isinstance(path, str) or not path or not isinstance(channels, list) or not channels:
        raise ValueError(f"{name} has a source without a file or channels")
    return os.path.join(os.getcwd(), path), channels  # noqa: PTH109, PTH118


def _number(row: Mapping[str, Any], field: str, name: str) -> float:
    value = row.get(field)
    if not is_real(value):
        raise ValueError(f"{name} must have `{field}`, a number. {checks.received(field, value)}")
    return float(value)
