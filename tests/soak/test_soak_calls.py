# SPDX-License-Identifier: BSD-3-Clause
"""Very many calls: the same bits to the end, and no growth of memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from makers import Array, same_bits, small_mel, small_stft
from signals import noise
from specfast import ISTFT, MelSpectrogram

Times = Callable[[int], int]
Report = Callable[[str], None]
Bytes = Callable[[], int]

MIB = 1 << 20


def pushed(stream: Any, pieces: list[Array]) -> Array:
    """Pushes pieces and flushes; returns all frames."""
    frames = []
    push, axis = stream.push, stream.frame_axis
    for piece in pieces:
        found = push(piece)
        if found.size:
            frames.append(found)
    frames.append(stream.flush())
    stream.reset()
    return np.concatenate(frames, axis=axis)


def test_pushes(times: Times, report: Report, resident_bytes: Bytes) -> None:
    """Streams that live for all of it, in pieces of one to three samples."""
    layers = [
        MelSpectrogram(512, 160, num_mel_bins=80, top_db=None),
        small_mel(top_db=None, dtype="float64"),
        small_stft(mode="log", frame_length=400, frame_step=160, fft_length=512),
        small_stft(mode="stft", frame_length=331, frame_step=331, fft_length=331),
    ]
    cuts = np.random.default_rng(1).integers(1, 4, size=50_000)
    signal = noise(int(cuts.sum()))
    pieces = np.split(signal, np.cumsum(cuts)[:-1])
    streams = [layer.stream() for layer in layers]
    expected = [
        layer(signal) if isinstance(layer, MelSpectrogram) else layer(signal[None, :, None])[0]
        for layer in layers
    ]
    wanted, done, before = times(100_000_000), 0, 0
    while done < wanted:
        for stream, frames in zip(streams, expected, strict=True):
            assert same_bits(pushed(stream, pieces), frames)
            done += len(pieces)
        before = before or resident_bytes()  # once everything was done once
    growth = resident_bytes() - before
    report(f"pushes into {len(streams)} streams: {done}, bits equal, growth {growth} bytes")
    assert growth < MIB


def test_calls_of_eight_threads(times: Times, report: Report, resident_bytes: Bytes) -> None:
    layers = [small_mel(), small_stft(mode="stft"), small_mel(dtype="float64", num_threads=2)]
    each = -(-times(1_000_000) // 8)
    warm, measured = threading.Barrier(9), threading.Barrier(9)

    def work(number: int) -> int:
        layer = layers[number % len(layers)]
        x = noise(2, 300, 1, seed=number)
        x = x if layer.name.startswith("stft") else x[..., 0]
        expected, wrong = layer(x), 0
        out = np.empty_like(expected)
        for index in range(each):
            if index == each // 10:
                warm.wait(timeout=3600)
                measured.wait(timeout=3600)
            found = layer(x, out=out) if index % 2 else layer(x)
            wrong += not same_bits(found, expected)
        return wrong

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(work, number) for number in range(8)]
        warm.wait(timeout=3600)
        before = resident_bytes()
        measured.wait(timeout=3600)
        wrong = sum(result.result(timeout=6 * 3600) for result in results)
        growth = resident_bytes() - before
    report(f"calls from 8 threads: {8 * each}, {wrong} wrong, growth {growth} bytes")
    assert wrong == 0
    assert growth < MIB


def test_made_run_and_destroyed(times: Times, report: Report, resident_bytes: Bytes) -> None:
    x = noise(1, 600, 1)
    spectra = small_stft(mode="stft", fft_length=16)(x)

    def mel() -> None:
        small_mel()(x[0, :, 0])

    def log() -> None:
        small_stft()(x)

    def stream() -> None:
        made = small_mel(top_db=None).stream()
        made.push(x[0, :, 0])
        made.flush()

    def inverse() -> None:
        ISTFT(16, 4, 16, padding="center")(spectra)

    def gradient() -> None:
        layer = small_stft(mode="magnitude")
        values, pull_back = layer.vjp(x)
        pull_back(values)

    kinds = (mel, log, stream, inverse, gradient)
    rounds = -(-times(100_000) // len(kinds))
    before = 0
    for index in range(rounds):
        for kind in kinds:
            kind()
        if index == rounds // 10:
            before = resident_bytes()
    growth = resident_bytes() - before
    report(f"made, run and destroyed: {rounds * len(kinds)}, growth {growth} bytes")
    assert growth < MIB
