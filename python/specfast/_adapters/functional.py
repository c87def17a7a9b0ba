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

from specfast._engine.arrays import Array
from specfast._engine.gradients import Gradients
from specfast._engine.pipeline import Pipeline, Shape
from specfast.layers.catalogue import LAYERS
from specfast.layers.layer import Layer, restored


class _KeptSpectra(NamedTuple):
    """The spectra of a call for its pullback, and the call that they belong to."""

    pipeline: Pipeline
    samples: Array
    spectra: Array


class SpectrogramFunction:
    """Computes what a layer does from samples and kernels, whatever the layer's own weights are.

    Kernels are given in the order of `layer.weights`; none at all means the analytic ones. A
    pipeline is made when they change: a comparison with the latest ones costs some 2 % of that,
    and where they are the analytic ones, but for rounding, it runs by FFT. May be shared by
    threads.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._analytic = layer.pipeline.with_weights(None, layer.name)
        self._latest: Pipeline | None = None
        self._kept: _KeptSpectra | None = None

    def __call__(self, x: Array, kernels: Sequence[Array] = (), *, keep: bool = False) -> Array:
        """Returns the output for these samples; errors are those of a call of the layer.

        With `keep`, spectra that a pullback of these samples would recompute are remembered until
        it has given the kernels' gradients, or until the next such call.
        """
        pipeline = self._pipeline(kernels)
        if not keep:
            return pipeline.run(x)
        samples = pipeline.samples(x)
        self._kept = None  # makes room before the new one comes
        output, spectra = pipeline.run_keeping(samples)
        if spectra is not None:
            # A copy: the caller's memory may go.
            self._kept = _KeptSpectra(pipeline, samples.copy(), spectra)
        return output

    def pull_back(
        self,
        x: Array,
        kernels: Sequence[Array],
        cotangent: Array,
        *,
        signal: bool = True,
        weights: bool = True,
    ) -> Gradients:
        """Returns the gradients, as those of `Layer.vjp`, for these samples and kernels."""
        pipeline = self._pipeline(kernels)
        samples = pipeline.samples(x)
        kept, spectra = self._kept, None
        if kept and kept.pipeline is pipeline and np.array_equal(kept.samples, samples):
            spectra = kept.spectra
        if weights:
            self._kept = None
        shape = tuple(n or 0 for n in pipeline.output_shape(x.shape))
        pullback = pipeline.pullback(samples, x.dtype, shape, spectra)
        return pullback(cotangent, signal=signal, weights=weights)

    def result(self, shape: Sequence[int | None], dtype: np.dtype[Any]) -> Shape:
        """Returns the output's shape for samples of this shape and dtype; None where unknown.

        Raises:
            TypeError, ValueError: as a call with such samples.
        """
        self.check_dtype(dtype)
        return self._analytic.output_shape(shape)

    def symbolic_result(self, shape: Sequence[Any]) -> Sequence[Any]:
        """As `result`, for sizes that are expressions: they can be calculated with, no more."""
        return self._analytic.symbolic_shape(shape)

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Raises TypeError for a dtype that samples of this function cannot have."""
        self._analytic.samples(np.empty(0, dtype))

    @functools.cached_property
    def key(self) -> str:
        """The text from which `from_key` rebuilds an equal function, for callers that can only
        pass strings."""
        return key_of(self.layer)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the output."""
        return self._analytic.result_dtype

    @property
    def kernel_names(self) -> tuple[str, ...]:
        """The names of the kernels, in their order."""
        return self._analytic.weight_names

    def _pipeline(self, kernels: Sequence[Array]) -> Pipeline:
        if not kernels:
            return self._analytic
        latest = self._latest
        if latest is None or not _are_equal(latest.plan.kernels, kernels):
            latest = self._analytic.with_weights(kernels, self.layer.name)
            self._latest = latest
        return latest

    def __reduce__(self) -> tuple[Any, ...]:
        return SpectrogramFunction, (self.layer,)


def _are_equal(latest: Sequence[Array] | None, kernels: Sequence[Array]) -> bool:
    return (
        latest is not None
        and len(latest) == len(kernels)
        and all(map(np.array_equal, latest, kernels))
    )


def from_layer(layer: Layer) -> SpectrogramFunction:
    """Returns the function of a layer, made once."""
    function: SpectrogramFunction | None = layer.__dict__.get("_function")
    if function is None:
        function = layer.__dict__.setdefault("_function", SpectrogramFunction(layer))
    return function


def key_of(layer: Layer) -> str:
    """Returns the `key` of the layer's function."""
    return json.dumps({"class_name": type(layer).__name__, "config": layer.get_config()})


@functools.lru_cache(maxsize=256)
def from_key(key: str) -> SpectrogramFunction:
    """Returns the function that a key stands for.

    Layers of the same configuration have keys of their own if they have names of their own: the
    function remembers the kernels of one.
    """
    described = json.loads(key)
    layer = restored(LAYERS[described["class_name"]], described["config"])
    return SpectrogramFunction(layer)
