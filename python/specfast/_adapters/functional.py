# SPDX-License-Identifier: BSD-3-Clause
"""A layer as a function of samples and kernels, for frameworks that keep the kernels themselves.

NumPy arrays in and out. The adapters of the frameworks are thin fronts of this.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from specfast import _core
from specfast._engine import gradients as _vjp
from specfast._engine.arrays import Array
from specfast.layers.layer import Layer, Shape
from specfast.layers.mel import MelSpectrogram
from specfast.layers.stft import STFTSpectrogram

_CLASSES: dict[str, type[Layer]] = {
    "STFTSpectrogram": STFTSpectrogram,
    "MelSpectrogram": MelSpectrogram,
}


class _Kept(NamedTuple):
    """What a call leaves for its pullback, and what it belongs to."""

    plan: _core.Plan
    x: Array
    values: Array


class Function:
    """What a layer computes from samples and kernels, whatever its own weights are.

    Kernels are given in the order of `layer.weights`; none at all means the analytic ones. A plan
    is made when they change: a comparison with the latest ones costs some 2 % of that, and where
    they are the analytic ones, but for rounding, the plan runs by FFT. May be shared by threads.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._analytic = layer._make_plan()
        self._latest: _core.Plan | None = None
        self._kept: _Kept | None = None

    def __call__(self, x: Array, kernels: Sequence[Array] = (), *, keep: bool = False) -> Array:
        """The output for these samples; errors as of a call of the layer.

        With `keep`, what a pullback of these samples would compute once more is remembered until
        it has given the kernels' gradients, or until the next such call.
        """
        plan, samples = self._plan(kernels), self.layer._samples(x, None, scaled=False)
        if not keep:
            return self.layer._call(plan, samples, None)
        self._kept = None  # makes room before the new one comes
        output, values = self.layer._call_keeping(plan, samples)
        if values is not None:
            self._kept = _Kept(plan, samples.copy(), values)  # the caller's memory may go
        return output

    def pull_back(
        self,
        x: Array,
        kernels: Sequence[Array],
        cotangent: Array,
        *,
        signal: bool = True,
        weights: bool = True,
    ) -> _vjp.Gradients:
        """The gradients, as those of `Layer.vjp`, for these samples and kernels."""
        layer, plan, samples = (
            self.layer,
            self._plan(kernels),
            self.layer._samples(x, None, scaled=False),
        )
        kept = self._kept
        fits = kept is not None and kept.plan is plan and np.array_equal(kept.x, samples)
        if weights:
            self._kept = None
        way_back = _vjp.pullback(
            plan,
            layer._policy,
            samples,
            x.dtype if x.dtype.kind != "i" else layer._result_dtype(),
            tuple(n or 0 for n in layer.compute_output_shape(x.shape)),
            layer._threads,
            kept.values if kept is not None and fits else None,
        )
        return way_back(cotangent, signal=signal, weights=weights)

    def result(self, shape: Sequence[int | None], dtype: np.dtype[Any]) -> Shape:
        """The shape of the output for samples of this shape and dtype; None where it is unknown.

        Raises:
            TypeError, ValueError: what a call with such samples raises.
        """
        self.check_dtype(dtype)
        return self.layer.compute_output_shape(shape)

    def symbolic_result(self, shape: Sequence[Any]) -> Sequence[Any]:
        """As `result`, for sizes that are expressions: they can be calculated with, no more."""
        layer = self.layer
        layer._check_shape(shape)
        first, hop = layer._frame_grid()
        return layer._output_shape(shape, (shape[layer._samples_axis] - first) // hop + 1)

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Raises TypeError for a dtype that samples of this function cannot have."""
        self.layer._samples(np.empty(0, dtype), None, scaled=False)

    @functools.cached_property
    def key(self) -> str:
        """What `of_key` makes an equal function from: where a function cannot be handed over."""
        return key_of(self.layer)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the output."""
        return self.layer._result_dtype()

    def _plan(self, kernels: Sequence[Array]) -> _core.Plan:
        if not kernels:
            return self._analytic
        plan = self._latest
        if plan is None or not _are_equal(plan.kernels, kernels):
            checked = [self.layer._checked(i, kernel) for i, kernel in enumerate(kernels)]
            plan = self.layer._make_plan(checked)
            self._latest = plan
        return plan

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (self.layer,)


def _are_equal(kept: Sequence[Array] | None, given: Sequence[Array]) -> bool:
    return kept is not None and len(kept) == len(given) and all(map(np.array_equal, kept, given))


def of_layer(layer: Layer) -> Function:
    """The function of a layer, made once."""
    function: Function = layer.__dict__.setdefault("_function", None) or Function(layer)
    layer.__dict__["_function"] = function
    return function


def key_of(layer: Layer) -> str:
    """The `key` of the layer's function."""
    return json.dumps({"class_name": type(layer).__name__, "config": layer.get_config()})


@functools.lru_cache(maxsize=256)
def of_key(key: str) -> Function:
    """The function that a key stands for.

    Layers of the same configuration have keys of their own if they have names of their own: the
    function remembers the kernels of one.
    """
    described = json.loads(key)
    return Function(_CLASSES[described["class_name"]].from_config(described["config"]))
