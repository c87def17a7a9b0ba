# SPDX-License-Identifier: BSD-3-Clause
"""How results are compared: with the oracle, and with Keras, whose own error is larger.

Keras multiplies by float32 kernels whose angles grow with the frame, and by a float32 mel matrix
whose edges are differences of large numbers. Its results can therefore only be held to a share of
the largest value of a frame: 1e-4 for short frames, 1e-3 at 4096 samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import oracle

Array = npt.NDArray[np.float64]
Arguments = Mapping[str, Any]

EPS32 = float(np.finfo(np.float32).eps)
NOISE = 1e-5  # as a share of the frame's peak: here the rounding of float32 becomes audible
_SPECTRUM_ARGUMENTS = ("frame_length", "frame_step", "fft_length", "window", "periodic")


def transform_bound(length: int, eps: float) -> float:
    """Relative L2 error that a transform of this length may have, whatever computes it.

    0.5 eps sqrt(log2 N) where N is a product of small primes, 2 eps sqrt(log2 N) for any N.
    """
    rest = length
    for prime in (2, 3, 5, 7, 11, 13):
        while rest % prime == 0:
            rest //= prime
    return (0.5 if rest == 1 else 2.0) * eps * float(np.sqrt(np.log2(max(length, 2))))


def _bin_error(spectrum: npt.NDArray[np.complex128], length: int) -> Array:
    """Root mean square error of a bin, [..., frames, 1], where the transform is at its bound."""
    rms = np.sqrt(np.mean(np.abs(spectrum) ** 2, axis=-1, keepdims=True))
    return np.asarray(transform_bound(length, EPS32) * rms)


# --- STFTSpectrogram -------------------------------------------------------------------------


def stft_rows(y: npt.ArrayLike, num_channels: int, arguments: Arguments) -> Array:
    """float64 [batch, channels, frames, rows] from any of the layer's four layouts."""
    values = np.asarray(y, dtype=np.float64)
    channels_last = arguments.get("data_format") != "channels_first"
    if arguments.get("expand_dims", False):
        return np.moveaxis(values, -1, 1) if channels_last else values
    if not channels_last:
        values = np.swapaxes(values, 1, 2)
    batch, frames, columns = values.shape
    split = values.reshape(batch, frames, num_channels, columns // num_channels)
    return np.moveaxis(split, 2, 1)


def stft_spectrum(x: npt.ArrayLike, arguments: Arguments) -> npt.NDArray[np.complex128]:
    """complex128 [batch, channels, frames, bins], whatever the mode."""
    signal = np.asarray(x, dtype=np.float64)
    if arguments.get("data_format") != "channels_first":
        signal = np.moveaxis(signal, -1, 1)
    names = (*_SPECTRUM_ARGUMENTS, "scaling", "padding")
    return oracle.stft_complex(signal, **{k: arguments[k] for k in names if k in arguments})


def _num_channels(x: npt.ArrayLike, arguments: Arguments) -> int:
    return int(np.shape(x)[1 if arguments.get("data_format") == "channels_first" else 2])


def _chord(a: Array, b: Array) -> Array:
    """Distance of two angles on the unit circle: no jump at pi."""
    return np.asarray(np.abs(np.exp(1j * a) - np.exp(1j * b)))


def _peaks(values: Array) -> Array:
    """The largest magnitude of every frame, [..., frames, 1]."""
    return np.asarray(np.max(np.abs(values), axis=-1, keepdims=True, initial=0.0))


def stft_error(y: npt.ArrayLike, x: npt.ArrayLike, arguments: Arguments) -> tuple[float, float]:
    """L2 norms of the error against the oracle, and of the oracle's values.

    Angles count as points on the unit circle, and only those of bins above a thousandth of their
    frame's peak: below, an angle is as much noise as value. So is a logarithm below a hundred
    thousandth, which also does not count.
    """
    channels = _num_channels(x, arguments)
    expected = stft_rows(oracle.stft_spectrogram(x, **arguments), channels, arguments)
    rows = stft_rows(y, channels, arguments)
    mode = arguments.get("mode", "log")
    if mode not in ("angle", "log"):
        return float(np.linalg.norm(rows - expected)), float(np.linalg.norm(expected))
    magnitude = np.abs(stft_spectrum(x, arguments))
    if mode == "angle":
        clear = magnitude > 1e-3 * _peaks(magnitude)
        chord = _chord(rows[clear], expected[clear])
        return float(np.linalg.norm(chord)), float(np.sqrt(clear.sum()))
    clear = np.exp(expected) >= NOISE * _peaks(magnitude)  # the floor counts where it is above
    return (
        float(np.linalg.norm(rows[clear] - expected[clear])),
        float(np.linalg.norm(expected[clear])),
    )


def stft_rounding(x: npt.ArrayLike, arguments: Arguments) -> float:
    """The stft_error that the rounding of float32 alone explains.

    That is an error of the transform at its bound, carried through the mode by the derivative, and
    a unit in the last place of the result. Two errors below this compare by chance.
    """
    spectrum = stft_spectrum(x, arguments)
    deviation = _bin_error(spectrum, max(2, 2 * (spectrum.shape[-1] - 1)))
    magnitude = np.abs(spectrum)
    mode = arguments.get("mode", "log")
    size = stft_error(oracle.stft_spectrogram(x, **arguments), x, arguments)[1]
    if mode == "psd":
        carried = 4.0 * magnitude * deviation
    elif mode == "angle":
        clear = magnitude > 1e-3 * _peaks(magnitude)
        carried = (deviation / np.where(clear, magnitude, np.inf))[clear]
    elif mode == "log":
        floor = np.sqrt(1e-7)
        clear = (magnitude > floor) & (magnitude >= NOISE * _peaks(magnitude))
        carried = (deviation / np.where(clear, magnitude, np.inf))[clear]
    else:
        carried = np.broadcast_to(deviation, magnitude.shape)
    return float(np.linalg.norm(carried)) + EPS32 * size


def stft_tolerance(arguments: Arguments) -> float:
    """Keras' error as a share of the frame's peak: its angles are products in float32."""
    return max(1e-4, 2.5e-7 * float(arguments.get("frame_length", 256)))


def judged_angles(x: npt.ArrayLike, arguments: Arguments, share: float) -> tuple[int, int]:
    """How many angles a comparison at this share of the frame's peak says anything about.

    Those are the angles of bins above that share: below it an angle is noise, and its allowance
    is the whole circle. Returns their number and that of all bins of frames that are not silent.
    """
    magnitude = np.abs(stft_spectrum(x, arguments))
    peaks = _peaks(magnitude)
    judged = magnitude > share * peaks
    return int(judged.sum()), int(np.broadcast_to(peaks > 0.0, judged.shape).sum())


def assert_stft_close(
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike,
    x: npt.ArrayLike,
    arguments: Arguments,
    tolerance: float | None = None,
    eps: float = EPS32,
) -> None:
    """Both results lie within a share `tolerance` of the frame's peak of each other.

    By default the share is Keras' error, and `eps` the float32 unit to which results round. Of
    the angles in frames with sound at least a third must lie above that share. (Three quarters
    usually do; a chirp under a window with low side lobes has few bins that are not noise.)
    """
    assert np.shape(ours) == np.shape(theirs)
    share = stft_tolerance(arguments) if tolerance is None else tolerance
    channels = _num_channels(x, arguments)
    a, b = (stft_rows(y, channels, arguments) for y in (ours, theirs))
    mode = arguments.get("mode", "log")
    magnitude = np.abs(stft_spectrum(x, arguments))
    allowed = share * _peaks(magnitude)
    if mode == "log":  # as magnitudes again: the same rule, and it covers every bin
        np.testing.assert_allclose(a, b, rtol=0.0, atol=25.0)
        rounding = 4.0 * eps * np.maximum(np.abs(b), 1.0) * np.exp(b)
        a, b, allowed = np.exp(a), np.exp(b), allowed + rounding
    if mode == "psd":  # |a^2 - b^2| <= |a - b| (a + b), and doubled
        allowed = allowed * 4.0 * _peaks(magnitude)
    if mode == "angle":
        judged, total = judged_angles(x, arguments, share)
        assert judged >= total / 3, f"only {judged} of {total} angles can be compared"
        with np.errstate(divide="ignore", invalid="ignore"):
            allowed = np.where(magnitude > 0.0, 2.0 * allowed / magnitude, 2.0)
        difference = _chord(a, b)
        allowed = allowed + 4.0 * eps
    else:
        difference = np.abs(a - b)
    _assert_below(difference, allowed)


def _assert_below(difference: Array, allowed: Array) -> None:
    allowed = np.broadcast_to(allowed, difference.shape)
    # Written so that a NaN counts as a difference.
    bad = ~(difference <= allowed + 1e-37)
    if bad.any():
        worst = np.unravel_index(np.argmax(np.where(bad, difference - allowed, 0.0)), bad.shape)
        raise AssertionError(
            f"{bad.sum()} of {bad.size} values differ too much; at {tuple(map(int, worst))} by "
            f"{difference[worst]:.3g}, allowed {allowed[worst]:.3g}"
        )


# --- MelSpectrogram --------------------------------------------------------------------------

_POWER_ARGUMENTS = (
    "fft_length",
    "sequence_stride",
    "sequence_length",
    "window",
    "sampling_rate",
    "num_mel_bins",
    "min_freq",
    "max_freq",
    "mag_exp",
)


def mel_power(x: npt.ArrayLike, arguments: Arguments) -> Array:
    """float64 [..., bands, frames]: the oracle's result before any dB."""
    return oracle.mel_power(x, **{k: arguments[k] for k in _POWER_ARGUMENTS if k in arguments})


def mel_error(y: npt.ArrayLike, x: npt.ArrayLike, arguments: Arguments) -> tuple[float, float]:
    """L2 norms of the error against the oracle, and of the oracle's values.

    Levels below a hundred thousandth of their frame's largest magnitude are rounding noise and do
    not count, unless they are raised above that by the floor.
    """
    expected = oracle.mel_spectrogram(x, **arguments)
    values = np.asarray(y, dtype=np.float64)
    if arguments.get("power_to_db", True):
        clear = _clear_levels(x, arguments)
        values, expected = values[clear], expected[clear]
    return float(np.linalg.norm(values - expected)), float(np.linalg.norm(expected))


def _clear_levels(x: npt.ArrayLike, arguments: Arguments) -> npt.NDArray[np.bool_]:
    noise = NOISE ** arguments.get("mag_exp", 2.0) * _frame_peak(x, arguments)
    limit = oracle.power_to_level_db(
        noise,
        top_db=None,
        min_power=arguments.get("min_power", 1e-10),
        ref_power=arguments.get("ref_power", 1.0),
    )
    return np.asarray(oracle.mel_spectrogram(x, **arguments) >= limit)


def mel_rounding(x: npt.ArrayLike, arguments: Arguments) -> float:
    """The mel_error that the rounding of float32 alone explains; compare stft_rounding."""
    spectrum = _mel_spectrum(x, arguments)
    deviation = _bin_error(spectrum, arguments.get("fft_length", 2048))
    exponent = arguments.get("mag_exp", 2.0)
    magnitude = np.maximum(np.abs(spectrum), deviation)
    with np.errstate(divide="ignore", invalid="ignore"):
        lines = np.where(deviation > 0, exponent * magnitude ** (exponent - 1.0) * deviation, 0.0)
    carried = np.swapaxes(lines @ _mel_weights(spectrum, arguments), -1, -2)
    size = mel_error(oracle.mel_spectrogram(x, **arguments), x, arguments)[1]
    if not arguments.get("power_to_db", True):
        return float(np.linalg.norm(carried)) + EPS32 * size
    power = mel_power(x, arguments)
    clear = _clear_levels(x, arguments) & (power > arguments.get("min_power", 1e-10))
    level = 10.0 / np.log(10.0) * carried[clear] / power[clear]
    # A level is the difference of two logarithms, each rounded.
    least = arguments.get("min_power", 1e-10)
    reference = 10.0 * np.log10(max(abs(arguments.get("ref_power", 1.0)), least))
    last_place = EPS32 * (size + abs(reference) * np.sqrt(power.size))
    return float(np.linalg.norm(level) + last_place)


def mel_tolerance(arguments: Arguments) -> float:
    """Keras' error as a share of the frame's peak: its band edges are float32 numbers of mel."""
    rate = arguments.get("sampling_rate", 16000)
    lowest = float(arguments.get("min_freq", 20.0))
    highest = float(arguments.get("max_freq") or int(rate / 2))
    low, high = (1127.0 * np.log1p(f / 700.0) for f in (lowest, highest))
    width = abs(high - low) / (arguments.get("num_mel_bins", 128) + 1)
    largest = max(low, high, 1127.0 * np.log1p(rate / 1400.0))
    return stft_tolerance({"frame_length": arguments.get("fft_length", 2048)}) + float(
        8.0 * EPS32 * largest / width
    )


def assert_mel_close(
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike,
    x: npt.ArrayLike,
    arguments: Arguments,
    tolerance: float | None = None,
    eps: float = EPS32,
) -> None:
    """Powers within a share `tolerance` of the frame's peak; levels from 20 dB above the floor."""
    assert np.shape(ours) == np.shape(theirs)
    share = mel_tolerance(arguments) if tolerance is None else tolerance
    if arguments.get("mag_exp", 2.0) < 1.0:  # a root makes a small error larger
        share = share + (16.0 * eps) ** arguments["mag_exp"]
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    power = mel_power(x, arguments)
    peak = _frame_peak(x, arguments)
    if not arguments.get("power_to_db", True):
        _assert_below(np.abs(a - b), share * peak)
        return
    if b.size == 0:
        return
    top_db = arguments.get("top_db", 80.0)
    lowest = -np.inf if top_db is None else float(b.max()) - top_db
    least = arguments.get("min_power", 1e-10)
    reference = 10.0 * np.log10(max(abs(arguments.get("ref_power", 1.0)), least))
    floor = max(10.0 * np.log10(least) - reference, lowest) + 20.0
    # d(10 log10 p) = 10 / ln 10 dp / p, for the smaller of the two powers
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = share * peak / power
        allowed = np.where(relative < 0.5, 10.0 / np.log(10.0) * 2.0 * relative, np.inf)
    allowed = allowed + 4.0 * eps * max(float(np.abs(b).max()), abs(reference), 100.0)
    _assert_below(np.abs(np.maximum(a, floor) - np.maximum(b, floor)), allowed)


def _mel_spectrum(x: npt.ArrayLike, arguments: Arguments) -> npt.NDArray[np.complex128]:
    names = ("fft_length", "sequence_stride", "sequence_length", "window")
    return oracle.mel_complex(x, **{k: arguments[k] for k in names if k in arguments})


def _mel_weights(spectrum: npt.NDArray[np.complex128], arguments: Arguments) -> Array:
    rate = arguments.get("sampling_rate", 16000)
    return oracle.mel_matrix(
        arguments.get("num_mel_bins", 128),
        spectrum.shape[-1],
        rate,
        arguments.get("min_freq", 20.0),
        arguments.get("max_freq") or int(rate / 2),
    )


def _frame_peak(x: npt.ArrayLike, arguments: Arguments) -> Array:
    """[..., 1, frames]: the strongest line of a frame times the weight of the widest band."""
    spectrum = _mel_spectrum(x, arguments)
    lines = np.abs(spectrum) ** arguments.get("mag_exp", 2.0)
    widest = max(1.0, float(_mel_weights(spectrum, arguments).sum(axis=0).max()))
    return np.swapaxes(widest * _peaks(lines), -1, -2)
