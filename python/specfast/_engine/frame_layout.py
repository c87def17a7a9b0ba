# SPDX-License-Identifier: BSD-3-Clause
"""Where the frames of signals lie in arrays of spectra or magnitudes, for inverses."""

from __future__ import annotations

import math

from specfast._engine.arrays import Array
from specfast._spec.inverse_arguments import InverseArguments


class FrameLayout:
    """The axes of arrays of frames, and of the signals that become of them.

    Args:
        arguments: those of the inverse.
        name: what the arrays are called in messages.
        parts: how many numbers stand for a bin, one behind all others: 2 for real and imaginary
            parts side by side.
        described: what the numbers of a frame are, for messages.
    """

    def __init__(self, arguments: InverseArguments, name: str, parts: int, described: str) -> None:
        self._name = name
        self._described = described
        self._num_rows = parts * arguments.num_bins
        self._layout = arguments.layout
        self._is_of_layers = arguments.layout == "layer"
        self._has_axis_of_channels = arguments.expand_dims
        self.has_channels_last = self._is_of_layers and arguments.data_format == "channels_last"

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Refuses arrays of another shape.

        Raises:
            ValueError: naming the shape that is wanted and the one received.
        """
        axes, rank, rows = self._wanted()
        num_rows = self._num_rows
        sound = len(shape) >= 2 if rank is None else len(shape) == rank
        if sound and self._is_of_layers and not self._has_axis_of_channels:
            sound = shape[rows] % num_rows == 0
        elif sound:
            sound = shape[rows] == num_rows
        if not sound:
            raise ValueError(
                f"`{self._name}` must have shape {axes} with {self._described}. "
                f"Received: {self._name} of shape {shape}"
            )

    def _wanted(self) -> tuple[str, int | None, int]:
        """Returns the names of the axes, their number (None: any), and the axis of the rows."""
        if self._layout == "bins_frames":
            return "(..., bins, frames)", None, -2
        if self._layout == "frames_bins":
            return "(..., frames, bins)", None, -1
        if self._has_axis_of_channels:
            if self.has_channels_last:
                return "(batch, frames, rows, channels)", 4, 2
            return "(batch, channels, frames, rows)", 4, 3
        if self.has_channels_last:
            return "(batch, frames, channels * rows)", 3, 2
        return "(batch, channels * rows, frames)", 3, 1

    @property
    def has_any_rank(self) -> bool:
        """Whether arrays may have any number of axes of signals."""
        return not self._is_of_layers

    @property
    def samples_axis(self) -> int:
        """The axis of the samples in an array of signals."""
        return 1 if self._is_of_layers and self.has_channels_last else -1

    def frames_axis(self, rank: int) -> int:
        """Returns the axis of the frames in an array of so many axes."""
        if not self._is_of_layers:
            return rank - 1 if self._layout == "bins_frames" else rank - 2
        return 1 if self.has_channels_last else 2

    def rows(self, x: Array) -> Array:
        """Returns a view of an array as [batch, channels, frames, rows]."""
        num_rows = self._num_rows
        if not self._is_of_layers:
            if self._layout == "bins_frames":
                x = x.swapaxes(-1, -2)
            return x if x.ndim == 4 else x.reshape(math.prod(x.shape[:-2]), 1, *x.shape[-2:])
        if self._has_axis_of_channels:
            return x.transpose(0, 3, 1, 2) if self.has_channels_last else x
        if self.has_channels_last:
            channels = x.shape[2] // num_rows
            return x.reshape(*x.shape[:2], channels, num_rows).swapaxes(1, 2)
        channels = x.shape[1] // num_rows
        return x.reshape(x.shape[0], channels, num_rows, x.shape[2]).swapaxes(2, 3)

    def signal_shape(self, shape: tuple[int, ...], num_samples: int) -> tuple[int, ...]:
        """Returns the shape of the signals of an array of this shape."""
        if not self._is_of_layers:
            return (*shape[:-2], num_samples)
        if self._has_axis_of_channels:
            channels = shape[3 if self.has_channels_last else 1]
        else:
            channels = shape[2 if self.has_channels_last else 1] // self._num_rows
        if self.has_channels_last:
            return (shape[0], num_samples, channels)
        return (shape[0], channels, num_samples)

    def signals(self, result: Array) -> Array:
        """Returns a view of signals as [batch, channels, samples]."""
        if self._is_of_layers:
            return result.swapaxes(1, 2) if self.has_channels_last else result
        if result.ndim == 3:
            return result  # of frames of four axes
        return result.reshape(math.prod(result.shape[:-1]), 1, result.shape[-1])
