# SPDX-License-Identifier: BSD-3-Clause
"""How a list is cut into shards: by a size that the user sets, or growing with the list."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest

from specfast._corpus import checksums
from specfast._corpus.item import Item
from specfast._corpus.listing import write_list
from specfast._corpus.running import _largest_first
from specfast._corpus.settings import Settings
from specfast._corpus.shards import MAX_GROWN_BYTES, Shard, cutting, read_plan
from specfast._spec import preset_specs

# Whisper's features of 30 s, and what `_CLIP_BYTES` adds.
CLIP_BYTES = 3000 * 80 * 4 + 1024


def plan(folder: Path, num_clips: int, shard_bytes: int | None) -> list[Shard]:
    items = [
        Item(f"clip{number}", "/data/a.wav", duration=30.0, channel=0)
        for number in range(num_clips)
    ]
    settings = Settings(preset_specs.spec("whisper"), shard_bytes=shard_bytes)
    with cutting(folder, settings) as cutter:
        write_list(items, folder, cutter.add)
    shards = list(read_plan(folder))
    assert cutter.num_shards == len(shards)
    assert cutter.sha256 == hashlib.sha256((folder / "plan.jsonl").read_bytes()).hexdigest()
    # Every clip is in one shard, in the order of the list.
    found = [item for shard in shards for item in shard.items(folder)]
    assert found == items
    return shards


@pytest.mark.parametrize("clips", [1, 7])
def test_shards_have_the_size_that_the_user_sets(tmp_path: Path, clips: int) -> None:
    shards = plan(tmp_path, 20, clips * CLIP_BYTES)
    assert [shard.num_clips for shard in shards] == [clips] * (20 // clips) + [20 % clips][
        : 20 % clips
    ]
    too_small = plan(tmp_path, 20, clips * CLIP_BYTES - 1)
    assert too_small[0].num_clips == max(clips - 1, 1)


def test_shards_grow_with_the_list(tmp_path: Path) -> None:
    sizes = [shard.num_clips * CLIP_BYTES for shard in plan(tmp_path, 800, None)]
    before = 0
    for size in sizes[:-1]:
        limit = min(max(before // 8, MAX_GROWN_BYTES // 8), MAX_GROWN_BYTES)
        assert limit - CLIP_BYTES < size <= limit
        before += size
    # The first half GiB has a shard for each of many workers, the rest those of full size.
    assert sizes[0] <= 1 << 22
    assert sum(size > MAX_GROWN_BYTES - CLIP_BYTES for size in sizes) > 8
    # The beginning of a longer list is cut alike.
    assert [shard.num_clips for shard in plan(tmp_path, 1600, None)][: len(sizes) - 1] == [
        size // CLIP_BYTES for size in sizes[:-1]
    ]


def test_large_shards_are_handed_out_first(tmp_path: Path) -> None:
    shards = plan(tmp_path, 800, None)
    order = list(_largest_first(iter(shards)))
    assert sorted(shard.number for shard in order) == list(range(len(shards)))
    sizes = [shard.num_clips for shard in order if shard is not shards[-1]]
    assert sizes == sorted(sizes, reverse=True)


def test_checksums_are_those_of_zlib() -> None:
    for data in (b"", b"123456789", bytes(range(256)) * 4096):
        assert checksums.crc32(data) == zlib.crc32(data)
        assert checksums.crc32(memoryview(data), 17) == zlib.crc32(data, 17)
    assert checksums.crc32(b"123456789") == 0xCBF43926  # the check value of CRC-32/ISO-HDLC
