# SPDX-License-Identifier: BSD-3-Clause
"""Shows the main job of specfast: a recording becomes Keras' numbers and a picture.

Runs `specfast mel` and `specfast stft` on examples/speech.wav, compares what they wrote with
golden values that Keras itself computed, and says how long the layers took and where the pictures
are. Exits with 1 if a difference exceeds its bound.

The golden values are in examples/demo_golden.npz, written by tests/golden/make_golden.py, which
rounds them to 2^-12 dB (mel) and 2^-15 (logarithm of the STFT) to make the file small.

Run: make demo, or python examples/demo.py with specfast[cli] installed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import specfast
from specfast.audio import read_audio

EXAMPLES = Path(__file__).resolve().parent
SPEECH = EXAMPLES / "speech.wav"

# Keras computes in float32 with errors of its own. Here its mel levels differ from a float64
# reference by 0.0004 to 0.0006 dB, and its STFT by 2e-5 of the loudest bin of a frame.
MEL_BOUND_DB = 2e-3
STFT_BOUND = 1e-4

# A command takes a second or two; the first of all may build matplotlib's font cache.
COMMAND_LIMIT_SECONDS = 120


def short(path: Path) -> Path:
    """Returns the path as seen from here, if that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def command(*arguments: object) -> None:
    """Shows and runs one `specfast` command; ends the demo if it fails."""
    words = [str(argument) for argument in arguments]
    print("$ specfast", *words, flush=True)
    program = [sys.executable, "-m", "specfast"]
    try:
        subprocess.run([*program, *words], check=True, timeout=COMMAND_LIMIT_SECONDS)
    except subprocess.SubprocessError as error:
        sys.exit(f"FAILED: {error}")


def written(path: Path, name: str) -> np.ndarray:
    with np.load(path) as file:
        return np.asarray(file[name])


def check_shapes(ours: np.ndarray, golden: np.ndarray, name: str) -> None:
    if ours.shape != golden.shape:
        sys.exit(f"FAILED: {name} has shape {ours.shape}, the golden values {golden.shape}")


def mel_difference(ours: np.ndarray, golden: np.ndarray) -> float:
    """Returns the largest difference in dB; NaN if there is one anywhere."""
    check_shapes(ours, golden, "mel")
    return float(np.max(np.abs(ours.astype(np.float64) - golden)))


def stft_difference(ours: np.ndarray, golden: np.ndarray) -> float:
    """Returns the largest difference of magnitudes, relative to their frame's loudest bin.

    Logarithms of almost silent bins are mostly noise in Keras itself, so magnitudes are
    compared: both are exp(log).
    """
    check_shapes(ours, golden, "stft")
    magnitudes, wanted = np.exp(ours.astype(np.float64)), np.exp(golden.astype(np.float64))
    return float(np.max(np.abs(magnitudes - wanted) / wanted.max(axis=1, keepdims=True)))


def seconds_per_call(call: Callable[[], object], repeats: int = 50) -> float:
    """Returns the median time of a call."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def speed(seconds: float, recording_seconds: float) -> str:
    """Returns a time of a call, and how it compares with listening to the recording."""
    return (
        f"{seconds * 1e3:.3f} ms for {recording_seconds:.2f} s of sound: "
        f"{recording_seconds / seconds:,.0f} times as fast as it plays"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="specfast on a recording, checked against Keras")
    parser.add_argument("--golden", type=Path, default=EXAMPLES / "demo_golden.npz")
    parser.add_argument("--out", type=Path, default=EXAMPLES.parent / "build" / "demo")
    options = parser.parse_args()
    if not options.golden.is_file():
        sys.exit(f"FAILED: no golden values at {options.golden}; `make golden` writes them")
    options.out.mkdir(parents=True, exist_ok=True)

    print("A recorded sentence becomes the numbers of two Keras layers, and two pictures.\n")
    for name in ("mel", "stft"):
        for suffix in ("npz", "png"):
            target = short(options.out / f"{name}.{suffix}")
            command(name, short(SPEECH), "-o", target, "--force", "--quiet")

    mel = written(options.out / "mel.npz", "mel")
    stft = written(options.out / "stft.npz", "stft")
    mel_error = mel_difference(mel, written(options.golden, "mel"))
    stft_error = stft_difference(stft, written(options.golden, "stft_log"))

    samples, rate = read_audio(SPEECH, mono=True)
    length = len(samples) / rate
    # One thread: more are no gain for so short a recording, and the figure is comparable.
    mel_layer = specfast.MelSpectrogram(sampling_rate=rate, num_threads=1)
    stft_layer = specfast.STFTSpectrogram(num_threads=1)
    mel_time = speed(seconds_per_call(lambda: mel_layer(samples)), length)
    batch = samples[np.newaxis, :, np.newaxis]
    stft_time = speed(seconds_per_call(lambda: stft_layer(batch)), length)

    build = specfast.build_info()
    print(f"""
Recording  {short(SPEECH)}: {length:.2f} s of speech, {len(samples)} samples at {rate} Hz
Engine     {build["isa"]} kernels, {build["lanes_float32"]} frames at once, one thread

MelSpectrogram with default arguments
  picture  {short(options.out / "mel.png")}
  result   {mel.shape[0]} bands x {mel.shape[1]} frames, {mel.dtype}, \
{mel.min():.2f} to {mel.max():.2f} dB
  time     {mel_time}
  Keras    largest difference {mel_error:.2g} dB, of {MEL_BOUND_DB:g} dB accepted

STFTSpectrogram with default arguments
  picture  {short(options.out / "stft.png")}
  result   {stft.shape[0]} frames x {stft.shape[1]} bins, {stft.dtype}, \
{stft.min():.2f} to {stft.max():.2f} (natural logarithm of the magnitude)
  time     {stft_time}
  Keras    largest difference {stft_error:.2g} of the loudest bin of its frame, \
of {STFT_BOUND:g} accepted

Times are medians of 50 calls. The arrays are beside the pictures, as mel.npz and stft.npz.
""")
    # Written so that a NaN fails too.
    if not (mel_error <= MEL_BOUND_DB and stft_error <= STFT_BOUND):
        print("FAILED: these are not Keras' numbers", file=sys.stderr)
        return 1
    print("OK: these are Keras' numbers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
