# SPDX-License-Identifier: BSD-3-Clause
"""The coordinates of a layer's output: rows in hertz and columns in seconds.

The functions take a layer's configuration (`get_config()`), so that a file written with its
configuration can be labelled again later. Argument names are the layers' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast import _core
from specfast._spec import checks

FloatArray = npt.NDArray[np.float64]

_MAX_COUNT = 1 << 62


def mel_edges(config: Mapping[str, Any]) -> FloatArray:
    """Returns the num_mel_bins + 2 band edges in mel, evenly spaced.

    Band b rises from edge b, has its peak at edge b + 1 and falls to edge b + 2.
    """
    low, high = _core.hertz_to_mel([config["min_freq"], config["max_freq"]])
    return np.linspace(low, high, int(config["num_mel_bins"]) + 2)


def band_grid(config: Mapping[str, Any]) -> tuple[int, int, float, float, float]:
    """Returns the arguments of the filterbank's functions in `_core`."""
    return (
        int(config["num_mel_bins"]),
        int(config["fft_length"]) // 2 + 1,
        float(config["sampling_rate"]),
        float(config["min_freq"]),
        float(config["max_freq"]),
    )


def empty_mel_bands(config: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    """Returns which mel bands hold no bin, shape (num_mel_bins,)."""
    return _core.empty_bands(*band_grid(config))


def mel_frequencies(config: Mapping[str, Any]) -> FloatArray:
    """Returns the peak of each mel band in Hz, shape (num_mel_bins,)."""
    bands = _core.Config("mel")
    bands.num_mel_bins = int(config["num_mel_bins"])
    bands.min_freq_hz = float(config["min_freq"])
    bands.max_freq_hz = float(config["max_freq"])
    return _core.frequencies(bands)


def hertz_to_mel(hertz: npt.ArrayLike) -> FloatArray:
    """Returns frequencies on HTK's mel scale."""
    return _core.hertz_to_mel(hertz)


def mel_times(config: Mapping[str, Any], num_frames: int) -> FloatArray:
    """Returns the middle of each frame in seconds, shape (num_frames,).

    Frames are centred: frame t lies around sample t * sequence_stride.

    Raises:
        TypeError, ValueError: if `num_frames` is no integer, or negative.
        MemoryError: as `frame_numbers`.
    """
    times = frame_numbers(num_frames)
    times *= float(config["sequence_stride"] / config["sampling_rate"])
    return times


def stft_frequencies(num_bins: int, sampling_rate: float) -> FloatArray:
    """Returns the frequency of each bin in Hz, shape (num_bins,).

    The layer's transform has (num_bins - 1) * 2 points, also when fft_length is odd.

    Raises:
        TypeError, ValueError: if `sampling_rate` is no number, or not positive.
    """
    sampling_rate = checks.positive_hertz("sampling_rate", sampling_rate)
    return np.linspace(0.0, sampling_rate / 2.0, num_bins)


def stft_times(
    config: Mapping[str, Any], num_frames: int, num_samples: int | None, sampling_rate: float
) -> FloatArray:
    """Returns the middle of each frame in seconds, shape (num_frames,).

    With padding "same" the first frame begins before the signal, by half of the padding, which
    depends on `num_samples`.

    Raises:
        TypeError, ValueError: for a count that is no integer or negative, a sampling rate that is
            no positive number, and padding "same" without `num_samples`.
        MemoryError: as `frame_numbers`.
    """
    times = frame_numbers(num_frames)
    sampling_rate = checks.positive_hertz("sampling_rate", sampling_rate)
    length = int(config["frame_length"])
    step = int(config["frame_step"] or length // 2)
    left = 0
    if config["padding"] == "same":
        if num_samples is None:
            raise ValueError(
                "`num_samples` must be the length of the signal for a layer with padding='same': "
                "the zeros in front of the signal depend on it. Received: num_samples=None"
            )
        padded = (len(times) - 1) * step + length
        left = max(padded - _count("num_samples", num_samples), 0) // 2
    times *= step
    times -= left
    times += length / 2.0
    times /= sampling_rate
    return times


def frame_numbers(num_frames: Any) -> FloatArray:
    """Returns 0, 1, 2, ..., one for each frame, float64 of shape (num_frames,).

    Raises:
        TypeError, ValueError: if `num_frames` is no integer, or negative.
        MemoryError: if there is no room for so many.
    """
    count = _count("num_frames", num_frames)
    try:
        return np.arange(count, dtype=np.float64)
    except (MemoryError, ValueError) as error:  # ValueError: more than an array can have
        raise MemoryError(
            f"no memory for the times of so many frames. Received: num_frames={count}"
        ) from error


def _count(name: str, value: Any) -> int:
    return checks.integer(name, value, minimum=0, maximum=_MAX_COUNT)
