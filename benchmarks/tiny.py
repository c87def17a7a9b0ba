# SPDX-License-Identifier: BSD-3-Clause
"""Seconds of a call with almost nothing to compute; prints JSON.

``tiny_call_s`` is one frame of 16 samples: an upper bound of the overhead beyond the C++ work.
``empty_call_s`` is a batch of no signals.  Both are the slower of the two layers.
"""

from __future__ import annotations

import json
import statistics
import time
import timeit
from typing import Any

import numpy as np

import specfast

_CALLS = 2000
_REPEATS = 41


def _seconds(layer: Any, x: Any) -> float:
    # Processor time: such a call waits for nothing, and other work is not to count.
    timer = timeit.Timer(lambda: layer(x), timer=time.process_time)
    timer.timeit(_CALLS)
    return statistics.median(timer.repeat(_REPEATS, _CALLS)) / _CALLS


def main() -> None:
    """Times both layers."""
    stft = specfast.STFTSpectrogram(mode="magnitude", frame_length=16, fft_length=16)
    mel = specfast.MelSpectrogram(
        fft_length=16, sequence_stride=16, num_mel_bins=1, min_freq=1000.0
    )
    signal = np.linspace(-1, 1, 16, dtype=np.float32)
    one = signal[:8]  # mel: shorter than a hop, so that there is one frame
    print(
        json.dumps(
            {
                "tiny_call_s": max(_seconds(stft, signal[None, :, None]), _seconds(mel, one)),
                "empty_call_s": max(
                    _seconds(stft, np.zeros((0, 16, 1), np.float32)),
                    _seconds(mel, np.zeros((0, 16), np.float32)),
                ),
            }
        )
    )


if __name__ == "__main__":
    main()
