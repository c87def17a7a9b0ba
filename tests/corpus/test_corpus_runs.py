# SPDX-License-Identifier: BSD-3-Clause
"""Runs on threads: what they compute, what fails for a clip, what they refuse as a whole."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from cli_runner import run as run_command
from corpora import RATE, SHARD_BYTES, differences, failures, make_clips, noise
from specfast import (
    FeatureExtractor,
    FeatureSpec,
    MelSpectrogram,
    STFTSpectrogram,
    corpus,
    presets,
)
from specfast._corpus.clusters import import_distributed
from specfast._corpus.settings import read_run
from specfast.audio import read_audio


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(3) as executor:
        yield executor


def run(paths: Any, out: Path, client: Executor, front: Any = "whisper", **others: Any) -> Any:
    return corpus.run(paths, out, front, client, **{"shard_bytes": SHARD_BYTES, **others})


# ---- What is computed --------------------------------------------------------------------------


def test_a_clip_has_the_bits_of_the_command_mel(reference: Any, tmp_path: Path) -> None:
    opened = corpus.open(reference.out)
    assert len(opened) == len(reference.paths)
    for path, entry in zip(reference.paths, opened, strict=True):
        target = tmp_path / f"{Path(path).stem}.npy"
        run_command("mel", path, "-o", target, "--front", "whisper")
        wanted = np.load(target)
        assert entry.values.dtype == wanted.dtype
        assert np.array_equal(entry.values, wanted)


@pytest.mark.parametrize(
    "front",
    [
        MelSpectrogram(num_mel_bins=40, top_db=30.0),
        MelSpectrogram(sequence_stride=80, dtype="float64"),
        FeatureSpec(layout="frames_first", level="ln", padding="valid", num_mel_bins=20),
        presets.get("kaldi_fbank"),
    ],
    ids=["keras", "float64", "frames first", "preset"],
)
def test_fronts_of_all_kinds(front: Any, threads: Executor, tmp_path: Path) -> None:
    paths = make_clips(tmp_path, 3)
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, noise(9000, 1, 2), RATE)
    run([*paths, str(stereo)], tmp_path / "out", threads, front)
    compute = FeatureExtractor(front) if isinstance(front, FeatureSpec) else front
    for path, entry in zip([*paths, stereo], corpus.open(tmp_path / "out"), strict=True):
        samples, _ = read_audio(path)
        wanted = compute(samples[:, 0] if samples.shape[1] == 1 else samples.T)
        assert np.array_equal(entry.values, wanted)
        assert entry.shape == wanted.shape
        assert entry.row.channels == samples.shape[1]


def test_parts_and_channels_of_a_file(threads: Executor, tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, noise(40000, 3, 2), RATE)
    samples, _ = read_audio(path)
    items = [
        corpus.Item("left", str(path), start=0.5, duration=1.0, channel=0),
        corpus.Item("both", str(path), start=1.0),
        corpus.Item("right", str(path), duration=0.25, channel=1),
        corpus.Item("rounded", str(path), start=2.0, duration=0.500_06),
        corpus.Item("beyond", str(path), start=2.0, duration=0.51),
    ]
    run(items, tmp_path / "out", threads)
    opened = corpus.open(tmp_path / "out")
    whisper = presets.get("whisper")
    assert np.array_equal(opened.by_id("left").values, whisper(samples[8000:24000, 0]))
    assert np.array_equal(opened.by_id("both").values, whisper(samples[16000:].T))
    assert np.array_equal(opened.by_id("right").values, whisper(samples[:4000, 1]))
    assert np.array_equal(opened.by_id("rounded").values, whisper(samples[32000:].T))
    assert "2.5 s, and the clip is from 2 s to 2.51 s" in failures(tmp_path / "out")["beyond"]
    assert opened.by_id("left").row.seconds == 1.0


@pytest.mark.parametrize("others", [{"mono": True}, {"channel": 1}], ids=["mono", "channel"])
def test_mono_and_channel(others: Any, threads: Executor, tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, noise(9000, 1, 2), RATE)
    run([str(path)], tmp_path / "out", threads, **others)
    samples, _ = read_audio(path, **others)
    (entry,) = corpus.open(tmp_path / "out")
    assert np.array_equal(entry.values, presets.get("whisper")(samples))


def test_resampling_is_that_of_soxr_and_only_by_request(threads: Executor, tmp_path: Path) -> None:
    path = tmp_path / "high.wav"
    soundfile.write(path, noise(22050, 1), 44100)
    run([str(path)], tmp_path / "without", threads)
    (reason,) = failures(tmp_path / "without").values()
    assert "44100 Hz" in reason
    assert "16000 Hz" in reason
    run([str(path)], tmp_path / "out", threads, resample=True)
    samples, _ = read_audio(path)
    (entry,) = corpus.open(tmp_path / "out")
    wanted = presets.get("whisper")(
        np.ascontiguousarray(soxr.resample(samples, 44100, 16000).T[0])
    )
    assert np.array_equal(entry.values, wanted)
    assert (entry.row.rate, entry.row.seconds) == (44100, 0.5)


# ---- Clips that fail ---------------------------------------------------------------------------


def test_what_fails_for_a_clip_is_a_line(threads: Executor, tmp_path: Path) -> None:
    paths = make_clips(tmp_path, 4)
    sound = Path(paths[1]).read_bytes()
    (tmp_path / "cut.flac").write_bytes(sound[: len(sound) // 2])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no sound at all")
    soundfile.write(tmp_path / "slow.wav", noise(100, 1), 8000)
    soundfile.write(tmp_path / "nothing.wav", noise(0, 1), RATE)
    samples = noise(5000, 1)
    samples[7] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, "FLOAT")
    os.mkfifo(tmp_path / "pipe.wav")
    bad = {
        "cut": ".flac",
        "empty": ".wav",
        "text": ".wav",
        "slow": ".wav",
        "nothing": ".wav",
        "nan": ".wav",
        "pipe": ".wav",
        "vanished": ".wav",
    }
    items = [corpus.Item(name, str(tmp_path / (name + suffix))) for name, suffix in bad.items()]
    good = [corpus.Item(Path(path).stem, path) for path in paths]
    summary = run([*items[:4], *good, *items[4:]], tmp_path / "out", threads)
    found = failures(tmp_path / "out")
    assert list(found) == list(bad)
    assert (summary.num_clips, summary.num_failed) == (12, 8)
    assert "8000 Hz" in found["slow"]
    assert "NaN" in found["nan"]
    assert "no regular file" in found["pipe"]
    assert "No such file" in found["vanished"]
    assert all(name in reason for name, reason in found.items())
    assert [entry.id for entry in corpus.open(tmp_path / "out")] == [item.id for item in good]
    assert corpus.verify(tmp_path / "out").problems == ()


def test_a_clip_too_short_for_a_frame_fails(threads: Executor, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", noise(100, 1), RATE)
    run([str(tmp_path / "short.wav")], tmp_path / "out", threads, "kaldi_fbank")
    (reason,) = failures(tmp_path / "out").values()
    assert "short.wav" in reason
    assert len(corpus.open(tmp_path / "out")) == 0


def test_failures_can_be_retried_and_limited(threads: Executor, tmp_path: Path) -> None:
    paths = make_clips(tmp_path / "clips", 12)
    late = [Path(paths[index]) for index in (2, 9)]
    kept = [path.read_bytes() for path in late]
    run(paths, tmp_path / "whole", threads)
    for path in late:
        path.write_bytes(b"not yet")
    out = tmp_path / "out"
    with pytest.raises(corpus.TooManyFailures, match="more than the 1"):
        run(paths, out, threads, max_failures=1)
    assert run(paths, out, threads, max_failures=2).num_failed == 2
    for path, content in zip(late, kept, strict=True):
        path.write_bytes(content)
    again = run(paths, out, threads)
    assert (again.num_failed, again.num_kept) == (2, again.num_shards)
    summary = run(paths, out, threads, retry_failed=True)
    assert (summary.num_failed, summary.num_shards - summary.num_kept) == (0, 2)
    # The plan was made while two files were too small: it is another, the features are not.
    assert corpus.verify(out).problems == ()
    for entry, wanted in zip(corpus.open(out), corpus.open(tmp_path / "whole"), strict=True):
        assert entry.id == wanted.id
        assert np.array_equal(entry.values, wanted.values)
    assert not (out / "errors.jsonl").exists()


def test_what_the_reader_remarks_is_kept(threads: Executor, tmp_path: Path) -> None:
    (path,) = make_clips(tmp_path, 1)
    content = bytearray(Path(path).read_bytes())
    content[40:44] = (1 << 30).to_bytes(4, "little")
    Path(path).write_bytes(content)
    with contextlib.suppress(corpus.CorpusError):
        run([path], tmp_path / "out", threads)
    told = [*failures(tmp_path / "out").values()]
    remarks = tmp_path / "out" / "remarks.jsonl"
    told += [json.loads(line)["reason"] for line in remarks.open()] if remarks.exists() else []
    assert len(told) == 1
    assert path in told[0]


# ---- What is refused as a whole ----------------------------------------------------------------


def test_another_run_in_the_folder_is_refused_by_name(
    reference: Any, threads: Executor, tmp_path: Path
) -> None:
    before = differences(reference.out, tmp_path)
    paths, out = reference.paths, reference.out
    for named, front, changes in [
        ("`num_mel_bins` 80, and this one has 128", presets.spec("whisper", num_mel_bins=128), {}),
        ("`shard_bytes` 100000, and this one has 100001", "whisper", {"shard_bytes": 100001}),
        ("`mono` False", "whisper", {"mono": True}),
        ("`resample` False", "whisper", {"resample": True}),
    ]:
        with pytest.raises(corpus.CorpusError, match=re.escape(named)):
            run(paths, out, threads, front, **changes)
    with pytest.raises(corpus.CorpusError, match="list of this many clips: 12.* has 11"):
        run(paths[1:], out, threads)
    with pytest.raises(corpus.CorpusError, match="list of other clips"):
        run(paths[::-1], out, threads)
    assert differences(reference.out, tmp_path) == before
    assert not (out / ".work").exists()
    assert run(paths, out, threads).num_kept > 3


def test_a_run_of_another_version_is_refused(
    reference: Any, threads: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = read_run(reference.out)
    assert original is not None
    text = original.to_json().replace(original.version, "9.9.9")
    monkeypatch.setattr(Path, "read_bytes", lambda _: text.encode())
    with pytest.raises(corpus.CorpusError, match="specfast 9.9.9, and this one has"):
        run(reference.paths, reference.out, threads)


def test_a_folder_with_other_files_is_refused(threads: Executor, tmp_path: Path) -> None:
    paths = make_clips(tmp_path / "clips", 1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("draft")
    with pytest.raises(corpus.CorpusError, match="thesis.txt"):
        run(paths, out, threads)
    assert (out / "thesis.txt").read_text() == "draft"


def test_bad_arguments(threads: Executor, tmp_path: Path) -> None:
    paths = make_clips(tmp_path, 1)
    for named, call in [
        ("`manifest`", lambda: run(7, tmp_path / "o", threads)),
        ("`manifest`", lambda: run([7], tmp_path / "o", threads)),
        ("`out`", lambda: corpus.run(paths, 7, "whisper", threads)),  # type: ignore[arg-type]
        ("`front`", lambda: run(paths, tmp_path / "o", threads, 7)),
        ("Did you mean 'whisper'", lambda: run(paths, tmp_path / "o", threads, "wisper")),
        ("`front`", lambda: run(paths, tmp_path / "o", threads, STFTSpectrogram())),
        ("`format`", lambda: run(paths, tmp_path / "o", threads, format="hdf5")),
        ("`shard_bytes`", lambda: run(paths, tmp_path / "o", threads, shard_bytes=5)),
        ("`num_threads`", lambda: run(paths, tmp_path / "o", threads, num_threads=0)),
        ("`num_workers`", lambda: run(paths, tmp_path / "o", threads, num_workers=0)),
        ("`num_workers` must be None", lambda: run(paths, tmp_path / "o", "x", num_workers=2)),
        ("`max_failures`", lambda: run(paths, tmp_path / "o", threads, max_failures=-1)),
        ("`client`", lambda: run(paths, tmp_path / "o", 7)),  # type: ignore[arg-type]
    ]:
        with pytest.raises((TypeError, ValueError), match=named):
            call()
    for named, sources in [
        ("nothing to compute", []),
        ("none.wav", [str(tmp_path / "none.wav")]),
        ("stands for two clips", [*paths, *paths]),
    ]:
        with pytest.raises((corpus.CorpusError, ValueError), match=named):
            run(sources, tmp_path / "o", threads)
    assert not (tmp_path / "o" / "run.json").exists()
    run(paths, tmp_path / "o", threads)


def test_a_second_run_is_refused(reference: Any, threads: Executor, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from specfast._corpus.lock import only_run\n"
        "with only_run(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    out = tmp_path / "out"
    run(reference.paths, out, threads)
    with subprocess.Popen(
        [sys.executable, "-c", program, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            with pytest.raises(corpus.CorpusError, match=f"process {other.pid} on"):
                run(reference.paths, out, threads)
        finally:
            other.kill()
            other.communicate(timeout=60)
    # The lock ends with its process, whatever ended that.
    assert run(reference.paths, out, threads).num_kept > 0

    def second(_: corpus.Progress) -> None:
        with pytest.raises(corpus.CorpusError, match="of this process"):
            run(reference.paths, out, threads)

    run(reference.paths, out, threads, progress=second)


def test_a_missing_package_is_named(
    threads: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make_clips(tmp_path, 1)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=re.escape('pip install "specfast[corpus]"')):
        import_distributed()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=re.escape('pip install "specfast[corpus]"')):
        run(paths, tmp_path / "out", threads)
