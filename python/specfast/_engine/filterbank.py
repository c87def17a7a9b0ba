# SPDX-License-Identifier: BSD-3-Clause
"""The filterbank of mel bands: its matrix, with the numbers of the Keras layer, and bands without
a bin."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast import _core
from specfast._spec import checks, mel_arguments, policy
from specfast._spec.arguments import MAX_BANDS, MAX_LENGTH, caller_level

_MAX_RUNS = 8


class EmptyBandsWarning(UserWarning):
    """Some mel bands hold no bin: whatever the signal, their energy is zero."""


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: int = 129,
    sampling_rate: float = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = "float32",
) -> npt.NDArray[Any]:
    """Returns the matrix that turns a spectrum on a linear frequency scale into mel bands.

    For a spectrogram S of shape [..., num_spectrogram_bins], `S @ matrix` has shape
    [..., num_mel_bins]. Band b is a triangle that rises from edge b to a peak of 1 at edge b + 1
    and falls to edge b + 2, linear in mel; the num_mel_bins + 2 edges divide the range evenly in
    mel. The bin of frequency 0 is in no band. A band narrower than the distance of two bins, or
    beyond half the sampling rate, may be empty, that is zero: EmptyBandsWarning names these.

    The mel scale is that of HTK (S. Young et al., The HTK Book):
    mel(f) = 1127 ln(1 + f / 700) = 2595 log10(1 + f / 700). The matrix is computed in float64,
    whatever `dtype`.

    Args:
        num_mel_bins: number of bands.
        num_spectrogram_bins: number of bins, evenly from 0 to sampling_rate / 2.
        sampling_rate: samples per second of the signal.
        lower_edge_hertz: lower edge of the lowest band in Hz.
        upper_edge_hertz: upper edge of the highest band in Hz.
        dtype: "float16", "bfloat16", "float32" or "float64".

    Returns:
        An array of shape [num_spectrogram_bins, num_mel_bins].

    Raises:
        TypeError: if a value is of a wrong type.
        ValueError: if a value is out of its range.
        ImportError: for "bfloat16" without the package ml_dtypes.
        MemoryError: if there is no room for the matrix.
    """
    bands = checks.integer("num_mel_bins", num_mel_bins, minimum=1, maximum=MAX_BANDS)
    bins = checks.integer(
        "num_spectrogram_bins", num_spectrogram_bins, minimum=1, maximum=MAX_LENGTH
    )
    rate, low, high = mel_arguments.frequencies(
        sampling_rate,
        lower_edge_hertz,
        upper_edge_hertz,
        names=("sampling_rate", "lower_edge_hertz", "upper_edge_hertz"),
    )
    result_dtype = policy.float_dtype("dtype", dtype)
    try:
        weights = weight_matrix(bands, bins, rate, low, high)
        matrix = weights.astype(result_dtype, copy=False)
    except MemoryError as error:
        raise MemoryError(
            f"no memory for a matrix of shape {(bins, bands)} in float64 and in {result_dtype}. "
            f"Received: num_mel_bins={bands}, num_spectrogram_bins={bins}"
        ) from error
    warn_of_empty_bands(
        (bands, bins, float(rate), float(low), float(high)),
        names=("num_mel_bins", "num_spectrogram_bins", "lower_edge_hertz", "upper_edge_hertz"),
    )
    return matrix


def weight_matrix(
    bands: int, bins: int, rate: float, low: float, high: float
) -> npt.NDArray[np.float64]:
    """Returns the matrix in float64 for checked arguments, without a warning."""
    return _core.mel_weights(bands, bins, float(rate), float(low), float(high))


def warn_of_empty_bands(
    grid: tuple[int, int, float, float, float], names: tuple[str, str, str, str]
) -> None:
    """Gives one EmptyBandsWarning that names the empty bands and what makes them so, if any are.

    Args:
        grid: the arguments of `_core.empty_bands`.
        names: what the caller calls number of bands, length of the spectrum, and both edges.
    """
    is_empty = _core.empty_bands(*grid)
    if not is_empty.any():
        return
    num_bands, num_bins, rate, low, high = grid
    mel_low, mel_high = _core.hertz_to_mel([low, high])
    lower_edges = np.linspace(mel_low, mel_high, num_bands + 2)[:-2]
    is_beyond = is_empty & (lower_edges >= _core.hertz_to_mel(rate / 2) - 1e-9)
    distance = rate / 2 / max(num_bins - 1, 1)
    _warn(is_empty, _causes(is_empty, is_beyond, rate / 2, distance, names))


def warn_of_empty_rows(config: _core.Config, peaks: npt.NDArray[np.float64]) -> None:
    """Does the same for the bands of a specification.

    Args:
        config: the engine's configuration of it.
        peaks: the frequency of each band's peak in Hz.
    """
    is_empty = _core.empty_bands_of(config)
    if not is_empty.any():
        return
    if config.mel_weights is not None:
        causes = [f"{_runs(np.flatnonzero(is_empty))}, of which `mel_matrix` has no weights"]
    else:
        # The lower edge of a band is the peak of the one before.
        lower_edges = np.concatenate([[config.min_freq_hz], peaks[:-1]])
        nyquist = config.sampling_rate_hz / 2
        causes = _causes(
            is_empty,
            is_empty & (lower_edges >= nyquist * (1 - 1e-12)),
            nyquist,
            nyquist / max(config.fft_length // 2, 1),
            ("num_mel_bins", "fft_length", "min_freq", "max_freq"),
        )
    _warn(is_empty, causes)


def _causes(
    is_empty: npt.NDArray[np.bool_],
    is_beyond: npt.NDArray[np.bool_],
    nyquist: float,
    distance: float,
    names: tuple[str, str, str, str],
) -> list[str]:
    """Returns what makes bands empty, with the numbers of these bands and the way out."""
    bands, spectrum, lowest, highest = names
    causes = []
    if (narrow := np.flatnonzero(is_empty & ~is_beyond)).size:
        causes.append(
            f"{_runs(narrow)}, narrower than the distance of two bins, {distance:g} Hz: take a "
            f"smaller `{bands}`, a larger `{spectrum}` or a higher `{lowest}`"
        )
    if (beyond := np.flatnonzero(is_beyond)).size:
        causes.append(
            f"{_runs(beyond)}, above half of the sampling rate, {nyquist:g} Hz: take a lower "
            f"`{highest}`"
        )
    return causes


def _warn(is_empty: npt.NDArray[np.bool_], causes: list[str]) -> None:
    warnings.warn(
        f"{is_empty.sum()} of {len(is_empty)} mel bands hold no bin of the spectrum, so that "
        f"their energy is 0 whatever the signal: {'; '.join(causes)}",
        EmptyBandsWarning,
        stacklevel=caller_level(),
    )


def _runs(numbers: Iterable[int]) -> str:
    """Returns increasing numbers as text, consecutive ones together: "bands 0, 2 to 5"."""
    runs = [
        [int(number) for _, number in run]
        for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    ]
    shown = [
        f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs[:_MAX_RUNS]
    ]
    more = ", ..." if len(runs) > _MAX_RUNS else ""
    plural = "s" if len(runs) > 1 or len(runs[0]) > 1 else ""
    return f"band{plural} {', '.join(shown)}{more}"
