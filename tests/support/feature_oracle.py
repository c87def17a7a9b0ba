# SPDX-License-Identifier: BSD-3-Clause
"""Every field of a FeatureSpec once more, in plain float64 NumPy: slow, and what judges others.

Each function is one step and takes the specification with what the step before it returned. The
formulas are those of the docstring of FeatureSpec; of the package only the specification itself
is used, with the values of its window. `precision` and `dtype` have no meaning here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import oracle

Array = npt.NDArray[np.float64]
Spec = Any  # specfast's FeatureSpec, or what has its fields

SMALLEST_ENERGY = 2.0**-23  # the float32 epsilon, which Kaldi puts under a logarithm


def features(spec: Spec, x: Any, lengths: Sequence[int] | None = None) -> Array:
    """Returns float64 [rows, frames] of a clip [samples], or of several with an axis in front.

    Several are a list of clips, or an array [clips, samples] of which the first `lengths` samples
    of each count. Each is computed alone and padded to the longest with `pad_value`. The layout
    is that of the specification.
    """
    if isinstance(x, list) or np.ndim(x) == 2:
        clips = [np.asarray(clip, np.float64) for clip in x]
        if lengths is not None:
            clips = [clip[:length] for clip, length in zip(clips, lengths, strict=True)]
        return _laid_out(spec, _stack(spec, _of_clips(spec, clips)))
    return _laid_out(spec, _of_clips(spec, [np.asarray(x, np.float64)])[0])


def frame_counts(spec: Spec, num_samples: int) -> tuple[int, int]:
    """Returns how many frames a clip has, and how many of them are valid, before arrangement."""
    num_samples = spec.num_samples or num_samples
    count = max(len(frame_starts(spec, num_samples)) - spec.drop_frames, 0)
    return count, max(count - spec.masked_frames, 0)


def _of_clips(spec: Spec, clips: list[Array]) -> list[Array]:
    """Returns [frames, rows] of each clip; only the maximum of a batch joins them."""
    if spec.mode != "mel":
        return [arranged(spec, masked(spec, spectrogram(spec, clip))) for clip in clips]
    pairs = [levels_and_energy(spec, clip) for clip in clips]
    limited = limit_range(spec, [levels for levels, _ in pairs])
    return [
        arranged(spec, masked(spec, rows(spec, levels, energy)))
        for levels, (_, energy) in zip(limited, pairs, strict=True)
    ]


# --- samples and frames ----------------------------------------------------------------------


def samples(spec: Spec, clip: Array) -> Array:
    """The clip as it is cut into frames: scaled, of a certain length, filtered as a whole."""
    signal = clip * spec.input_scale
    if spec.num_samples is not None:
        if spec.sample_padding == "repeat" and 0 < len(signal) < spec.num_samples:
            signal = np.tile(signal, spec.num_samples // len(signal))
        signal = signal[: spec.num_samples]
        signal = np.pad(signal, (0, spec.num_samples - len(signal)))
    if spec.preemphasis and spec.preemphasis_rule == "signal":
        signal = np.concatenate([signal[:1], signal[1:] - spec.preemphasis * signal[:-1]])
    return signal


def frame_starts(spec: Spec, num_samples: int) -> npt.NDArray[np.int64]:
    """The sample under the beginning of the window of each frame; negative in the padding."""
    hop, length = spec.hop_length, spec.frame_length
    if spec.padding == "same":
        count = math.ceil(num_samples / hop)
        before, _ = oracle.same_padding(num_samples, length, hop)
        return hop * np.arange(count) - before
    if spec.padding == "end":
        return hop * np.arange(math.ceil(num_samples / hop))
    if spec.padding == "hops":
        return hop * np.arange((num_samples + hop // 2) // hop) + hop // 2 - length // 2
    on_each_side = {"valid": 0, "center": spec.fft_length // 2, "sides": spec.pad_length}
    padding = on_each_side[spec.padding]
    room = num_samples + 2 * padding - spec.frame_span
    count = room // hop + 1 if room >= 0 else 0
    return hop * np.arange(count) - padding + (spec.frame_span - length) // 2


def padded_at(signal: Array, positions: npt.NDArray[np.int64], mode: str | None) -> Array:
    """The values at these positions of a signal that numpy.pad would continue in this mode.

    A reflection is repeated for as long as it takes, which makes the signal periodic.
    """
    num_samples = len(signal)
    inside = (positions >= 0) & (positions < num_samples)
    if mode in (None, "constant"):
        values = np.zeros(positions.shape)
        values[inside] = signal[positions[inside]]
        return values
    if num_samples == 0 and positions.size:
        raise ValueError("an empty clip has no samples with which to pad it")
    if mode == "edge":
        return signal[np.clip(positions, 0, num_samples - 1)]
    if mode == "reflect":
        return signal[oracle.reflect_index(positions, num_samples)]
    if mode == "symmetric":
        place = positions % (2 * num_samples)
        return signal[np.minimum(place, 2 * num_samples - 1 - place)]
    raise ValueError(f"unknown mode {mode!r}")


def frames(spec: Spec, clip: Array) -> Array:
    """[frames, frame_length] under the window, before any conditioning."""
    signal = samples(spec, clip)
    starts = frame_starts(spec, len(signal))
    starts = starts[: max(len(starts) - spec.drop_frames, 0)]
    if spec.num_frames is not None:  # so many valid ones at most
        starts = starts[: spec.num_frames + spec.masked_frames]
    positions = starts[:, None] + np.arange(spec.frame_length)
    return padded_at(signal, positions, spec.pad_mode)


def preemphasized(spec: Spec, block: Array) -> Array:
    """The frames behind the filter, where that is one of each frame."""
    if not spec.preemphasis or spec.preemphasis_rule == "signal":
        return block
    return block - spec.preemphasis * np.concatenate([block[:, :1], block[:, :-1]], axis=1)


def log_energy(spec: Spec, block: Array) -> Array:
    """[frames] of Kaldi's log energies."""
    smallest = max(SMALLEST_ENERGY, spec.energy_floor)
    return np.log(np.maximum((block**2).sum(axis=1), smallest))


def windowed_frames(spec: Spec, clip: Array) -> tuple[Array, Array | None]:
    """[frames, frame_length] as they are transformed, and [frames] energies if asked for."""
    block = frames(spec, clip)
    if spec.remove_dc:
        block = block - block.mean(axis=1, keepdims=True)
    energy = log_energy(spec, block) if spec.energy == "raw" else None
    block = preemphasized(spec, block)
    window = spec.window_values()
    if window is not None:
        block = block * window
    if spec.energy == "windowed":
        energy = log_energy(spec, block)
    return block, energy


# --- spectra, bands and levels ---------------------------------------------------------------


def spectrogram(spec: Spec, clip: Array) -> Array:
    """[frames, bins] of the modes without bands, as STFTSpectrogram computes them."""
    block, _ = windowed_frames(spec, clip)
    window = spec.window_values()
    if window is not None and spec.window_scaling == "density":
        block = block / math.sqrt(np.sum(window**2))
    elif window is not None and spec.window_scaling == "spectrum":
        block = block / np.sum(np.abs(window))
    # As in the layer, the number of bins decides: an odd fft_length loses a point.
    spectrum = oracle.dft(block, 2 * (spec.num_bins - 1))
    return oracle._stft_mode(spectrum, spec.mode, spec.epsilon)


def _mel(hertz: Any, scale: str) -> Any:
    """Hertz in mel, in the precision of its argument."""
    if scale == "htk":
        return 1127 * np.log1p(hertz / 700)
    # Slaney's: 3 / 200 mel per Hz up to 1 kHz, then 27 mel for each factor of 6.4.
    logarithmic = 15 + 27 * np.log(np.maximum(hertz, 1000) / 1000) / np.log(np.longdouble(6.4))
    return np.where(hertz < 1000, 3 * hertz / 200, logarithmic)


def _hertz(mel: Any, scale: str) -> Any:
    if scale == "htk":
        return 700 * np.expm1(mel / 1127)
    logarithmic = 1000 * np.exp(np.log(np.longdouble(6.4)) / 27 * (np.maximum(mel, 15) - 15))
    return np.where(mel < 15, 200 * mel / 3, logarithmic)


def filterbank(spec: Spec) -> Array:
    """[bins, bands] of the weights; in extended precision, as edges are close to each other."""
    if spec.mel_matrix is not None:
        return np.array(spec.mel_matrix)
    extended = np.longdouble
    ends = [_mel(extended(hertz), spec.mel_scale) for hertz in (spec.min_freq, spec.max_freq)]
    steps = np.arange(spec.num_mel_bins + 2).astype(extended) / (spec.num_mel_bins + 1)
    mel_edges = ends[0] + (ends[1] - ends[0]) * steps
    hertz_edges = _hertz(mel_edges, spec.mel_scale)
    spaces = max(spec.num_bins - 1, 1)
    bins = np.arange(spec.num_bins).astype(extended) * spec.sampling_rate / 2 / spaces
    edges = hertz_edges
    if spec.mel_triangles == "mel":
        bins, edges = _mel(bins, spec.mel_scale), mel_edges
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    if spec.mel_norm == "slaney":
        weights *= 2 / (hertz_edges[2:] - hertz_edges[:-2])
    elif spec.mel_norm == "area":
        totals = weights.sum(axis=0)
        weights /= np.where(totals > 0, totals, 1)
    return weights.astype(np.float64)


def levels_and_energy(spec: Spec, clip: Array) -> tuple[Array, Array | None]:
    """[frames, bands] of levels, without regard to their range, and [frames] energies."""
    block, energy = windowed_frames(spec, clip)
    spectrum = np.fft.rfft(block, spec.fft_length)
    power = spectrum.real**2 + spectrum.imag**2 + spec.power_offset
    bands = power ** (spec.magnitude_exponent / 2) @ filterbank(spec)
    if spec.pcen:
        return pcen(spec, bands), energy
    if spec.level == "energy":
        return bands, energy
    above = np.maximum(bands, spec.floor) if spec.floor_rule == "clamp" else bands + spec.floor
    unit = {"decibel": 10 / math.log(10), "log10": 1 / math.log(10), "ln": 1.0}[spec.level]
    with np.errstate(divide="ignore"):
        return unit * (np.log(above) - math.log(spec.reference)), energy


def pcen(spec: Spec, bands: Array) -> Array:
    """[frames, bands] of Per-Channel Energy Normalisation (Wang et al., arXiv:1607.05666)."""
    frames_per_constant = spec.pcen_time_constant * spec.sampling_rate / spec.hop_length
    # The coefficient with which a one-pole filter has this time constant, as librosa has it.
    smoothing = (math.sqrt(1 + 4 * frames_per_constant**2) - 1) / (2 * frames_per_constant**2)
    smooth = np.empty_like(bands)
    state = np.ones(bands.shape[1])
    for t, energies in enumerate(bands):
        state = (1 - smoothing) * state + smoothing * energies
        smooth[t] = state
    normalized = bands / (spec.pcen_epsilon + smooth) ** spec.pcen_gain
    bias, power = spec.pcen_bias, spec.pcen_power
    return bias**power * np.expm1(power * np.log1p(normalized / bias))


def limit_range(spec: Spec, clips: list[Array]) -> list[Array]:
    """The levels of each clip, none of them far below the maximum of its valid frames."""
    if spec.dynamic_range is None:
        return clips
    loudest = [levels[: _num_valid(spec, levels)].max(initial=-np.inf) for levels in clips]
    if spec.dynamic_range_scope == "batch":
        loudest = [max(loudest)] * len(clips)
    return [
        np.maximum(levels, maximum - spec.dynamic_range)
        for levels, maximum in zip(clips, loudest, strict=True)
    ]


# --- rows of a frame -------------------------------------------------------------------------


def rows(spec: Spec, levels: Array, energy: Array | None) -> Array:
    """[frames, rows] of the levels and what follows them, derivatives included."""
    if spec.num_cepstra is not None:
        levels = cepstra(spec, levels)
        if energy is not None:
            levels[:, 0] = energy
    elif energy is not None:
        levels = np.column_stack([energy, levels])
    values = np.asarray(spec.gain) * levels + np.asarray(spec.offset)
    return with_deltas(spec, normalized(spec, values))


def cepstra(spec: Spec, levels: Array) -> Array:
    """[frames, num_cepstra]: the DCT-II of the levels by its definition, liftered."""
    num_bands = spec.num_mel_bins
    order = np.arange(spec.num_cepstra)
    angles = np.pi * np.outer(np.arange(num_bands) + 0.5, order) / num_bands
    matrix = 2 * np.cos(angles)
    if spec.dct_norm == "ortho":
        matrix *= np.where(order == 0, 0.5, math.sqrt(0.5)) / math.sqrt(num_bands)
    if spec.lifter:
        matrix *= 1 + spec.lifter / 2 * np.sin(np.pi * order / spec.lifter)
    return levels @ matrix


def normalized(spec: Spec, values: Array) -> Array:
    """The rows with mean 0 and deviation 1; of too few frames for a deviation, that is 0."""
    valid = values[: _num_valid(spec, values)]
    if spec.normalization is None or len(valid) == 0:
        return values
    centred = values - valid.mean(axis=0)
    freedom = max(len(valid) - spec.normalization_ddof, 1)
    variance = (centred[: len(valid)] ** 2).sum(axis=0) / freedom
    if spec.normalization_epsilon_in == "variance":
        divisor = np.sqrt(variance + spec.normalization_epsilon)
    else:
        divisor = np.sqrt(variance) + spec.normalization_epsilon
    return np.divide(centred, divisor, out=np.zeros_like(centred), where=divisor > 0)


def with_deltas(spec: Spec, values: Array) -> Array:
    """The rows and their derivatives, in which the first and the last valid frame go on for ever.

    A second derivative is one filter, the convolution of two first ones: at the ends that differs
    from the derivative of a derivative.
    """
    num_valid = _num_valid(spec, values)
    offsets = np.arange(-spec.delta_window, spec.delta_window + 1)
    regression = offsets / np.sum(offsets**2)
    parts, taps = [values], np.ones(1)
    for _ in range(spec.delta_order):
        taps = np.convolve(taps, regression)
        reach = len(taps) // 2
        derivative = np.zeros_like(values)
        for tap, offset in zip(taps, range(-reach, reach + 1), strict=True):
            place = np.clip(np.arange(len(values)) + offset, 0, max(num_valid - 1, 0))
            derivative += tap * values[place]
        parts.append(derivative)
    return np.concatenate(parts, axis=1)


# --- arrangement -----------------------------------------------------------------------------


def _num_valid(spec: Spec, values: Array) -> int:
    return max(len(values) - spec.masked_frames, 0)


def masked(spec: Spec, values: Array) -> Array:
    """The frames, with `pad_value` in those that are not valid."""
    num_valid = _num_valid(spec, values)
    values = values.copy()
    values[num_valid:] = spec.pad_value
    return values


def padded_frames(spec: Spec, values: Array, count: int) -> Array:
    """The first `count` frames, or as many with `pad_value` behind them."""
    missing = max(count - len(values), 0)
    return np.pad(values[:count], ((0, missing), (0, 0)), constant_values=spec.pad_value)


def arranged(spec: Spec, values: Array) -> Array:
    """[frames, rows] of the number of frames that is asked for, joined."""
    multiple = spec.frames_multiple
    count = spec.num_frames or multiple * math.ceil(len(values) / multiple)
    values = padded_frames(spec, values, count)
    joined = count // spec.join_frames
    kept = values[: joined * spec.join_frames]
    return kept.reshape(joined, spec.join_frames * values.shape[1])


def _stack(spec: Spec, clips: list[Array]) -> Array:
    longest = max(len(clip) for clip in clips)
    return np.stack([padded_frames(spec, clip, longest) for clip in clips])


def _laid_out(spec: Spec, values: Array) -> Array:
    return values if spec.layout == "frames_first" else np.swapaxes(values, -1, -2)
