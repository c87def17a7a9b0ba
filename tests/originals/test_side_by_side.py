# SPDX-License-Identifier: BSD-3-Clause
"""The blocks of the migration pages, run as they stand there: the original's beside ours.

Each pair leaves its results under the same name. They must come as near to each other as the page
says behind the pair, and not much nearer, so that its figures are measured ones.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import migration_pages
from migration_pages import Difference, Missed, Pair

# Pages say twice what was measured; other instruction sets and versions round differently.
NEARER = 30.0
# Sounds are searched for from random phases: no two searches miss the same.
SEARCHES = 0.15

Session = dict[str, Any]


@cache
def all_pairs() -> dict[str, Pair]:
    found = migration_pages.pages().items()
    pairs = [pair for name, text in found for pair in migration_pages.pairs(name, text)]
    return {pair.name: pair for pair in pairs}


def run(setup: str, block: str) -> Session:
    """Returns the names that a block leaves, run behind the first one of its page."""
    session: Session = {}
    for source in (setup, block):
        exec(compile(source, "<page>", "exec"), session)
    return session


# ---- What is compared -------------------------------------------------------------------------


def assert_as_claimed(pair: Pair) -> None:
    theirs, ours = run(pair.setup, pair.theirs), run(pair.setup, pair.ours)
    results = theirs[pair.result], ours[pair.result]
    if pair.claim is None:
        assert results[0] == results[1] != ""
    elif isinstance(pair.claim, Difference):
        assert_difference(pair.claim, *map(np.asarray, results))
    else:
        assert_missed(pair.claim, theirs, *map(np.asarray, results))


def assert_difference(claim: Difference, theirs: Any, ours: Any) -> None:
    assert ours.shape == theirs.shape
    assert np.isfinite(theirs).all()
    peak, found = np.abs(theirs).max(), np.abs(ours - theirs).max()
    measured = (
        f"Largest difference: {2 * found:.1g} (twice {found:.3g}), of values up to {peak:.3g}"
    )
    assert claim.bound / NEARER <= found <= claim.bound, measured
    assert peak == pytest.approx(claim.peak, rel=0.01), measured


def assert_missed(claim: Missed, session: Session, theirs: Any, ours: Any) -> None:
    assert ours.shape == theirs.shape
    found = Missed(missed(session, theirs), missed(session, ours))
    assert tuple(found) == pytest.approx(tuple(claim), rel=SEARCHES), found


def missed(session: Session, sound: Any) -> float:
    """Returns which part of the magnitudes or bands wanted in a session a sound does not have."""
    import librosa

    frames = {"n_fft": 1024, "hop_length": 256}
    if "magnitudes" in session:
        wanted = np.asarray(session["magnitudes"])
        pad_mode = "reflect" if "torch" in session else "constant"
        found = np.abs(librosa.stft(sound, pad_mode=pad_mode, **frames))
    else:
        wanted = session["mel"]
        found = librosa.feature.melspectrogram(y=sound, sr=session["rate"], n_mels=80, **frames)
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


# ---- The pages --------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that pages run in has the examples, and a model that they call whisper-tiny."""
    (tmp_path / "examples").symlink_to(migration_pages.ROOT / "examples")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _torchaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    """ASTFeatureExtractor uses torchaudio, as for users; `programs` has told it not to."""
    import transformers
    from transformers.models.audio_spectrogram_transformer import (
        feature_extraction_audio_spectrogram_transformer as module,
    )

    monkeypatch.setattr(module, "is_speech_available", transformers.utils.is_speech_available)


@pytest.fixture(scope="session")
def whisper_tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder as `save_pretrained` writes it: a Whisper of random weights."""
    import tiny_whisper
    import transformers

    folder = tmp_path_factory.mktemp("models") / "whisper-tiny"
    model = tiny_whisper.model()
    model.save_pretrained(folder)
    settings = transformers.GenerationConfig.from_model_config(model.config)
    settings.max_new_tokens = 12
    settings.save_pretrained(folder)
    transformers.WhisperProcessor(
        feature_extractor=transformers.WhisperFeatureExtractor(),
        tokenizer=tiny_whisper.tokenizer(),
    ).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", all_pairs())
def test_pairs_come_as_near_as_the_page_says(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pair = all_pairs()[name]
    if "whisper-tiny" in pair.theirs:
        (tmp_path / "whisper-tiny").symlink_to(request.getfixturevalue("whisper_tiny"))
    assert_as_claimed(pair)


def test_the_programs_of_the_page_on_drop_in_classes(whisper_tiny: Path, tmp_path: Path) -> None:
    from specfast.huggingface import WhisperFeatureExtractor

    text = (migration_pages.ROOT / "docs/front-ends/hugging-face.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai/whisper-tiny").symlink_to(whisper_tiny)
    before, after, replaced = (run("", block) for block in blocks if not block.startswith(">>>"))
    assert not isinstance(before["extractor"], WhisperFeatureExtractor)
    assert isinstance(after["extractor"], WhisperFeatureExtractor)
    for name in ("processor", "transcribe"):
        assert isinstance(replaced[name].feature_extractor, WhisperFeatureExtractor)


def test_every_original_has_a_page() -> None:
    pages = {name.partition(",")[0] for name in all_pairs()}
    assert pages == set(migration_pages.ORIGINALS) == set(migration_pages.pages())


# ---- That it can fail -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "place", "right", "wrong"),
    [
        ("scipy", 3, "frame_length=512", "frame_length=512, window_periodic=False"),
        ("scipy", 3, "Largest difference: ", "Largest difference: 1000"),
        ("librosa", 4, "num_cepstra=13", "num_cepstra=12"),
        ("librosa", 7, "num_iterations=32", "num_iterations=2"),
    ],
)
def test_a_planted_difference_is_found(page: str, place: int, right: str, wrong: str) -> None:
    text = migration_pages.pages()[page]
    pair = all_pairs()[f"{page}, pair {place}"]
    begin = text.index(pair.ours)
    assert right in text[begin:]
    planted = text[:begin] + text[begin:].replace(right, wrong, 1)
    with pytest.raises(AssertionError):
        assert_as_claimed(migration_pages.pairs(page, planted)[place - 1])
