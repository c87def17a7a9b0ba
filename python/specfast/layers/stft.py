# SPDX-License-Identifier: BSD-3-Clause
"""STFTSpectrogram: short-time Fourier transforms with the numbers of the Keras layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from specfast import _core
from specfast._engine import arrays as _arrays
from specfast._spec.stft_arguments import StftArguments
from specfast.layers import weights as _weights
from specfast.layers.layer import Layer, Shape


class STFTSpectrogram(Layer):
    """Short-time Fourier transform of a batch of signals, as `keras.layers.STFTSpectrogram`.

    Frame t of a signal is `x[t * frame_step : t * frame_step + frame_length]`, multiplied by the
    scaled window and transformed by a DFT of N = (fft_length // 2) * 2 points, of which the bins
    k = 0 .. fft_length // 2 are kept:
    `X[t, k] = sum_n x[t * frame_step + n] * w[n] / scale * exp(-2 pi i n k / N)`.
    An odd `fft_length` therefore runs as one less, and where `frame_length` is odd and equal to
    it, the last sample falls onto the first: that is what Keras computes.

    Args:
        mode: what is returned of X. "real" and "imag": its parts. "stft": all real parts, then
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
            does nothing. No sampling rate is involved.
        padding: "valid": only frames inside the signal. "same": ceil(samples / frame_step)
            frames; zeros are added on both sides, the smaller half on the left.
        expand_dims: give channels an axis of their own.
        data_format: "channels_last" or "channels_first". None: "channels_last".
        epsilon: the floor of "magnitude" and "log", 0 .. 1e15. Not an argument of Keras, which
            has its global `keras.config.epsilon()` here, 1e-7 by default.
        num_threads: threads for calls of this layer. None: the global setting. Not an argument
            of Keras. The result does not depend on it.
        name: name of the layer; None: made up as Keras does.
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

    Input of a call, `layer(x, *, out=None)`:
        [batch, samples, channels], or [batch, channels, samples] for "channels_first"; float16,
        float32 or float64, of any strides. It is never written to.

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

    _takes_integers = False
    _arguments_class = StftArguments
    _arguments: StftArguments

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
        epsilon: float = 1e-7,
        num_threads: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        **unknown: Any,
    ) -> None:
        super().__init__(locals())
        arguments = self._arguments
        channels_last = arguments.data_format == "channels_last"
        self._samples_axis, self._channels_axis = (1, 2) if channels_last else (2, 1)
        self._min_samples = arguments.frame_length if arguments.padding == "valid" else 0
        both = ("real_kernel", "imag_kernel")
        self._weight_names = {"real": both[:1], "imag": both[1:]}.get(arguments.mode, both)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """The shape that a call returns for an input of this shape.

        Args:
            input_shape: three dimensions, as of the input; None for one that is not known.

        Returns:
            The dimensions of the output; None for one that depends on an unknown one.

        Raises:
            TypeError: if a dimension is neither an integer nor None.
            ValueError: for another rank than 3, a negative dimension, or a signal shorter than
                `frame_length` with padding "valid".
        """
        shape = self._checked_shape(input_shape)
        return self._output_shape(shape, self._num_frames(shape[self._samples_axis]))

    def _output_shape(self, input_shape: Sequence[Any], frames: Any) -> tuple[Any, ...]:
        batch, channels = input_shape[0], input_shape[self._channels_axis]
        bins = self._plan.num_bins
        channels_last = self._channels_axis == 2
        if self.expand_dims:
            return (
                (batch, frames, bins, channels)
                if channels_last
                else (batch, channels, frames, bins)
            )
        rows = None if channels is None else channels * bins
        return (batch, frames, rows) if channels_last else (batch, rows, frames)

    def _check_shape(self, shape: Sequence[int | None]) -> None:
        if len(shape) != 3:
            raise ValueError(
                f"`x` must have 3 dimensions ({self._layout()}), found {len(shape)}. "
                f"Received: x of shape {tuple(shape)}"
            )
        num_samples = shape[self._samples_axis]
        if num_samples is not None and num_samples < self._min_samples:
            raise ValueError(
                f"`x` is too short: with padding='valid' there must be at least "
                f"frame_length={self.frame_length} samples ({self._layout()}); padding='same' "
                f"takes any. Received: x of shape {tuple(shape)}, {num_samples} samples"
            )

    def _frame_grid(self) -> tuple[int, int]:
        return max(self._min_samples, 1), self._arguments.hop

    def _layout(self) -> str:
        last = self.data_format == "channels_last"
        return "batch, samples, channels" if last else "batch, channels, samples"

    def _weight_shape(self) -> tuple[int, int, int]:
        return self.frame_length, 1, self._arguments.num_points // 2 + 1

    def _weight_values(self) -> list[_arrays.Array]:
        dtype = _weights.variable_dtype(self._policy)
        kernels = self._plan.kernels
        if kernels is not None:
            return [kernel.astype(dtype, copy=False) for kernel in kernels]
        analytic = _core.analytic_weights(self._config())
        return [kernel.astype(dtype, copy=False) for kernel in analytic]

    def _frame_axis(self, channels: int) -> int:
        return 0 if self.data_format == "channels_last" else 1

    def _clamps_to_maximum(self) -> bool:
        return False

    def _step_of_same_padding(self) -> int | None:
        return self._arguments.hop if self.padding == "same" else None

    def _config(self) -> _core.Config:
        arguments = self._arguments
        config = _core.Config(arguments.mode)
        config.dtype = self._policy.plan_dtype
        config.frame_length = arguments.frame_length
        config.hop = arguments.hop
        config.fft_length = arguments.num_points
        config.window = arguments.window_values
        config.scaling = arguments.scaling
        config.padding = arguments.padding
        config.epsilon = float(arguments.epsilon)
        return config

    def _make_plan(self, kernels: list[_arrays.Array] | None = None) -> _core.Plan:
        arguments = self._arguments
        try:
            return _core.Plan(
                self._config(),
                f"{'image' if arguments.expand_dims else 'flat'}_{arguments.data_format}",
                kernels=kernels,
                rounding=_weights.machine_epsilon(self._policy),
            )
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a plan. Received: frame_length={arguments.frame_length}, "
                f"fft_length={arguments.num_points}"
            ) from error
