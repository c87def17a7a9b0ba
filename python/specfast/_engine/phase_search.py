# SPDX-License-Identifier: BSD-3-Clause
"""Computes signals from magnitudes, for GriffinLim."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfast import _core
from specfast._engine import arrays
from specfast._engine.arrays import Array
from specfast._engine.inverse_pipeline import InversePipeline
from specfast._spec import checks


@dataclass(frozen=True)
class SearchArguments:
    """How phases are searched for."""

    num_iterations: int = 32
    momentum: float = 0.99
    seed: int = 0
    pad_mode: str = "constant"
    num_threads: int | None = None


class PhaseSearch:
    """The plan of a GriffinLim: immutable, shared by threads."""

    def __init__(self, inverse: InversePipeline, arguments: SearchArguments) -> None:
        self.inverse = inverse
        self.arguments = arguments
        config = inverse.config()
        if inverse.arguments.padding in ("center", "sides"):
            config.pad_mode = arguments.pad_mode
        self._dtype = np.dtype(inverse.policy.plan_dtype)
        try:
            self._core = _core.GriffinLim(
                config, arguments.num_iterations, arguments.momentum, arguments.seed
            )
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a plan. Received: fft_length={inverse.arguments.num_points}"
            ) from error

    def run(self, magnitudes: Any, length: Any, out: Any) -> Array:
        """Returns the signals of magnitudes; arguments and errors are those of GriffinLim."""
        x = self._readable(magnitudes)
        planes = self._planes(x)
        num_samples = self.inverse.num_samples(planes.shape[2], length)
        shape = self._signal_shape(x.shape, num_samples)
        if out is not None:
            arrays.check_is_array(out)
            arrays.check_out(out, shape, self.inverse.result_dtype)
            arrays.check_no_overlap(out, x)
        is_target = out is not None and out.dtype == self._dtype
        signals = out if is_target else np.empty(shape, self._dtype)
        try:
            self._core(planes, self._signals(signals), self.arguments.num_threads or 0)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for signals. Received: magnitudes of shape {x.shape}"
            ) from error
        if self.inverse.result_dtype != self._dtype:
            return arrays.rounded(signals, self.inverse.result_dtype, out)
        return signals

    def _readable(self, magnitudes: Any) -> Array:
        """Returns magnitudes as a checked array of the dtype of the engine."""
        x = arrays.view_of("magnitudes", magnitudes)
        if x.dtype.kind != "f" or x.dtype.itemsize > 8:
            raise TypeError(
                "`magnitudes` must be float16, float32 or float64. "
                f"Received: magnitudes of dtype {x.dtype} and shape {x.shape}"
            )
        self._check_shape(x.shape)
        with np.errstate(over="ignore"):
            x = np.asarray(x, dtype=self._dtype)
        # One of them would be in all samples of a signal in the end. The sum is not finite if a
        # value is not.
        if x.size and not (math.isfinite(float(x.sum(dtype=np.float64))) and x.min() >= 0):
            wrong = ~(np.isfinite(x) & (x >= 0))
            if wrong.any():
                place = tuple(map(int, np.argwhere(wrong)[0]))
                raise ValueError(
                    "`magnitudes` must be finite and not negative. "
                    f"Received: magnitudes[{', '.join(map(str, place))}] = {x[place]}"
                )
        return x

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        arguments, bins = self.inverse.arguments, self.inverse.arguments.num_bins
        last = arguments.data_format == "channels_last"
        if arguments.layout != "layer":
            axes = "bins, frames" if arguments.layout == "bins_frames" else "frames, bins"
            sound = (
                len(shape) >= 2 and shape[-2 if arguments.layout == "bins_frames" else -1] == bins
            )
            axes = f"(..., {axes})"
        elif arguments.expand_dims:
            axes = "(batch, frames, bins, channels)" if last else "(batch, channels, frames, bins)"
            sound = len(shape) == 4 and shape[2 if last else 3] == bins
        else:
            axes = (
                "(batch, frames, channels * bins)" if last else "(batch, channels * bins, frames)"
            )
            sound = len(shape) == 3 and shape[2 if last else 1] % bins == 0
        if not sound:
            raise ValueError(
                f"`magnitudes` must have shape {axes} with {bins} bins. "
                f"Received: magnitudes of shape {shape}"
            )

    # ---- Axes --------------------------------------------------------------------------------

    def _planes(self, x: Array) -> Array:
        """Returns a view of magnitudes as [batch, channels, frames, bins]."""
        arguments, bins = self.inverse.arguments, self.inverse.arguments.num_bins
        last = arguments.data_format == "channels_last"
        if arguments.layout != "layer":
            frames_first = x if arguments.layout == "frames_bins" else x.swapaxes(-1, -2)
            return frames_first.reshape(math.prod(x.shape[:-2]), 1, *frames_first.shape[-2:])
        if arguments.expand_dims:
            return x.transpose(0, 3, 1, 2) if last else x
        channels = x.shape[2 if last else 1] // bins
        if last:
            return x.reshape(*x.shape[:2], channels, bins).swapaxes(1, 2)
        return x.reshape(x.shape[0], channels, bins, x.shape[2]).swapaxes(2, 3)

    def _signal_shape(self, shape: tuple[int, ...], num_samples: int) -> tuple[int, ...]:
        arguments = self.inverse.arguments
        if arguments.layout != "layer":
            return (*shape[:-2], num_samples)
        last = arguments.data_format == "channels_last"
        if arguments.expand_dims:
            channels = shape[3 if last else 1]
        else:
            channels = shape[2 if last else 1] // arguments.num_bins
        return (shape[0], num_samples, channels) if last else (shape[0], channels, num_samples)

    def _signals(self, result: Array) -> Array:
        """Returns a view of signals as [batch, channels, samples]."""
        arguments = self.inverse.arguments
        if arguments.layout != "layer":
            return result.reshape(math.prod(result.shape[:-1]), 1, result.shape[-1])
        return result.swapaxes(1, 2) if arguments.data_format == "channels_last" else result


def checked_arguments(values: dict[str, Any]) -> SearchArguments:
    """Returns the arguments of a GriffinLim.

    Raises:
        TypeError, ValueError: naming the argument and what was received.
    """
    threads = values["num_threads"]
    momentum = checks.real("momentum", values["momentum"], accepted="a number between 0 and 1")
    if not 0 <= momentum <= 1:
        raise ValueError(
            f"`momentum` must be between 0 and 1. {checks.received('momentum', momentum)}"
        )
    return SearchArguments(
        num_iterations=checks.integer(
            "num_iterations", values["num_iterations"], minimum=1, maximum=1_000_000
        ),
        momentum=float(momentum),
        seed=checks.integer("seed", values["seed"], minimum=0, maximum=(1 << 64) - 1),
        pad_mode=checks.choice(
            "pad_mode", values["pad_mode"], ("constant", "reflect", "edge", "symmetric")
        ),
        num_threads=None
        if threads is None
        else checks.integer("num_threads", threads, minimum=1, maximum=4096),
    )
