# SPDX-License-Identifier: BSD-3-Clause
"""Compares a GPU with the CPU over modes, lengths, paddings, layouts and dtypes.

    python -m benchmarks.gpu.numbers [--few]

Exits with 1 if a result differs by more than is accepted: a relative L2 error of 1e-6 in float32
and 1e-14 in float64, 2e-3 dB for levels; if it is not NaN where that of the CPU is; or if it
depends on the run or, where cuFFT takes no part, on the place in a batch. `--few` takes one case
of each kernel and calls it once, for tools that make a GPU slow.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import specfast

Array = NDArray[Any]
Case = tuple[str, dict[str, Any], tuple[int, ...]]

POWERS = (64, 128, 256, 512, 1024, 2048, 4096)
MODES = ("real", "imag", "stft", "angle", "magnitude", "log", "psd")
LAYOUTS = ("channels_last", "channels_first")
ACCEPTED = {"float32": 1e-6, "float64": 1e-14}
# Levels of a hundred dB that a rounding error moves to the next number of 16 bits.
ACCEPTED_OF_HALVES = {"float16": 0.0625, "bfloat16": 0.5}
ACCEPTED_DB = 2e-3
ACCEPTED_LOG = ACCEPTED_DB * np.log(10) / 20


def cases(few: bool) -> Iterator[Case]:
    """Yields layers with their arguments and the shape of their input."""
    for length in POWERS:
        shape = (2, 4 * length, 1)
        yield "STFTSpectrogram", {"frame_length": length, "mode": "psd"}, shape
        yield "MelSpectrogram", mel(fft_length=length, sequence_stride=length // 4), shape[:2]
    # Lengths that take cuFFT.
    for length in (400, 250, 6000):
        hop = length // 4 + 1
        yield "STFTSpectrogram", {"frame_length": length, "mode": "log"}, (2, 3 * length, 1)
        yield "MelSpectrogram", mel(fft_length=length, sequence_stride=hop), (2, 3 * length)
    if few:
        return
    dtypes = ("float32", "float64")
    for mode, padding, dtype in itertools.product(MODES, ("valid", "same"), dtypes):
        arguments = {"frame_length": 400, "frame_step": 160, "fft_length": 512}
        choices = {"mode": mode, "padding": padding, "dtype": dtype}
        yield "STFTSpectrogram", {**arguments, **choices}, (3, 2000, 2)
    for mag_exp, power_to_db, dtype in itertools.product((1.0, 1.5, 2.0), (True, False), dtypes):
        choices = {"mag_exp": mag_exp, "power_to_db": power_to_db, "dtype": dtype}
        yield "MelSpectrogram", mel(fft_length=512, sequence_stride=160, **choices), (3, 5000)
    # Layouts, results of 16 bits, an odd window, and signals shorter than a frame.
    for expand_dims, data_format in itertools.product((False, True), LAYOUTS):
        choices = {"expand_dims": expand_dims, "data_format": data_format, "mode": "magnitude"}
        shape = (3, 900, 2) if data_format == LAYOUTS[0] else (3, 2, 900)
        yield "STFTSpectrogram", {"frame_length": 75, "fft_length": 128, **choices}, shape
    for dtype in ("float16", "bfloat16"):
        yield "MelSpectrogram", mel(fft_length=512, dtype=dtype), (3, 5000)
    for num_samples in (1, 2, 511, 512, 513):
        yield "MelSpectrogram", mel(fft_length=512), (2, num_samples)
        yield "MelSpectrogram", mel(fft_length=400), (2, num_samples)


def mel(**arguments: Any) -> dict[str, Any]:
    return {"num_mel_bins": 20, "sampling_rate": 16000, **arguments}


def error_of(
    name: str, arguments: dict[str, Any], ours: Array, wanted: Array
) -> tuple[float, float]:
    """Returns an error and what is accepted."""
    dtype = arguments.get("dtype", "float32")
    if dtype in ACCEPTED_OF_HALVES:
        return float(np.abs(ours - wanted).max()), ACCEPTED_OF_HALVES[dtype]
    if arguments.get("power_to_db", name == "MelSpectrogram"):
        return float(np.abs(ours - wanted).max()), ACCEPTED_DB
    if arguments.get("mode") == "log":
        return float(np.abs(ours - wanted).max()), ACCEPTED_LOG
    accepted = ACCEPTED[dtype]
    if arguments.get("mode") == "angle":
        turn = np.angle(np.exp(1j * (ours.astype(np.float64) - wanted)))
        # An angle is as exact as its bin is large.
        return float(np.median(np.abs(turn))), accepted
    return float(np.linalg.norm(ours - wanted) / np.linalg.norm(wanted)), accepted


def check(name: str, arguments: dict[str, Any], shape: tuple[int, ...], few: bool) -> list[str]:
    """Returns what is wrong with one case."""
    kind = getattr(specfast, name)
    dtype = arguments.get("dtype", "float32")
    x = np.random.default_rng(len(shape) * sum(shape)).standard_normal(shape)
    x = x.astype(dtype if dtype in ACCEPTED else "float32")
    on_cpu, on_gpu = kind(**arguments), kind(**arguments, device="cuda")
    ours = on_gpu(x)
    label = f"{name} {arguments} on {shape}"
    numbers = (result.astype(np.float64) for result in (ours, on_cpu(x)))
    error, accepted = error_of(name, arguments, *numbers)
    wrong = []
    print(f"{error:9.1e} (accepted {accepted:.0e})  {label}", flush=True)
    if not error <= accepted:
        wrong.append(f"{label}: {error:.1e}")
    if few:
        return wrong
    if not np.array_equal(on_gpu(x), ours):
        wrong.append(f"{label}: another run gave other bits")
    # A batch of one; the maximum of a batch is another scope.
    clips = kind(**arguments, device="cuda", **clip_scope(name))
    together = clips(x)
    if any(not np.array_equal(clips(x[i : i + 1])[0], together[i]) for i in range(len(x))):
        # cuFFT may take another algorithm for another number of transforms.
        report = wrong.append if is_fused(arguments) else print
        report(f"{label}: bits depend on the place in a batch")
    x[0].flat[x[0].size // 2] = np.nan
    if not np.array_equal(np.isnan(clips(x)), np.isnan(kind(**arguments, **clip_scope(name))(x))):
        wrong.append(f"{label}: NaN in other places than on the CPU")
    return wrong


def is_fused(arguments: dict[str, Any]) -> bool:
    """Tells whether our own kernel computes the transforms."""
    length = arguments.get("fft_length") or arguments["frame_length"]
    return length in POWERS and arguments.get("dtype") != "float64"


def checked(name: str, arguments: dict[str, Any], shape: tuple[int, ...], few: bool) -> list[str]:
    """Returns what is wrong with one case, an exception included."""
    try:
        return check(name, arguments, shape, few)
    except Exception as error:
        return [f"{name} {arguments} on {shape}: {type(error).__name__}: {error}"]


def clip_scope(name: str) -> dict[str, Any]:
    return {"top_db_scope": "clip"} if name == "MelSpectrogram" else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--few", action="store_true", help="one case of each kernel")
    few = parser.parse_args().few
    wrong = [complaint for case in cases(few) for complaint in checked(*case, few)]
    print("device:", specfast.build_info()["cuda"])
    print(*wrong, f"{len(wrong)} of {len(list(cases(few)))} cases are wrong", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
