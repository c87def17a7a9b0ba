# SPDX-License-Identifier: BSD-3-Clause
"""The filterbank of mel bands as a matrix, with the numbers of the Keras layer."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from specfast import _core
from specfast._spec import checks, mel_arguments, policy
from specfast._spec.arguments import MAX_BANDS, MAX_LENGTH


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
    mel. The bin of frequency 0 is in no band. A band narrower than the distance of two
    bins may be empty, that is zero.

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
        weights = _core.mel_weights(bands, bins, float(rate), float(low), float(high))
        return weights.astype(result_dtype, copy=False)
    except MemoryError as error:
        raise MemoryError(
            f"no memory for a matrix of shape {(bins, bands)} in float64 and in {result_dtype}. "
            f"Received: num_mel_bins={bands}, num_spectrogram_bins={bins}"
        ) from error
