# SPDX-License-Identifier: BSD-3-Clause
"""SpecfastExtractor inside lhotse itself: cuts, executors, Dask, storage, its own fbank."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import distributed
import lhotse
import numpy as np
import pytest
import torch
from lhotse import CutSet, Fbank, Recording
from lhotse.features.base import FeatureExtractor as LhotseExtractor
from lhotse.features.io import NumpyFilesWriter

from signals import SPEECH, noise
from specfast import FeatureExtractor, presets
from specfast._corpus.sources import find_items
from specfast.audio import read_audio
from specfast.corpus.lhotse import SpecfastConfig, SpecfastExtractor

RATE = 16000


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> CutSet:
    """Twelve cuts of three recordings, of many lengths."""
    folder = tmp_path_factory.mktemp("recordings")
    recordings = []
    for name in ("a", "b", "c"):
        shutil.copy(SPEECH, folder / f"{name}.wav")
        recordings.append(Recording.from_file(folder / f"{name}.wav"))
    whole = CutSet.from_manifests(recordings=lhotse.RecordingSet.from_recordings(recordings))
    return CutSet.from_cuts(
        cut.truncate(offset=start / 10, duration=0.4 + start / 7).with_id(f"{cut.id}-{start}")
        for cut in whole
        for start in range(4)
    ).to_eager()


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def check_features(done: CutSet, cuts: CutSet, extractor: SpecfastExtractor) -> None:
    assert sorted(cut.id for cut in done) == sorted(cut.id for cut in cuts)
    for cut in done:
        stored = cut.load_features()
        expected = extractor.extract(cut.load_audio(), RATE)
        np.testing.assert_array_equal(stored, expected)
        assert cut.features.type == "specfast"
        assert cut.num_features == extractor.feature_dim(RATE) == expected.shape[1]
        assert cut.num_frames == len(expected)


# ---- In lhotse's own pipelines -----------------------------------------------------------------


@pytest.mark.parametrize("front", [None, "whisper", "nemo"])
def test_features_are_computed_and_stored(cuts: CutSet, tmp_path: Path, front: Any) -> None:
    extractor = SpecfastExtractor(SpecfastConfig(front))
    done = cuts.compute_and_store_features(
        extractor, tmp_path / "x", storage_type=NumpyFilesWriter, progress_bar=False
    )
    check_features(done, cuts, extractor)


@pytest.mark.parametrize("kind", ["client of Dask", "executor"])
def test_other_processes_compute_the_same(
    cuts: CutSet, tmp_path: Path, client: Any, kind: str
) -> None:
    extractor = SpecfastExtractor()
    executor = client if kind == "client of Dask" else client.get_executor()
    assert (kind == "executor") == isinstance(executor, Executor)
    done = cuts.compute_and_store_features(
        extractor, tmp_path / "x", num_jobs=3, executor=executor, storage_type=NumpyFilesWriter
    )
    check_features(done, cuts, extractor)


@pytest.mark.parametrize("collate", [False, True])
def test_batches_are_computed_and_stored(cuts: CutSet, tmp_path: Path, collate: bool) -> None:
    extractor = SpecfastExtractor()
    done = cuts.compute_and_store_features_batch(
        extractor,
        tmp_path / "x",
        batch_duration=4.0,
        num_workers=0,
        collate=collate,
        storage_type=NumpyFilesWriter,
    )
    check_features(done, cuts, extractor)


def test_the_default_is_what_lhotse_computes(cuts: CutSet) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lhotse, about tensors in functions of NumPy
        ours, theirs = SpecfastExtractor(), Fbank()
    assert ours.frame_shift == theirs.frame_shift
    assert ours.feature_dim(RATE) == theirs.feature_dim(RATE)
    for cut in cuts:
        samples = cut.load_audio()
        expected = theirs.extract(samples, RATE)
        np.testing.assert_allclose(ours.extract(samples, RATE), expected, rtol=0, atol=1e-3)


def test_it_is_registered_and_survives_yaml(tmp_path: Path) -> None:
    extractor = SpecfastExtractor(SpecfastConfig(presets.spec("whisper"), 2, 3))
    extractor.to_yaml(tmp_path / "x.yaml")
    again = LhotseExtractor.from_yaml(tmp_path / "x.yaml")
    assert type(again) is SpecfastExtractor
    assert again.config == extractor.config
    assert json.loads(json.dumps(again.to_dict()))["feature_type"] == "specfast"
    assert lhotse.create_default_feature_extractor("specfast").config == SpecfastConfig()
    copy = pickle.loads(pickle.dumps(extractor))
    samples = noise(8000)
    np.testing.assert_array_equal(copy.extract(samples, RATE), again.extract(samples, RATE))


# ---- Frames ------------------------------------------------------------------------------------


@pytest.mark.parametrize("front", [None, "whisper", "nemo", "librosa_mel_db", "kaldi_fbank"])
def test_there_are_as_many_frames_as_lhotse_expects(front: Any) -> None:
    extractor = SpecfastExtractor(SpecfastConfig(front, max_frame_difference=2))
    spec = FeatureExtractor(presets.spec(front or "kaldi_fbank")).spec
    rate, hop = int(spec.sampling_rate), spec.hop_length
    plain = FeatureExtractor(spec)
    for num_samples in range(20 * hop, 22 * hop, 7):
        samples = noise(1, num_samples)
        values = extractor.extract(samples, rate)
        assert len(values) == (num_samples + hop // 2) // hop
        if front is not None:
            whole = plain(samples[0])
            whole = whole if spec.layout == "frames_first" else whole.T
            count = min(len(whole), len(values))
            np.testing.assert_array_equal(values[:count], whole[:count])
            np.testing.assert_array_equal(
                values[count:], whole[-1:].repeat(len(values) - count, 0)
            )


def test_a_greater_difference_is_refused() -> None:
    extractor = SpecfastExtractor(SpecfastConfig("kaldi_fbank"))
    with pytest.raises(ValueError, match="expects 100 frames of 16000 samples.*makes 98.*'valid'"):
        extractor.extract(noise(16000), RATE)
    with pytest.raises(ValueError, match="the front end makes 0"):
        extractor.extract(noise(80), RATE)


# ---- Batches -----------------------------------------------------------------------------------


def test_a_batch_is_what_its_clips_are_alone() -> None:
    extractor = SpecfastExtractor(SpecfastConfig("whisper", num_threads=2))
    clips = [noise(size, seed=size) for size in (9000, 16000, 12345)]
    alone = [extractor.extract(clip, RATE) for clip in clips]
    found = extractor.extract_batch(clips, RATE)
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip) for clip in clips], True)
    by_length = extractor.extract_batch(padded, RATE, torch.tensor([len(clip) for clip in clips]))
    assert isinstance(found, list)
    for one, of_list, of_tensor in zip(alone, found, by_length, strict=True):
        np.testing.assert_array_equal(of_list, one)
        assert isinstance(of_tensor, torch.Tensor)
        np.testing.assert_array_equal(of_tensor.numpy(), one)
    same = extractor.extract_batch(np.stack([clips[0]] * 3), RATE)
    np.testing.assert_array_equal(same, np.stack([alone[0]] * 3))
    np.testing.assert_array_equal(extractor.extract_batch(clips[0], RATE), alone[0])
    assert [len(each) for each in extractor.extract_batch([clips[0]], RATE)] == [len(alone[0])]
    assert isinstance(extractor.extract(torch.from_numpy(clips[0]), RATE), torch.Tensor)


# ---- Refusals ----------------------------------------------------------------------------------


def test_what_lhotse_cannot_take_is_refused() -> None:
    extractor = SpecfastExtractor()
    with pytest.raises(ValueError, match="`sampling_rate` must be 16000 Hz.*sampling_rate=8000"):
        extractor.extract(noise(8000), 8000)
    with pytest.raises(ValueError, match="`sampling_rate`"):
        extractor.extract_batch([noise(8000)], 8000)
    with pytest.raises(ValueError, match=r"of one channel.*\(2, 8000\)"):
        extractor.extract(noise(2, 8000), RATE)
    spec = presets.spec("whisper").replace(num_samples=480000)
    with pytest.raises(ValueError, match="`num_samples` cuts and pads.*num_samples=480000"):
        SpecfastExtractor(SpecfastConfig(spec))
    for values, message in [
        ({"front": "wisper"}, "Did you mean 'whisper'"),
        ({"num_threads": 0}, "`num_threads`"),
        ({"max_frame_difference": -1}, "`max_frame_difference`"),
    ]:
        with pytest.raises(ValueError, match=message):
            SpecfastConfig(**values)
    with pytest.raises(ValueError, match="mix"):
        extractor.mix(np.zeros((2, 80)), np.zeros((2, 80)), 1.0)


def test_nothing_else_imports_lhotse() -> None:
    code = "import sys, specfast.corpus; assert 'lhotse' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# ---- Manifests that lhotse writes are sources --------------------------------------------------


def test_manifests_of_lhotse_are_sources(cuts: CutSet, tmp_path: Path) -> None:
    cuts.to_file(tmp_path / "cuts.jsonl.gz")
    items = {item.id: item for item in find_items([str(tmp_path / "cuts.jsonl.gz")])}
    assert list(items) == [cut.id for cut in cuts]
    for cut in cuts:
        item = items[cut.id]
        assert (item.start, item.duration, item.channel) == (cut.start, cut.duration, None)
        samples, rate = read_audio(item.path, mono=True)
        first = round(item.start * rate)
        expected = cut.load_audio()[0]
        np.testing.assert_array_equal(samples[first : first + len(expected)], expected)
    recordings = lhotse.RecordingSet.from_recordings(cut.recording for cut in cuts)
    recordings.to_file(tmp_path / "recordings.jsonl")
    found = list(find_items([str(tmp_path / "recordings.jsonl")]))
    assert [item.id for item in found] == [recording.id for recording in recordings]
    mixed = CutSet.from_cuts([cuts[0].pad(duration=9.0)])
    mixed.to_file(tmp_path / "mixed.jsonl")
    with pytest.raises(ValueError, match=f"line 1: MixedCut '{mixed[0].id}' is not read"):
        list(find_items([str(tmp_path / "mixed.jsonl")]))
    cuts.resample(8000).to_file(tmp_path / "resampled.jsonl")
    with pytest.raises(ValueError, match="transforms, which only lhotse applies"):
        list(find_items([str(tmp_path / "resampled.jsonl")]))
