# SPDX-License-Identifier: BSD-3-Clause
"""GriffinLim against the algorithm in NumPy, and what must not change its bits."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import specfast
from signals import speech_like
from specfast import ISTFT, GriffinLim, STFTSpectrogram

Values = npt.NDArray[np.float64]
FRAME, HOP = 512, 128


def inverse(**changes: Any) -> ISTFT:
    return ISTFT(
        **{
            "frame_length": FRAME,
            "frame_step": HOP,
            "periodic": True,
            "scaling": None,
            "padding": "center",
            "layout": "bins_frames",
            "dtype": "float64",
            **changes,
        }
    )


def window() -> Values:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


def transform(x: Values, pad_mode: str = "constant") -> npt.NDArray[np.complex128]:
    """The transform [bins, frames] with frame t centred on sample t * HOP."""
    padded = np.pad(x, FRAME // 2, mode=pad_mode)  # type: ignore[call-overload]
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.fft.rfft(frames * window()).T


def signal_of(spectrum: npt.NDArray[np.complex128]) -> Values:
    frames = np.fft.irfft(spectrum.T, FRAME) * window()
    total, squares = np.zeros((2, HOP * (len(frames) - 1) + FRAME))
    for t, frame in enumerate(frames):
        total[t * HOP : t * HOP + FRAME] += frame
        squares[t * HOP : t * HOP + FRAME] += window() ** 2
    kept = slice(FRAME // 2, FRAME // 2 + HOP * (len(frames) - 1))
    return total[kept] / squares[kept]


def first_phases(num_bins: int, num_frames: int, seed: int) -> npt.NDArray[np.complex128]:
    """The phases at the beginning: 12 bits of a mixed number for each bin and frame."""

    def mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))

    bins = np.arange(num_bins, dtype=np.uint64)[:, None]
    place = bins << np.uint64(40) | np.arange(num_frames, dtype=np.uint64)
    start = mixed(np.array([seed], np.uint64))
    drawn = mixed(start + place * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(52)
    phases: npt.NDArray[np.complex128] = np.exp(2j * np.pi * drawn / 4096)
    real = np.where(phases.real < -1e-12, -1.0, 1.0)
    phases[[0, -1]] = real[[0, -1]]
    return phases


def griffin_lim(
    magnitudes: Values, iterations: int, momentum: float, seed: int, pad_mode: str = "constant"
) -> Values:
    spectrum = magnitudes * first_phases(*magnitudes.shape, seed)
    before = np.zeros_like(spectrum)
    for _ in range(iterations):
        rebuilt = transform(signal_of(spectrum), pad_mode)
        turned = rebuilt - momentum / (1 + momentum) * before
        before = rebuilt
        spectrum = magnitudes * turned / np.maximum(np.abs(turned), 1e-150)
    return signal_of(spectrum)


def convergence(signal: Values, magnitudes: Values) -> float:
    rebuilt = np.abs(transform(signal))
    return float(np.linalg.norm(rebuilt - magnitudes) / np.linalg.norm(magnitudes))


def recording() -> Values:
    return speech_like(16000).astype(np.float64)


@pytest.mark.parametrize(
    ("iterations", "momentum", "seed", "pad_mode"),
    [(1, 0.99, 0, "constant"), (2, 0.0, 7, "constant"), (5, 0.99, 2**64 - 1, "reflect")],
)
def test_it_is_the_algorithm(iterations: int, momentum: float, seed: int, pad_mode: str) -> None:
    magnitudes = np.abs(transform(recording()))
    expected = griffin_lim(magnitudes, iterations, momentum, seed, pad_mode)
    found = GriffinLim(
        inverse(), num_iterations=iterations, momentum=momentum, seed=seed, pad_mode=pad_mode
    )(magnitudes)
    assert found.shape == expected.shape
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error <= 1e-9


def test_magnitudes_are_met_better_with_more_iterations_and_with_momentum() -> None:
    magnitudes = np.abs(transform(recording()))
    error = {
        (iterations, momentum): convergence(
            GriffinLim(inverse(), num_iterations=iterations, momentum=momentum)(magnitudes),
            magnitudes,
        )
        for iterations in (1, 8, 32)
        for momentum in (0.0, 0.99)
    }
    assert error[1, 0.0] > error[8, 0.0] > error[32, 0.0]
    assert error[32, 0.99] < 0.8 * error[32, 0.0]
    assert error[32, 0.99] < 0.15


def test_float32_is_as_near() -> None:
    magnitudes = np.abs(transform(recording()))
    single = GriffinLim(inverse(dtype="float32"))(magnitudes)
    assert single.dtype == np.float32
    double = GriffinLim(inverse())(magnitudes)
    assert convergence(single.astype(np.float64), magnitudes) == pytest.approx(
        convergence(double, magnitudes), rel=0.1
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_and_batch_change_no_bit(dtype: str) -> None:
    random = np.random.default_rng(0)
    magnitudes = random.uniform(0, 1, (3, 2, FRAME // 2 + 1, 65)).astype(dtype)
    alone = GriffinLim(inverse(dtype=dtype), num_iterations=4, num_threads=1)(magnitudes)
    for threads in (2, 3):
        several = GriffinLim(inverse(dtype=dtype), num_iterations=4, num_threads=threads)
        np.testing.assert_array_equal(several(magnitudes), alone)
    for i in np.ndindex(3, 2):
        np.testing.assert_array_equal(
            GriffinLim(inverse(dtype=dtype), num_iterations=4)(magnitudes[i]), alone[i]
        )
    other = GriffinLim(inverse(dtype=dtype), num_iterations=4, seed=1)(magnitudes)
    assert not np.array_equal(other, alone)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("expand_dims", [False, True])
def test_layers_of_magnitudes(expand_dims: bool, data_format: str) -> None:
    same: dict[str, Any] = {
        "frame_length": FRAME,
        "frame_step": HOP,
        "padding": "same",
        "expand_dims": expand_dims,
        "data_format": data_format,
        "dtype": "float64",
    }
    x = np.random.default_rng(1).standard_normal((2, 3, 5000))
    x = x.swapaxes(1, 2) if data_format == "channels_last" else x
    magnitudes = STFTSpectrogram(mode="magnitude", **same)(x)
    y = GriffinLim(ISTFT(**same), num_iterations=60)(magnitudes, length=5000)
    assert y.shape == x.shape
    rebuilt = STFTSpectrogram(mode="magnitude", **same)(y)
    assert np.linalg.norm(rebuilt - magnitudes) < 0.2 * np.linalg.norm(magnitudes)
    order = ISTFT(**{**same, "expand_dims": False, "data_format": None}, layout="frames_bins")
    plain = STFTSpectrogram(mode="magnitude", **{**same, "expand_dims": False})
    one = x[:1, :, :1] if data_format == "channels_last" else x[:1, :1]
    alone = plain(one)[0]
    alone = alone if data_format == "channels_last" else alone.T
    np.testing.assert_array_equal(
        GriffinLim(order, num_iterations=60)(alone, length=5000),
        y[0, :, 0] if data_format == "channels_last" else y[0, 0],
    )


@pytest.mark.filterwarnings("ignore:`fft_length` is recommended")
@pytest.mark.parametrize("fft_length", [250, 246, 254, 509, 1024])
def test_every_length(fft_length: int) -> None:
    # 254 = 2 * 127 has a large prime factor, and 509 is prime.
    istft = inverse(frame_length=240, frame_step=60, fft_length=fft_length, centered_window=True)
    random = np.random.default_rng(2)
    magnitudes = random.uniform(0, 1, (istft.pipeline.arguments.num_bins, 30))
    found = GriffinLim(istft, num_iterations=3)(magnitudes)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 1e-4


def test_silence_is_silent_and_one_frame_is_taken() -> None:
    assert not GriffinLim(inverse())(np.zeros((257, 9))).any()
    assert GriffinLim(inverse())(np.ones((257, 1)), length=100).shape == (100,)
    assert GriffinLim(inverse())(np.ones((0, 257, 9))).shape == (0, 1024)
    assert GriffinLim(inverse())(np.ones((257, 1))).shape == (0,)


def test_out_is_written_to_and_magnitudes_are_not() -> None:
    magnitudes = np.abs(transform(recording()))
    before = magnitudes.copy()
    out = np.empty((magnitudes.shape[1] - 1) * HOP)
    assert GriffinLim(inverse(), num_iterations=2)(magnitudes, out=out) is out
    np.testing.assert_array_equal(out, GriffinLim(inverse(), num_iterations=2)(magnitudes))
    np.testing.assert_array_equal(magnitudes, before)
    half = GriffinLim(inverse(dtype="float16"), num_iterations=2)(magnitudes.astype(np.float16))
    assert half.dtype == np.float16


def test_it_can_be_copied_and_shown() -> None:
    first = GriffinLim(inverse(), num_iterations=3, seed=5, pad_mode="reflect")
    magnitudes = np.ones((257, 20))
    for again in (
        copy.deepcopy(first),
        pickle.loads(pickle.dumps(first)),
        eval(repr(first), {"GriffinLim": GriffinLim, "ISTFT": ISTFT}),
    ):
        assert repr(again) == repr(first)
        np.testing.assert_array_equal(again(magnitudes), first(magnitudes))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"num_iterations": 0}, ValueError, "`num_iterations`.*0"),
        ({"num_iterations": 2.5}, TypeError, "`num_iterations`.*2.5"),
        ({"momentum": 1.5}, ValueError, "`momentum`.*1.5"),
        ({"momentum": float("nan")}, ValueError, "`momentum`.*nan"),
        ({"momentum": "fast"}, TypeError, "`momentum`.*fast"),
        ({"seed": -1}, ValueError, "`seed`.*-1"),
        ({"seed": 2**64}, ValueError, "`seed`.*18446744073709551616"),
        ({"pad_mode": "wrap"}, ValueError, "`pad_mode`.*wrap"),
        ({"num_threads": 0}, ValueError, "`num_threads`.*0"),
    ],
)
def test_wrong_arguments(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        GriffinLim(inverse(), **changes)


@pytest.mark.filterwarnings("ignore:`fft_length` is recommended")
def test_wrong_inverses() -> None:
    with pytest.raises(TypeError, match="`istft` must be an ISTFT.*hann"):
        GriffinLim("hann")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="odd `fft_length`.*511"):
        GriffinLim(inverse(frame_length=400, fft_length=511, exact_fft_length=True))


@pytest.mark.parametrize(
    ("magnitudes", "length", "error", "message"),
    [
        (np.ones((256, 9)), None, ValueError, r"257 bins.*\(256, 9\)"),
        (np.ones(257), None, ValueError, r"257 bins.*\(257,\)"),
        (np.ones((257, 9), complex), None, TypeError, "complex128"),
        (np.ones((257, 9), int), None, TypeError, "int64"),
        (np.full((257, 9), -0.5), None, ValueError, r"magnitudes\[0, 0\] = -0.5"),
        (np.where(np.arange(9) == 3, np.nan, 1) * np.ones((257, 1)), None, ValueError, "nan"),
        (np.full((257, 9), np.inf), None, ValueError, "inf"),
        (np.ones((257, 9)), 10**6, ValueError, "length=1000000"),
        (np.ones((257, 9)), -1, ValueError, "length.*-1"),
    ],
)
def test_wrong_calls(
    magnitudes: Any, length: int | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        GriffinLim(inverse())(magnitudes, length=length)


def test_large_magnitudes_do_not_look_infinite() -> None:
    magnitudes = np.full((257, 9), 1e305)
    assert np.isfinite(GriffinLim(inverse(), num_iterations=1)(magnitudes * 1e-155)).all()
    assert specfast.GriffinLim is GriffinLim
