# SPDX-License-Identifier: BSD-3-Clause
"""What the doctor takes, what it says about clips and results, and how it refuses nonsense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import signals
import specfast
from specfast import FeatureExtractor, FeatureSpec, doctor, presets
from specfast._doctor.subjects import STAGES, SUBJECTS
from specfast._spec.feature_spec import field_names
from specfast.doctor import DoctorError

CLIP = doctor.make_clip(16000.0)
WHISPER = presets.spec("whisper")
FEATURES = presets.get("whisper")(CLIP)


def found(clip: Any = CLIP, a: Any = "whisper", b: Any = "whisper", **more: Any) -> list[str]:
    return [finding.name for finding in doctor.diagnose(a, b, clip, **more).findings]


# ---- What is compared --------------------------------------------------------------------------


class Tensor:
    """What torch.Tensor looks like to the doctor."""

    dtype = "torch.float32"
    shape = FEATURES.shape

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Any:
        return FEATURES


def of_samples(samples: Any) -> Any:
    assert samples.dtype == np.float32
    return presets.get("whisper")(samples)


def of_samples_and_rate(samples: Any, rate: Any, /) -> Any:
    assert rate == 16000
    return of_samples(samples)


def with_a_named_rate(samples: Any, num_bands: int = 80, sr: float = 22050.0) -> Any:
    assert sr == 16000
    assert num_bands == 80
    return {"input_features": of_samples(samples)[np.newaxis]}


def with_lengths(samples: Any) -> Any:
    return of_samples(samples), np.array([3])


@pytest.mark.parametrize(
    "other",
    [
        "whisper",
        WHISPER,
        FeatureExtractor(WHISPER),
        FEATURES,
        FEATURES[np.newaxis],
        FEATURES.tolist(),
        Tensor(),
        of_samples,
        of_samples_and_rate,
        with_a_named_rate,
        with_lengths,
    ],
    ids=lambda other: type(other).__name__,
)
def test_everything_that_gives_features(other: Any) -> None:
    assert doctor.diagnose("whisper", other, CLIP).same
    assert doctor.diagnose(other, "whisper", CLIP).same
    changed = doctor.diagnose(WHISPER.replace(mel_norm=None), other, CLIP)
    assert [cause.name for cause in changed.causes] == ["mel norm"]


def test_layers() -> None:
    layer = specfast.MelSpectrogram(fft_length=512, sequence_stride=160)
    other = specfast.MelSpectrogram(fft_length=512, sequence_stride=160, top_db=60.0)
    diagnosis = doctor.diagnose(layer, other)
    assert [cause.name for cause in diagnosis.causes] == ["dynamic range"]
    spectrum = specfast.STFTSpectrogram(frame_length=400, frame_step=160)
    assert doctor.diagnose(spectrum, spectrum).same


def test_files(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("x.npy", "x.npz", "named.npz", "x.csv", "front.json")]
    np.save(paths[0], FEATURES)
    np.savez(paths[1], FEATURES)
    np.savez(paths[2], times=np.zeros(3), features=FEATURES)
    np.savetxt(paths[3], FEATURES, delimiter=",")
    paths[4].write_text(WHISPER.to_json(), "utf-8")
    for path in paths:
        assert doctor.diagnose("whisper", path, CLIP).same
        assert doctor.diagnose("whisper", str(path), CLIP).same


def test_two_results_are_compared_without_a_clip() -> None:
    assert doctor.diagnose(FEATURES, FEATURES).same
    diagnosis = doctor.diagnose(FEATURES, 4 * FEATURES - 1)
    assert not diagnosis.same
    assert [each.name for each in diagnosis.findings] == ["gain and offset", "unknown front ends"]
    assert "4 times A, plus -1" in str(diagnosis)
    assert "layout" in [each.name for each in doctor.diagnose(FEATURES, FEATURES.T).findings]


def test_every_field_belongs_to_one_choice() -> None:
    fields = [field for subject in SUBJECTS for field in subject.fields]
    assert sorted(fields) == sorted(field_names())
    assert {subject.stage for subject in SUBJECTS} == set(STAGES)
    assert len({subject.name for subject in SUBJECTS}) == len(SUBJECTS)


@pytest.mark.parametrize("first", presets.names())
def test_any_two_presets_can_be_compared(first: str) -> None:
    second = np.random.default_rng(len(first)).choice(presets.names())
    diagnosis = doctor.diagnose(first, str(second))
    assert diagnosis.same or diagnosis.causes
    assert json.loads(diagnosis.to_json())["same"] == diagnosis.same
    assert str(diagnosis)


def test_the_clip_is_the_same_every_time_and_has_everything() -> None:
    again = doctor.make_clip(16000.0)
    np.testing.assert_array_equal(CLIP, again)
    assert CLIP.dtype == np.float32
    assert 0.5 < np.abs(CLIP).max() < 1
    levels = presets.get("kaldi_fbank")(CLIP)
    assert levels.max() - levels.min() > 30  # natural logarithms
    assert (CLIP == 0).any()
    assert not (CLIP[:100] == 0).any()


# ---- Findings ----------------------------------------------------------------------------------


def test_good_clips_have_no_findings() -> None:
    for path in signals.RECORDINGS:
        assert found(signals.read_wav(path), rate=16000) == []
    assert found() == []


def test_findings_of_clips() -> None:
    speech = signals.read_wav(signals.SPEECH)
    assert found(np.clip(5 * speech, -0.9, 0.9)) == ["clipped samples"]
    assert found((32767 * speech).round()) == ["integer samples"]
    assert found((32767 * speech).astype(np.int16)) == ["integer samples"]
    assert "quiet samples" in found(speech / 32768)
    assert "silence" in found(np.zeros(8000, np.float32))
    assert found(speech + 0.1) == ["DC offset"]
    assert found(speech, rate=44100) == ["sampling rate"]


def test_a_missing_band_is_found() -> None:
    speech = signals.read_wav(signals.SPEECH)[: 1 << 16]
    spectrum = np.fft.rfft(speech)
    spectrum[len(spectrum) // 2 :] = 0  # as if it had been upsampled from 8 kHz
    diagnosis = doctor.diagnose("whisper", "whisper", np.fft.irfft(spectrum), rate=16000)
    (finding,) = diagnosis.findings
    assert finding.name == "missing band"
    assert "above 40" in finding.text or "above 39" in finding.text


def test_findings_of_front_ends() -> None:
    fine = FeatureSpec(level="ln")
    assert found(CLIP, fine, fine.replace(num_mel_bins=200)) == ["dead bands"]
    beyond = found(CLIP, fine, fine.replace(max_freq=9000.0))
    assert "aliasing" in beyond
    assert found(CLIP, fine, fine.replace(hop_length=500)) == ["gaps"]
    assert "floor" in found(CLIP / 100, fine, fine.replace(floor=1.0))


def test_findings_of_results() -> None:
    bad = FEATURES.copy()
    bad[3, 5] = np.nan
    bad[7] = 1.0
    diagnosis = doctor.diagnose("whisper", bad, CLIP)
    assert [finding.name for finding in diagnosis.findings] == ["not finite", "dead bands"]
    assert not diagnosis.same


# ---- Nonsense ----------------------------------------------------------------------------------


def raises(samples: Any) -> Any:
    raise KeyError(f"no such model for {len(samples)} samples")


def gives_nothing(samples: Any) -> None:
    assert len(samples)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("whispr", "Did you mean 'whisper'?"),
        ("", "preset"),
        ("no.such.module:function", "No module named 'no'"),
        ("math:nothing", "no attribute 'nothing'"),
        ("math:pi", "must be a function"),
        (None, "array"),
        (3.0, "shape"),
        (np.zeros(80), "shape (80,)"),
        (np.zeros((2, 80, 247)), "shape (2, 80, 247)"),
        (np.zeros((80, 0)), "shape (80, 0)"),
        (np.full((80, 247), np.nan), "finite"),
        (np.full((80, 247), 1j), "real array"),
        (np.full((80, 247), "x"), "real array"),
        ([[1.0, 2.0], [3.0]], "real array"),
        ({"a": FEATURES, "b": FEATURES}, "['a', 'b']"),
        (raises, "KeyError: 'no such model"),
        (gives_nothing, "what the function gives_nothing returns"),
    ],
    ids=str,
)
def test_what_is_no_front_end(other: Any, said: str) -> None:
    for sides in (("whisper", other), (other, "whisper")):
        with pytest.raises(DoctorError) as caught:
            doctor.diagnose(*sides, CLIP)
        assert said in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    text = tmp_path / "x.npy"
    text.write_text("no array", "utf-8")
    with pytest.raises(DoctorError, match="must be an array of numbers"):
        doctor.diagnose("whisper", text, CLIP)
    for name in ("x.csv", "x.npz"):
        (tmp_path / name).write_text("a, b\n", "utf-8")
        with pytest.raises(DoctorError):
            doctor.diagnose("whisper", tmp_path / name, CLIP)
    for missing in (tmp_path / "none.npy", tmp_path / "none.json"):
        with pytest.raises(FileNotFoundError):
            doctor.diagnose("whisper", missing, CLIP)
    with pytest.raises(specfast.front_files.FrontFileError, match="folder"):
        doctor.diagnose("whisper", tmp_path, CLIP)
    np.save(tmp_path / "objects.npy", np.array([[None]]), allow_pickle=True)
    with pytest.raises(DoctorError, match="pickle"):
        doctor.diagnose("whisper", tmp_path / "objects.npy", CLIP)


@pytest.mark.parametrize(
    ("clip", "error", "said"),
    [
        (np.zeros((2, 8000)), ValueError, "shape (2, 8000)"),
        (np.zeros(0), ValueError, "shape (0,)"),
        (np.array([0.0, np.inf]), ValueError, "inf at sample 1"),
        (np.array(["x"]), TypeError, "real numbers"),
        (np.zeros(100), ValueError, "no frame"),
    ],
)
def test_clips_that_are_none(clip: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        doctor.diagnose("kaldi_fbank", "kaldi_mfcc", clip)
    assert said in str(caught.value)


def test_features_need_their_clip() -> None:
    with pytest.raises(DoctorError, match="`clip` must be the samples"):
        doctor.diagnose("whisper", FEATURES)
    with pytest.raises(ValueError, match="`rate` is that of `clip`"):
        doctor.diagnose("whisper", "nemo", rate=16000)
    for rate in (0, -1, np.nan):
        with pytest.raises(ValueError, match="`rate` must be"):
            doctor.diagnose("whisper", "nemo", CLIP, rate=rate)
    with pytest.raises(ValueError, match="which states its own"):
        doctor.diagnose("whisper", "nemo", signals.SPEECH, rate=16000)
