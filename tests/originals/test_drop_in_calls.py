# SPDX-License-Identifier: BSD-3-Clause
"""Calls of specfast.huggingface beside those of transformers: samples, options, masks, errors."""

from __future__ import annotations

import functools
import importlib
import itertools
import logging
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from drop_ins import KINDS, assert_alike, both, inputs, made, outcome, tolerance

import signals
from specfast import huggingface

# Samples in integers for which the originals fail.
ACCEPTED = {("SeamlessM4T", "int16"), ("AST", "int16")}
# Options other than the defaults, on each of which features depend.
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("Whisper", {"feature_size": 128}),
    ("Whisper", {"chunk_length": 3, "n_fft": 512, "hop_length": 200}),
    ("Whisper", {"padding_value": 0.1, "padding_side": "left", "chunk_length": 2}),
    ("SeamlessM4T", {"num_mel_bins": 40, "feature_size": 40, "stride": 3}),
    ("SeamlessM4T", {"padding_side": "left", "padding_value": 1.0}),
    ("Parakeet", {"preemphasis": 0.5, "n_fft": 1024, "win_length": 500, "hop_length": 200}),
    ("Parakeet", {"preemphasis": None, "feature_size": 64}),
    ("Lasr", {"feature_size": 64, "win_length": 320}),
    ("Phi4Multimodal", {"preemphasis": 0.5, "mel_min_frequency": 50, "hop_length": 100}),
    ("Gemma3nAudio", {"frame_length_ms": 25, "fft_overdrive": False, "input_scale_factor": 2.0}),
    ("Gemma3nAudio", {"per_bin_mean": [1.5] * 128, "per_bin_stddev": np.full(128, 2.0)}),
    ("AST", {"do_normalize": False, "max_length": 100, "num_mel_bins": 64}),
    ("Clap", {"truncation": "rand_trunc", "frequency_min": 50, "max_length_s": 1}),
    ("Clap", {"padding": "pad", "max_length_s": 1}),
    ("Clap", {"padding": "repeat", "max_length_s": 2, "sampling_rate": 16000}),
    ("SpeechT5", {"win_length": 50, "hop_length": 12, "win_function": "hamming_window"}),
    ("UnivNet", {"do_normalize": True, "compression_factor": 3.0, "fmax": 8000, "fmin": 50}),
    ("UnivNet", {"max_length_s": 1}),
]
# Arguments of a call that a class takes.
COMMON: list[dict[str, Any]] = [
    {},
    {"return_tensors": "np"},
    {"return_tensors": "pt"},
    {"return_tensors": "np", "return_attention_mask": True},
    {"return_attention_mask": False},
    {"padding": "max_length", "max_length": 16000, "return_attention_mask": True},
    {"padding": "longest", "max_length": 16000, "truncation": True, "return_tensors": "pt"},
    {"padding": "longest", "pad_to_multiple_of": 500, "return_attention_mask": True},
    {"padding": False},
    {"padding": "do_not_pad", "max_length": 700, "truncation": True},
]
CALLS: dict[str, list[dict[str, Any]]] = {
    "Whisper": [*COMMON, {"do_normalize": True}, {"device": "cpu", "max_length": 24000}],
    "SeamlessM4T": [*COMMON, {"do_normalize_per_mel_bins": False}],
    "AST": COMMON[:3],
    "Clap": [*COMMON[:3], {"truncation": "rand_trunc"}, {"padding": "repeat"}],
    "UnivNet": [*COMMON, {"pad_end": True}, {"return_noise": False}],
}


@pytest.mark.parametrize("form", inputs())
@pytest.mark.parametrize("kind", KINDS)
def test_calls(kind: str, form: str) -> None:
    theirs, ours = both(kind)
    for call in CALLS.get(kind, COMMON):
        result = outcome(ours, inputs()[form], **call)
        if (kind, form) in ACCEPTED:
            assert isinstance(result, transformers.BatchFeature)
            assert isinstance(outcome(theirs, inputs()[form], **call), Exception)
        else:
            assert_alike(result, outcome(theirs, inputs()[form], **call), tolerance(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_recordings_of_any_length(kind: str) -> None:
    theirs, ours = both(kind)
    speech = signals.read_wav(signals.SPEECH)
    long = np.tile(speech, 7)[: 35 * 16000]
    for clip in (speech, long, speech[20000:20800], [speech, speech[:9999]]):
        for call in ({}, {"return_tensors": "pt"}):
            wanted = outcome(theirs, clip, **call)
            assert_alike(outcome(ours, clip, **call), wanted, tolerance(kind, recording=True))


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_options(kind: str, options: dict[str, Any]) -> None:
    theirs, ours = (made(module, kind, **options) for module in (transformers, huggingface))
    for form in ("clip", "list"):
        wanted = outcome(theirs, inputs()[form], return_tensors=None)
        assert isinstance(wanted, transformers.BatchFeature), wanted
        assert_alike(
            outcome(ours, inputs()[form], return_tensors=None), wanted, 10 * tolerance(kind)
        )


def test_clips_that_only_the_originals_refuse() -> None:
    """Those of less than half a transform, or of a frame, whose features are what they say."""
    short = signals.noise(150)
    whisper = both("Whisper")[1](short, sampling_rate=16000, padding="longest")["input_features"]
    wanted = both("Whisper")[1](short, sampling_rate=16000)["input_features"]
    assert whisper.shape == (1, 80, 0)
    assert wanted.shape == (1, 80, 3000)
    padded = both("AST")[1](short, sampling_rate=16000)["input_values"][0]
    assert (padded == padded[-1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_short_clips(kind: str) -> None:
    """Of those that the originals take, features are theirs; Phi-4's lengths need a frame.

    Parakeet normalizes a single frame, to zeros in place of NaN.
    """
    theirs, ours = both(kind)
    for num_samples in (300, 450, 700, 1100):
        clip = 0.1 * signals.noise(num_samples)
        wanted, result = outcome(theirs, clip), outcome(ours, clip)
        if kind == "Parakeet" and num_samples == 300:
            assert wanted["input_features"].isnan().any()
            assert not result["input_features"].any()
        elif isinstance(wanted, transformers.BatchFeature):
            assert_alike(result, wanted, 10 * tolerance(kind))
    assert isinstance(outcome(both("Phi4Multimodal")[1], signals.noise(100)), RuntimeError)


def test_numpy_ways_of_the_originals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torch and torchaudio Whisper and AST compute in float64."""
    for kind, name in (("Whisper", "is_torch_available"), ("AST", "is_speech_available")):
        module = importlib.import_module(both(kind)[0].__module__)
        monkeypatch.setattr(module, name, lambda: False)
        theirs, ours = made(transformers, kind), made(huggingface, kind)
        for samples in (inputs()["clip"], signals.read_wav(signals.SPEECH)):
            wanted = outcome(theirs, samples)
            assert_alike(outcome(ours, samples), wanted, 2e-6)


def test_errors_and_warnings_are_those_of_the_originals(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    for kind in KINDS:
        said: list[Any] = []
        for extractor in both(kind):
            caplog.clear()
            outcome(extractor, inputs()["clip"], sampling_rate=None)
            said.append(caplog.messages)
            channels = outcome(extractor, np.zeros((2, 2, 2, 400), np.float32))
            said.append(str(channels) if isinstance(channels, ValueError) else "")
            if kind != "Gemma3nAudio":  # which asks for no rate
                assert "recommended" in caplog.messages[0]
                said.append(str(outcome(extractor, inputs()["clip"], sampling_rate=8000)))
                assert "was trained using a sampling rate" in said[-1]
        half = len(said) // 2
        if not said[1] and "one channel" in said[half + 1]:  # where torch has an error of its own
            said[half + 1] = ""
        assert said[:half] == said[half:], kind


DIRECT = [kind for kind in KINDS if kind not in ("Clap", "SpeechT5")]


@pytest.mark.parametrize("kind", DIRECT)
def test_usual_calls_spare_the_originals(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with the defaults, said or not; all others are the originals' own."""
    theirs, ours = both(kind)
    wanted = [outcome(theirs, inputs()[form], return_tensors="np") for form in ("clip", "list")]

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(type(theirs), "__call__", functools.wraps(type(theirs).__call__)(fail))
    said = {"padding": True} if kind in ("SeamlessM4T", "UnivNet") else {}
    for form, want in zip(("clip", "list"), wanted, strict=True):
        assert_alike(
            outcome(ours, inputs()[form], return_tensors="np", **said), want, tolerance(kind)
        )
    if kind != "AST":  # which takes no padding, and ignores it
        assert isinstance(outcome(ours, inputs()["clip"], padding=False), AssertionError)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("AST", "mean", np.float64(-4.0)),
        ("AST", "std", 3),
        ("AST", "do_normalize", False),
        ("AST", "max_length", 60),
        ("Phi4Multimodal", "audio_compression_rate", 8.0),
        ("Phi4Multimodal", "audio_feat_stride", 3),
        ("SeamlessM4T", "stride", 3),
        ("SeamlessM4T", "return_attention_mask", False),
        ("UnivNet", "num_max_samples", 9000),
        ("UnivNet", "do_normalize", True),
        ("UnivNet", "padding_value", 0.5),
        ("UnivNet", "return_attention_mask", False),
        ("Gemma3nAudio", "padding_side", "left"),
    ],
)
def test_attributes_that_may_change(kind: str, name: str, value: Any) -> None:
    pair = [made(module, kind) for module in (transformers, huggingface)]
    for extractor in pair:
        setattr(extractor, name, value)
    for form, tensors in itertools.product(("clip", "list"), (None, "np")):
        theirs, ours = (outcome(e, inputs()[form], return_tensors=tensors) for e in pair)
        assert isinstance(theirs, transformers.BatchFeature), theirs
        assert_alike(ours, theirs, 10 * tolerance(kind))


PADDINGS = [
    {"padding": padding, "max_length": longest, "truncation": cuts, "pad_to_multiple_of": multiple}
    for padding, longest, cuts, multiple in itertools.product(
        (True, False, "max_length", "longest", "do_not_pad"),
        (None, 0, 90, 100, 130, 1000),
        (True, False),
        (None, 1, 16),
    )
]


@pytest.mark.parametrize("side", ["right", "left", "middle"])
@pytest.mark.parametrize("kind", ["Whisper", "Parakeet", "UnivNet"])
def test_pad(kind: str, side: str) -> None:
    """All combinations, on arrays and tensors of columns, with and without counts."""
    theirs, ours = (
        made(module, kind, padding_side=side, padding_value=0.5)
        for module in (transformers, huggingface)
    )
    columns = [signals.noise(n, 1, seed=n) for n in (100, 130, 97)]
    lists = [columns, columns[:1], columns[:1] * 2, [torch.from_numpy(x) for x in columns]]
    lists += [[x.astype(np.float64) for x in columns], [], [x[:, 0] for x in columns]]
    name = theirs.model_input_names[0]
    for number, (clips, options) in enumerate(itertools.product(lists, PADDINGS)):
        counts = {"audio_lengths": [len(x) for x in clips]} if number % 2 else {}
        results = []
        for extractor in (ours, theirs):
            features = transformers.BatchFeature({name: list(clips), **counts})
            more = {"return_tensors": (None, "np", "pt")[number % 3]}
            if number % 5:
                more["return_attention_mask"] = number % 5 < 3
            try:
                results.append(extractor.pad(features, **options, **more))
            except Exception as error:
                results.append(error)
        assert_alike(*results, tolerance=0)
