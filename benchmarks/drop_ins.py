# SPDX-License-Identifier: BSD-3-Clause
"""specfast.huggingface beside transformers, whole calls: ``python -m benchmarks.drop_ins``.

Both take turns, from samples to a BatchFeature of tensors, on noise of the longest clip that is
usual with a model, of five seconds, and on eight clips of three to five seconds.  On one thread
processor time counts, so that other work does not; on all threads it is time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.presets import in_turns
from specfast import set_num_threads

MUST = 8  # times as fast, on the longest clips
# The classes, and the seconds of their longest clips.
_CLASSES = {
    "Whisper": 30,
    "SeamlessM4T": 30,
    "Parakeet": 30,
    "Lasr": 30,
    "Phi4Multimodal": 30,
    "Gemma3nAudio": 30,
    "AST": 10,
    "Clap": 10,
    "SpeechT5": 30,
    "UnivNet": 10,
}
_ROUNDS = 5

Clips = np.ndarray[Any, np.dtype[np.float32]] | list[np.ndarray[Any, np.dtype[np.float32]]]


def clips(rate: int, longest: int) -> dict[str, Clips]:
    """Returns noise of a sampling rate by what it is."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(longest * rate, dtype=np.float32)
    batch = [noise[: round((3 + 2 * i / 7) * rate)] for i in range(8)]
    return {f"{longest} s": noise, "5 s": noise[: 5 * rate], "8 clips": batch}


def call_of(extractor: Any, samples: Clips) -> Callable[[], Any]:
    """Returns the call of an extractor as users make it."""
    name = "audio_target" if type(extractor).__name__.startswith("SpeechT5") else "raw_speech"
    arguments = {
        name: samples,
        "sampling_rate": extractor.sampling_rate,
        "return_tensors": "pt",
    }
    if name == "audio_target" or type(extractor).__name__.startswith("UnivNet"):
        arguments["padding"] = True
    if type(extractor).__name__.startswith("UnivNet"):
        del arguments["return_tensors"]  # its noise has another length for each clip
    return partial(extractor, **arguments)


def main() -> int:
    """Prints a Markdown table.  Returns 1 if a class is slower than it must be."""
    import torch
    import transformers

    from specfast import huggingface

    transformers.logging.set_verbosity_error()
    all_threads = len(os.sched_getaffinity(0))
    print(f"transformers {transformers.__version__}, torch {torch.__version__}\n")
    print(
        "| class | clip | 1 thread, ms | specfast | ratio "
        f"| {all_threads} threads, ms | specfast | ratio |"
    )
    print("|" + " --- |" * 8)
    slow = []
    for kind, longest in _CLASSES.items():
        name = f"{kind}FeatureExtractor"
        pair = [getattr(module, name)() for module in (transformers, huggingface)]
        for label, samples in clips(pair[0].sampling_rate, longest).items():
            cells = []
            for threads, clock in ((1, time.process_time), (all_threads, time.perf_counter)):
                torch.set_num_threads(threads)
                set_num_threads(threads)
                calls = [call_of(extractor, samples) for extractor in pair]
                theirs, ours = in_turns(*calls, clock=clock, rounds=_ROUNDS, in_a_row=3)
                cells.append(f"{theirs * 1e3:.1f} | {ours * 1e3:.2f} | {theirs / ours:.1f}")
                if label == f"{longest} s" and theirs < MUST * ours:
                    slow.append(f"{kind} on {threads} threads")
            print(f"| `{name}` | {label} | {' | '.join(cells)} |", flush=True)
    print(f"\nless than {MUST} times as fast on the longest clip: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
