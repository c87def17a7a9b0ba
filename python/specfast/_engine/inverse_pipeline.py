# SPDX-License-Identifier: BSD-3-Clause
"""Computes signals from the spectra of their frames, for ISTFT and its streams."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from specfast import _core
from specfast._engine import arrays, device_calls
from specfast._engine.arrays import Array
from specfast._engine.frame_layout import FrameLayout
from specfast._spec import checks
from specfast._spec.arguments import caller_level
from specfast._spec.inverse_arguments import InverseArguments
from specfast._spec.policy import Policy

_MAX_SAMPLES = 1 << 62


InversePullback = Callable[[Any], Array]


class LostSamplesWarning(UserWarning):
    """Samples at the ends of signals are in no frame whose window is not nearly 0 there."""


def cpu_array(name: str, x: Any) -> Array:
    """Returns an argument of this name as an array.

    Raises:
        NotImplementedError: for an array on a device.
        TypeError: for anything else that is no array.
    """
    device_calls.check_in_cpu_memory(x, "inverse transforms")
    return arrays.view_of(name, x)


class InversePipeline:
    """The arguments, precision and plan of an inverse: immutable, shared by threads.

    Attributes:
        arguments: the checked arguments.
        policy: its precision.
        layout: the axes of spectra and signals.
        spectra_dtype: that in which the engine reads spectra, and returns their gradients.
        plan: the engine's plan.
        num_threads: threads for a call; 0: the global setting.
    """

    def __init__(self, arguments: InverseArguments, policy: Policy) -> None:
        self.arguments = arguments
        self.policy = policy
        self.num_threads: int = arguments.num_threads or 0
        self._plan_dtype = np.dtype(policy.plan_dtype)
        self._is_complex = arguments.layout != "layer"
        self.spectra_dtype = (
            np.result_type(self._plan_dtype, np.complex64)
            if self._is_complex
            else self._plan_dtype
        )
        bins = arguments.num_bins
        described = f"{bins} bins"
        if not self._is_complex:
            described = f"{2 * bins} rows, {bins} real parts and as many imaginary ones"
        self.layout = FrameLayout(arguments, "spectra", 1 if self._is_complex else 2, described)
        self.plan = self._make_plan()

    def config(self) -> _core.Config:
        """Returns the engine's configuration of the transform that is inverted."""
        arguments = self.arguments
        config = _core.Config("stft")
        config.dtype = self.policy.plan_dtype
        config.frame_length = arguments.engine_frame_length
        config.hop = arguments.hop
        config.fft_length = arguments.num_points
        config.window = arguments.engine_window
        config.scaling = arguments.engine_scaling
        config.padding = arguments.padding
        if arguments.pad_length is not None:
            config.pad_length = arguments.pad_length
            config.frame_span = arguments.engine_frame_length
        config.input_gain = arguments.gain
        return config

    def _make_plan(self) -> _core.Inverse:
        arguments = self.arguments
        try:
            return _core.Inverse(self.config(), arguments.phase_origin, arguments.exact_fft_length)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a plan. Received: frame_length={arguments.frame_length}, "
                f"fft_length={arguments.num_points}"
            ) from error

    @property
    def result_dtype(self) -> np.dtype[Any]:
        """The dtype of signals."""
        half = self.policy.compute_dtype == "float16"
        return np.dtype(np.float16) if half else self._plan_dtype

    # ---- Lengths -----------------------------------------------------------------------------

    def num_samples(self, num_frames: int, length: Any) -> int:
        """Returns how many samples a signal of so many frames gets.

        Raises:
            TypeError: if `length` is neither None nor an integer.
            ValueError: if it is no length that so many frames can stand for, or is missing.
        """
        if length is None:
            usual = self.plan.num_samples(num_frames)
            if usual >= 0:
                return usual
            raise ValueError(
                "`length` must be given with padding='same', whose zeros in front of the signal "
                f"depend on it: one from {self._shortest(num_frames)} to "
                f"{self.plan.max_samples(num_frames)} for {num_frames} frames. "
                "Received: length=None"
            )
        samples = checks.integer("length", length, minimum=0, maximum=_MAX_SAMPLES)
        most = self.plan.max_samples(num_frames)
        if self.arguments.padding == "same" and not self._shortest(num_frames) <= samples <= most:
            raise ValueError(
                f"`length` must be one from {self._shortest(num_frames)} to {most}: other signals "
                f"do not have {num_frames} frames with padding='same'. Received: length={samples}"
            )
        if samples > most:
            raise ValueError(
                f"`length` must be at most {most}, the samples that {num_frames} frames reach. "
                f"Received: length={samples}"
            )
        return samples

    def symbolic_samples(self, num_frames: Any) -> Any:
        """Returns the usual samples for a number of frames that is an expression, not 0."""
        many = 1 << 20
        return self.arguments.hop * (num_frames - many) + self.num_samples(many, None)

    def _shortest(self, num_frames: int) -> int:
        return (num_frames - 1) * self.arguments.hop + 1 if num_frames > 0 else 0

    def lost_samples(self, num_frames: int, num_samples: int) -> tuple[int, int]:
        """Returns how many samples at both ends of a signal are in no frame."""
        return self.plan.lost_samples(num_frames, num_samples)

    def warn_of_lost_samples(self, num_frames: int | None = None, length: int = 0) -> None:
        """Warns of samples that are lost at the ends of a signal.

        Args:
            num_frames: that of a call. None: as many as it takes for both ends.
            length: the samples of the call; without `num_frames`, the usual ones.
        """
        arguments = self.arguments
        advice = "a shorter `length` has fewer of them"
        if num_frames is None and arguments.padding not in ("same", "center"):
            advice = "padding='same' and padding='center' lose few or none of the usual length"
        received = f"padding={arguments.padding!r}" if num_frames is None else f"length={length}"
        if num_frames is None:
            num_frames = 2 * (arguments.engine_frame_length // arguments.hop) + 2
            usual = self.plan.num_samples(num_frames)
            length = usual if usual >= 0 else num_frames * arguments.hop
        begin, end = self.plan.lost_samples(num_frames, length)
        if begin == 0 and end == 0:
            return
        warnings.warn(
            f"the first {begin} and the last {end} samples of a signal are lost, and become 0: "
            f"the window is (nearly) 0 in the only frame that holds them; {advice}. Received: "
            f"{received}, frame_length={arguments.frame_length}, frame_step={arguments.hop}",
            LostSamplesWarning,
            stacklevel=caller_level(),
        )

    # ---- Calls -------------------------------------------------------------------------------

    def run(self, spectra: Any, length: Any = None, out: Any = None) -> Array:
        """Returns the signals of spectra; arguments and errors are those of a call of ISTFT."""
        x = self._readable(spectra)
        real, imag = self._parts(x)
        num_frames = real.shape[2]
        num_samples = self.num_samples(num_frames, length)
        if length is not None and num_samples > self._usual(num_frames):
            self.warn_of_lost_samples(num_frames, num_samples)
        shape = self.layout.signal_shape(x.shape, num_samples)
        result, target = self._targets(shape, out, x)
        try:
            self.plan(real, imag, self.layout.signals(target), self.num_threads)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for signals. Received: spectra of shape {x.shape}"
            ) from error
        if target is not result:
            arrays.rounded(target, result.dtype, result)
        return result

    def _usual(self, num_frames: int) -> int:
        usual = self.plan.num_samples(num_frames)
        return usual if usual >= 0 else num_frames * self.arguments.hop

    def output_shape(self, shape: Sequence[int], length: Any = None) -> tuple[int, ...]:
        """Returns the shape of the signals of spectra of this shape."""
        dimensions = tuple(shape)
        self.layout.check_shape(dimensions)
        num_frames = dimensions[self.layout.frames_axis(len(dimensions))]
        return self.layout.signal_shape(dimensions, self.num_samples(num_frames, length))

    def _targets(self, shape: tuple[int, ...], out: Any, x: Array) -> tuple[Array, Array]:
        """Returns the array of the result, and the one of the engine's dtype to be written to."""
        if out is None:
            result = np.empty(shape, self.result_dtype)
        else:
            arrays.check_is_array(out)
            arrays.check_out(out, shape, self.result_dtype)
            arrays.check_no_overlap(out, x)
            result = out
        if result.dtype == self._plan_dtype:
            return result, result
        return result, np.empty(shape, self._plan_dtype)

    def vjp(self, spectra: Any, length: Any = None) -> tuple[Array, InversePullback]:
        """Returns the signals of spectra and their pullback, as `ISTFT.vjp` does."""
        x = self._readable(spectra)
        num_frames = x.shape[self.layout.frames_axis(x.ndim)]
        num_samples = self.num_samples(num_frames, length)
        shape = x.shape
        return self.run(x, length), lambda cotangent: self.pull_back(cotangent, shape, num_samples)

    def pull_back(self, cotangent: Any, shape: tuple[int, ...], num_samples: int) -> Array:
        """Returns the gradient of spectra of a checked shape, as `ISTFT.vjp` says.

        Args:
            cotangent: the gradient with respect to their signals.
            shape: that of the spectra.
            num_samples: those of each signal.
        """
        array = arrays.real_numbers("cotangent", cotangent)
        signal_shape = self.layout.signal_shape(shape, num_samples)
        if array.shape != signal_shape:
            raise ValueError(
                f"`cotangent` must have the shape of the signals, {signal_shape}. "
                f"Received: cotangent of shape {array.shape}"
            )
        with np.errstate(over="ignore"):
            signals = np.ascontiguousarray(array, dtype=self._plan_dtype)
        gradient = np.empty(shape, self.spectra_dtype)
        real, imag = self._parts(gradient)
        self.plan.pull_back(self.layout.signals(signals), real, imag, self.num_threads)
        return gradient

    # ---- Axes --------------------------------------------------------------------------------

    def _readable(self, spectra: Any) -> Array:
        """Returns spectra as a checked array of the dtype of the engine."""
        x = cpu_array("spectra", spectra)
        self.check_dtype(x.dtype, x.shape)
        self.layout.check_shape(x.shape)
        if x.dtype != self.spectra_dtype or not x.flags.aligned:
            with np.errstate(over="ignore"):
                x = x.astype(self.spectra_dtype)
        return x

    def check_dtype(self, dtype: np.dtype[Any], shape: Sequence[Any]) -> None:
        """Refuses spectra of another dtype than a call takes; the message shows the shape.

        Raises:
            TypeError: for these.
        """
        kinds, wanted = (
            ("c", "complex64 or complex128")
            if self._is_complex
            else (
                "f",
                "float16, float32 or float64, real parts and imaginary parts side by side",
            )
        )
        if dtype.kind not in kinds or dtype.itemsize > (16 if self._is_complex else 8):
            raise TypeError(
                f"`spectra` must be {wanted} with layout={self.arguments.layout!r}. "
                f"Received: spectra of dtype {dtype} and shape {tuple(shape)}"
            )

    def parts_of_signal(self, spectra: Any, channels: int) -> tuple[Array, Array]:
        """Returns the parts of one signal's spectra as [1, channels, frames, bins].

        Raises:
            TypeError, ValueError: as a call; ValueError for another number of channels.
        """
        x = arrays.view_of("spectra", spectra)
        lacks_channels = self._is_complex and channels == 1
        real, imag = self._parts(self._readable(x[None, None] if lacks_channels else x[None]))
        if real.ndim != 4 or real.shape[1] != channels:
            raise ValueError(
                f"`spectra` must be those of one signal of {channels} channels. "
                f"Received: spectra of shape {x.shape}"
            )
        return real, imag

    def _parts(self, x: Array) -> tuple[Array, Array]:
        """Returns the real and the imaginary parts as [batch, channels, frames, bins]."""
        rows, bins = self.layout.rows(x), self.arguments.num_bins
        if self._is_complex:
            return rows.real, rows.imag
        return rows[..., :bins], rows[..., bins:]
