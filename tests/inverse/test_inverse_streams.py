# SPDX-License-Identifier: BSD-3-Clause
"""Spectra in pieces give the bits of one call, with the delay that the stream states."""

from __future__ import annotations

import copy
import itertools
import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import signals
from specfast import ISTFT, STFTSpectrogram

Arguments = dict[str, Any]

CASES: list[tuple[Arguments, int | None]] = [
    ({"padding": "center"}, None),
    ({"padding": "center"}, 700),
    ({"padding": "same"}, 710),
    ({"padding": "valid"}, None),
    ({"padding": "valid", "window": "hamming"}, 500),
    ({"padding": "sides", "pad_length": 50}, None),
    ({"padding": "center", "frame_length": 40, "centered_window": True}, None),
    ({"padding": "center", "frame_step": 60, "window": "hamming"}, None),
    ({"padding": "center", "frame_step": 3}, None),
    ({"padding": "same", "frame_length": 63, "fft_length": 63, "frame_step": 20}, 890),
    ({"padding": "valid", "frame_step": 64, "window": None}, None),
]


def made(arguments: Arguments, **changes: Any) -> ISTFT:
    given = {
        "frame_length": 64,
        "frame_step": 16,
        "fft_length": 64,
        "periodic": True,
        **arguments,
        **changes,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ISTFT(**given)


def num_frames(istft: ISTFT, length: int | None) -> int:
    if istft.padding == "same":
        assert length is not None
        return -(-length // int(istft.frame_step or 0))
    return 45


def pieces(total: int, seed: int) -> list[slice]:
    random = np.random.default_rng(seed)
    cuts = np.sort(random.integers(0, total + 1, 12))
    edges = [0, *cuts.tolist(), total]
    return [slice(*pair) for pair in itertools.pairwise(edges)]


@pytest.mark.parametrize(("arguments", "length"), CASES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_pieces_give_the_bits_of_a_call(
    arguments: Arguments, length: int | None, dtype: str
) -> None:
    istft = made(arguments, dtype=dtype)
    rows = 2 * (istft._pipeline.arguments.num_bins)
    frames = num_frames(istft, length)
    spectra = signals.noise(1, frames, 2 * rows, dtype=dtype)
    expected = istft(spectra, length=length)[0]
    stream = istft.stream(2, length=length)
    for seed in range(4):
        given, count = [], 0
        for piece in pieces(frames, seed):
            samples = stream.push(spectra[0, piece])
            given.append(samples)
            count += piece.stop - piece.start
            ready = count * istft._pipeline.arguments.hop - stream.delay_samples
            if count:
                assert sum(map(len, given)) == min(max(ready, 0), len(expected))
            stream = copy.copy(stream) if seed == 1 else stream
            stream = pickle.loads(pickle.dumps(stream)) if seed == 2 else stream
        given.append(stream.flush())
        np.testing.assert_array_equal(np.concatenate(given), expected)
        with pytest.raises(ValueError, match="push must not follow flush"):
            stream.push(spectra[0, :1])
        with pytest.raises(ValueError, match="flush must not follow flush"):
            stream.flush()
        stream.reset()


@pytest.mark.parametrize("frame_step", [15, 16])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_silence_has_the_sign_that_it_has_in_a_call(frame_step: int, dtype: str) -> None:
    istft = made({"padding": "valid", "window": "hamming", "frame_step": frame_step}, dtype=dtype)
    spectra = signals.noise(1, 45, 66, dtype=dtype)
    spectra[:, 20:] = 0
    expected = istft(spectra)[0]
    stream = istft.stream()
    for length in (1, 3, 7, 16, 45):
        given = [stream.push(spectra[0, at : at + length]) for at in range(0, 45, length)]
        assert np.concatenate([*given, stream.flush()]).tobytes() == expected.tobytes(), length
        stream.reset()


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("padding", ["center", "valid"])
def test_few_frames(frames: int, padding: str) -> None:
    istft = made({"padding": padding, "window": "hamming", "layout": "bins_frames"})
    spectra = signals.noise(33, frames, 2).view("complex64")[..., 0]
    stream = istft.stream()
    given = [stream.push(spectra[:, t : t + 1]) for t in range(frames)]
    np.testing.assert_array_equal(np.concatenate([*given, stream.flush()]), istft(spectra))


def test_channels_of_complex_spectra() -> None:
    istft = made({"padding": "center", "layout": "frames_bins"})
    spectra = signals.noise(3, 20, 33, 2).view("complex64")[..., 0]
    stream = istft.stream(3)
    given = [stream.push(spectra[:, :7]), stream.push(spectra[:, 7:]), stream.flush()]
    np.testing.assert_array_equal(np.concatenate(given, axis=1), istft(spectra))
    stream.reset()
    with pytest.raises(ValueError, match="of 3 channels"):
        stream.push(spectra[:2])
    with pytest.raises(ValueError, match="33 bins"):
        stream.push(spectra[..., 1:])


def test_a_stream_of_a_layer_and_back() -> None:
    layer = STFTSpectrogram("stft", 64, 16, 64, padding="valid", window="hamming", periodic=True)
    istft = ISTFT.from_layer(layer)
    x = signals.noise(5000)
    forward, back = layer.stream(), istft.stream()
    y = [back.push(forward.push(x[at : at + 100])) for at in range(0, 5000, 100)]
    y.append(back.flush())
    joined = np.concatenate(y)
    assert np.linalg.norm(joined - x[: len(joined)]) < 3e-7 * np.linalg.norm(x)


def test_lengths_that_the_frames_do_not_have() -> None:
    istft = made({"padding": "same"})
    with pytest.raises(ValueError, match="`length` must be given with padding='same'"):
        istft.stream()
    stream = istft.stream(length=100)
    frames = np.zeros((7, 66), np.float32)
    stream.push(frames[:6])
    with pytest.raises(ValueError, match="num_samples=100 and 6 frames"):
        stream.flush()
    stream.push(frames[6:])
    stream.flush()


def test_states_of_other_streams_are_refused() -> None:
    istft = made({"padding": "center"})
    stream = istft.stream(2)
    stream.push(signals.noise(5, 132))
    state = stream._core.save()
    for other in (
        istft.stream(1),
        istft.stream(2, length=800),
        made({"padding": "center", "frame_step": 8}).stream(2),
        made({"padding": "center", "window": "hamming"}).stream(2),
        made({"padding": "center", "phase_origin": 3}).stream(2),
        made({"padding": "center", "dtype": "float64"}).stream(2),
    ):
        with pytest.raises(ValueError, match="bytes must be the"):
            other._core.load(state)
    fresh = istft.stream(2)
    for broken in (b"", state[:-1], state + b"0", bytes(len(state))):
        with pytest.raises(ValueError, match="bytes must"):
            fresh._core.load(broken)
    random = np.random.default_rng(1)
    for _ in range(500):  # whatever stands there, it is refused or it works
        hostile = bytearray(state)
        hostile[random.integers(len(state))] ^= 1 << random.integers(8)
        try:
            fresh._core.load(bytes(hostile))
        except ValueError:
            continue
        fresh.push(np.zeros((1, 132), np.float32))


def test_one_thread_at_a_time() -> None:
    istft = made({"padding": "center", "layout": "frames_bins"})
    stream = istft.stream()
    spectra = np.zeros((200000, 33), np.complex64)
    errors: list[Exception] = []

    def push() -> None:
        for _ in range(3):
            try:
                stream.push(spectra)
            except RuntimeError as error:
                errors.append(error)

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert all("one thread at a time" in str(error) for error in errors)
