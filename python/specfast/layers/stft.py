# SPDX-License-Identifier: BSD-3-Clause
"""STFTSpectrogram: short-time Fourier transforms with the numbers of the Keras layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._engine.stft_pipeline import StftPipeline
from specfast._spec import axes
from specfast.layers.layer import Layer


class STFTSpectrogram(Layer):
    """Short-time Fourier transform of a batch of signals, as `keras.layers.STFTSpectrogram`.

    Frame t of a signal is `x[t * frame_step : t * frame_step + frame_length]`, multiplied by the
    scaled window and transformed by a DFT of N = (fft_length // 2) * 2 points, of which the bins
    k = 0 .. fft_length // 2 are kept:
    `X[t, k] = sum_n x[t * frame_step + n] * w[n] / scale * exp(-2 pi i n k / N)`.
    An odd `fft_length` therefore runs as one less, and where `frame_length` is odd and equal to
    it, the last sample falls onto the first: that is what Keras computes.

    Args:
        mode: the part of X to return. "real" and "imag": its parts. "stft": all real parts, then
            all imaginary parts. "angle": the phase in radians. "magnitude": sqrt(max(|X|^2,
            epsilon)). "log": ln(max(magnitude, epsilon)), natural logarithm. "psd": |X|^2, with
            all bins but the first and the last doubled.
        frame_length: length of a frame in samples.
        frame_step: samples from one frame to the next, 1 .. frame_length. None: frame_length // 2.
        fft_length: length of the DFT in samples, at least frame_length; shorter frames are
            followed by zeros. None: the next power of two. Any length is fast, but one that is
            no power of two gives the warning that Keras gives.
        window: the name of a window (the common ones are built in, all other names of
            `scipy.signal.get_window` work if SciPy is installed), an array of `frame_length`
            numbers, or None for no window and no scaling.
        periodic: whether a named window is periodic (for spectral analysis) or symmetric.
        scaling: "density" divides the window by sqrt(sum(w^2)), "spectrum" by sum(|w|), None
            leaves it unchanged. No sampling rate is involved.
        padding: "valid": only frames inside the signal. "same": ceil(samples / frame_step)
            frames; zeros are added on both sides, the smaller half on the left.
        expand_dims: whether channels have an axis of their own.
        data_format: "channels_last" or "channels_first". None: "channels_last".
        epsilon: the floor of "magnitude" and "log", 0 .. 1e15. Not an argument of Keras, which
            has its global `keras.config.epsilon()` here, 1e-7 by default.
        num_threads: threads for calls of this layer. None: the global setting. Not an argument
            of Keras. The result does not depend on it.
        device: where to compute: "cpu"; "cuda" or "cuda:1", a GPU of NVIDIA, to which arrays in
            CPU memory are copied and from which their results come back; or None: where the
            samples are. Not an argument of Keras. See docs/gpu.md.
        name: name of the layer; None: generated as in Keras.
        dtype: "float32" (default), "float64", "float16" or "mixed_float16"; a NumPy dtype or
            Keras' serialised policy. Half precision is computed in float32 from the samples as
            they are given and rounded once at the end, where Keras rounds the samples and
            computes with float16 throughout. "bfloat16" can be configured, but its calls raise
            TypeError, as in Keras.
        trainable: whether `weights` count as `trainable_weights`.

    Raises:
        ValueError: if a value is out of its range, or a keyword is unknown.
        TypeError: if a value is of a wrong type.
        ImportError: for a window that only SciPy has, without SciPy.

    Input of a call, `layer(x, *, lengths=None, out=None, scale=None)`:
        [batch, samples, channels], or [batch, channels, samples] for "channels_first"; float16,
        float32 or float64, of any strides. It is never written to. Or recordings of different
        lengths: a list of arrays [samples, channels], or [channels, samples], or a padded array
        with `lengths` [batch], which hold for all channels.

    Output, with bins = fft_length // 2 + 1, or twice as many in mode "stft":
        channels_last: [batch, frames, channels * bins], channel by channel;
        channels_last, expand_dims: [batch, frames, bins, channels];
        channels_first: [batch, channels * bins, frames];
        channels_first, expand_dims: [batch, channels, frames, bins].

    Errors of a call:
        TypeError for samples that are not float16, float32 or float64. ValueError for another
        rank than 3, or for a signal shorter than `frame_length` with padding "valid" (Keras
        fails there too, on most backends with ValueError).

    Source of the formulas: the Keras layer and its `STFT` initializer.

    Example:
        >>> import numpy as np
        >>> from specfast import STFTSpectrogram
        >>> layer = STFTSpectrogram(mode="log", frame_length=256, frame_step=128, fft_length=512)
        >>> layer(np.zeros((3, 160000, 1), np.float32)).shape
        (3, 1249, 257)
    """

    mode: str
    frame_length: int
    frame_step: int | None
    fft_length: int | None
    window: str | npt.NDArray[Any] | None
    periodic: bool
    scaling: str | None
    padding: str
    expand_dims: bool
    data_format: str
    epsilon: float

    pipeline_class = StftPipeline
    _pipeline: StftPipeline

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: str | npt.ArrayLike | None = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        epsilon: float = 1e-7,
        num_threads: int | None = None,
        device: str | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__(locals())

    def times(
        self, num_frames: int, sampling_rate: float, *, num_samples: int | None = None
    ) -> npt.NDArray[np.float64]:
        """Returns the centre of each frame in seconds from the first sample.

        Args:
            num_frames: the number of frames of a result.
            sampling_rate: samples per second of the signal.
            num_samples: the length of the signal; needed for padding "same", where the first
                frame begins before the signal.

        Returns:
            float64 [num_frames].

        Raises:
            TypeError: if a value is of a wrong type.
            ValueError: if a value is out of its range, or `num_samples` is missing.
        """
        return axes.stft_times(
            self._pipeline.arguments.public(), num_frames, num_samples, sampling_rate
        )

    def frequencies(self, sampling_rate: float) -> npt.NDArray[np.float64]:
        """Returns the frequency of each row of the output in Hz, for one channel.

        Args:
            sampling_rate: samples per second of the signal.

        Returns:
            float64 [bins]; in mode "stft", whose real parts are followed by the imaginary parts,
            [2 * bins].

        Raises:
            TypeError: if `sampling_rate` is no number.
            ValueError: if it is not positive.
        """
        bins = axes.stft_frequencies(self._pipeline.arguments.num_points // 2 + 1, sampling_rate)
        return np.tile(bins, 2) if self.mode == "stft" else bins
