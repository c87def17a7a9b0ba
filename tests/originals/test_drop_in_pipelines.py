# SPDX-License-Identifier: BSD-3-Clause
"""specfast.huggingface where users have it: in processors, and in a pipeline with a tiny model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_whisper
import torch
import transformers

import signals
from specfast import huggingface

RATE = 16000
WORDS = {"max_new_tokens": 12}


@cache
def recordings() -> list[signals.Signal]:
    speech = signals.read_wav(signals.SPEECH)
    return [speech, speech[:40000], 0.3 * signals.noise(RATE), signals.chirp(3 * RATE)]


def texts(extractor: Any, **call: Any) -> list[str]:
    """Returns what a pipeline makes of the recordings."""
    pipe = transformers.pipeline(
        "automatic-speech-recognition",
        model=tiny_whisper.model(),
        tokenizer=tiny_whisper.tokenizer(),
        feature_extractor=extractor,
    )
    assert pipe.feature_extractor is extractor
    given = [{"raw": clip, "sampling_rate": RATE} for clip in recordings()]
    return [result["text"] for result in pipe(given, generate_kwargs=WORDS, **call)]


@pytest.mark.parametrize("call", [{}, {"batch_size": 3}, {"chunk_length_s": 2, "batch_size": 2}])
def test_texts_of_a_pipeline(call: dict[str, Any]) -> None:
    wanted = texts(transformers.WhisperFeatureExtractor(), **call)
    assert len(set(wanted)) > 2, wanted
    assert texts(huggingface.WhisperFeatureExtractor(), **call) == wanted


def test_logits() -> None:
    model = tiny_whisper.model()
    start = torch.tensor([[model.config.decoder_start_token_id]])
    for clip in recordings():
        logits = []
        for module in (transformers, huggingface):
            extractor = module.WhisperFeatureExtractor()
            features = extractor(clip, sampling_rate=RATE, return_tensors="pt")
            with torch.no_grad():
                logits.append(model(**features, decoder_input_ids=start).logits)
        torch.testing.assert_close(*logits, rtol=0, atol=2e-3)


def test_processors(tmp_path: Path) -> None:
    """A processor takes an extractor, saves what machines without specfast load, and changes."""
    extractor = huggingface.WhisperFeatureExtractor()
    processor = transformers.WhisperProcessor(
        feature_extractor=extractor, tokenizer=tiny_whisper.tokenizer()
    )
    clip = recordings()[0]
    wanted = extractor(clip, sampling_rate=RATE, return_tensors="np")["input_features"]
    made = processor(clip, sampling_rate=RATE, return_tensors="np")["input_features"]
    np.testing.assert_array_equal(made, wanted)

    processor.save_pretrained(tmp_path)
    tiny_whisper.model().config.save_pretrained(tmp_path)
    loaded = transformers.AutoProcessor.from_pretrained(tmp_path)
    assert type(loaded.feature_extractor) is transformers.WhisperFeatureExtractor
    loaded.feature_extractor = huggingface.drop_in(loaded.feature_extractor)
    again = loaded(clip, sampling_rate=RATE, return_tensors="np")["input_features"]
    np.testing.assert_array_equal(again, wanted)
    assert type(huggingface.WhisperFeatureExtractor.from_pretrained(tmp_path)) is type(extractor)
