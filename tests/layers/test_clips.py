# SPDX-License-Identifier: BSD-3-Clause
"""Calls of the layers for clips of different lengths: each gives what it gives alone."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import pytest

from makers import Array, perturb, same_bits, small_mel, small_stft
from signals import noise
from specfast import Features, MelSpectrogram, STFTSpectrogram

LENGTHS = [400, 17, 233, 64]
DTYPES = ("float32", "float64", "float16")
# Every layout of an STFTSpectrogram, and a mode that is twice as many rows.
STFTS: list[dict[str, Any]] = [
    {"data_format": data_format, "expand_dims": expand_dims, "padding": padding, "mode": mode}
    for data_format in ("channels_last", "channels_first")
    for expand_dims in (False, True)
    for padding, mode in (("valid", "log"), ("same", "stft"))
]


def clips_of(layer: MelSpectrogram | STFTSpectrogram, channels: int = 2) -> list[Array]:
    if isinstance(layer, MelSpectrogram):
        return [noise(length, seed=length) for length in LENGTHS]
    clips = [noise(length, channels, seed=length) for length in LENGTHS]
    if layer.data_format == "channels_first":
        return [np.ascontiguousarray(clip.T) for clip in clips]
    return clips


def samples_axis(layer: MelSpectrogram | STFTSpectrogram) -> int:
    """The axis of samples in one clip."""
    is_last = isinstance(layer, STFTSpectrogram) and layer.data_format == "channels_last"
    return 0 if is_last else -1


def frames_axis(layer: MelSpectrogram | STFTSpectrogram) -> int:
    """The axis of frames in the result for one clip."""
    if isinstance(layer, MelSpectrogram):
        return -1
    return 1 if layer.data_format == "channels_first" else 0


def padded(layer: MelSpectrogram | STFTSpectrogram, clips: list[Array], rest: float) -> Array:
    """The clips in one array, with `rest` behind each."""
    axis = samples_axis(layer)
    longest = max(clip.shape[axis] for clip in clips)
    rows = []
    for clip in clips:
        behind = [(0, 0)] * clip.ndim
        behind[axis] = (0, longest - clip.shape[axis])
        rows.append(np.pad(clip, behind, constant_values=rest))
    return np.stack(rows)


def check_clips(
    layer: MelSpectrogram | STFTSpectrogram, clips: list[Array], got: Features
) -> None:
    """Each clip has the bits of a call of its own, and 0.0 behind them."""
    assert got.num_frames.dtype == np.int64
    for number, clip in enumerate(clips):
        alone = layer(clip) if isinstance(layer, MelSpectrogram) else layer(clip[None])[0]
        axis = frames_axis(layer)
        values = np.moveaxis(got.values[number], axis, 0)
        alone = np.moveaxis(alone, axis, 0)
        count = len(alone)
        assert got.num_frames[number] == count
        assert same_bits(values[:count].copy(), alone.copy()), number
        assert not values[count:].any(), number
        assert got.mask[number].tolist() == [t < count for t in range(len(values))]
    assert got.mask.any(axis=0).all(), "the longest clip has no padding"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "arguments", [{}, {"top_db": None}, {"power_to_db": False}, {"fft_length": 63}]
)
def test_clips_of_mel(arguments: dict[str, Any], dtype: str) -> None:
    layer = small_mel(top_db_scope="clip", dtype=dtype, **arguments)
    clips = clips_of(layer)
    for got in (layer(clips), layer(tuple(clips))):
        check_clips(layer, clips, got)
    lengths = [len(clip) for clip in clips]
    # NaN behind a clip would be seen: it is never read.
    check_clips(layer, clips, layer(padded(layer, clips, np.nan), lengths=lengths))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("arguments", STFTS, ids=lambda a: "-".join(map(str, a.values())))
def test_clips_of_stft(arguments: dict[str, Any], dtype: str) -> None:
    for layer in (
        small_stft(dtype=dtype, **arguments),
        perturb(small_stft(dtype=dtype, **arguments)),
    ):
        clips = clips_of(layer)
        check_clips(layer, clips, layer(clips))
        lengths = np.array([clip.shape[samples_axis(layer)] for clip in clips])
        check_clips(layer, clips, layer(padded(layer, clips, np.nan), lengths=lengths))


def test_a_batch_has_one_maximum() -> None:
    """With top_db of a batch, levels are counted from the loudest valid frame of all clips."""
    layer = small_mel(top_db=10.0)
    clips = clips_of(layer)
    clips[1] *= 100.0
    free = small_mel(top_db=None)(clips)
    highest = free.values.transpose(0, 2, 1)[free.mask].max()
    wanted = np.where(free.mask[:, None], np.maximum(free.values, highest - 10.0), 0.0)
    got = layer(clips)
    assert same_bits(got.values, wanted.astype(np.float32))
    loud = padded(layer, clips, 1e6)  # behind the clips, and so not heard
    assert same_bits(layer(loud, lengths=LENGTHS).values, got.values)


def test_nan_stays_in_its_clip() -> None:
    layer = small_mel(top_db_scope="clip")
    clips = clips_of(layer)
    clips[2][5] = np.nan
    got = layer(clips)
    assert [bool(np.isnan(values).any()) for values in got.values] == [False, False, True, False]
    assert np.isnan(small_mel()(clips).values.transpose(0, 2, 1)[got.mask]).all()


def test_more_axes_of_a_batch() -> None:
    layer = small_mel(top_db_scope="clip")
    x = noise(2, 3, 100)
    lengths = np.array([[100, 1, 50], [20, 99, 64]], np.uint16)
    got = layer(x, lengths=lengths)
    assert got.values.shape == (2, 3, 8, 7)
    assert got.num_frames.shape == (2, 3)
    assert got.mask.shape == (2, 3, 7)
    flat = layer([x[i, j, : lengths[i, j]] for i in range(2) for j in range(3)])
    assert same_bits(got.values.reshape(6, 8, 7), flat.values)
    one = layer(x[0, 0], lengths=20)
    assert same_bits(one.values, layer(x[0, 0, :20]))
    assert one.mask.shape == (2,)
    none = layer(x[:0, 0], lengths=[])
    assert none.values.shape == (0, 8, 0)
    no_channels = small_stft()(np.zeros((2, 40, 0), np.float32), lengths=[16, 40])
    assert no_channels.values.shape == (2, 7, 0)


@pytest.mark.parametrize("kind", ["mel", "stft"])
def test_samples_of_any_kind(kind: str) -> None:
    layer = small_mel(top_db_scope="clip") if kind == "mel" else small_stft()
    plain = [np.round(1000 * clip) for clip in clips_of(layer)]
    changes = [
        lambda clip: clip.astype(np.float64),
        lambda clip: np.repeat(clip, 2, axis=0)[::2],
        lambda clip: np.ascontiguousarray(clip[::-1])[::-1],
        lambda clip: clip.astype(">f4"),
        np.asfortranarray,
    ]
    wanted = layer(plain, scale=0.5)
    for change in changes:
        assert same_bits(layer([change(clip) for clip in plain], scale=0.5).values, wanted.values)
        whole = change(padded(layer, plain, np.nan))
        assert same_bits(layer(whole, lengths=LENGTHS, scale=0.5).values, wanted.values)
    integers = [clip.astype(np.int16) for clip in plain]
    assert same_bits(layer(integers, scale=0.5).values, wanted.values)
    mixed = [
        change(clip)
        for change, clip in zip([*changes[:2], np.int16, np.int32], plain, strict=True)
    ]
    assert same_bits(layer(mixed, scale=0.5).values, wanted.values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_out(dtype: str) -> None:
    for layer in (small_mel(dtype=dtype), small_stft(dtype=dtype, expand_dims=True)):
        clips = clips_of(layer)
        wanted = layer(clips)
        whole = padded(layer, clips, 0.0)
        for given in ({"x": clips}, {"x": whole, "lengths": LENGTHS}):
            out = np.full_like(wanted.values, np.nan)
            assert layer(out=out, **given).values is out
            assert same_bits(out, wanted.values)
        with pytest.raises(ValueError, match=r"`out` must have shape .* Received: out of shape"):
            layer(clips, out=wanted.values[:1].copy())
        with pytest.raises(TypeError, match="`out` must have dtype"):
            layer(clips, out=wanted.values.astype(np.int32))
        with pytest.raises(TypeError, match="`out` must be a NumPy array"):
            layer(clips, out=wanted.values.tolist())


def test_out_in_the_memory_of_a_clip() -> None:
    layer = small_mel()
    memory = np.zeros(400 + 8 * 26, np.float32)
    out = memory[-8 * 26 :].reshape(1, 8, 26)
    for clip in (memory[:400], memory.view(np.int32)[:400]):
        assert layer([clip], out=out).values is out
    for clip in (memory[1:], memory.view(np.int32)):
        with pytest.raises(ValueError, match="`out` must not share memory"):
            layer([clip[: -8 * 26 + 1]], out=out)
        with pytest.raises(ValueError, match="`out` must not share memory"):
            layer(clip[None], lengths=[400], out=out)


def test_threads_change_no_bit() -> None:
    for make in (small_mel, small_stft):
        layers = [make(num_threads=threads) for threads in (1, 2, 3)]
        results = [layer(clips_of(layer) * 5).values for layer in layers]
        assert same_bits(results[0], results[1])
        assert same_bits(results[0], results[2])


X = np.zeros((2, 100), np.float32)
CLIP = X[0]
WRONG_MEL: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"x": X, "lengths": [50, 101]}, ValueError, "between 0 and the 100 samples.*: 101"),
    ({"x": X, "lengths": [50, -1]}, ValueError, "between 0 and the 100 samples.*: -1"),
    ({"x": X, "lengths": [50, 0]}, ValueError, r"at least 1 sample\. Received: lengths\[1\]=0"),
    ({"x": X, "lengths": [50]}, ValueError, r"shape \(2,\).* of shape \(1,\)"),
    ({"x": X, "lengths": 50}, ValueError, r"shape \(2,\).* of shape \(\)"),
    ({"x": X, "lengths": []}, ValueError, r"shape \(2,\).* of shape \(0,\)"),
    ({"x": X, "lengths": [50.0, 60.0]}, TypeError, "`lengths` must be integers.*50.0"),
    ({"x": X, "lengths": [True, True]}, TypeError, "`lengths` must be integers.*True"),
    ({"x": X, "lengths": [[1], [2, 3]]}, TypeError, "`lengths` must be integers"),
    ({"x": X, "lengths": "50"}, TypeError, "`lengths` must be integers.*'50'"),
    ({"x": [CLIP, CLIP], "lengths": [1, 2]}, ValueError, r"`lengths` must be None for a list"),
    ({"x": [CLIP, X]}, ValueError, r"clips of shape \(samples,\).*x\[1\] of shape \(2, 100\)"),
    ({"x": [CLIP, 1.0]}, ValueError, r"clips of shape \(samples,\).*x\[1\] of shape \(\)"),
    ({"x": [CLIP, CLIP[:0]]}, ValueError, r"at least 1 sample.*x\[1\] of shape \(0,\)"),
    ({"x": [CLIP, CLIP.astype(complex)]}, TypeError, r"`x\[1\]` is no clip: .*complex"),
    ({"x": [CLIP, "speech"]}, TypeError, r"`x\[1\]` is no clip"),
    ({"x": [CLIP, None]}, TypeError, r"`x\[1\]` is no clip"),
    ({"x": []}, ValueError, "at least one sample"),
    ({"x": [CLIP], "scale": 0.0}, ValueError, "`scale` must"),
]


@pytest.mark.parametrize(("call", "kind", "message"), WRONG_MEL)
def test_misuse_of_mel(call: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        small_mel()(**call)


STEREO = np.zeros((3, 100, 2), np.float32)
WRONG_STFT: list[tuple[dict[str, Any], str]] = [
    ({"x": [CLIP]}, r"clips of shape \(samples, channels\).*x\[0\] of shape \(100,\)"),
    ({"x": [STEREO]}, r"clips of shape \(samples, channels\).*x\[0\] of shape \(3, 100, 2\)"),
    ({"x": [STEREO[0], STEREO[0, :, :1]]}, r"number of channels.*2 in x\[0\] and 1 in x\[1\]"),
    ({"x": [STEREO[0], STEREO[0, :15]]}, r"at least 16 samples.*x\[1\] of shape \(15, 2\)"),
    ({"x": STEREO, "lengths": [16, 100, 15]}, r"at least 16 samples.*lengths\[2\]=15"),
    ({"x": STEREO, "lengths": np.full((3, 2), 50)}, r"shape \(3,\).* of shape \(3, 2\)"),
    ({"x": STEREO[0], "lengths": [50]}, "3 dimensions"),
    ({"x": STEREO[0].tolist()}, "no list of numbers"),
    ({"x": []}, "no list of numbers"),
]


@pytest.mark.parametrize(("call", "message"), WRONG_STFT)
def test_misuse_of_stft(call: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_stft()(**call)


def test_numbers_of_numpy_are_numbers() -> None:
    layer = small_mel()
    values = noise(100)
    assert same_bits(layer(list(values)), layer(values))


class _OnGpu:
    """An array in the memory of a GPU, as far as it is looked at."""

    shape = (100,)
    __cuda_array_interface__: ClassVar[dict[str, Any]] = {}


def test_devices_are_refused() -> None:
    for clip, lengths in (([CLIP, _OnGpu()], None), (_OnGpu(), 3)):
        with pytest.raises(NotImplementedError, match="clips of different lengths are computed"):
            small_mel()(clip, lengths=lengths)
    for x, lengths in (([CLIP], None), (X, [1, 2])):
        with pytest.raises(
            NotImplementedError, match="clips of different lengths are computed on the CPU"
        ):
            small_mel(device="cuda")(x, lengths=lengths)


def test_an_input_that_looks_like_channels_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"pass x\.T"):
        small_mel()(np.zeros((300, 2), np.float32), lengths=np.ones(300, int))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small_mel()([np.zeros(3, np.float32)] * 300)
