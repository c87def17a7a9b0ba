# SPDX-License-Identifier: BSD-3-Clause
"""compute_output_shape says what a call returns, always."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import oracle
from makers import small_mel, small_stft, stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram


@pytest.mark.parametrize("mode", ["real", "stft"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("expand_dims", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_stft_shapes(mode: str, padding: str, expand_dims: bool, data_format: str) -> None:
    for frame_length, frame_step, fft_length in [(8, 4, 8), (7, 3, 11), (5, 5, 5), (2, 1, 3)]:
        layer = stft(
            mode, frame_length, frame_step, fft_length,
            window="hamming", padding=padding, expand_dims=expand_dims, data_format=data_format,
        )  # fmt: skip
        bins = (fft_length // 2 + 1) * (2 if mode == "stft" else 1)
        for num_samples, channels in itertools.product([8, 9, 10, 11, 40], [1, 3]):
            x = noise(2, num_samples, channels)
            if data_format == "channels_first":
                x = x.swapaxes(1, 2)
            y = layer(x)
            frames = (
                -(-num_samples // frame_step)
                if padding == "same"
                else (num_samples - frame_length) // frame_step + 1
            )
            expected = {
                ("channels_last", False): (2, frames, channels * bins),
                ("channels_last", True): (2, frames, bins, channels),
                ("channels_first", False): (2, channels * bins, frames),
                ("channels_first", True): (2, channels, frames, bins),
            }[data_format, expand_dims]
            assert y.shape == expected
            assert layer.compute_output_shape(x.shape) == expected
            assert layer.compute_output_shape(list(x.shape)) == expected


@pytest.mark.parametrize("fft_length", [64, 63, 2, 1])
@pytest.mark.parametrize("sequence_stride", [1, 7, 16, 100])
def test_mel_shapes(fft_length: int, sequence_stride: int) -> None:
    layer = small_mel(fft_length=fft_length, sequence_stride=sequence_stride)
    for num_samples in [*range(1, 40), 99, 100, 101]:
        x = noise(num_samples)
        frames = 1 + (num_samples - fft_length % 2) // sequence_stride
        assert layer(x).shape == (8, frames)
        assert layer.compute_output_shape((num_samples,)) == (8, frames)


@pytest.mark.parametrize("outer", [(), (3,), (1, 2), (2, 1, 3), (1, 1, 1, 1, 2)])
def test_mel_of_any_rank(outer: tuple[int, ...]) -> None:
    layer = small_mel()
    x = noise(*outer, 50)
    assert layer(x).shape == (*outer, 8, 4) == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize("outer", [(0,), (2, 0), (0, 3)])
def test_mel_of_no_signals(outer: tuple[int, ...]) -> None:
    for arguments in ({}, {"power_to_db": False}, {"top_db_scope": "clip"}, {"dtype": "float16"}):
        layer = small_mel(**arguments)
        y = layer(np.zeros((*outer, 50), np.float32))
        assert y.shape == (*outer, 8, 4) == layer.compute_output_shape((*outer, 50))
        assert y.dtype == layer.compute_dtype


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("expand_dims", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_stft_of_nothing(data_format: str, expand_dims: bool, dtype: str) -> None:
    for padding, batch, num_samples, channels in [
        ("valid", 0, 40, 2),
        ("valid", 2, 40, 0),
        ("valid", 0, 40, 0),
        ("same", 2, 0, 2),
        ("same", 0, 0, 0),
    ]:
        layer = small_stft(
            padding=padding, data_format=data_format, expand_dims=expand_dims, dtype=dtype
        )
        x = np.zeros((batch, num_samples, channels), np.float32)
        if data_format == "channels_first":
            x = x.swapaxes(1, 2)
        y = layer(x)
        assert y.size == 0
        assert y.shape == layer.compute_output_shape(x.shape)
        assert y.dtype == dtype
        out = np.empty(y.shape, dtype)
        assert layer(x, out=out) is out


@pytest.mark.parametrize(
    ("arguments", "shape", "expected"),
    [
        ({}, (None, None, 1), (None, None, 17)),
        ({}, (None, 40, None), (None, 7, None)),
        ({"mode": "stft"}, (2, None, 3), (2, None, 102)),
        ({"expand_dims": True}, (None, 40, None), (None, 7, 17, None)),
        ({"data_format": "channels_first"}, (None, 2, None), (None, 34, None)),
        (
            {"data_format": "channels_first", "expand_dims": True},
            (None, None, 40),
            (None, None, 7, 17),
        ),
    ],
)
def test_unknown_dimensions_of_stft(
    arguments: dict[str, Any], shape: tuple[int | None, ...], expected: tuple[int | None, ...]
) -> None:
    assert small_stft(**arguments).compute_output_shape(shape) == expected


def test_unknown_dimensions_of_mel() -> None:
    layer = small_mel()
    assert layer.compute_output_shape((None,)) == (8, None)
    assert layer.compute_output_shape([None, 160]) == (None, 8, 11)
    assert layer.compute_output_shape((2, None, None)) == (2, None, 8, None)


def test_dimensions_may_be_numpy_integers() -> None:
    shape = small_mel().compute_output_shape(np.array([2, 160]))
    assert shape == (2, 8, 11)
    assert all(type(d) is int for d in shape)


def test_large_dimensions() -> None:
    huge = 2**62
    assert small_mel().compute_output_shape((huge, huge)) == (huge, 8, 1 + huge // 16)
    layer = small_stft(padding="same")
    assert layer.compute_output_shape((huge, huge, huge)) == (huge, huge // 4, huge * 17)


@pytest.mark.parametrize("layer", [small_stft(), small_mel()], ids=["stft", "mel"])
@pytest.mark.parametrize(
    ("shape", "error", "text"),
    [
        ((2, -40, 1), ValueError, "-40"),
        ((2, 40, 2**63), ValueError, "9223372036854775808"),
        ((2, 40.0, 1), TypeError, "40.0"),
        ((2, "40", 1), TypeError, "'40'"),
        ((True, 40, 1), TypeError, "True"),
        ((2, 40, np.True_), TypeError, "True"),
        (5, TypeError, "5"),
        (None, TypeError, "None"),
        ("abc", TypeError, "abc"),
        ((), ValueError, "()"),
    ],
    ids=str,
)
def test_bad_shapes(
    layer: STFTSpectrogram | MelSpectrogram, shape: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        layer.compute_output_shape(shape)
    assert text in str(caught.value)


@pytest.mark.parametrize("shape", [(40,), (2, 40), (2, 40, 1, 1), (1, 0), ()])
def test_stft_wants_rank_3(shape: tuple[int, ...]) -> None:
    layer = small_stft()
    for attempt in (layer.compute_output_shape, lambda s: layer(np.zeros(s, np.float32))):
        with pytest.raises(ValueError, match=rf"3 dimensions.*\({', '.join(map(str, shape))}"):
            attempt(shape)


@pytest.mark.parametrize("num_samples", [0, 1, 15])
def test_too_short_for_valid(num_samples: int) -> None:
    """Keras fails on every backend but TensorFlow, where the result is garbage."""
    layer = small_stft(padding="valid")
    shape = (2, num_samples, 1)
    for attempt in (layer.compute_output_shape, lambda s: layer(np.zeros(s, np.float32))):
        with pytest.raises(ValueError, match=f"frame_length=16.*{num_samples} samples"):
            attempt(shape)
    assert small_stft(padding="same")(np.zeros(shape, np.float32)).shape == (
        2,
        -(-num_samples // 4),
        17,
    )


def test_mel_of_no_samples() -> None:
    layer = small_mel()
    for attempt in (layer.compute_output_shape, lambda s: layer(np.zeros(s, np.float32))):
        with pytest.raises(ValueError, match=r"at least one sample.*\(3, 0\)"):
            attempt((3, 0))


def test_mel_of_all_dimensions_that_numpy_has() -> None:
    """The result has one dimension more than the samples."""
    most = 64 if int(np.__version__.split(".")[0]) >= 2 else 32
    layer = small_mel()
    assert layer(np.zeros((*[1] * (most - 2), 40), np.float32)).ndim == most
    shape = (*[1] * (most - 1), 40)
    for attempt in (layer.compute_output_shape, lambda s: layer(np.zeros(s, np.float32))):
        with pytest.raises(ValueError, match=f"`x` must have fewer than {most} dimensions"):
            attempt(shape)


def test_random_configurations() -> None:
    rng = np.random.default_rng(5)
    for _ in range(150):
        frame_length = int(rng.integers(1, 40))
        layer = stft(
            mode=str(rng.choice(oracle.STFT_MODES)),
            frame_length=frame_length,
            frame_step=int(rng.integers(1, frame_length + 1)),
            fft_length=max(2, frame_length + int(rng.integers(0, 9))),
            window=None,
            padding=str(rng.choice(["valid", "same"])),
            expand_dims=bool(rng.integers(2)),
            data_format=str(rng.choice(["channels_last", "channels_first"])),
        )
        x = noise(2, int(rng.integers(40, 60)), int(rng.integers(40, 43)))
        assert layer(x).shape == layer.compute_output_shape(x.shape), layer
        mel = small_mel(
            fft_length=int(rng.integers(1, 70)), sequence_stride=int(rng.integers(1, 70))
        )
        x = noise(int(rng.integers(0, 3)), int(rng.integers(1, 90)))
        assert mel(x).shape == mel.compute_output_shape(x.shape), mel
