# SPDX-License-Identifier: BSD-3-Clause
"""The pipeline of STFTSpectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from specfast import _core
from specfast._engine.arrays import Array
from specfast._engine.pipeline import Pipeline
from specfast._spec.policy import Policy
from specfast._spec.stft_arguments import StftArguments

_KERNELS = ("real_kernel", "imag_kernel")


class StftPipeline(Pipeline):
    """Turns [batch, samples, channels] or [batch, channels, samples] into spectra of frames."""

    arguments_class = StftArguments
    takes_integers = False
    signal_rank = 2

    arguments: StftArguments
    channels_axis: int

    def __init__(
        self, arguments: StftArguments, policy: Policy, kernels: list[Array] | None = None
    ) -> None:
        super().__init__(arguments, policy, kernels)
        self._channels_last = arguments.data_format == "channels_last"
        self.samples_axis, self.channels_axis = (1, 2) if self._channels_last else (2, 1)
        self.signal_axes = self._layout().removeprefix("batch, ")
        self.min_samples = arguments.frame_length if arguments.padding == "valid" else 0
        self.weight_names = {"real": _KERNELS[:1], "imag": _KERNELS[1:]}.get(
            arguments.mode, _KERNELS
        )
        self.weight_shape = (arguments.frame_length, 1, arguments.num_points // 2 + 1)
        if arguments.padding == "same":
            self.step_of_same_padding = arguments.hop

    def check_shape(self, shape: Sequence[Any]) -> None:
        if len(shape) != 3:
            raise ValueError(
                f"`x` must have 3 dimensions ({self._layout()}), found {len(shape)}"
                f"{self._advice(len(shape))}. Received: x of shape {tuple(shape)}"
            )
        num_samples = shape[self.samples_axis]
        if num_samples is not None and num_samples < self.min_samples:
            raise ValueError(
                f"`x` is too short: with padding='valid' there must be at least "
                f"frame_length={self.min_samples} samples ({self._layout()}); padding='same' "
                f"takes any. Received: x of shape {tuple(shape)}, {num_samples} samples"
            )

    def _layout(self) -> str:
        return "batch, samples, channels" if self._channels_last else "batch, channels, samples"

    def _advice(self, rank: int) -> str:
        """Returns how an array of fewer dimensions is passed, for an error message."""
        if rank == 1:
            shown = "x[None, :, None]" if self._channels_last else "x[None, None, :]"
            return f"; for one signal pass {shown}"
        if rank == 2:
            one, batch = (
                ("(samples, channels)", "x[:, :, None]")
                if self._channels_last
                else ("(channels, samples)", "x[:, None, :]")
            )
            return f"; for one recording {one} pass x[None], for (batch, samples) pass {batch}"
        return ""

    def shape_of_frames(self, input_shape: Sequence[Any], frames: Any) -> tuple[Any, ...]:
        batch, channels = input_shape[0], input_shape[self.channels_axis]
        bins = self.plan.num_bins
        if self.arguments.expand_dims:
            return (
                (batch, frames, bins, channels)
                if self._channels_last
                else (batch, channels, frames, bins)
            )
        rows = None if channels is None else channels * bins
        return (batch, frames, rows) if self._channels_last else (batch, rows, frames)

    def to_signals(self, x: Array) -> Array:
        return x.swapaxes(1, 2) if self._channels_last else x

    def frame_grid(self) -> tuple[int, int]:
        return max(self.min_samples, 1), self.arguments.hop

    def frame_axis(self, channels: int) -> int:
        return 0 if self._channels_last else 1

    def weight_values(self) -> list[Array]:
        kernels: list[Array] = self.plan.kernels or _core.analytic_weights(self._config())
        return [kernel.astype(self.policy.weights_dtype, copy=False) for kernel in kernels]

    def _config(self) -> _core.Config:
        arguments = self.arguments
        config = self._config_of_fields(arguments.mode)
        config.hop = arguments.hop
        config.fft_length = arguments.num_points
        config.window = arguments.window_values
        return config

    def _make_plan(self, kernels: list[Array] | None) -> _core.Plan:
        arguments = self.arguments
        try:
            return _core.Plan(
                self._config(),
                f"{'image' if arguments.expand_dims else 'flat'}_{arguments.data_format}",
                kernels=kernels,
                rounding=self.policy.machine_epsilon,
            )
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a plan. Received: frame_length={arguments.frame_length}, "
                f"fft_length={arguments.num_points}"
            ) from error
