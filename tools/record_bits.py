# SPDX-License-Identifier: BSD-3-Clause
"""Records the bits of many calls and compares two recordings: a proof that no number changed.

    python tools/record_bits.py record old.txt     # with the package as it was
    python tools/record_bits.py record new.txt     # with the package as it is now
    python tools/record_bits.py compare old.txt new.txt

A recording has one line for each call on each instruction set of this machine: a name, and a
digest of the dtype, shape and bytes of what the *installed* package returned. Only the public
interface is called, so recordings of different commits can be compared.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import specfast
from specfast import MelSpectrogram, STFTSpectrogram, linear_to_mel_weight_matrix

Array = np.ndarray[Any, Any]
Case = tuple[str, list[Array]]

MODES = ("real", "imag", "stft", "angle", "magnitude", "log", "psd")
WINDOWS = ("hann", "hamming", "blackman", "bartlett", "boxcar", None)
SMALL_MEL = {"fft_length": 512, "sequence_stride": 160, "num_mel_bins": 40}


def samples(*shape: int, dtype: str = "float32", seed: int = 1) -> Array:
    """Returns noise in [-1, 1) made by integer arithmetic alone, equal with every NumPy."""
    n = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) + np.uint64(seed << 32)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        n = (n ^ (n >> np.uint64(shift))) * np.uint64(factor)
    whole = (n >> np.uint64(48)).astype(np.int64).reshape(shape) - 32768
    if np.dtype(dtype).kind in "iu":
        return (whole % np.iinfo(dtype).max).astype(dtype)
    return (whole / 32768.0).astype(dtype)


def calls() -> Iterator[Case]:
    """Yields forward calls of both layers over modes, dtypes, layouts and lengths."""
    x = samples(2, 4000, 2)
    for mode in MODES:
        for dtype in ("float16", "float32", "float64"):
            layer = made(STFTSpectrogram, mode=mode, dtype=dtype)
            yield f"stft {mode} {dtype}", [layer(x), layer(x[:1, ::-3])]
        for n, frame, hop in ((511, 300, 7), (97, 97, 97), (64, 60, 1), (1000, 400, 160)):
            layer = made(
                STFTSpectrogram, mode=mode, frame_length=frame, frame_step=hop, fft_length=n
            )
            yield f"stft {mode} {n}/{frame}/{hop}", [layer(x)]
        for form in ("channels_last", "channels_first"):
            for expand in (False, True):
                for padding in ("valid", "same"):
                    layer = made(
                        STFTSpectrogram,
                        mode=mode,
                        data_format=form,
                        expand_dims=expand,
                        padding=padding,
                    )
                    y = x if form == "channels_last" else x.transpose(0, 2, 1)
                    yield (
                        f"stft {mode} {form} {expand} {padding}",
                        [layer(y)],
                    )
    for window in (*WINDOWS, samples(256)):
        for scaling in ("density", "spectrum", None):
            layer = made(
                STFTSpectrogram, mode="psd", window=window, scaling=scaling, periodic=True
            )
            named = "values" if isinstance(window, np.ndarray) else window
            yield f"window {named} {scaling}", [layer(x)]
    for dtype in ("int8", "int16", "uint16", "int64", "float16", "float64"):
        y = samples(3, 5000, dtype=dtype)
        for scale in (None, 1 / 32768):
            layer = made(MelSpectrogram, **SMALL_MEL)
            yield f"mel of {dtype} {scale}", [layer(y, scale=scale)]
    layer = made(STFTSpectrogram, mode="log", num_threads=2)
    y = samples(2, 9000, 1, dtype="int16")
    yield (
        "stft of int16",
        [layer(y, scale=2.0**-15), layer(y[:, ::2], scale=0.5)],
    )
    yield (
        "out",
        [layer(x, out=np.empty(layer.compute_output_shape(x.shape), "f4"))],
    )


def mel_calls() -> Iterator[Case]:
    """Yields calls of the mel layer over its own arguments and over lengths of signals."""
    options: list[dict[str, Any]] = [
        {"top_db": None}, {"top_db": 0}, {"top_db": float("inf")},
        {"top_db": 20, "top_db_scope": "clip"}, {"power_to_db": False},
        {"power_to_db": False, "mag_exp": 1.0}, {"mag_exp": 1.5}, {"mag_exp": 1},
        {"window": "hamming", "sequence_length": 400}, {"window": None}, {"window": samples(512)},
        {"num_mel_bins": 200}, {"num_mel_bins": 1, "min_freq": 0.0}, {"max_freq": 4000},
        {"min_power": 1e-3, "ref_power": 7.5}, {"fft_length": 2048}, {"fft_length": 400},
        {"fft_length": 431}, {"sequence_stride": 1000}, {"sequence_stride": 3},
        {"sampling_rate": 8000}, {"num_threads": 1}, {"num_threads": 2},
    ]  # fmt: skip
    for index, option in enumerate(options):
        for dtype in ("float16", "float32", "float64"):
            layer = made(MelSpectrogram, **{**SMALL_MEL, **option, "dtype": dtype})
            inputs = [samples(6000, seed=2), samples(2, 3, 700), samples(4, 30)]
            yield f"mel {index} {dtype}", [layer(x) for x in inputs]
    special = samples(4, 8000)
    special[0] = 0
    special[1, 4000], special[2, 100] = np.nan, np.inf
    special[3] *= np.float32(1e-41)
    for layer in (
        made(MelSpectrogram, **SMALL_MEL),
        made(MelSpectrogram, **SMALL_MEL, top_db=None),
    ):
        yield f"mel special {layer.top_db}", [layer(special), layer(special[:, ::-1])]
    for mode in MODES:
        stft = made(STFTSpectrogram, mode=mode)
        yield f"stft special {mode}", [stft(special[..., None])]
    repeated = np.broadcast_to(samples(3000), (3, 3000))
    mel = made(MelSpectrogram, **SMALL_MEL)
    yield "mel repeated", [mel(repeated)]
    for bands, bins, low, high in ((20, 129, 125, 3800), (128, 1025, 20, 8000), (3, 5, 0, 1000)):
        edges: dict[str, Any] = {
            "lower_edge_hertz": low,
            "upper_edge_hertz": high,
            "sampling_rate": 16000,
        }
        yield (
            f"matrix {bands}",
            [linear_to_mel_weight_matrix(bands, bins, **edges)],
        )


def trained(mode: str, dtype: str = "float32") -> Any:
    """Returns an STFTSpectrogram whose kernels are no longer the analytic ones."""
    layer = made(
        STFTSpectrogram, mode=mode, frame_length=60, frame_step=17, fft_length=64, dtype=dtype
    )
    changed = [w + samples(*w.shape, seed=9).astype(w.dtype) / 64 for w in layer.get_weights()]
    layer.set_weights(changed)
    return layer


def gradient_calls() -> Iterator[Case]:
    """Yields pullbacks of both layers, and calls with trained kernels."""
    x = samples(2, 900, 2, seed=3)

    def pulled(layer: Any, x: Array) -> list[Array]:
        output, pullback = layer.vjp(x)
        cotangent = samples(*output.shape, seed=4).astype(output.dtype)
        gradients = pullback(cotangent)
        return [output, gradients.signal, *gradients.weights]

    for mode in MODES:
        for dtype in ("float32", "float64"):
            layer = trained(mode, dtype)
            yield f"trained {mode} {dtype}", [layer(x), *layer.get_weights()]
            yield f"vjp trained {mode} {dtype}", pulled(layer, x)
            for n in (64, 60):
                layer = made(STFTSpectrogram, mode=mode, frame_length=60, frame_step=17,
                              fft_length=n, padding="same", dtype=dtype)  # fmt: skip
                yield f"vjp {mode} {dtype} {n}", pulled(layer, x)
                yield f"kernels {mode} {dtype} {n}", layer.get_weights()
    options: list[dict[str, Any]] = [
        {}, {"top_db": None}, {"top_db": 5, "top_db_scope": "clip"}, {"power_to_db": False},
        {"mag_exp": 1.0}, {"mag_exp": 1.5, "dtype": "float64"}, {"fft_length": 300},
        {"num_threads": 2},
    ]  # fmt: skip
    for index, option in enumerate(options):
        layer = made(MelSpectrogram, **{**SMALL_MEL, **option})
        yield f"vjp mel {index}", pulled(layer, samples(3, 4000, seed=5))


def stream_calls() -> Iterator[Case]:
    """Yields streams, fed in uneven pieces and pickled on the way."""

    def streamed(stream: Any, x: Array, axis: int) -> list[Array]:
        results, begin = [], 0
        for number in range(400):
            size = (number * 37) % 241
            index = (slice(None),) * axis + (slice(begin, begin + size),)
            results.append(stream.push(x[index]))
            begin += size
            if number == 11:
                stream = pickle.loads(pickle.dumps(stream))
            if begin >= x.shape[axis]:
                break
        return [*results, stream.flush()]

    for mode in MODES:
        layer = made(STFTSpectrogram, mode=mode, frame_length=200, frame_step=90)
        yield f"stream {mode}", streamed(layer.stream(2), samples(5000, 2), 0)
    same = made(STFTSpectrogram, mode="psd", padding="same")
    yield "stream same padding", streamed(same.stream(num_samples=5000), samples(5000), 0)
    yield "stream trained", streamed(trained("log").stream(), samples(5000), 0)
    options: list[tuple[dict[str, Any], Any]] = [
        ({"top_db": None}, None), ({}, "running"), ({}, -10.0),
        ({"top_db_scope": "clip"}, "running"),
        ({"sequence_stride": 700}, "running"), ({"dtype": "float64", "fft_length": 300}, 3.0),
    ]  # fmt: skip
    for index, (option, maximum) in enumerate(options):
        layer = made(MelSpectrogram, **{**SMALL_MEL, **option})
        for channels in (1, 3):
            x = samples(*(6000,) if channels == 1 else (3, 6000), seed=6)
            stream = layer.stream(channels, max_db=maximum)
            yield f"stream mel {index} {channels}", streamed(stream, x, x.ndim - 1)


def made(kind: type[Any], **arguments: Any) -> Any:
    """Returns a layer; without the warning for an `fft_length` that is no power of two."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**arguments)


def digest(arrays: list[Array]) -> str:
    """Returns a digest of the dtypes, shapes and bytes of arrays.

    All NaNs count as one: of two that are added, the compiler chooses whose sign survives.
    """
    hashed = hashlib.sha256()
    for array in arrays:
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
        hashed.update(f"{array.dtype} {array.shape};".encode())
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()[:32]


def record_here(prefix: str) -> list[str]:
    """Returns the lines of a recording on the instruction set in use."""
    return [
        f"{prefix} {name}\t{digest(arrays)}"
        for make in (calls, mel_calls, gradient_calls, stream_calls)
        for name, arrays in make()
    ]


def record(path: Path) -> None:
    lines = []
    for isa in specfast.build_info()["available_isas"]:
        command = [sys.executable, __file__, "here"]
        environment = {**os.environ, "SPECFAST_ISA": isa}
        child = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=600
        )
        lines += child.stdout.splitlines()
    path.write_text("".join(line + "\n" for line in sorted(lines)), encoding="utf-8")
    print(f"{len(lines)} calls recorded")


def compare(old: Path, new: Path) -> int:
    before, after = (
        dict(line.split("\t") for line in path.read_text("utf-8").splitlines())
        for path in (old, new)
    )
    differing = sorted(name for name in before if before[name] != after.get(name))
    for name in differing:
        print(f"{'differs' if name in after else 'missing'}: {name}")
    print(
        f"{len(before) - len(differing)} of {len(before)} equal, {len(after.keys() - before)} new"
    )
    return int(bool(differing) or not before)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("record").add_argument("file", type=Path)
    both = commands.add_parser("compare")
    both.add_argument("old", type=Path)
    both.add_argument("new", type=Path)
    commands.add_parser("here")
    arguments = parser.parse_args()
    if arguments.command == "record":
        record(arguments.file)
        return 0
    if arguments.command == "compare":
        return compare(arguments.old, arguments.new)
    print("\n".join(record_here(specfast.build_info()["isa"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
