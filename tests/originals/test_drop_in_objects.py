# SPDX-License-Identifier: BSD-3-Clause
"""Extractors of specfast.huggingface as objects: files, copies, attributes, refusals, versions."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from drop_ins import KINDS, assert_alike, both, inputs, made, outcome, tolerance

from front_end_limits import TOLERANCES
from specfast import huggingface
from specfast._hugging_face import versions
from specfast.front_files import read_front


@pytest.mark.parametrize("kind", KINDS)
def test_saved_files_are_those_of_the_original(kind: str, tmp_path: Path) -> None:
    theirs, ours = both(kind)
    ours.save_pretrained(tmp_path / "ours")
    theirs.save_pretrained(tmp_path / "theirs")
    name = "preprocessor_config.json"
    assert (tmp_path / "ours" / name).read_text() == (tmp_path / "theirs" / name).read_text()
    assert repr(ours) == repr(theirs)
    loaded = transformers.AutoFeatureExtractor.from_pretrained(tmp_path / "ours")
    assert type(loaded) is type(theirs)
    again = type(ours).from_pretrained(tmp_path / "theirs")
    assert type(again) is type(ours)
    clip = inputs()["clip"]
    assert_alike(outcome(again, clip), outcome(ours, clip), 0)
    assert read_front(tmp_path / "ours").sampling_rate == ours.sampling_rate


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_pickles(kind: str) -> None:
    ours = both(kind)[1]
    wanted = outcome(ours, inputs()["clip"])
    for other in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert type(other) is type(ours)
        assert_alike(outcome(other, inputs()["clip"]), wanted, 0)
        with pytest.raises(AttributeError, match="`sampling_rate` of a specfast"):
            other.sampling_rate = 44100


def test_signatures_are_those_of_the_originals() -> None:
    for kind in KINDS:
        theirs, ours = (type(extractor) for extractor in both(kind))
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert issubclass(ours, theirs)
        assert ours.__name__ == theirs.__name__


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("Whisper", "feature_size", 128),
        ("Whisper", "mel_filters", np.zeros((201, 80))),
        ("SeamlessM4T", "num_mel_bins", 40),
        ("Phi4Multimodal", "preemphasis", 0.5),
        ("Gemma3nAudio", "mel_floor", 1.0),
        ("Clap", "mel_filters_slaney", None),
        ("UnivNet", "window", np.ones(1024)),
    ],
)
def test_options_cannot_be_changed(kind: str, name: str, value: Any) -> None:
    ours = made(huggingface, kind)
    setattr(ours, name, getattr(ours, name))
    with pytest.raises(AttributeError, match=f"`{name}` of a specfast.*make another one"):
        setattr(ours, name, value)


def test_other_attributes_act_as_in_the_originals() -> None:
    for kind, name, value in (
        ("Whisper", "padding_side", "left"),
        ("AST", "max_length", 50),
        ("AST", "mean", 0.0),
        ("Parakeet", "padding_side", "left"),
        ("SeamlessM4T", "stride", 3),
        ("UnivNet", "do_normalize", True),
    ):
        theirs, ours = made(transformers, kind), made(huggingface, kind)
        for extractor in (theirs, ours):
            setattr(extractor, name, value)
        wanted = outcome(theirs, inputs()["list"])
        assert_alike(outcome(ours, inputs()["list"]), wanted, 2 * tolerance(kind))


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("Whisper", {"dither": 0.1}, "dither"),
        ("Whisper", {"feature_size": 0}, "feature_size"),
        ("Gemma3nAudio", {"preemphasis_htk_flavor": False}, "preemphasis_htk_flavor"),
        ("AST", {"sampling_rate": 8000}, "sampling_rate"),
        ("UnivNet", {"center": True}, "center"),
        ("SpeechT5", {"win_function": "povey"}, "win_function"),
        ("Clap", {"hop_length": 0}, "hop_length"),
    ],
)
def test_what_cannot_be_computed_is_refused(
    kind: str, options: dict[str, Any], named: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=f"`{named}`"):
        made(huggingface, kind, **options)


def test_devices_and_channels_are_refused() -> None:
    for kind in ("Parakeet", "Lasr", "Phi4Multimodal"):
        with pytest.raises(ValueError, match="`device` must be 'cpu'"):
            both(kind)[1](inputs()["clip"], sampling_rate=16000, device="cuda:0")
    with pytest.raises(ValueError, match="one channel.*2, 400"):
        both("AST")[1]([np.zeros((2, 400), np.float32)], sampling_rate=16000)
    with pytest.raises(ValueError, match="`mel_filters` must be"):
        both("Clap")[1]._np_extract_fbank_features(inputs()["clip"])


# ---- drop_in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_drop_in(kind: str) -> None:
    theirs, ours = both(kind)
    made_of_theirs = huggingface.drop_in(theirs)
    assert type(made_of_theirs) is type(ours)
    assert huggingface.drop_in(ours) is ours
    clip = inputs()["clip"]
    assert_alike(outcome(made_of_theirs, clip), outcome(ours, clip), 0)


def test_drop_in_keeps_attributes() -> None:
    theirs = made(transformers, "Whisper", feature_size=128, chunk_length=2, spoken="by a person")
    ours = huggingface.drop_in(theirs)
    assert ours.spoken == "by a person"
    wanted = outcome(theirs, inputs()["list"])
    assert_alike(outcome(ours, inputs()["list"]), wanted, TOLERANCES["whisper_large_v3"][0])


def test_drop_in_refuses() -> None:
    changed = made(transformers, "Whisper")
    changed.feature_size = 128
    with pytest.raises(ValueError, match="`mel_filters` of this WhisperFeatureExtractor"):
        huggingface.drop_in(changed)
    lost = made(transformers, "Phi4Multimodal", mel_min_frequency=50)
    with pytest.raises(ValueError, match="`mel_filters` of this Phi4MultimodalFeatureExtractor"):
        huggingface.drop_in(lost)
    with pytest.raises(ValueError, match="`dither`"):
        huggingface.drop_in(made(transformers, "Whisper", dither=0.1))

    class Own(transformers.WhisperFeatureExtractor):  # type: ignore[misc]
        pass

    for other in (Own(), transformers.Wav2Vec2FeatureExtractor(), None):
        with pytest.raises(TypeError, match="must be one of transformers'.*Received"):
            huggingface.drop_in(other)


# ---- Another version ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_another_version_is_compared(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The import of a pipeline puts another module in the place of this one.
    monkeypatch.setattr(sys.modules["transformers"], "__version__", "5.99.0")
    state = np.random.get_state()[1]  # noqa: NPY002
    made(huggingface, kind)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    read = type(both(kind)[1])._read

    def other(self: Any, options: dict[str, Any]) -> Any:
        return read(self, options).replace(min_freq=200.0)

    monkeypatch.setattr(type(both(kind)[1]), "_read", other)
    with pytest.raises(ImportError, match=f"{kind}.* 5.99.0 computes other features.*5.24"):
        made(huggingface, kind)


def test_the_known_version_is_the_installed_one() -> None:
    assert versions.is_known()
