# SPDX-License-Identifier: BSD-3-Clause
"""Formats of shards: what is written is read again, by others too, and is the same on any day."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import signals
from corpora import SHARD_BYTES, mapped_file
from specfast import FeatureExtractor, corpus, presets
from specfast._corpus.formats.catalogue import FORMATS, format_of
from specfast._corpus.formats.interface import Clip
from specfast._corpus.item import Item
from specfast.audio import read_audio

METADATA = {"fingerprint": "17", "specfast": "0"}
IDS = ["b", "a/1.x", "a/1.y", "a.npy", "a.npy/b", "a.npy_/b", "50%", "50%25.", ".c", "hö/日"]


def clips(frames_first: bool = True, dtype: str = "float32", rows: int = 80) -> list[Clip]:
    made = []
    for number, name in enumerate(IDS):
        frames = 7 if number % 3 else 4000 * (number // 3) + rows
        shape = (frames, rows) if frames_first else (rows, frames)
        values = signals.noise(*(() if number % 4 else (2,)), *shape, seed=number, dtype=dtype)
        item = Item(name, f"/data/{name}.wav")
        made.append(Clip(item, values, frames, frames / 100, 16000, frames_first))
    return made


def written(name: str, target: Path, *arguments: Any) -> tuple[list[Clip], list[int]]:
    shard = clips(*arguments)
    return shard, FORMATS[name].write(target, iter(shard), [clip.item for clip in shard], METADATA)


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


@pytest.mark.parametrize(
    "arguments", [(True,), (False,), (True, "float64", 1), (False, "float16")]
)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read(tmp_path: Path, name: str, arguments: tuple[Any, ...]) -> None:
    target = tmp_path / f"shard{FORMATS[name].suffix}"
    shard, places = written(name, target, *arguments)
    store = FORMATS[name].open(target)
    for clip, place in zip(shard, places, strict=True):
        values = store.read(clip.item.id, place, clip.values.shape, clip.values.dtype)
        assert values.dtype == clip.values.dtype
        np.testing.assert_array_equal(values, clip.values)
        assert not values.flags.writeable
        address = values.__array_interface__["data"][0]
        assert mapped_file(address) == str(store.file(clip.item.id))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_clips_give_the_same_bytes(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(name, tmp_path / "a")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setenv("USER", "somebody")
    (tmp_path / "elsewhere").mkdir()
    written(name, tmp_path / "elsewhere" / "b")
    assert content(tmp_path / "a") == content(tmp_path / "elsewhere" / "b")


@pytest.mark.parametrize("name", FORMATS)
def test_a_shard_may_be_empty_and_is_never_replaced(tmp_path: Path, name: str) -> None:
    target = tmp_path / "shard"
    assert FORMATS[name].write(target, [], [], METADATA) == []
    with pytest.raises(FileExistsError):
        FORMATS[name].write(target, [], [], METADATA)


def test_npy_files_have_the_names_of_clips(tmp_path: Path) -> None:
    shard, _ = written("npy", tmp_path / "x")
    names = {clip.item.id: f"{clip.item.id}.npy" for clip in shard}
    # What would be a file and a folder at once.
    names |= {"a.npy/b": "a.npy_/b.npy", "a.npy_/b": "a.npy__/b.npy"}
    for clip in shard:
        values = np.load(tmp_path / "x" / names[clip.item.id], allow_pickle=False)
        np.testing.assert_array_equal(values, clip.values)
    assert len(content(tmp_path / "x")) == len(shard)


def test_tar_files_say_nothing_of_the_machine(tmp_path: Path) -> None:
    shard, _ = written("webdataset", tmp_path / "x.tar")
    with tarfile.open(tmp_path / "x.tar") as archive:
        members = archive.getmembers()
        texts = [archive.extractfile(member).read() for member in members]  # type: ignore[union-attr]
    for member in members:
        assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
        assert (member.uname, member.gname, member.mode) == ("", "", 0o644)
    # As WebDataset makes samples: by what precedes the first full stop of the last part.
    keys = [
        member.name[: member.name.index(".", member.name.rfind("/") + 1)] for member in members
    ]
    assert len(set(keys)) == len(shard)
    for number, clip in enumerate(shard):
        assert keys[2 * number] == keys[2 * number + 1]
        assert [member.name.rpartition(".")[2] for member in members[2 * number :][:2]] == [
            "json",
            "npy",
        ]
        facts = json.loads(texts[2 * number])
        assert facts["id"] == clip.item.id
        assert facts["frames"] == clip.frames
        values = np.load(io.BytesIO(texts[2 * number + 1]), allow_pickle=False)
        np.testing.assert_array_equal(values, clip.values)


@pytest.mark.parametrize("frames_first", [True, False])
def test_the_library_of_zarr_reads_ours(tmp_path: Path, frames_first: bool) -> None:
    zarr = pytest.importorskip("zarr", minversion="3.0")
    shard, places = written("zarr", tmp_path / "x.zarr", frames_first)
    array = zarr.open_array(tmp_path / "x.zarr", mode="r")
    assert array.metadata.dimension_names == (
        ("frames", "rows") if frames_first else ("rows", "frames")
    )
    whole = array[:] if frames_first else array[:].T
    assert len(whole) > 2 * array.chunks[0 if frames_first else 1], "of some chunks"
    for clip, place in zip(shard, places, strict=True):
        facts = array.attrs["clips"][clip.item.id]
        place //= 4 * 80
        assert facts["begin"] == place
        assert facts["seconds"] == clip.seconds
        frames = whole[place : place + facts["channels"] * facts["frames"]]
        values = clip.values if frames_first else clip.values.swapaxes(-1, -2)
        np.testing.assert_array_equal(frames, values.reshape(-1, 80))
    assert zarr.open_array(_empty(tmp_path), mode="r").shape == (0, 1)


def _empty(folder: Path) -> Path:
    FORMATS["zarr"].write(folder / "empty.zarr", [], [], METADATA)
    return folder / "empty.zarr"


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="`format` .*safetensors.*npy.*webdataset.*zarr"):
        format_of("hdf5")


@pytest.mark.parametrize("front", ["whisper", "kaldi_fbank"], ids=["rows first", "frames first"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_run_in_any_format_has_the_same_features(
    tmp_path: Path, reference: Any, name: str, front: str
) -> None:
    arguments: dict[str, Any] = {"format": name, "shard_bytes": SHARD_BYTES}
    with ThreadPoolExecutor(1) as executor:
        summary = corpus.run(reference.paths, tmp_path / "out", front, executor, **arguments)
        again = corpus.run(reference.paths, tmp_path / "out", front, executor, **arguments)
    assert summary.num_failed == 0
    assert again.num_kept == summary.num_shards > 1
    assert not corpus.verify(tmp_path / "out").problems
    extractor = FeatureExtractor(presets.spec(front))
    clips = corpus.open(tmp_path / "out")
    assert len(clips) == len(reference.paths)
    for path, entry in zip(reference.paths, clips, strict=True):
        expected = extractor(read_audio(path, mono=True)[0])
        np.testing.assert_array_equal(entry.values, expected)
        np.testing.assert_array_equal(clips.by_id(entry.id).values[..., 3:9], expected[..., 3:9])
    # A bit that changes is found.
    file = clips[5].file
    content = bytearray(file.read_bytes())
    content[clips[5].row.offset + 3] ^= 1
    file.write_bytes(content)
    assert corpus.verify(tmp_path / "out").problems
