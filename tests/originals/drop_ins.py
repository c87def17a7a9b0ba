# SPDX-License-Identifier: BSD-3-Clause
"""Pairs of an extractor of transformers and the one of specfast that stands for it, and judges."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
import transformers

import signals
from front_end_limits import TOLERANCES
from specfast import huggingface

# The presets of the classes, whose differences are known.
PRESETS = {
    "Whisper": "whisper",
    "SeamlessM4T": "seamless_m4t",
    "Parakeet": "parakeet",
    "Lasr": "lasr",
    "Phi4Multimodal": "phi4_multimodal",
    "Gemma3nAudio": "gemma3n",
    "AST": "ast",
    "Clap": "clap_fusion",
    "SpeechT5": "speecht5_target",
    "UnivNet": "univnet",
}
KINDS = [*PRESETS]
# By torchaudio in float32; the preset is made after what it computes without, in float64.
LIMITS = {**TOLERANCES, "ast": (2e-4, 4e-3)}
Outcome = Any


def made(module: Any, kind: str, **options: Any) -> Any:
    return getattr(module, f"{kind}FeatureExtractor")(**options)


@cache
def both(kind: str) -> tuple[Any, Any]:
    """Returns the class of transformers and ours, with the defaults."""
    return made(transformers, kind), made(huggingface, kind)


@cache
def inputs() -> dict[str, Any]:
    """Samples in all forms in which users pass them."""
    noise = [0.1 * signals.noise(n, seed=n) for n in (16000, 9001, 12345)]
    return {
        "clip": noise[0],
        "float64": noise[1].astype(np.float64),
        "numbers": [float(x) for x in noise[0][:4000]],
        "list": noise,
        "one in a list": noise[:1],
        "lists": [[float(x) for x in clip[:4000]] for clip in noise],
        "list of float64": [clip.astype(np.float64) for clip in noise],
        "tensor": torch.from_numpy(noise[0]),
        "list of tensors": [torch.from_numpy(clip) for clip in noise],
        "array": np.stack([noise[0], noise[0][::-1]]),
        "int16": (noise[0] * 20000).astype(np.int16),
        "list of int16": [(clip * 20000).astype(np.int16) for clip in noise],
    }


def outcome(extractor: Any, samples: Any, **call: Any) -> Outcome:
    """Returns what a call returns, or the error that it raises."""
    np.random.seed(1)  # noqa: NPY002 - which parts CLAP chooses
    if isinstance(extractor, transformers.SpeechT5FeatureExtractor):
        call["audio_target"] = samples
    else:
        call["raw_speech"] = samples
    if isinstance(extractor, transformers.UnivNetFeatureExtractor):
        call["generator"] = np.random.default_rng(1)
    try:
        return extractor(**{"sampling_rate": extractor.sampling_rate, **call})
    except Exception as error:
        return error


def assert_alike(ours: Outcome, theirs: Outcome, tolerance: float, name: str = "") -> None:
    """Types, keys, dtypes and shapes are equal, and so are numbers but for the tolerance.

    So are errors that are meant for users.
    """
    if isinstance(theirs, Exception) and not isinstance(theirs, ValueError):
        assert isinstance(ours, Exception), (name, ours, theirs)
        return
    assert type(ours) is type(theirs), (name, ours, theirs)
    if isinstance(theirs, transformers.BatchFeature):
        assert [*ours] == [*theirs]
        for key in theirs:
            assert_alike(ours[key], theirs[key], tolerance, key)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for mine, original in zip(ours, theirs, strict=True):
            assert_alike(mine, original, tolerance, name)
    elif isinstance(theirs, np.ndarray | torch.Tensor):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), name
        if ours.dtype == object:
            assert_alike([*ours], [*theirs], tolerance, name)
            return
        exact = "features" not in name and "values" not in name
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=0 if exact else tolerance)
    elif isinstance(theirs, Exception):
        assert str(ours) == str(theirs)
    else:
        assert ours == theirs, name


def tolerance(kind: str, *, recording: bool = False) -> float:
    return LIMITS[PRESETS[kind]][1 if recording else 0]
