# SPDX-License-Identifier: BSD-3-Clause
"""MelSpectrogram: levels or energies of mel bands with the numbers of the Keras layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._engine import filterbank
from specfast._engine.mel_pipeline import MelPipeline
from specfast._spec import axes
from specfast.layers.layer import Layer


class MelSpectrogram(Layer):
    """Mel spectrogram of signals of any rank, as `keras.layers.MelSpectrogram`.

    Frames of `fft_length` samples are centred at the samples 0, sequence_stride,
    2 * sequence_stride, ...; the signal is continued by reflection at both ends, as often as it
    takes. A frame is multiplied by the window, centred in it, and transformed; |X|^mag_exp goes
    through the filterbank of `linear_to_mel_weight_matrix`, and with `power_to_db` becomes
    `10 log10(max(S, min_power)) - 10 log10(max(|ref_power|, min_power))` in dB, at least the
    maximum minus `top_db`.

    Args:
        fft_length: length of a frame and of its DFT in samples.
        sequence_stride: samples from one frame to the next.
        sequence_length: length of the window in samples, at most fft_length. None: fft_length.
        window: "hann" or "hamming", both periodic, an array of `sequence_length` numbers, or
            None: ones over the whole frame, whatever `sequence_length`.
        sampling_rate: samples per second of the input.
        num_mel_bins: number of mel bands.
        min_freq: lower edge of the lowest band in Hz.
        max_freq: upper edge of the highest band in Hz. None or 0: int(sampling_rate / 2).
        power_to_db: whether the result is a level in dB.
        top_db: how far below the maximum levels may lie, in dB. None: without a limit (not
            possible in Keras).
        mag_exp: exponent of the magnitude: 1 for magnitude, 2 for power.
        min_power: the floor of the band energies and of `ref_power`.
        ref_power: the energy that is 0 dB.
        top_db_scope: the scope of the maximum for `top_db`. "batch" is Keras' way: the whole
            input, so that a clip's result depends on the others, and a NaN anywhere makes
            everything NaN. "clip": every one-dimensional signal by itself. Not an argument of
            Keras.
        num_threads: threads for calls of this layer. None: the global setting. Not an argument
            of Keras. The result does not depend on it.
        device: where to compute: "cpu"; "cuda" or "cuda:1", a GPU of NVIDIA, to which arrays in
            CPU memory are copied and from which their results come back; or None: where the
            samples are. Not an argument of Keras. See docs/gpu.md.
        name: name of the layer; None: generated as in Keras.
        dtype: "float32" (default), "float64", "float16", "bfloat16", "mixed_float16" or
            "mixed_bfloat16"; a NumPy dtype or Keras' serialised policy. Half precision is
            computed in float32 from the samples as they are given (Keras rounds floating point
            samples first) and rounded once at the end. bfloat16 needs the package ml_dtypes.
        trainable: kept for the configuration; this layer has no weights.

    Raises:
        ValueError: if a value is out of its range, or a keyword is unknown.
        TypeError: if a value is of a wrong type.
        ImportError: for "bfloat16" without the package ml_dtypes.

    Input of a call, `layer(x, *, lengths=None, out=None, scale=None)`:
        [..., samples] of rank >= 1; float16, bfloat16, float32, float64, bool or integers, which
        are taken unscaled: to have int16 PCM as numbers from -1 to 1, pass scale=1 / 32768 with
        the call. It is never written to. Or clips of different lengths: a list of arrays
        [samples], or a padded array with `lengths` [...].

    Output:
        [..., num_mel_bins, frames] with 1 + samples // sequence_stride frames for an even
        `fft_length`, and 1 + (samples - 1) // sequence_stride for an odd one.

    Errors of a call:
        TypeError for samples that are not real numbers. ValueError for a scalar, for signals
        without samples, and for as many dimensions as NumPy can have (the result has one more).
        UserWarning for an input that looks like one recording (samples, channels): at least 256
        along the last axis but one, and at most 8 along the last.

    EmptyBandsWarning is given when a layer is made some of whose bands hold no bin, with their
    numbers and the cause: their level can only be the floor.

    Source of the formulas: the Keras layer, and HTK for the filterbank.

    Example:
        >>> import numpy as np
        >>> from specfast import MelSpectrogram
        >>> layer = MelSpectrogram(num_mel_bins=80, sampling_rate=8000, sequence_stride=128)
        >>> layer(np.zeros((2, 16000), np.float32)).shape
        (2, 80, 126)
    """

    fft_length: int
    sequence_stride: int
    sequence_length: int
    window: str | npt.NDArray[Any] | None
    sampling_rate: int | float
    num_mel_bins: int
    min_freq: int | float
    max_freq: int | float
    power_to_db: bool
    top_db: int | float | None
    mag_exp: int | float
    min_power: int | float
    ref_power: int | float
    top_db_scope: str

    # As in Keras, the layer's own arguments have no part in it.
    linear_to_mel_weight_matrix = staticmethod(filterbank.linear_to_mel_weight_matrix)

    pipeline_class = MelPipeline
    _pipeline: MelPipeline

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: str | npt.ArrayLike | None = "hann",
        sampling_rate: float = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float | None = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        top_db_scope: str = "batch",
        num_threads: int | None = None,
        device: str | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__(locals())
        if self._is_new:
            filterbank.warn_of_empty_bands(
                axes.band_grid(self._pipeline.arguments.public()),
                names=("num_mel_bins", "fft_length", "min_freq", "max_freq"),
            )

    def times(self, num_frames: int) -> npt.NDArray[np.float64]:
        """Returns the centre of each frame in seconds from the first sample.

        Args:
            num_frames: the number of frames of a result.

        Returns:
            float64 [num_frames].

        Raises:
            TypeError: if it is no integer.
            ValueError: if it is negative.
        """
        return axes.mel_times(self._pipeline.arguments.public(), num_frames)

    def frequencies(self) -> npt.NDArray[np.float64]:
        """Returns the frequency of each band's peak in Hz, float64 [num_mel_bins]."""
        return axes.mel_frequencies(self._pipeline.arguments.public())
