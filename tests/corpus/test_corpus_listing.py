# SPDX-License-Identifier: BSD-3-Clause
"""The checked list of a run: what is written is read again, and no id stands twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from specfast._corpus import duplicates
from specfast._corpus.item import Item
from specfast._corpus.listing import read_list, read_places, write_list

ITEMS = [
    Item("b", "/data/b.wav"),
    Item("a/1", '/data/a "1"\\.wav', 0.1, 1 / 3, 2),
    Item("hören", "/data/日本.wav", 2, 10),
]


def test_a_list_comes_back(tmp_path: Path) -> None:
    listing = write_list(iter(ITEMS), tmp_path)
    assert listing.path == tmp_path / "manifest.jsonl"
    assert listing.num_items == len(ITEMS)
    text = listing.path.read_bytes()
    assert listing.sha256 == hashlib.sha256(text).hexdigest()
    rows = [json.loads(line) for line in text.splitlines()]
    assert all(list(row) == sorted(row) for row in rows)
    assert rows[0] == {"id": "b", "path": "/data/b.wav"}
    assert list(read_list(listing.path)) == ITEMS
    assert list(read_list(listing.path, 1)) == ITEMS[1:]
    places = list(read_places(listing.path))
    assert [item for _, item in places] == ITEMS
    for number, (offset, item) in enumerate(places):
        assert next(read_list(listing.path, offset=offset)) == item
        assert list(read_list(listing.path, 1, offset=offset)) == ITEMS[number + 1 :]


def test_relative_paths_are_below_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listing = write_list([Item("a", "../x/a.wav")], tmp_path)
    assert next(read_list(listing.path)).path == f"{tmp_path}/../x/a.wav"


@pytest.mark.parametrize("chunk", [1 << 18, 64, 7])
def test_the_first_id_that_comes_twice_is_named_with_both_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(duplicates, "_CHUNK_KEYS", chunk)
    items = [Item(f"c{number}", f"/data/{number}.wav") for number in range(1000)]
    assert write_list(items, tmp_path).num_items == 1000
    before = (tmp_path / "manifest.jsonl").read_bytes()
    items[900] = Item("c3", "/data/x.wav")
    items[700] = Item("c600", "/data/y.wav", 2.5)
    message = (
        "`id` 'c600' stands for two clips: clip 601 of the list, '/data/600.wav', and clip 701 of "
        r"the list, '/data/y.wav' from 2.5 s on\."
    )
    with pytest.raises(ValueError, match=message):
        write_list(items, tmp_path)
    # The old list stands, and nothing else.
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.jsonl"]
    assert (tmp_path / "manifest.jsonl").read_bytes() == before


@pytest.mark.parametrize("chunk", [1 << 18, 16])
def test_equal_hashes_are_no_equal_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(duplicates, "_CHUNK_KEYS", chunk)
    monkeypatch.setattr(duplicates, "hash", lambda key: len(key) - 2, raising=False)
    items = [Item(f"c{number}", "/data/a.wav") for number in range(50)]
    assert write_list(items, tmp_path).num_items == 50
    with pytest.raises(ValueError, match="`id` 'c7' .*clip 8 .*clip 51"):
        write_list([*items, items[7]], tmp_path)


def test_a_broken_source_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> object:
        yield ITEMS[0]
        raise ValueError("line 2")

    with pytest.raises(ValueError, match="line 2"):
        write_list(broken(), tmp_path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
