# SPDX-License-Identifier: BSD-3-Clause
"""Calls on arrays that lie between two pages which cannot be touched; a program of its own.

    python guard_pages.py [FAULT]

Whoever reads or writes one sample too many is killed. Arrays end where the page behind them
begins, or begin where the page before them ends; lengths differ by one sample from 0 to 15, so
that the first one stands at every place of a vector. Results are compared with those of ordinary
arrays.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from makers import Array, same_bits, stft
from signals import noise
from specfast import ISTFT, GriffinLim, MelSpectrogram, MelToSound

PAGE = mmap.PAGESIZE
PROT_NONE = 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def guarded(x: Array, *, at_end: bool) -> Array:
    """Returns a copy next to a page that cannot be touched: behind its end, or before it."""
    room = -(-max(x.nbytes, 1) // PAGE) * PAGE
    memory = mmap.mmap(-1, room + 2 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    library = ctypes.CDLL(None, use_errno=True)
    for guard in (address, address + PAGE + room):
        if library.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), PROT_NONE) != 0:
            raise OSError(ctypes.get_errno(), "a page cannot be protected")
    offset = PAGE + (room - x.nbytes if at_end else 0)
    copy = np.frombuffer(memory, x.dtype, x.size, offset).reshape(x.shape)
    copy[...] = x
    return copy


def check(call: Callable[..., Any], *arrays: Array, takes_out: bool = False) -> None:
    """Compares a call on guarded arrays, and into a guarded `out`, with one on ordinary arrays."""
    expected = call(*arrays)
    for at_end in (True, False):
        inputs = [guarded(array, at_end=at_end) for array in arrays]
        results = [call(*inputs)]
        if takes_out:
            out = guarded(np.zeros_like(expected), at_end=at_end)
            results.append(call(*inputs, out=out))
        for result in results:
            for found, wanted in zip(flat(result), flat(expected), strict=True):
                assert same_bits(found, wanted)


def flat(result: Any) -> list[Array]:
    """Returns the arrays in an array, or in lists and tuples of them."""
    if isinstance(result, np.ndarray):
        return [result]
    return [array for part in result for array in flat(part)]


def lengths(start: int) -> Iterator[int]:
    return iter(range(start, start + 16))


def mel_layers() -> Iterator[MelSpectrogram]:
    for fft_length, hop in ((512, 160), (64, 16), (331, 100), (1021, 1500), (2048, 512)):
        for dtype in ("float32", "float64"):
            yield MelSpectrogram(fft_length, hop, num_mel_bins=13, dtype=dtype)
    yield MelSpectrogram(512, 160, 400, num_mel_bins=80, dtype="float16", top_db=None)


def mel() -> None:
    for layer in mel_layers():
        for length in lengths(3000):
            check(layer, noise(length), takes_out=True)
        check(layer, noise(3, 1733), takes_out=True)
        check(layer, (1000 * noise(2, 2001)).astype(np.int16), takes_out=True)
        check(layer, noise(1999, dtype=np.float64), takes_out=True)


def spectrograms() -> None:
    geometries = ((64, 16, 64), (33, 10, 127), (16, 2, 512), (3, 1, 4))
    for mode, (number, geometry), padding in itertools.product(
        ("log", "magnitude", "psd", "real", "imag", "angle", "stft"),
        enumerate(geometries),
        ("valid", "same"),
    ):
        layout = ("channels_last", "channels_first")[number % 2]
        layer = stft(mode, *geometry, padding=padding, data_format=layout)
        for length in (300, 301, 315):
            x = noise(2, length, 3)
            x = x if number % 2 == 0 else np.ascontiguousarray(x.swapaxes(1, 2))
            check(layer, x, takes_out=True)
    layer = stft("stft", 256, 128, 256)
    for length in lengths(2000):
        check(layer, noise(1, length, 1), takes_out=True)


def lists_of_clips() -> None:
    layer = MelSpectrogram(512, 160, num_mel_bins=13, top_db=None)
    for start in lengths(600):
        clips = [noise(start + 777 * number) for number in range(3)]
        check(lambda *clips: layer(list(clips)).values, *clips)
    padded = noise(3, 1501)
    check(lambda x: layer(x, lengths=np.array([1501, 3, 900])).values, padded)


def streams() -> None:
    for layer in mel_layers():
        for length in lengths(1):
            pieces = [noise(length, seed=i) for i in range(4)] + [noise(1000 + length)]

            def run(*pieces: Array, layer: Any = layer) -> list[Array]:
                stream = layer.stream(max_db="running" if layer.top_db else None)
                return [*(stream.push(piece) for piece in pieces), stream.flush()]

            check(run, *pieces)


def gradients() -> None:
    for mode in ("log", "stft", "angle"):
        layer = stft(mode, 64, 16, 64)
        for length in lengths(500):
            x = noise(1, length, 1)
            cotangent = noise(*layer.compute_output_shape(x.shape), seed=1)
            check(lambda x, c, layer=layer: layer.vjp(x)[1](c), x, cotangent)
    mel_layer = MelSpectrogram(512, 160, num_mel_bins=13, top_db=None)
    for length in lengths(1500):
        cotangent = noise(*mel_layer.compute_output_shape((length,)), seed=1)
        check(lambda x, c: mel_layer.vjp(x)[1](c), noise(length), cotangent)


def inverses() -> None:
    for frame, step in ((64, 16), (240, 60), (448, 64), (2048, 512)):
        layer = stft("stft", frame, step, frame)
        inverse = ISTFT(frame, step, frame, padding="center")
        for frames in lengths(5):
            check(inverse, layer(noise(1, frame + frames * step, 1)), takes_out=True)

        def run(*pieces: Array, inverse: ISTFT = inverse) -> list[Array]:
            stream = inverse.stream()
            return [*(stream.push(piece) for piece in pieces), stream.flush()]

        spectra = layer(noise(1, frame + 20 * step, 1))
        check(run, *np.split(spectra[0], [1, 2, 7, 16]))
        cotangent = noise(*inverse(spectra).shape, seed=1)
        check(lambda s, c, inverse=inverse: inverse.vjp(s)[1](c), spectra, cotangent)


def searches() -> None:
    for frame, step in ((64, 16), (240, 60)):
        istft = ISTFT(frame, step, frame, padding="center", layout="bins_frames")
        search = GriffinLim(istft, num_iterations=3)
        for frames in lengths(5):
            check(search, np.abs(noise(frame // 2 + 1, frames)))


def bands() -> None:
    sound = MelToSound(MelSpectrogram(512, 160, num_mel_bins=13), num_iterations=2)
    for frames in (5, 6, 7, 8):
        check(sound, noise(13, frames))


def behind() -> None:
    """A planted fault: the byte behind an array."""
    x = guarded(noise(100), at_end=True)
    say("touching a guard")
    ctypes.string_at(x.ctypes.data + x.nbytes, 1)


def before() -> None:
    """A planted fault: the byte before an array."""
    x = guarded(noise(100), at_end=False)
    say("touching a guard")
    ctypes.string_at(x.ctypes.data - 1, 1)


CASES = (mel, spectrograms, lists_of_clips, streams, gradients, inverses, searches, bands)
FAULTS = {call.__name__: call for call in (behind, before)}


def main(fault: str | None = None) -> None:
    if fault:
        FAULTS[fault]()
    for case in CASES:
        say(case.__name__)
        case()
    say("no guard was touched")


if __name__ == "__main__":
    main(*sys.argv[1:])
