# SPDX-License-Identifier: BSD-3-Clause
"""The results of a run as a sequence, and their check."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import safetensors.numpy

from corpora import SHARD_BYTES, contents
from specfast import corpus, presets


@pytest.fixture
def out(reference: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(reference.out, tmp_path / "out"))


def test_a_corpus_is_a_sequence(reference: Any) -> None:
    opened = corpus.open(reference.out)
    entries = list(opened)
    assert len(entries) == len(opened) == 12
    assert [entry.id for entry in opened[2:9:3]] == [entries[i].id for i in (2, 5, 8)]
    assert opened[-1].id == entries[11].id
    assert opened[np.int64(3)].id == entries[3].id
    assert [entry.row.path for entry in entries] == reference.paths
    assert entries[4].row.seconds == (8000 + 4 * 700) / 16000
    assert opened.spec == presets.spec("whisper")
    assert opened.fingerprint == opened.spec.fingerprint() == entries[0].row.fingerprint
    for index in (12, -13):
        with pytest.raises(IndexError, match="12 clips"):
            opened[index]


def test_a_clip_is_found_by_its_id(reference: Any) -> None:
    opened = corpus.open(str(reference.out))
    for entry in opened:
        assert opened.by_id(entry.id).row == entry.row
    with pytest.raises(KeyError, match="no clip has the id 'nobody'"):
        opened.by_id("nobody")


def test_frames_are_read_from_the_map_and_cannot_be_written(reference: Any) -> None:
    opened = corpus.open(reference.out)
    values = opened[5].values
    assert np.shares_memory(values, opened[5].values)
    assert not values.flags.writeable
    assert np.array_equal(values[:, 10:13], np.array(values)[:, 10:13])
    # Views keep their file mapped, and no descriptor open: any number can be held.
    held = [entry.values for entry in corpus.open(reference.out)]
    gc.collect()
    descriptors = [os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()]
    assert not [path for path in descriptors if path.startswith(str(reference.out))]
    del opened
    assert np.array_equal(held[5], values)


def test_a_corpus_can_be_pickled(reference: Any) -> None:
    opened = pickle.loads(pickle.dumps(corpus.open(reference.out)))
    assert len(opened) == 12


def test_other_programs_read_shards_and_indexes(reference: Any) -> None:
    entries = iter(corpus.open(reference.out))
    for path in sorted((reference.out / "shards").glob("*.safetensors")):
        rows = pyarrow.parquet.read_table(path.with_suffix(".parquet")).to_pylist()
        tensors = safetensors.numpy.load_file(path)
        assert list(tensors) and sorted(tensors) == sorted(row["id"] for row in rows)  # noqa: PT018
        for row in rows:
            entry = next(entries)
            assert row["id"] == entry.id
            assert np.array_equal(tensors[row["id"]], entry.values)
    assert next(entries, None) is None


def test_what_is_no_run_or_not_complete_is_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(corpus.CorpusError, match=r"no run\.json"):
        corpus.open(tmp_path)
    with pytest.raises(corpus.CorpusError, match=r"no run\.json"):
        corpus.verify(tmp_path)
    with pytest.raises(TypeError, match="`out`"):
        corpus.open(7)  # type: ignore[arg-type]
    (out / "shards" / "shard-000001.json").unlink()
    with pytest.raises(corpus.CorpusError, match="is not complete: 3 of 4"):
        corpus.open(out)
    partial = corpus.open(out, partial=True)
    assert 0 < len(partial) < 12
    assert len(pickle.loads(pickle.dumps(partial))) == len(partial) == len(list(partial))
    (out / "run.json").write_text("{}")
    with pytest.raises(corpus.CorpusError, match=r"run\.json"):
        corpus.open(out)


def test_verify_finds_every_byte_that_changed(out: Path) -> None:
    calls: list[tuple[int, int]] = []
    found = corpus.verify(out, progress=lambda *call: calls.append(call))
    assert (found.num_shards, found.num_clips, found.num_failed) == (4, 12, 0)
    assert found.problems == ()
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    chance = np.random.default_rng(1)
    shards = [name for name in contents(out) if name.endswith((".safetensors", ".parquet"))]
    for name in [*shards, "manifest.jsonl", "plan.jsonl"]:
        path = out / name
        content = path.read_bytes()
        for place in (0, len(content) - 1, *chance.integers(0, len(content), 3)):
            changed = bytearray(content)
            changed[place] ^= 1 << int(chance.integers(8))
            path.write_bytes(changed)
            problems = corpus.verify(out).problems
            assert len(problems) == 1, (name, place, problems)
            assert Path(name).name in problems[0]
        path.write_bytes(content[:-1])
        assert len(corpus.verify(out).problems) == 1
        path.write_bytes(content)
    assert corpus.verify(out).problems == ()


def test_verify_finds_what_is_missing(out: Path) -> None:
    (out / "shards" / "shard-000002.parquet").unlink()
    (out / "shards" / "shard-000000.json").unlink()
    first, second = corpus.verify(out).problems
    assert "shard-000000 is not done" in first
    assert "shard-000002 is damaged" in second


def test_clips_that_fail_are_left_out(reference: Any, tmp_path: Path) -> None:
    paths = [*reference.paths]
    paths[1] = str(tmp_path / "missing.wav")
    clips = [corpus.Item(f"c{n}", path) for n, path in enumerate(paths)]
    with ThreadPoolExecutor(1) as executor:
        corpus.run(clips, tmp_path / "out", "whisper", executor, shard_bytes=SHARD_BYTES)
    opened = corpus.open(tmp_path / "out")
    assert [entry.id for entry in opened] == [f"c{n}" for n in range(12) if n != 1]
    assert opened[1].id == opened.by_id("c2").id
    with pytest.raises(KeyError, match="c1"):
        opened.by_id("c1")
    assert corpus.verify(tmp_path / "out").num_failed == 1
