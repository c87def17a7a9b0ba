# SPDX-License-Identifier: BSD-3-Clause
"""A layer as a function of samples and kernels, for frameworks that keep the kernels themselves.

An extractor is a layer without kernels here. NumPy arrays in and out. The
adapters of the frameworks are thin fronts of this.
"""

from __future__ import annotations

import functools
import json
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from specfast._adapters.composed import Composed, composed
from specfast._engine.arrays import Array
from specfast._engine.gradients import Gradients
from specfast._engine.pipeline import Pipeline, Shape
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers import features
from specfast.layers.catalogue import LAYERS
from specfast.layers.features import FeatureExtractor
from specfast.layers.layer import Layer, restored

Source = Layer | FeatureExtractor


class _KeptSpectra(NamedTuple):
    """The spectra of a call for its pullbacks, and the call that they belong to."""

    pipeline: Pipeline
    samples: Array
    spectra: Array
    frozen: bool


class SpectrogramFunction:
    """Computes what a layer does from samples and kernels, whatever the layer's own weights are.

    An extractor is a layer without kernels here, and has no composed function.

    Kernels are given in the order of `layer.weights`; none at all means the analytic ones. A
    pipeline is made when they change: a comparison with the latest ones costs some 2 % of that,
    and where they are the analytic ones, but for rounding, it runs by FFT. May be shared by
    threads.
    """

    def __init__(self, layer: Source) -> None:
        if layer.pipeline.computes_on_device:
            raise ValueError(
                "`device` must be None or 'cpu' in a layer of a framework, whose tensors say "
                f"where they are. Received: device={layer.pipeline.arguments.device!r}"
            )
        self.layer = layer
        self._analytic = layer.pipeline.with_weights(None, layer.name)
        self._latest: Pipeline | None = None
        self._kept: _KeptSpectra | None = None

    def __call__(
        self,
        x: Array,
        kernels: Sequence[Array] = (),
        *,
        keep: bool = False,
        frozen: bool = False,
    ) -> Array:
        """Returns the output for these samples; errors are those of a call of the layer.

        With `keep`, spectra that a pullback of these samples would recompute are remembered until
        it has given the kernels' gradients, or until the next such call. With `frozen` nobody
        will ask for those: any pullback is the last.
        """
        pipeline = self._pipeline(kernels)
        if not keep:
            result: Array = pipeline.run(x)
            return result
        samples = pipeline.samples(x)
        self._kept = None  # makes room before the new one comes
        output, spectra = pipeline.run_keeping(samples)
        if spectra is not None:
            # A copy: the caller's memory may go.
            self._kept = _KeptSpectra(pipeline, samples.copy(), spectra, frozen)
        return output

    def on_device(self, x: Any) -> Any:
        """Returns the output with the analytic kernels for samples on a device, where they are.

        Errors are those of a call of the layer.
        """
        return self._analytic.run(x)

    def analytic_kernels(self) -> list[Array]:
        """Returns the analytic kernels; not to be written to."""
        return self._analytic.weight_values()

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
        if weights or (spectra is not None and kept and kept.frozen):
            self._kept = None
        shape = tuple(n or 0 for n in pipeline.output_shape(x.shape))
        pullback = pipeline.pullback(samples, x.dtype, shape, spectra)
        return pullback(cotangent, signal=signal, weights=weights)

    def result(self, shape: Sequence[int | None], dtype: np.dtype[Any]) -> Shape:
        """Returns the output's shape for samples of this shape and dtype; None where unknown.

        Raises:
            TypeError, ValueError: as a call with such samples.
        """
        self.check_dtype(dtype, shape)
        return self._analytic.output_shape(shape)

    def symbolic_result(self, shape: Sequence[Any]) -> Sequence[Any]:
        """As `result`, for sizes that are expressions: they can be calculated with, no more."""
        if all(type(size) is int for size in shape):
            return [size or 0 for size in self._analytic.output_shape(shape)]
        return self._analytic.symbolic_shape(shape)

    def check_samples(self, shape: Sequence[Any], dtype: np.dtype[Any]) -> None:
        """Raises what a call with such samples would, as far as their sizes are known."""
        self.check_dtype(dtype, shape)
        self._analytic.check_shape([size if type(size) is int else None for size in shape])

    def check_dtype(self, dtype: np.dtype[Any], shape: Sequence[Any]) -> None:
        """Raises TypeError for a dtype that samples of this function cannot have.

        The message shows the shape, with 0 for sizes that are not known yet.
        """
        try:
            self._analytic.samples(np.empty(0, dtype))
        except TypeError:
            known = [size if type(size) is int else 0 for size in shape]
            self._analytic.samples(np.broadcast_to(np.zeros((), dtype), known))
            raise

    @functools.cached_property
    def composed(self) -> Composed:
        """The same, of a framework's own operations; it takes the same kernels."""
        return composed(self._analytic)

    @property
    def shares_maximum(self) -> bool:
        """Whether a signal's output depends on the other signals of the call."""
        return self._analytic.shares_maximum

    @property
    def is_composable(self) -> bool:
        """Whether a framework can compute in place of the engine."""
        return isinstance(self.layer, Layer)

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


def from_layer(layer: Source) -> SpectrogramFunction:
    """Returns the function of a layer, made once.

    It holds another layer with the same pipeline. Held by the layer that it held, it would be in
    a cycle, and the samples and spectra that it keeps would wait for the collector of those.
    """
    function: SpectrogramFunction | None = layer.__dict__.get("_function")
    if function is None:
        twin = object.__new__(type(layer))
        twin.__dict__.update(layer.__dict__)
        function = layer.__dict__.setdefault("_function", SpectrogramFunction(twin))
    return function


def key_of(layer: Source) -> str:
    """Returns the `key` of the layer's function."""
    if isinstance(layer, FeatureExtractor):
        threads = layer.pipeline.arguments.num_threads
        return json.dumps({"spec": layer.spec.to_json(), "num_threads": threads})
    return json.dumps({"class_name": type(layer).__name__, "config": layer.get_config()})


# Functions that somebody holds, by their keys.
_registered: weakref.WeakValueDictionary[str, SpectrogramFunction] = weakref.WeakValueDictionary()


def registered(layer: Source) -> SpectrogramFunction:
    """Returns a new function of the layer, which `from_key` finds for as long as it is held."""
    function = SpectrogramFunction(layer)
    return _registered.setdefault(function.key, function)


def from_key(key: str) -> SpectrogramFunction:
    """Returns the function that a key stands for.

    Layers of the same configuration have keys of their own if they have names of their own: the
    function remembers the kernels of one.
    """
    return _registered.get(key) or _from_key(key)


@functools.lru_cache(maxsize=256)
def _from_key(key: str) -> SpectrogramFunction:
    described = json.loads(key)
    if "spec" in described:
        spec = FeatureSpec.from_json(described["spec"])
        return SpectrogramFunction(features.restored(spec, described["num_threads"]))
    return SpectrogramFunction(restored(LAYERS[described["class_name"]], described["config"]))
