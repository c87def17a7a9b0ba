# SPDX-License-Identifier: BSD-3-Clause
"""What a clip is called that nobody gave an id."""

from __future__ import annotations

import os

__all__ = ["default_id"]


def default_id(path: str, folder: str, start: float = 0.0, channel: int | None = None) -> str:
    """Returns the path below a folder without its suffix; what else makes out the clip follows.

    "talks/a.wav" becomes "talks/a", the part from 2.5 s on "talks/a@2.5", and its channel 1
    "talks/a@2.5#1". A file elsewhere keeps its whole path, without the slash at the start.

    Args:
        path: The file, an absolute path.
        folder: The folder that the user named, an absolute path.
        start: Where the clip begins, in seconds.
        channel: Its channel, if it is one of several.
    """
    if "/." in path or "//" in path:
        path = os.path.normpath(path)
        folder = os.path.normpath(folder)
    begin = folder if folder.endswith("/") else folder + "/"
    inside = path[len(begin) :] if path.startswith(begin) else path.lstrip("/")
    name = os.path.splitext(inside)[0]  # noqa: PTH122, a Path for each clip takes 10 times as long
    if start:
        name += f"@{float(start)!r}".removesuffix(".0")
    if channel is not None:
        name += f"#{channel}"
    return name
