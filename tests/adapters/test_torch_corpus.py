# SPDX-License-Identifier: BSD-3-Clause
"""A corpus as a dataset of torch and of Hugging Face: the same numbers, and nothing copied."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import soundfile
import torch

from corpora import SHARD_BYTES, contents, make_clips, mapped_file
from specfast import corpus
from specfast._corpus.formats.catalogue import FORMATS

FRONTS = {"rows first": "whisper", "frames first": "kaldi_fbank"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., corpus.Corpus]:
    """Opens the corpus of a format and a front end, which is computed once."""
    folder = tmp_path_factory.mktemp("corpora")
    paths = make_clips(folder / "clips", 9)

    def run(name: str = "safetensors", front: str = "whisper") -> corpus.Corpus:
        out = folder / f"{name}-{front}"
        if not out.exists():
            with ThreadPoolExecutor(1) as executor:
                corpus.run(paths, out, front, executor, format=name, shard_bytes=SHARD_BYTES)
        return corpus.open(out)

    return run


def resident(array: Any) -> int:
    """Returns how many kilobytes of the mapping that an address lies in are private to us."""
    address = array.__array_interface__["data"][0]
    inside = False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        begin, dash, end = line.split(" ")[0].partition("-")
        if dash:
            inside = int(begin, 16) <= address < int(end, 16)
        elif inside and line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    raise AssertionError("no such mapping")


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
@pytest.mark.parametrize("name", FORMATS)
def test_torch_has_the_same_numbers(opened: Any, name: str, front: str) -> None:
    clips = opened(name, front)
    dataset = corpus.torch_dataset(clips)
    assert isinstance(dataset, torch.utils.data.Dataset)
    assert len(dataset) == len(clips) == 9
    for item, entry in zip((dataset[i] for i in range(9)), clips, strict=True):
        assert item["id"] == entry.id
        assert item["seconds"] == entry.row.seconds
        np.testing.assert_array_equal(item["features"].numpy(), entry.values)
    with pytest.raises(IndexError):
        dataset[9]


def test_tensors_are_mapped_and_the_file_never_changes(opened: Any) -> None:
    clips = opened()
    before = contents(clips._out)
    features = corpus.torch_dataset(clips)[3]["features"]
    array = features.numpy()
    original = clips[3].values.copy()
    float(features.sum())
    assert resident(array) == 0
    features -= 5.0
    assert resident(array) > 0
    np.testing.assert_array_equal(array, original - np.float32(5))
    np.testing.assert_array_equal(clips[3].values, original)
    assert contents(clips._out) == before


def test_a_dataset_can_be_sent_to_workers(opened: Any) -> None:
    clips = opened()
    text = pickle.dumps(corpus.torch_dataset(clips))
    assert len(text) < 1000
    copy = pickle.loads(text)
    for item, entry in zip(torch.utils.data.DataLoader(copy, None), clips, strict=True):
        np.testing.assert_array_equal(item["features"].numpy(), entry.values)
    # A tensor that is sent somewhere takes its clip along, not its shard.
    features = copy[2]["features"]
    assert features.untyped_storage().nbytes() == features.nbytes


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
@pytest.mark.parametrize("name", FORMATS)
def test_hugging_face_has_the_same_numbers(opened: Any, name: str, front: str) -> None:
    clips = opened(name, front)
    dataset = corpus.hugging_face_dataset(clips)
    assert isinstance(dataset, datasets.Dataset)
    assert dataset["id"][:] == [entry.id for entry in clips]
    assert dataset["seconds"][:] == [entry.row.seconds for entry in clips]
    for item, entry in zip(dataset.with_format("numpy"), clips, strict=True):
        np.testing.assert_array_equal(item["features"], entry.values)
    item = dataset.with_format("torch")[4]
    assert torch.equal(item["features"], torch.from_numpy(clips[4].values.copy()))


def test_the_table_refers_to_the_files(opened: Any) -> None:
    clips = opened()
    dataset = corpus.hugging_face_dataset(clips)
    chunks = dataset.data.column("features").chunks
    entries = list(clips)
    assert 1 < len(chunks) < len(entries), "a chunk for each shard"
    address = chunks[0].flatten().values.buffers()[1].address
    assert mapped_file(address).endswith("shard-000000.safetensors")
    again = corpus.hugging_face_dataset(opened())
    assert again._fingerprint == dataset._fingerprint


def test_clips_of_several_channels_are_no_rows(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "two.wav", np.zeros((16000, 2)), 16000)
    with ThreadPoolExecutor(1) as executor:
        corpus.run(str(tmp_path / "two.wav"), tmp_path / "out", "whisper", executor)
    clips = corpus.open(tmp_path / "out")
    assert corpus.torch_dataset(clips)[0]["features"].ndim == 3
    with pytest.raises(ValueError, match="one channel.*with 2 channels"):
        corpus.hugging_face_dataset(clips)
