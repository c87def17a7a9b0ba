# SPDX-License-Identifier: BSD-3-Clause
"""Writes what the originals of the presets compute, for tests/features.

    python tests/golden/make_front_ends.py                    # tests/golden/front_ends/*.npz
    python tests/golden/make_front_ends.py --compare          # prints how far the files are off
    python tests/golden/make_front_ends.py --recording A.wav  # with another recording, at 16 kHz

`make front-ends-golden` has the programs. Each file holds `source`, the program with its version
and its call, and what that returned for each clip: float32 `y_speech`, `y_synth`, `y_short` and
`y_silence`. The clips themselves are in `clips.npz`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "originals")]

import stored  # noqa: E402

import front_ends  # noqa: E402
import signals  # noqa: E402


def results(name: str, clips: dict[str, signals.Signal]) -> dict[str, Any]:
    """Returns the contents of a file."""
    source, call = stored.all_stored()[name]
    return {"source": source, **{f"y_{key}": call(clip) for key, clip in clips.items()}}


def compare(path: Path, values: dict[str, Any]) -> str:
    """Returns the largest differences between a file and what the original returns now."""
    with np.load(path) as old:
        same = "same source" if old["source"] == values.pop("source") else "another source"
        shapes = {key: (old[key].shape, value.shape) for key, value in values.items()}
        wrong = [f"{key}: {was}, now {now}" for key, (was, now) in shapes.items() if was != now]
        if wrong:
            return f"{same}, {wrong}"
        off = [float(np.abs(old[key] - value).max()) for key, value in values.items()]
    return f"{same}, " + ", ".join(f"{key} {d:.2g}" for key, d in zip(values, off, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes tests/golden/front_ends/*.npz.")
    parser.add_argument("--compare", action="store_true", help="write nothing, print differences")
    parser.add_argument("--recording", type=Path, default=signals.SPEECH)
    parser.add_argument("--folder", type=Path, default=front_ends.GOLDEN)
    arguments = parser.parse_args()
    clips = front_ends.make_clips(signals.read_wav(arguments.recording))
    if not arguments.compare:
        np.savez_compressed(arguments.folder / "clips.npz", **clips)
    for name in stored.all_stored():
        path = arguments.folder / f"{name}.npz"
        values = results(name, clips)
        if arguments.compare:
            print(f"{name:32}", compare(path, values))
        else:
            np.savez_compressed(path, **values)
            print(f"{name:32}", values["source"])


if __name__ == "__main__":
    main()
