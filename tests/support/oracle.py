# SPDX-License-Identifier: BSD-3-Clause
"""Both layers once more, in plain float64 NumPy: slow, short, and what every test is judged by.

Nothing here is shared with the engine. The formulas are those that the two Keras layers
document, evaluated in float64 throughout: windows, filterbank and transform are not rounded to
float32 on the way, and float32 samples are taken as the exact numbers that they are. Shapes and
layouts are those that a call of the Keras layer returns.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STFT_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


# --- windows ---------------------------------------------------------------------------------

# Coefficients a of sum_k (-1)^k a_k cos(2 pi k n / (length - 1)), as SciPy documents them.
_COSINE_SUMS: dict[str, tuple[float, ...]] = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.50, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def _cosine_sum(coefficients: tuple[float, ...], length: int) -> Array:
    angle = 2.0 * np.pi * np.arange(length) / (length - 1)
    total = np.zeros(length)
    for k, coefficient in enumerate(coefficients):
        total += (-1.0) ** k * coefficient * np.cos(k * angle)
    return total


def _parzen(length: int) -> Array:
    distance = np.abs(np.arange(length) - (length - 1) / 2.0) / (length / 2.0)
    inner = 1.0 - 6.0 * distance**2 * (1.0 - distance)
    outer = 2.0 * (1.0 - distance) ** 3
    # SciPy splits at (length - 1) / 4 samples from the middle, which is just inside one half.
    middle = np.abs(np.arange(length) - (length - 1) / 2.0) <= (length - 1) / 4.0
    return np.asarray(np.where(middle, inner, outer))


def _bohman(length: int) -> Array:
    x = np.abs(np.linspace(-1.0, 1.0, length))
    result = (1.0 - x) * np.cos(np.pi * x) + np.sin(np.pi * x) / np.pi
    result[[0, -1]] = 0.0
    return result


def _triang(length: int) -> Array:
    distance = np.abs(np.arange(length) - (length - 1) / 2.0)
    return np.asarray(1.0 - distance / ((length + length % 2) / 2.0))


def symmetric_window(name: str, length: int) -> Array:
    """The symmetric window of this name, for length >= 2."""
    n = np.arange(length)
    if name in _COSINE_SUMS:
        return _cosine_sum(_COSINE_SUMS[name], length)
    if name == "boxcar":
        return np.ones(length)
    if name == "cosine":
        return np.sin(np.pi * (n + 0.5) / length)
    if name == "bartlett":
        return 1.0 - np.abs(2.0 * n / (length - 1) - 1.0)
    if name == "barthann":
        fraction = np.abs(n / (length - 1) - 0.5)
        return 0.62 - 0.48 * fraction + 0.38 * np.cos(2.0 * np.pi * fraction)
    if name == "triang":
        return _triang(length)
    if name == "parzen":
        return _parzen(length)
    if name == "bohman":
        return _bohman(length)
    raise KeyError(f"the oracle has no window named {name!r}")


WINDOW_NAMES = (
    *_COSINE_SUMS,
    "boxcar",
    "cosine",
    "bartlett",
    "barthann",
    "triang",
    "parzen",
    "bohman",
)


def window_values(window: Any, length: int, *, periodic: bool) -> Array:
    """float64 [length]: a named window, or the given values.

    A periodic window is the symmetric one that is a sample longer, without its last sample.
    """
    if not isinstance(window, str):
        values = np.asarray(window, dtype=np.float64)
        if values.shape != (length,):
            raise ValueError(f"window has shape {values.shape}, expected ({length},)")
        return values
    if length <= 1:
        return np.ones(length)
    if periodic:
        return symmetric_window(window, length + 1)[:-1]
    return symmetric_window(window, length)


# --- the transform ---------------------------------------------------------------------------


def dft_direct(frames: Array, num_points: int) -> npt.NDArray[np.complex128]:
    """Bins 0..num_points//2 of the DFT by its definition; the frame may be of any length.

    Sample n meets exp(-2 pi i n k / num_points), whatever n is: samples beyond num_points alias
    onto the first ones. n * k is reduced in integers, so that the angle is exact.
    """
    n = np.arange(frames.shape[-1])
    k = np.arange(num_points // 2 + 1)
    turns = np.outer(n, k) % num_points / num_points
    return np.asarray(frames @ np.exp(-2j * np.pi * turns))


def dft(frames: Array, num_points: int) -> npt.NDArray[np.complex128]:
    """The same by an FFT: fold the frame to num_points samples, then transform."""
    num_folds = max(1, math.ceil(frames.shape[-1] / num_points))
    padded = np.zeros((*frames.shape[:-1], num_folds * num_points))
    padded[..., : frames.shape[-1]] = frames
    folded = padded.reshape(*frames.shape[:-1], num_folds, num_points).sum(axis=-2)
    return np.asarray(np.fft.rfft(folded, axis=-1))


def dft_extended(
    frame: Array, num_points: int, bins: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.longdouble], npt.NDArray[np.longdouble]]:
    """Real and imaginary parts of some bins by the definition, in extended precision.

    This judges float64 results, which an FFT in float64 cannot.
    """
    turn = 8.0 * np.arctan(np.longdouble(1.0))
    angles = turn * np.arange(num_points).astype(np.longdouble) / num_points
    cosines, sines = np.cos(angles), np.sin(angles)
    place = np.outer(bins, np.arange(frame.shape[-1])) % num_points
    values = frame.astype(np.longdouble)
    return cosines[place] @ values, -(sines[place] @ values)


def next_power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


# --- STFTSpectrogram -------------------------------------------------------------------------


def same_padding(num_samples: int, frame_length: int, frame_step: int) -> tuple[int, int]:
    """Zeros before and after the signal with padding "same"."""
    num_frames = -(-num_samples // frame_step)
    total = max((num_frames - 1) * frame_step + frame_length - num_samples, 0)
    return total // 2, total - total // 2


def stft_complex(
    x: npt.ArrayLike,
    *,
    frame_length: int = 256,
    frame_step: int | None = None,
    fft_length: int | None = None,
    window: Any = "hann",
    periodic: bool = False,
    scaling: str | None = "density",
    padding: str = "valid",
    kernels: Any = None,
) -> npt.NDArray[np.complex128]:
    """complex128 [..., frames, bins] of the signals [..., samples], windowed and scaled.

    With `kernels`, the real and the imaginary one [frame_length, bins], by those instead.
    """
    signal = np.asarray(x, dtype=np.float64)
    step = frame_step or frame_length // 2
    num_bins = (fft_length or next_power_of_two(frame_length)) // 2 + 1
    if padding == "same":
        before, after = same_padding(signal.shape[-1], frame_length, step)
        widths = [(0, 0)] * (signal.ndim - 1) + [(before, after)]
        signal = np.pad(signal, widths)
    num_frames = max(0, (signal.shape[-1] - frame_length) // step + 1)
    starts = step * np.arange(num_frames)
    index = starts[:, None] + np.arange(frame_length)[None, :]
    frames = signal[..., index]  # [..., frames, frame_length]
    if kernels is not None:
        real, imag = (np.asarray(kernel, dtype=np.float64) for kernel in kernels)
        return np.asarray(frames @ real + 1j * (frames @ imag))
    if window is not None:
        values = window_values(window, frame_length, periodic=periodic)
        divisor = 1.0
        if scaling == "density":
            divisor = math.sqrt(np.sum(values**2))
        elif scaling == "spectrum":
            divisor = float(np.sum(np.abs(values)))
        frames = frames * (values / divisor)
    # The layer's DFT length follows from its number of bins, so an odd fft_length loses one.
    return dft(frames, (num_bins - 1) * 2)


def stft_spectrogram(
    x: npt.ArrayLike,
    *,
    mode: str = "log",
    expand_dims: bool = False,
    data_format: str | None = "channels_last",
    epsilon: float = 1e-7,
    **arguments: Any,
) -> Array:
    """float64 result of keras.layers.STFTSpectrogram(mode=..., ...)(x), x of rank 3."""
    signal = np.asarray(x, dtype=np.float64)
    channels_last = data_format != "channels_first"
    if channels_last:
        signal = np.moveaxis(signal, -1, 1)
    spectrum = stft_complex(signal, **arguments)  # [batch, channels, frames, bins]
    values = _stft_mode(spectrum, mode, epsilon)
    batch, channels, num_frames, num_bins = values.shape
    if expand_dims:
        return np.moveaxis(values, 1, -1) if channels_last else values
    if channels_last:  # channels are flattened channel-major, all bins of one channel together
        return np.swapaxes(values, 1, 2).reshape(batch, num_frames, channels * num_bins)
    return np.swapaxes(values, 2, 3).reshape(batch, channels * num_bins, num_frames)


def _stft_mode(spectrum: npt.NDArray[np.complex128], mode: str, epsilon: float) -> Array:
    if mode == "real":
        return np.asarray(spectrum.real)
    if mode == "imag":
        return np.asarray(spectrum.imag)
    if mode == "stft":
        return np.concatenate([spectrum.real, spectrum.imag], axis=-1)
    if mode == "angle":
        # Keras' sums start from +0, so that a sum of negative zeros is +0 and has angle 0, not pi.
        return np.asarray(np.arctan2(spectrum.imag + 0.0, spectrum.real + 0.0))
    power = spectrum.real**2 + spectrum.imag**2
    if mode == "psd":
        power[..., 1:-1] *= 2.0
        return np.asarray(power)
    magnitude = np.sqrt(np.maximum(power, epsilon))
    if mode == "magnitude":
        return np.asarray(magnitude)
    if mode == "log":
        return np.asarray(np.log(np.maximum(magnitude, epsilon)))
    raise ValueError(f"unknown mode {mode!r}")


# --- MelSpectrogram --------------------------------------------------------------------------


def reflect_index(index: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """Positions in a signal of this length, for positions anywhere: reflected until inside."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    inside = index % period
    return np.where(inside < length, inside, period - inside)


def mel_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: int = 129,
    sampling_rate: float = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
) -> Array:
    """float64 [bins, bands]: triangles that are linear in mel, the DC row is zero."""

    # The edges are close to each other and far from zero: in float64 their differences, and so
    # the weights, would be off by 1e-14.
    extended = np.longdouble

    def mel(hertz: Any) -> Any:
        return extended(1127.0) * np.log(extended(1.0) + hertz / extended(700.0))

    def linspace(start: Any, stop: Any, count: int) -> Any:
        return start + (stop - start) * np.arange(count).astype(extended) / max(count - 1, 1)

    bins = mel(linspace(extended(0.0), extended(sampling_rate) / 2, num_spectrogram_bins))[:, None]
    low, high = mel(extended(lower_edge_hertz)), mel(extended(upper_edge_hertz))
    edges = linspace(low, high, num_mel_bins + 2)
    lower, center, upper = edges[None, :-2], edges[None, 1:-1], edges[None, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = (bins - lower) / (center - lower)
        falling = (upper - bins) / (upper - center)
    weights = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float64)
    weights[0, :] = 0.0
    return np.asarray(weights)


def mel_complex(
    x: npt.ArrayLike,
    *,
    fft_length: int = 2048,
    sequence_stride: int = 512,
    sequence_length: int | None = None,
    window: Any = "hann",
) -> npt.NDArray[np.complex128]:
    """complex128 [..., frames, bins]: centred frames, reflected at both ends, any fft_length."""
    signal = np.asarray(x, dtype=np.float64)
    num_samples = signal.shape[-1]
    if num_samples == 0:
        raise ValueError("an empty signal cannot be reflected")
    half = fft_length // 2
    num_frames = 1 + (num_samples + 2 * half - fft_length) // sequence_stride
    starts = sequence_stride * np.arange(num_frames) - half
    index = reflect_index(starts[:, None] + np.arange(fft_length)[None, :], num_samples)
    frames = signal[..., index]  # [..., frames, fft_length]
    length = sequence_length or fft_length
    values = np.ones(fft_length)
    if window is not None:
        before = (fft_length - length) // 2
        values = np.zeros(fft_length)
        values[before : before + length] = window_values(window, length, periodic=True)
    return dft(frames * values, fft_length)


def mel_power(
    x: npt.ArrayLike,
    *,
    fft_length: int = 2048,
    sequence_stride: int = 512,
    sequence_length: int | None = None,
    window: Any = "hann",
    sampling_rate: float = 16000,
    num_mel_bins: int = 128,
    min_freq: float = 20.0,
    max_freq: float | None = None,
    mag_exp: float = 2.0,
) -> Array:
    """float64 [..., num_mel_bins, frames]: the layer's result with power_to_db=False."""
    spectrum = mel_complex(
        x,
        fft_length=fft_length,
        sequence_stride=sequence_stride,
        sequence_length=sequence_length,
        window=window,
    )
    power = np.sqrt(spectrum.real**2 + spectrum.imag**2) ** mag_exp
    weights = mel_matrix(
        num_mel_bins,
        fft_length // 2 + 1,
        sampling_rate,
        min_freq,
        max_freq or int(sampling_rate / 2),
    )
    return np.swapaxes(power @ weights, -1, -2)


def power_to_level_db(
    power: Array,
    *,
    top_db: float | None = 80.0,
    top_db_scope: str = "batch",
    min_power: float = 1e-10,
    ref_power: float = 1.0,
) -> Array:
    """dB of [..., num_mel_bins, frames]; the floor is top_db below the maximum of the scope."""
    level = 10.0 * np.log10(np.maximum(power, min_power))
    level = level - 10.0 * math.log10(max(abs(ref_power), min_power))
    if top_db is None or level.size == 0:
        return np.asarray(level)
    scope = (-2, -1) if top_db_scope == "clip" else None
    loudest = level.max(axis=scope, keepdims=True)
    return np.asarray(np.maximum(level, loudest - top_db))


def mel_spectrogram(
    x: npt.ArrayLike,
    *,
    power_to_db: bool = True,
    top_db: float | None = 80.0,
    top_db_scope: str = "batch",
    min_power: float = 1e-10,
    ref_power: float = 1.0,
    **arguments: Any,
) -> Array:
    """float64 [..., num_mel_bins, frames] result of keras.layers.MelSpectrogram(...)(x)."""
    power = mel_power(x, **arguments)
    if not power_to_db:
        return power
    return power_to_level_db(
        power,
        top_db=top_db,
        top_db_scope=top_db_scope,
        min_power=min_power,
        ref_power=ref_power,
    )
