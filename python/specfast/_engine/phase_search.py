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
from specfast._engine.frame_layout import FrameLayout
from specfast._engine.inverse_pipeline import InversePipeline, cpu_array
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
        padding = inverse.arguments.padding
        if padding in ("center", "sides"):
            config.pad_mode = arguments.pad_mode
        elif arguments.pad_mode != "constant":
            raise ValueError(
                f"`pad_mode` must be 'constant' with padding={padding!r}, which knows nothing "
                f"else. {checks.received('pad_mode', arguments.pad_mode)}"
            )
        self._dtype = np.dtype(inverse.policy.plan_dtype)
        bins = inverse.arguments.num_bins
        self._layout = FrameLayout(inverse.arguments, "magnitudes", 1, f"{bins} bins")
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
        planes = self._layout.rows(x)
        num_samples = self.inverse.num_samples(planes.shape[2], length)
        shape = self._layout.signal_shape(x.shape, num_samples)
        if out is not None:
            arrays.check_is_array(out)
            arrays.check_out(out, shape, self.inverse.result_dtype)
            arrays.check_no_overlap(out, x)
        is_target = out is not None and out.dtype == self._dtype
        signals = out if is_target else np.empty(shape, self._dtype)
        try:
            self._core(planes, self._layout.signals(signals), self.arguments.num_threads or 0)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for signals. Received: magnitudes of shape {x.shape}"
            ) from error
        if self.inverse.result_dtype != self._dtype:
            return arrays.rounded(signals, self.inverse.result_dtype, out)
        return signals

    def _readable(self, magnitudes: Any) -> Array:
        """Returns magnitudes as a checked array of the dtype of the engine."""
        x = cpu_array("magnitudes", magnitudes)
        if x.dtype.kind != "f" or x.dtype.itemsize > 8:
            raise TypeError(
                "`magnitudes` must be float16, float32 or float64. "
                f"Received: magnitudes of dtype {x.dtype} and shape {x.shape}"
            )
        self._layout.check_shape(x.shape)
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
