# SPDX-License-Identifier: BSD-3-Clause
"""Undoes what a specification does behind the spectrum, and in front of it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast import _core
from specfast._engine import arrays
from specfast._engine.arrays import Array
from specfast._engine.feature_pipeline import FeatureArguments, FeaturePipeline
from specfast._spec import checks
from specfast._spec.feature_spec import FeatureSpec

# Behind so many iterations, energies that a spectrum has are met to 1e-3 of their norm.
BAND_ITERATIONS = 256
_LEAST_SHARE = 0.1  # of the sum of squared windows, below which sound fades
_QUIET = 1e-13  # of the impulse response of preemphasis: below the rounding of float64


def refuse_lost(spec: FeatureSpec) -> None:
    """Refuses what cannot be undone.

    Raises:
        ValueError: naming the field.
    """
    for name, value, reason in _lost(spec):
        raise ValueError(f"`{name}` {reason}. {checks.received(name, value)}")


def _lost(spec: FeatureSpec) -> list[tuple[str, Any, str]]:
    cases = (
        ("mode", spec.mode != "mel", "must be 'mel': ISTFT and GriffinLim take other spectra"),
        ("pcen", spec.pcen, "cannot be undone: an energy depends on all before it"),
        (
            "energy",
            spec.energy is not None and spec.num_cepstra is not None,
            "takes the place of C0, without which levels are not known",
        ),
        (
            "magnitude_exponent",
            spec.magnitude_exponent <= 0,
            "must be positive: the power of others grows where the signal falls",
        ),
        ("gain", 0 in np.atleast_1d(spec.gain), "must not be 0: the value of a row is lost"),
        (
            "fft_length",
            spec.fft_length % 2 == 1,
            "must be even: an odd one has no inverse transform here",
        ),
    )
    return [(name, getattr(spec, name), reason) for name, is_lost, reason in cases if is_lost]


class MelInverse:
    """From features back to magnitudes, and from filtered samples to samples; immutable."""

    def __init__(self, spec: FeatureSpec, num_iterations: int, num_threads: int) -> None:
        refuse_lost(spec)
        self.spec = spec
        self.dtype = np.dtype(spec.precision)
        self._num_iterations = num_iterations
        self._num_threads = num_threads
        self._unmixing = _core.Unmixing(_bank_of(spec))

    # ---- Features to energies ------------------------------------------------------------------

    def checked(self, features: Any) -> Array:
        """Returns features as an array of floating point numbers [..., frames, rows].

        Raises:
            TypeError: if they are no array of floating point numbers.
            ValueError: for another number of rows.
        """
        values = arrays.real_numbers("features", features)
        if values.dtype.kind != "f":
            raise TypeError(
                "`features` must be float16, float32 or float64. "
                f"Received: features of dtype {values.dtype} and shape {values.shape}"
            )
        spec = self.spec
        frames_first = spec.layout == "frames_first"
        if values.ndim < 2 or values.shape[-1 if frames_first else -2] != spec.num_rows:
            axes = "(..., frames, {})" if frames_first else "(..., {}, frames)"
            raise ValueError(
                f"`features` must have shape {axes.format(spec.num_rows)}, as the front end "
                f"returns them. Received: features of shape {values.shape}"
            )
        return values if frames_first else values.swapaxes(-1, -2)

    def energies(self, features: Any, mean: Any, deviation: Any) -> Array:
        """Returns the energies of the bands, float64 [..., frames, bands].

        Args:
            features: as a front end of the specification returns them.
            mean, deviation: what normalization has taken off each row; None: there was none.

        Raises:
            TypeError, ValueError: for features or statistics that do not fit.
        """
        spec = self.spec
        given = self.checked(features)
        given = given.reshape(*given.shape[:-2], -1, spec.num_rows // spec.join_frames)
        rows = given.astype(np.float64)
        rows = self._denormalized(rows[..., : spec.num_static_rows], mean, deviation)
        rows = (rows - np.asarray(spec.offset)) / np.asarray(spec.gain)
        if spec.num_cepstra is not None:
            rows = rows @ _inverse_cosines(spec)
        elif spec.energy is not None:
            rows = rows[..., 1:]
        with np.errstate(over="ignore", under="ignore"):
            energies = self._energies_of_levels(rows)
        if spec.masked_frames or spec.num_frames is not None or spec.frames_multiple > 1:
            energies[_is_padding(given, spec.pad_value)] = 0
        return energies

    def _denormalized(self, rows: Array, mean: Any, deviation: Any) -> Array:
        spec = self.spec
        given = {"mean": mean, "deviation": deviation}
        if spec.normalization is None:
            for name, value in given.items():
                if value is not None:
                    raise ValueError(
                        f"`{name}` must be None: the front end has no normalization. "
                        f"{checks.received(name, value)}"
                    )
            return rows
        per_row = {name: self._statistic(name, value, rows) for name, value in given.items()}
        if spec.normalization_epsilon_in == "variance":
            divisor = np.sqrt(per_row["deviation"] ** 2 + spec.normalization_epsilon)
        else:
            divisor = per_row["deviation"] + spec.normalization_epsilon
        return rows * divisor + per_row["mean"]

    def _statistic(self, name: str, value: Any, rows: Array) -> Array:
        if value is None:
            raise ValueError(
                f"`{name}` must be given: normalization has taken it off each row of a clip. "
                f"Received: {name}=None for normalization={self.spec.normalization!r}"
            )
        array = arrays.real_numbers(name, value).astype(np.float64)
        count = rows.shape[-1]
        shapes = ((count,), (*rows.shape[:-2], count))
        if array.shape not in shapes or not np.isfinite(array).all():
            raise ValueError(
                f"`{name}` must be finite, of shape {shapes[0]} or {shapes[1]}. "
                f"{checks.received(name, value)}"
            )
        return array[..., np.newaxis, :]

    def _energies_of_levels(self, levels: Array) -> Array:
        spec = self.spec
        if spec.level == "energy":
            return np.maximum(levels, 0)
        if spec.level == "ln":
            energies = np.exp(levels)
        else:
            energies = 10 ** (levels / (10 if spec.level == "decibel" else 1))
        energies *= max(spec.reference, 0 if spec.floor_rule == "add" else spec.floor)
        if spec.floor_rule == "add":
            energies = np.maximum(energies - spec.floor, 0)
        return energies

    # ---- Energies to magnitudes ----------------------------------------------------------------

    def magnitudes(self, energies: Array) -> Array:
        """Returns the magnitudes [..., bins, frames] whose bands come nearest to the energies."""
        spec = self.spec
        shape = energies.shape[:-1]
        with np.errstate(over="ignore", invalid="ignore"):
            given = np.ascontiguousarray(energies, self.dtype)
        given = given.reshape(math.prod(shape[:-1]), *energies.shape[-2:])
        bins = np.empty((len(given), spec.num_bins, shape[-1]), self.dtype)
        self._unmixing(given, bins.swapaxes(1, 2), self._num_iterations, self._num_threads)
        with np.errstate(over="ignore", under="ignore"):
            self._raise_to_magnitudes(bins)
        return bins.reshape(*shape[:-1], spec.num_bins, shape[-1])

    def _raise_to_magnitudes(self, bins: Array) -> None:
        """Inverts (magnitude ** 2 + power_offset) ** (magnitude_exponent / 2), in place."""
        exponent, offset = self.spec.magnitude_exponent, self.spec.power_offset
        if not offset and exponent == 1:
            return
        if exponent != 2:
            power = (2 if offset else 1) / exponent
            np.power(bins, self.dtype.type(power), out=bins)
            if not offset:
                return
        bins -= self.dtype.type(offset)
        np.sqrt(np.maximum(bins, 0, out=bins), out=bins)

    # ---- Samples -------------------------------------------------------------------------------

    def filtered(self, samples: Array) -> Array:
        """Returns what scaling and preemphasis make of signals, as `samples` undoes them."""
        spec = self.spec
        result = samples.astype(np.float64) * spec.input_scale
        result[..., 1:] -= spec.preemphasis * result[..., :-1]
        return result.astype(self.dtype)

    def samples(self, filtered: Array) -> Array:
        """Returns signals [..., samples] from what preemphasis and scaling made of them."""
        spec = self.spec
        samples = filtered.astype(np.float64)
        if spec.preemphasis:
            samples = _deemphasized(samples, spec.preemphasis)
        return (samples / spec.input_scale).astype(self.dtype)


def _bank_of(spec: FeatureSpec) -> _core.Config:
    """Returns the configuration of the filterbank and of nothing else."""
    names = (
        "sampling_rate", "precision", "frame_length", "hop_length", "fft_length", "num_mel_bins",
        "min_freq", "max_freq", "mel_scale", "mel_triangles", "mel_norm", "mel_matrix",
    )  # fmt: skip
    bank = FeatureSpec(**{name: getattr(spec, name) for name in names}, window=None)
    return FeaturePipeline(FeatureArguments(bank, None)).config()


def _is_padding(rows: Array, pad_value: float) -> Array:
    """Returns which frames at the end hold the value of padded and masked ones and no other."""
    is_value = (rows == rows.dtype.type(pad_value)).all(-1)
    return np.asarray(np.logical_and.accumulate(is_value[..., ::-1], axis=-1)[..., ::-1])


def edge_weights(spec: FeatureSpec, num_frames: int) -> tuple[Array, Array]:
    """Returns by what samples near both ends of the frames are multiplied, [frame_length] each.

    Less of a window than a tenth of the sum of its squares would make noise of what frames do not
    agree on; there the sound fades.
    """
    window = spec.window_values()
    squares = np.ones(spec.frame_length) if window is None else window**2
    hop, length = spec.hop_length, spec.frame_length
    full = max(float(squares[start::hop].sum()) for start in range(min(hop, length)))
    weights = []
    for of_frame in (squares, squares[::-1]):
        sums = np.zeros(length)
        for frame in range(min(num_frames, -(-length // hop))):
            sums[frame * hop :] += of_frame[: length - frame * hop]
        weights.append(np.minimum(sums / (_LEAST_SHARE * full), 1))
    return weights[0], weights[1][::-1]


def _inverse_cosines(spec: FeatureSpec) -> npt.NDArray[np.float64]:
    """Returns [cepstra][bands]: levels from cepstra, those beyond the last one being 0."""
    bands, count = spec.num_mel_bins, int(spec.num_cepstra or 0)
    i = np.arange(count)
    cosines = np.cos(np.pi * i[:, np.newaxis] * (np.arange(bands) + 0.5) / bands)
    # Of the sum 2 sum_b x_b cos(...), or of its orthonormal form.
    cosines *= math.sqrt(2 / bands) if spec.dct_norm == "ortho" else 1 / bands
    cosines[0] *= math.sqrt(0.5) if spec.dct_norm == "ortho" else 0.5
    if spec.lifter:
        lifts = 1 + spec.lifter / 2 * np.sin(np.pi * i / spec.lifter)
        # A coefficient that liftering took away is one of the missing ones.
        is_there = np.abs(lifts) > 1e-9
        cosines *= (is_there / np.where(is_there, lifts, 1))[:, np.newaxis]
    return cosines


def _deemphasized(samples: Array, coefficient: float) -> Array:
    """Returns x with x[n] = samples[n] + coefficient x[n - 1].

    1 / (1 - c / z) is the product of 1 + (c / z)^(2^m): a pass over the array for each of them.
    """
    step, factor = 1, coefficient
    while step < samples.shape[-1] and factor > _QUIET:
        samples[..., step:] += factor * samples[..., :-step]
        step, factor = 2 * step, factor * factor
    return samples


def magnitude_spec(spec: FeatureSpec) -> FeatureSpec:
    """Returns the specification of the magnitudes from which a front end makes its bands."""
    names = {
        "sampling_rate", "precision", "frame_length", "hop_length", "fft_length", "padding",
        "pad_mode", "pad_length", "frame_span", "drop_frames", "window", "window_periodic",
    }  # fmt: skip
    given = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec) if f.name in names}
    return FeatureSpec(**given, dtype=spec.precision, mode="magnitude", epsilon=0.0)
