# SPDX-License-Identifier: BSD-3-Clause
"""Streams of a FeatureExtractor: bit for bit what a call gives, or refused by name."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from specfast import FeatureExtractor
from specs import FRAMINGS, STEPS, clip, made

LENGTHS = (0, 1, 2, 130, 256, 257, 999, 5000)
PIECES = ((7, 1, 90), (100,), (1000, 3), (9999,))


def streamed(extractor: FeatureExtractor, x: Any, pieces: tuple[int, ...], **rules: Any) -> Any:
    stream = extractor.stream(**rules)
    parts, begin, turn = [], 0, 0
    while begin < len(x):
        end = begin + pieces[turn % len(pieces)]
        parts.append(stream.push(x[begin:end]))
        begin, turn = end, turn + 1
        if turn == 3:
            stream = pickle.loads(pickle.dumps(stream))
    return np.concatenate([*parts, stream.flush()], axis=stream.frame_axis)


@pytest.mark.parametrize("layout", ["bands_first", "frames_first"])
@pytest.mark.parametrize("steps", STEPS, ids=str)
@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_streams_give_the_bits_of_a_call(
    framing: dict[str, Any], steps: dict[str, Any], layout: str
) -> None:
    extractor = FeatureExtractor(made(framing, steps, layout=layout))
    for num_samples in LENGTHS:
        x = clip(num_samples, num_samples)
        want = extractor(x)
        for pieces in PIECES:
            np.testing.assert_array_equal(streamed(extractor, x, pieces), want)


def test_latency_is_what_it_says() -> None:
    for framing in FRAMINGS:
        extractor = FeatureExtractor(made(framing))
        stream = extractor.stream()
        hop, latency = extractor.spec.hop_length, stream.latency_samples
        frames = 0
        for num_samples in range(1, 2000):
            frames += stream.push(clip(1)).shape[-1]
            promised = max((num_samples - latency) // hop + 1, 0)
            # The first frames may wait for samples that are reflected to their front.
            assert frames == promised or (num_samples <= 700 and frames == 0), framing


@pytest.mark.parametrize("steps", [{}, {"num_cepstra": 6, "energy": "raw"}, {"gain": 0.5}])
def test_a_maximum_that_is_given(steps: dict[str, Any]) -> None:
    spec = made({"level": "decibel", "dynamic_range": 15.0, "padding": "center"}, steps)
    x = clip(5000)
    plain = spec.replace(dynamic_range=None, num_cepstra=None, energy=None, gain=1.0)
    maximum = float(FeatureExtractor(plain)(x).max())
    extractor = FeatureExtractor(spec)
    for pieces in PIECES:
        result = streamed(extractor, x, pieces, max_level=maximum)
        np.testing.assert_allclose(result, extractor(x), atol=1e-4)
    running = [streamed(extractor, x, pieces, max_level="running") for pieces in PIECES]
    for other in running[1:]:
        np.testing.assert_array_equal(other, running[0])


def test_channels_are_apart() -> None:
    for steps in STEPS:
        extractor = FeatureExtractor(made({"padding": "center"}, steps))
        x = np.stack([clip(3000), clip(3000, 1)])
        stream = extractor.stream(2)
        parts = [stream.push(x[:, :777]), stream.push(x[:, 777:]), stream.flush()]
        np.testing.assert_array_equal(np.concatenate(parts, stream.frame_axis), extractor(x))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("normalization", "per_band"),
        ("num_samples", 4000),
        ("num_frames", 10),
        ("num_frames", 1),
        ("num_samples", 1),
        ("frames_multiple", 2),
        ("delta_order", 1),
    ],
)
def test_what_needs_the_whole_clip_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"`?{field}`?.* which (a stream )?does not know"):
        FeatureExtractor(made(level="ln", **{field: value})).stream()


def test_joining_is_refused() -> None:
    with pytest.raises(ValueError, match="join those of the stream yourself"):
        FeatureExtractor(made(join_frames=2, layout="frames_first")).stream()


def test_a_dynamic_range_needs_a_rule() -> None:
    with pytest.raises(ValueError, match="running"):
        FeatureExtractor(made(level="ln", dynamic_range=3.0)).stream()


def test_a_state_is_of_one_specification() -> None:
    gains = FeatureExtractor(made(gain=tuple(range(1, 13)))).stream()
    offsets = FeatureExtractor(made(offset=tuple(range(1, 13)))).stream()
    with pytest.raises(ValueError, match="fingerprint"):
        offsets._core.load(gains._core.save())
