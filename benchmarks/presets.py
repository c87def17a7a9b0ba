# SPDX-License-Identifier: BSD-3-Clause
"""What each preset costs beside a plain mel spectrogram: ``python -m benchmarks.presets``.

The plain one has the same sizes, bands and precision, padding, and decibels; nothing else.  Both
take turns on one thread, on thirty seconds of noise or the longest clip that the preset takes.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from specfast import (
    EmptyBandsWarning,
    FeatureExtractor,
    FeatureSpec,
    presets,
    set_num_threads,
)

MUST = 1.4  # times the plain one
_SECONDS = 30
_ROUNDS = 40
_KEPT = (
    "sampling_rate",
    "precision",
    "frame_length",
    "hop_length",
    "fft_length",
    "padding",
    "num_mel_bins",
    "min_freq",
    "max_freq",
    "layout",
)


def plain(spec: FeatureSpec) -> FeatureSpec:
    """Returns the plain mel spectrogram of the sizes of a preset."""
    return FeatureSpec(level="decibel", **{name: getattr(spec, name) for name in _KEPT})


def noise(spec: FeatureSpec) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Returns a clip that a preset neither cuts nor pads."""
    num_samples = round(_SECONDS * spec.sampling_rate)
    if spec.num_samples is not None:
        num_samples = spec.num_samples
    elif spec.num_frames is not None:
        num_samples = (spec.num_frames - 1) * spec.hop_length + spec.frame_span
    return 0.1 * np.random.default_rng(0).standard_normal(num_samples, dtype=np.float32)


def in_turns(
    *calls: Callable[[], Any],
    clock: Callable[[], float] = time.process_time,
    rounds: int = _ROUNDS,
    in_a_row: int = 1,
) -> list[float]:
    """Returns the shortest time of each call in seconds, of the processor: other work counts less.

    Args:
        calls: what is timed.
        clock: which time counts.
        rounds: how many turns each has.
        in_a_row: calls of a turn; the first finds caches and memory as another left them.
    """
    shortest = [float("inf")] * len(calls)
    for _ in range(rounds):
        for i, call in enumerate(calls):
            for _ in range(in_a_row):
                started = clock()
                call()
                shortest[i] = min(shortest[i], clock() - started)
    return shortest


def main() -> int:
    """Prints a Markdown table.  Returns 1 if a preset costs more than it must."""
    set_num_threads(1)
    warnings.simplefilter("ignore", EmptyBandsWarning)  # the originals have such bands
    slow = []
    print("| preset | precision | ms | plain mel, ms | ratio |\n| --- | --- | --- | --- | --- |")
    for name in presets.names():
        spec = presets.spec(name)
        clip, extractor, simple = noise(spec), presets.get(name), FeatureExtractor(plain(spec))
        ours, theirs = in_turns(partial(extractor, clip), partial(simple, clip))
        ratio = ours / theirs
        slow += [name] if ratio > MUST else []
        print(
            f"| {name} | {spec.precision} | {ours * 1e3:.2f} | {theirs * 1e3:.2f} | {ratio:.2f} |",
            flush=True,
        )
    print(f"\nmore than {MUST} times the plain one: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
