# SPDX-License-Identifier: BSD-3-Clause
"""The checked list of a run: every clip in its order, a line of JSON each, no id twice.

The list may be longer than memory: it is written and read as a stream, and equal ids are found by
hashes that lie in files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import BinaryIO

from specfast._corpus.atomic import write_whole
from specfast._corpus.duplicates import PlacesOfKeys
from specfast._corpus.item import Item

__all__ = ["LIST_NAME", "Listing", "read_list", "read_places", "write_list"]

LIST_NAME = "manifest.jsonl"
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Listing:
    """A list that was written.

    Attributes:
        path: The file.
        num_items: How many lines it has.
        sha256: Of its bytes, in hexadecimal digits.
    """

    path: Path
    num_items: int
    sha256: str


def write_list(
    items: Iterable[Item],
    folder: str | os.PathLike[str],
    each: Callable[[int, Item], object] | None = None,
) -> Listing:
    """Writes `manifest.jsonl` into a folder, whole or not at all.

    Args:
        items: The clips, read once.
        folder: The folder, which exists. A list that is there is replaced.
        each: Is called with every clip after the byte at which its line begins.

    Raises:
        ValueError: Two clips have the same id; the message has both places.
        OSError: The folder cannot be written.
    """
    target = Path(folder) / LIST_NAME
    places = PlacesOfKeys(folder)
    digest = hashlib.sha256()
    num_items = 0

    def write(stream: BinaryIO) -> None:
        nonlocal num_items
        offset = 0
        for item in items:
            line = _line_of(item)
            places.add(item.id, offset)
            if each is not None:
                each(offset, item)
            stream.write(line)
            digest.update(line)
            offset += len(line)
            num_items += 1
        stream.flush()
        _check_ids(Path(stream.name), places)

    try:
        write_whole(target, write)
    finally:
        places.close()
    return Listing(target, num_items, digest.hexdigest())


def _check_ids(path: Path, places: PlacesOfKeys) -> None:
    """Refuses a list with an id that comes twice, the first of them in its order.

    Raises:
        ValueError: There is one.
    """
    firsts = (_first_equal(path, groups) for groups in places.groups())
    found = [pair for pair in firsts if pair is not None]
    if not found:
        return
    offset, other = min(found, key=lambda pair: pair[1])
    first, second = _item_at(path, offset), _item_at(path, other)
    raise ValueError(
        f"`id` {first.id!r} stands for two clips: {_described(first, path, offset)}, and "
        f"{_described(second, path, other)}. Ids must be unique; a manifest can give them"
    )


def _first_equal(path: Path, groups: Iterator[list[int]]) -> tuple[int, int] | None:
    """Returns the places of the first two clips whose ids are equal, not their hashes only."""
    for group in groups:
        seen: dict[str, int] = {}
        for offset in group:
            earlier = seen.setdefault(_item_at(path, offset).id, offset)
            if earlier != offset:
                return earlier, offset
    return None


def _item_at(path: Path, offset: int) -> Item:
    return next(read_list(path, offset=offset))


def _described(item: Item, path: Path, offset: int) -> str:
    with path.open("rb") as stream:
        number = 1
        while offset > 0:
            block = stream.read(min(offset, _BLOCK_BYTES))
            number += block.count(b"\n")
            offset -= len(block)
    start = f" from {item.start:g} s on" if item.start else ""
    return f"clip {number} of the list, {item.path!r}{start}"


def _line_of(item: Item) -> bytes:
    """Returns a clip as a line of JSON: keys sorted, absolute path, defaults left out."""
    path = item.path
    if not path.startswith("/"):
        path = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118
    channel = "" if item.channel is None else f'"channel": {item.channel}, '
    duration = "" if item.duration is None else f'"duration": {float(item.duration)!r}, '
    start = "" if item.start == 0 else f', "start": {float(item.start)!r}'
    return (
        f'{{{channel}{duration}"id": {encode_basestring_ascii(item.id)}, '
        f'"path": {encode_basestring_ascii(path)}{start}}}\n'
    ).encode("ascii")


def read_list(path: str | os.PathLike[str], begin: int = 0, *, offset: int = 0) -> Iterator[Item]:
    """Yields the clips of a list.

    Args:
        path: The file.
        begin: How many clips to pass over, from `offset` on.
        offset: Where the first line begins, in bytes, as `read_places` tells it.
    """
    return (item for _, item in islice(read_places(path, offset=offset), begin, None))


def read_places(path: str | os.PathLike[str], *, offset: int = 0) -> Iterator[tuple[int, Item]]:
    """Yields each clip of a list after the byte at which its line begins."""
    with Path(path).open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            yield offset, Item(**json.loads(line))
            offset += len(line)
