# SPDX-License-Identifier: BSD-3-Clause
"""The pipeline of MelSpectrogram."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from specfast import _core
from specfast._engine.arrays import Array
from specfast._engine.pipeline import Pipeline
from specfast._spec.arguments import caller_level
from specfast._spec.mel_arguments import MelArguments
from specfast._spec.policy import Policy

# How many dimensions NumPy's arrays can have; the result has one more than the samples.
_MAX_DIMENSIONS = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0b1" else 32

# A last axis this short holds the channels of a recording rather than the samples of signals, if
# the axis before it is long enough for a recording of 16 ms at 16 kHz. Batches of such signals
# are not in use: they are shorter than any window.
_MAX_CHANNELS = 8
_MIN_RECORDING = 256


class MelPipeline(Pipeline):
    """Turns [..., samples] into levels or energies of mel bands, [..., bands, frames]."""

    arguments_class = MelArguments
    takes_integers = True
    samples_axis = -1
    min_samples = 1  # of which there is something to reflect

    arguments: MelArguments

    def __init__(
        self, arguments: MelArguments, policy: Policy, kernels: list[Array] | None = None
    ) -> None:
        # A floor that lies infinitely deep is no floor.
        top_db = arguments.top_db
        self._finite_top_db = None if top_db is None or np.isinf(top_db) else float(top_db)
        super().__init__(arguments, policy, kernels)
        self.clamps_to_maximum = arguments.power_to_db and self._finite_top_db is not None

    @property
    def shares_maximum(self) -> bool:
        return self.clamps_to_maximum and self.arguments.top_db_scope == "batch"

    def check_shape(self, shape: Sequence[Any]) -> None:
        if not shape:
            raise ValueError(
                "`x` must have at least one dimension (..., samples). Received: x of shape ()"
            )
        if len(shape) >= _MAX_DIMENSIONS:
            raise ValueError(
                f"`x` must have fewer than {_MAX_DIMENSIONS} dimensions (..., samples): the "
                "result has one more, which NumPy does not. "
                f"Received: x with {len(shape)} dimensions"
            )
        if shape[-1] == 0:
            raise ValueError(
                "`x` must have at least one sample (..., samples): an empty signal has nothing "
                f"to reflect. Received: x of shape {tuple(shape)}"
            )

    def check_call(self, shape: tuple[int, ...]) -> None:
        if shape and shape[-1] > _MAX_CHANNELS and len(shape) < _MAX_DIMENSIONS:
            return  # the way of nearly every call
        self.check_shape(shape)
        if len(shape) > 1 and shape[-2] >= _MIN_RECORDING:
            plural = "" if shape[-1] == 1 else "s"
            warnings.warn(
                f"the last axis of `x` is that of the samples, and it has {shape[-1]} "
                f"sample{plural}, behind an axis of {shape[-2]}: if `x` is (samples, channels), "
                f"pass x.T, or x[:, 0] for one channel. Received: x of shape {shape}",
                UserWarning,
                stacklevel=caller_level(),
            )

    def shape_of_frames(self, input_shape: Sequence[Any], frames: Any) -> tuple[Any, ...]:
        return (*input_shape[:-1], self.arguments.num_mel_bins, frames)

    def frame_grid(self) -> tuple[int, int]:
        return self.arguments.fft_length % 2, self.arguments.sequence_stride

    def frame_axis(self, channels: int) -> int:
        return 1 if channels == 1 else 2

    def _config(self) -> _core.Config:
        arguments = self.arguments
        config = self._config_of_fields("mel")
        config.window = arguments.window_values
        # Without a window Keras takes the whole transform as the frame.
        windowed = arguments.window_values is not None
        config.frame_length = arguments.sequence_length if windowed else arguments.fft_length
        config.level = arguments.level
        config.top_db_scope = None if self._finite_top_db is None else arguments.top_db_scope
        config.top_db = self._finite_top_db or 0.0
        return config

    def _make_plan(self, kernels: list[Array] | None) -> _core.Plan:
        del kernels  # there are none
        arguments = self.arguments
        try:
            return _core.Plan(self._config(), "any_rank")
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a plan. Received: fft_length={arguments.fft_length}, "
                f"num_mel_bins={arguments.num_mel_bins}"
            ) from error
