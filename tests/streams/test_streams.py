# SPDX-License-Identifier: BSD-3-Clause
"""A signal in pieces gives what one call gives, bit for bit."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import signals
import specfast
from makers import Array, same_bits, small_mel, small_stft, stft
from specfast import MelSpectrogram

Random = np.random.Generator
Layer = specfast.STFTSpectrogram | specfast.MelSpectrogram

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


def one_call(layer: Layer, signal: Array) -> Array:
    """Returns the layer's output for one signal, of shape (samples,) or as `push` takes it."""
    if isinstance(layer, MelSpectrogram):
        return layer(signal)
    if signal.ndim == 1:
        signal = signal[:, None] if layer.data_format == "channels_last" else signal[None]
    return layer(signal[None])[0]


def cuts(random: Random, num_samples: int) -> list[int]:
    """Where to cut a signal: nowhere, rarely, often, at every sample, or regularly."""
    way = random.integers(5)
    if way == 0:
        return []
    if way == 1:
        return list(range(1, num_samples)) if num_samples < 400 else []
    if way == 2:
        step = int(random.integers(1, 200))
        return list(range(step, num_samples, step))
    count = int(random.integers(1, 6 if way == 3 else 40))
    return sorted(random.integers(0, num_samples + 1, count).tolist())  # some pieces are empty


def in_pieces(
    stream: Any, signal: Array, where: list[int], between: Callable[[Any], Any] = lambda s: s
) -> Array:
    """All frames of a signal pushed in pieces; `between` may replace the stream."""
    axis = samples_axis(stream)
    results = []
    for piece in np.split(signal, where, axis=axis):
        results.append(stream.push(piece))
        stream = between(stream)
    results.append(stream.flush())
    return np.concatenate(results, axis=stream.frame_axis)


def stream_of(layer: Layer, channels: int, num_samples: int, **arguments: Any) -> Any:
    same = getattr(layer, "padding", "") == "same"
    return layer.stream(channels, num_samples=num_samples if same else None, **arguments)


def samples_axis(stream: Any) -> int:
    channels_last = getattr(stream.layer, "data_format", "") == "channels_last"
    return 0 if stream.channels == 1 or channels_last else 1


def random_window(random: Random, length: int) -> Any:
    return [None, "hann", "hamming", random.standard_normal(length)][random.integers(4)]


def random_dtype(random: Random) -> str:
    return str(random.choice(["float32", "float32", "float64", "float16"]))


def random_stft(random: Random) -> Layer:
    frame_length = int(random.integers(1, 90))
    return stft(
        mode=str(random.choice(MODES)),
        frame_length=frame_length,
        frame_step=int(random.integers(1, frame_length + 1)),
        fft_length=max(2, frame_length + int(random.choice([0, 0, 1, 7, 64]))),
        window=random_window(random, frame_length) if frame_length > 2 else None,
        padding=str(random.choice(["valid", "same"])),
        expand_dims=bool(random.integers(2)),
        data_format=str(random.choice(["channels_last", "channels_first"])),
        dtype=random_dtype(random),
    )


def random_mel(random: Random) -> Layer:
    fft_length = int(random.integers(2, 120))
    sequence_length = int(random.integers(1, fft_length + 1))
    return MelSpectrogram(
        fft_length=fft_length,
        sequence_stride=int(random.integers(1, 2 * fft_length)),
        sequence_length=sequence_length,
        window=random_window(random, sequence_length),
        sampling_rate=8000,
        num_mel_bins=int(random.integers(1, 12)),
        power_to_db=bool(random.integers(2)),
        top_db=None,
        mag_exp=float(random.choice([1.0, 2.0, 1.3])),
        dtype=random_dtype(random),
    )


def random_signal(random: Random, layer: Layer, channels: int) -> Array:
    num_samples = int(random.choice([1, 2, 7, 40, 100, 333, 1000, 3000]))
    num_samples += int(random.integers(0, 50))
    if getattr(layer, "padding", "") == "valid":
        num_samples = max(num_samples, layer.frame_length)
    dtypes = ["float32", "float64", "float16"]
    if isinstance(layer, MelSpectrogram):
        dtypes += ["int16", "int32"]
    shape = (channels, num_samples)
    signal = (100 * random.standard_normal(shape)).astype(random.choice(dtypes))
    if random.integers(4) == 0 and signal.dtype.kind == "f":
        signal[0, random.integers(num_samples)] = random.choice([np.nan, np.inf, -0.0])
    if channels == 1:
        return signal[0]
    return signal.T if getattr(layer, "data_format", "") == "channels_last" else signal


@pytest.mark.parametrize("seed", range(20))
def test_any_cutting_gives_the_bits_of_one_call(seed: int) -> None:
    """50 random configurations, signals and cuttings for each seed: 1000 in all."""
    random = np.random.default_rng(seed)
    for _ in range(50):
        layer = (random_stft if random.integers(2) else random_mel)(random)
        channels = int(random.choice([1, 1, 2, 3]))
        signal = random_signal(random, layer, channels)
        num_samples = signal.size // channels
        stream = stream_of(layer, channels, num_samples)
        where = cuts(random, num_samples)
        expected = one_call(layer, signal)
        result = in_pieces(stream, signal, where)
        assert same_bits(result, expected), (layer, signal.shape, signal.dtype, where)


@pytest.mark.parametrize("path", signals.RECORDINGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("kind", ["mel", "mel-80", "log", "stft", "same"])
def test_a_recording(path: Any, kind: str) -> None:
    signal = signals.read_wav(path)
    layer: Layer = {
        "mel": lambda: MelSpectrogram(top_db=None),
        "mel-80": lambda: MelSpectrogram(512, 160, 400, num_mel_bins=80, top_db=None),
        "log": lambda: stft("log", 256, 128, 512),
        "stft": lambda: stft("stft", 2048, 512, dtype="float64"),
        "same": lambda: stft("psd", 400, 160, 400, padding="same"),
    }[kind]()
    random = np.random.default_rng(1)
    where = np.cumsum(random.choice([0, 1, 160, 480, 441, 2000], len(signal) // 400)).tolist()
    stream = stream_of(layer, 1, len(signal))
    assert same_bits(in_pieces(stream, signal, where), one_call(layer, signal))


@pytest.mark.parametrize("fft_length", [127, 254, 331, 1000, 2047, 1 << 17])
def test_lengths_of_pocketfft(fft_length: int) -> None:
    layer = MelSpectrogram(fft_length, fft_length // 3, top_db=None, num_mel_bins=8)
    signal = signals.noise(3 * fft_length + 5)
    assert same_bits(in_pieces(layer.stream(), signal, [1, fft_length]), layer(signal))


@pytest.mark.parametrize("mode", MODES)
def test_trained_kernels(mode: str) -> None:
    random = np.random.default_rng(11)
    layer = stft(mode=mode, frame_length=50, frame_step=20, fft_length=64)
    layer.set_weights(
        [
            random.standard_normal(kernel.shape).astype(kernel.dtype)
            for kernel in layer.get_weights()
        ]
    )
    signal = random.standard_normal(3000).astype(np.float32)
    whole = one_call(layer, signal)
    stream = layer.stream()
    layer.set_weights([np.zeros_like(kernel) for kernel in layer.get_weights()])
    assert same_bits(in_pieces(stream, signal, cuts(random, len(signal)), through_pickle), whole)


def test_frames_come_as_early_as_latency_samples_says() -> None:
    for layer, extra in [
        (small_stft(), 0),
        (small_stft(padding="same"), 0),
        (small_mel(top_db=None), 1),
        (small_mel(top_db=None, sequence_length=33), 2),
        (small_mel(top_db=None, fft_length=65), 0),
    ]:
        step = layer.sequence_stride if isinstance(layer, MelSpectrogram) else layer.frame_step
        stream = stream_of(layer, 1, 400)
        pushed = 0
        for frame in range(8):
            due = frame * step + stream.latency_samples + (extra if frame == 0 else 0)
            quiet = stream.push(np.zeros(due - 1 - pushed, np.float32))
            assert quiet.shape[stream.frame_axis] == 0
            assert stream.push(np.zeros(1, np.float32)).shape[stream.frame_axis] == 1
            pushed = due


def test_layouts() -> None:
    signal = signals.noise(2, 100)
    for layer, channels, piece, shape, axis in [
        (small_mel(top_db=None), 1, signal[0], (8, 5), 1),
        (small_mel(top_db=None), 2, signal, (2, 8, 5), 2),
        (small_stft(), 1, signal[0], (22, 17), 0),
        (small_stft(), 2, signal.T, (22, 34), 0),
        (small_stft(expand_dims=True), 2, signal.T, (22, 17, 2), 0),
        (small_stft(data_format="channels_first"), 2, signal, (34, 22), 1),
        (small_stft(data_format="channels_first", expand_dims=True), 1, signal[0], (1, 22, 17), 1),
        (small_stft(mode="stft", data_format="channels_first"), 2, signal, (68, 22), 1),
    ]:
        stream = layer.stream(channels)
        assert (stream.channels, stream.frame_axis) == (channels, axis)
        result = stream.push(piece)
        assert result.shape == shape
        assert result.shape[:axis] == stream.flush().shape[:axis]


def test_what_is_pushed_may_lie_in_memory_in_any_way() -> None:
    layer = small_mel(top_db=None)
    signal = (1000 * signals.noise(2, 600)).astype(np.int16)
    expected = layer(signal)
    for form in [
        signal.T.copy().T,
        signal[:, ::-1].copy()[:, ::-1],
        signal.astype(">i2"),
        signal.astype(np.int64),
        signal.tolist(),
    ]:
        stream = layer.stream(2)
        result = np.concatenate([stream.push(form), stream.flush()], axis=2)
        assert same_bits(result, expected)


# ---- Beginning, end, beginning again --------------------------------------------------------


def test_a_signal_that_a_call_would_refuse_has_no_frames() -> None:
    for layer in (small_stft(), small_mel(top_db=None)):
        stream = layer.stream()
        assert stream.push(np.empty(0, np.float32)).size == 0
        assert stream.flush().size == 0
    stream = small_stft().stream()
    assert stream.push(np.zeros(15, np.float32)).shape == (0, 17)
    assert stream.flush().shape == (0, 17)


def test_reset_begins_a_new_signal() -> None:
    layer = small_mel(top_db=80)
    first, second = signals.noise(2, 333)
    stream = layer.stream(max_db="running")
    fresh = in_pieces(layer.stream(max_db="running"), second, [100])
    in_pieces(stream, 100 * first, [50])
    stream.reset()
    assert same_bits(in_pieces(stream, second, [7]), fresh)
    stream.reset()
    stream.push(100 * first)
    stream.reset()
    assert same_bits(in_pieces(stream, second, [300]), fresh)


def test_after_flush_only_reset() -> None:
    stream = small_stft().stream()
    stream.push(signals.noise(100))
    stream.flush()
    with pytest.raises(ValueError, match="push must not follow flush"):
        stream.push(signals.noise(1))
    with pytest.raises(ValueError, match="flush must not follow flush"):
        stream.flush()
    stream.reset()
    assert stream.push(signals.noise(100)).shape == (22, 17)


# ---- top_db -----------------------------------------------------------------------------------


def test_the_true_maximum_gives_the_numbers_of_one_call() -> None:
    signal = signals.speech_like(8000)
    for arguments in ({}, {"top_db_scope": "clip"}, {"dtype": "float64"}, {"top_db": 10}):
        layer = small_mel(**arguments)
        expected = layer(signal)
        stream = layer.stream(max_db=float(expected.max()))
        assert same_bits(in_pieces(stream, signal, [100, 1234]), expected)
        if arguments:
            assert np.sum(expected == expected.min()) > 10 or arguments == {"dtype": "float64"}


@pytest.mark.parametrize("scope", ["batch", "clip"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_running_maximum_is_taken_frame_by_frame(scope: str, dtype: str) -> None:
    layer = small_mel(top_db=15, top_db_scope=scope, dtype=dtype)
    free = small_mel(top_db=None, dtype=dtype)
    quiet, loud = signals.quiet_and_loud(2000)
    signal = np.stack([signals.speech_like(2000), np.concatenate([quiet[:1000], loud[:1000]])])
    signal[0, 500] = np.nan
    levels = free(signal)  # [channel, band, frame]
    numbers = np.where(np.isnan(levels), -np.inf, levels)
    maxima = np.maximum.accumulate(numbers.max(axis=1), axis=1)  # [channel, frame]
    if scope == "batch":
        maxima[:] = maxima.max(axis=0)
    expected = np.maximum(levels, (maxima - levels.dtype.type(15))[:, None, :])
    assert np.any(expected != levels)
    random = np.random.default_rng(3)
    for _ in range(10):
        stream = layer.stream(2, max_db="running")
        result = in_pieces(stream, signal, cuts(random, 2000))
        np.testing.assert_array_equal(result, expected)


def test_top_db_wants_a_rule() -> None:
    for layer in (small_mel(), small_mel(top_db=0), small_mel(top_db_scope="clip")):
        with pytest.raises(ValueError, match=r"max_db='running'.*top_db=None.*max_db=None"):
            layer.stream()
        for wrong in ("walking", "", np.nan, np.inf, -1e300, [1.0], True):
            with pytest.raises((ValueError, TypeError), match=r"`max_db` must be .*'running'"):
                layer.stream(max_db=wrong)
    for layer in (small_mel(top_db=None), small_mel(power_to_db=False), small_stft()):
        for needless in ("running", 0.0):
            with pytest.raises(ValueError, match=r"`max_db` must be None"):
                layer.stream(max_db=needless)
    assert small_mel(top_db=np.inf).stream().push(signals.noise(64)).shape == (8, 3)


# ---- Padding "same" ---------------------------------------------------------------------------


def test_same_padding_wants_the_length() -> None:
    layer = small_stft(padding="same")
    with pytest.raises(ValueError, match=r"`num_samples` must be .*modulo frame_step=4"):
        layer.stream()
    for wrong in (0, -1, 1.5, "4", True, 1 << 63):
        with pytest.raises((ValueError, TypeError), match="`num_samples` must be an integer"):
            layer.stream(num_samples=wrong)
    for other in (small_stft(), small_mel(top_db=None)):
        with pytest.raises(ValueError, match="`num_samples` must be None"):
            other.stream(num_samples=100)


def test_same_padding_by_the_remainder_alone() -> None:
    layer = small_stft(padding="same", frame_length=17)
    for num_samples in range(1, 60):
        signal = signals.noise(num_samples)
        stream = layer.stream(num_samples=num_samples % 4 + 4)
        result = in_pieces(stream, signal, [num_samples // 2])
        assert same_bits(result, one_call(layer, signal))
    dense = small_stft(padding="same", frame_step=1)
    assert same_bits(in_pieces(dense.stream(), signal, [3]), one_call(dense, signal))


def test_same_padding_checks_the_promise_at_the_end() -> None:
    layer = small_stft(padding="same", frame_length=17)
    signal = signals.noise(103)
    stream = layer.stream(num_samples=103)
    results = [stream.push(signal[:100])]
    with pytest.raises(ValueError, match=r"modulo hop=4.*received 100 samples"):
        stream.flush()
    results += [stream.push(signal[100:]), stream.flush()]  # nothing was lost
    assert same_bits(np.concatenate(results), one_call(layer, signal))


# ---- Copies, pickles, threads -------------------------------------------------------------------


def through_pickle(stream: Any) -> Any:
    return pickle.loads(pickle.dumps(stream))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_pickle])
def test_a_stream_is_continued_where_it_was(again: Callable[[Any], Any]) -> None:
    random = np.random.default_rng(5)
    for layer in (
        small_mel(top_db=20),
        small_mel(top_db=20, top_db_scope="clip", dtype="float64", sequence_stride=200),
        small_mel(power_to_db=False, dtype="float16"),
        small_stft(),
        small_stft(padding="same", data_format="channels_first"),
    ):
        for num_samples in (1, 5, 33, 34, 700):
            signal = signals.noise(2, num_samples)
            if getattr(layer, "data_format", "") == "channels_last":
                signal = signal.T
            rule = {"max_db": "running"} if getattr(layer, "top_db", None) == 20 else {}
            where = cuts(random, num_samples)
            plain = in_pieces(stream_of(layer, 2, num_samples, **rule), signal, where)
            stream = stream_of(layer, 2, num_samples, **rule)
            assert same_bits(in_pieces(stream, signal, where, again), plain)


def test_a_copy_goes_its_own_way() -> None:
    stream = small_mel(top_db=None).stream()
    stream.push(signals.noise(100))
    twin = copy.copy(stream)
    stream.reset()
    stream.flush()
    assert twin.layer is stream.layer
    assert twin.push(signals.noise(50, seed=1)).shape == (8, 3)
    assert twin.flush().shape == (8, 2)
    flushed = through_pickle(stream)
    with pytest.raises(ValueError, match="flush"):
        flushed.push(signals.noise(1))


def test_two_threads_on_one_stream() -> None:
    """Long pushes let other threads run: those are refused, and the stream stays whole."""
    layer = MelSpectrogram(top_db=None)
    signal = signals.noise(1 << 20)
    stream = layer.stream()
    results: list[Array] = []
    refused: list[BaseException] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait(timeout=60)
        for _ in range(5):
            try:
                results.append(stream.push(signal))
            except RuntimeError as error:
                refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) + len(refused) == 20
    assert refused
    assert all("one thread at a time" in str(error) for error in refused)
    frames = sum(result.shape[1] for result in results) + stream.flush().shape[1]
    assert frames == 1 + len(results) * len(signal) // 512


# ---- Errors -------------------------------------------------------------------------------------


def test_bad_samples() -> None:
    mono, stereo = small_mel(top_db=None).stream(), small_stft().stream(2)
    for stream, wrong, message in [
        (mono, np.zeros((1, 5), np.float32), r"x must have shape \(samples,\), received"),
        (mono, np.float32(1), r"x must have shape"),
        (mono, np.zeros(5, complex), "complex"),
        (mono, "sound", "Invalid input type"),
        (stereo, np.zeros(5, np.float32), r"x must have shape \(samples, 2\)"),
        (stereo, np.zeros((2, 5), np.float32), r"x must have shape \(samples, 2\)"),
        (stereo, np.zeros((5, 2), np.int16), "Expected float16"),
        (stereo, None, "`x`"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            stream.push(wrong)


def test_bad_numbers_of_channels() -> None:
    for wrong in (0, -1, 65537, 1.0, "2", None, True):
        with pytest.raises((ValueError, TypeError), match="`channels` must be an integer"):
            small_stft().stream(wrong)


def test_repr_shows_how_it_was_made() -> None:
    stream = small_mel(top_db=20).stream(2, max_db="running")
    assert repr(stream).endswith(".stream(channels=2, max_db='running')")


@pytest.mark.parametrize("scope", ["batch", "clip"])
@pytest.mark.parametrize("bad", [1e25, np.inf, -np.inf, np.nan])
def test_one_bad_sample_does_not_fix_the_running_maximum(bad: float, scope: str) -> None:
    layer = small_mel(top_db=60, top_db_scope=scope)
    x = signals.noise(4000)
    expected = in_pieces(layer.stream(max_db="running"), x, [200])
    x[50] = bad
    found = in_pieces(layer.stream(max_db="running"), x, [200])
    bad_frames = np.flatnonzero(~np.isfinite(found).all(axis=0))
    assert 0 < len(bad_frames) <= 5
    # By then the frames without it have the same maximum.
    later = bad_frames[-1] + 20
    assert same_bits(found[:, later:], expected[:, later:])
