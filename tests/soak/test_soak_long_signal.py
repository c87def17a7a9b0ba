# SPDX-License-Identifier: BSD-3-Clause
"""A signal of 2^31 + 1000 samples: frames before, at and behind every limit of 32 bits.

It is silent but for bursts, so that the memory that it takes is that of the bursts. The size of
the run does not change it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from makers import Array, same_bits
from signals import noise
from specfast import MelSpectrogram

Report = Callable[[str], None]

NUM_SAMPLES = 2**31 + 1000
FRAME = 512
# Around the samples whose number, or whose distance in bytes, no longer fits into 31 or 32 bits.
CENTERS = [5000, 2**29, 2**30, NUM_SAMPLES - 3000]


def long_signal(dtype: str) -> Array:
    x = np.zeros(NUM_SAMPLES, dtype)
    for number, center in enumerate(CENTERS):
        x[center - 3000 : center + 3000] = 1000 * noise(6000, seed=number)
    return x


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_calls(dtype: str, report: Report) -> None:
    x, seen = long_signal(dtype), 0
    for hop in (512, 500):
        mel = MelSpectrogram(FRAME, hop, num_mel_bins=2, top_db=None)
        frames = mel(x)
        assert frames.shape == (2, 1 + NUM_SAMPLES // hop)
        for center in CENTERS:
            for frame in range((center - 2500) // hop, (center + 2500) // hop):
                start = frame * hop - FRAME // 2
                alone = mel_of_frame(mel, x[start : start + FRAME])
                assert same_bits(np.ascontiguousarray(frames[:, frame]), alone), (hop, frame)
                seen += 1
        loud = int((frames > frames.min()).any(axis=0).sum())
        expected = len(CENTERS) * 6000 / hop
        assert expected < loud < expected + 3 * len(CENTERS)
    report(f"a signal of 2^31 + 1000 {dtype}: {seen} frames as if alone, bit for bit")


def mel_of_frame(mel: MelSpectrogram, samples: Array) -> Array:
    """Returns the levels of one frame: the one in the middle of a signal that has it there."""
    hop = mel.sequence_stride
    count = -(-FRAME // 2 // hop)
    signal = np.zeros(count * hop + FRAME, samples.dtype)
    start = count * hop - FRAME // 2
    signal[start : start + FRAME] = samples
    return np.ascontiguousarray(mel(signal)[:, count])


def test_streams(report: Report) -> None:
    """Pieces of a million samples; what comes out are the bits of one call."""
    x = long_signal("float32")
    mel = MelSpectrogram(FRAME, 500, num_mel_bins=2, top_db=None)
    expected = mel(x)
    stream, at = mel.stream(), 0
    for begin in range(0, NUM_SAMPLES, 1_000_003):
        frames = stream.push(x[begin : begin + 1_000_003])
        assert same_bits(frames, np.ascontiguousarray(expected[:, at : at + frames.shape[1]]))
        at += frames.shape[1]
    frames = stream.flush()
    assert same_bits(frames, np.ascontiguousarray(expected[:, at:]))
    report(f"a stream of 2^31 + 1000 samples: {at + frames.shape[1]} frames, bits of one call")
