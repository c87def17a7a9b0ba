# SPDX-License-Identifier: BSD-3-Clause
"""The layers and FeatureExtractor as Keras 3 layers, on TensorFlow, JAX, torch and NumPy.

STFTSpectrogram and MelSpectrogram are subclasses of Keras' own layers: arguments, configuration,
weights and files are theirs, only the computation is this package's. Inputs and kernels go
to the CPU and results come back.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from specfast._adapters.functional import SpectrogramFunction
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers import features
from specfast.layers.catalogue import LAYERS, names_in_keras

__all__ = ["FeatureExtractor", "MelSpectrogram", "STFTSpectrogram"]


class _Adapter:
    """The base of all layers; stands before Keras' class."""

    _is_portable = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # XLA in TensorFlow runs no Python; JAX calls it from compiled code too.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    @property
    def portable(self) -> bool:
        """Whether the framework computes in place of the engine; False. Can be set."""
        return self._is_portable

    @portable.setter
    def portable(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"`portable` must be True or False. Received: portable={value!r}")
        self._is_portable = value

    def _compute(self, backend: str, x: Any, kernels: Sequence[Any], *, keep: bool = False) -> Any:
        # Imported here: a framework that Keras does not run on need not be installed.
        function, portable = self._function(), self._is_portable
        if backend == "tensorflow":
            from specfast._adapters import tensorflow as _tensorflow

            return _tensorflow.spectrogram(function, x, kernels, keep=keep, portable=portable)
        if backend == "jax":
            from specfast import jax

            return jax.spectrogram(function, x, tuple(kernels), portable=portable)
        if backend == "torch":
            from specfast._adapters import torch_operators

            return torch_operators.spectrogram(function, x, kernels, portable=portable)
        if backend == "numpy":
            return function(x, kernels)
        raise NotImplementedError(
            "specfast.keras runs on the Keras backends tensorflow, jax, torch and numpy. "
            f"Received: backend {backend!r}"
        )

    def _function(self) -> SpectrogramFunction:
        """Returns the engine's function."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape that a call returns, as the specfast layer does."""
        return self._function().layer.compute_output_shape(input_shape)


class _SameAsKeras(_Adapter):
    """The base of the layers that Keras has too."""

    _class_name: str
    _made: SpectrogramFunction | None = None
    dtype_policy: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._function()  # the engine's errors come now, not at the first call

    def _function(self) -> SpectrogramFunction:
        """Returns the engine's function; Keras' global epsilon and the dtype policy may change."""
        made = self._made
        if made is None or not self._is_current(made.layer):
            arguments = {name: getattr(self, name) for name in names_in_keras(self._class_name)}
            arguments |= {"dtype": self.dtype_policy, **self._global_arguments()}
            with warnings.catch_warnings():
                # Keras has given its warnings already, and the first function has given ours.
                pattern = "" if made else "`fft_length` is recommended"
                warnings.filterwarnings("ignore", pattern, UserWarning)
                made = SpectrogramFunction(LAYERS[self._class_name](**arguments))
            self._made = made
        return made

    def _is_current(self, layer: Any) -> bool:
        return bool(layer.pipeline.policy.name == self.dtype_policy.name)

    def _global_arguments(self) -> dict[str, Any]:
        return {}


@keras.saving.register_keras_serializable(package="specfast")
class STFTSpectrogram(_SameAsKeras, keras.layers.STFTSpectrogram):
    """`keras.layers.STFTSpectrogram`, computed by this package.

    Arguments, input, output, weights and configuration are those of Keras' class, of which it is a
    subclass. An FFT runs while the kernels are Keras' initial ones; trained kernels are multiplied
    with the frames, as Keras does it. Gradients reach the samples and, if the layer is
    `trainable`, the kernels.
    """

    _class_name = "STFTSpectrogram"

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        kernels = [getattr(self, name).value for name in self._function().kernel_names]
        return self._compute(keras.backend.backend(), inputs, kernels, keep=bool(training))

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        # Kernels rounded to half precision by autocast would not be the analytic ones any more.
        return super().add_weight(*args, **{"autocast": False, **kwargs})

    def _is_current(self, layer: Any) -> bool:
        return super()._is_current(layer) and bool(layer.epsilon == keras.config.epsilon())

    def _global_arguments(self) -> dict[str, Any]:
        return {"epsilon": keras.config.epsilon()}


@keras.saving.register_keras_serializable(package="specfast")
class MelSpectrogram(_SameAsKeras, keras.layers.MelSpectrogram):
    """`keras.layers.MelSpectrogram`, computed by this package.

    Arguments, input, output and configuration are those of Keras' class, of which it is a
    subclass; it too runs in `tf.data` and grain pipelines with any backend. Gradients reach the
    samples.
    """

    _class_name = "MelSpectrogram"

    def __call__(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        # In a graph of TensorFlow Keras makes floats even of bytes before `call` sees them.
        name = getattr(getattr(data, "dtype", None), "name", None)
        if name in ("int8", "uint8"):
            shape = () if getattr(data.shape, "rank", 0) is None else tuple(data.shape)
            self._function().check_dtype(np.dtype(name), shape)
        return super().__call__(data, *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        # In a tf.data pipeline this is TensorFlow, whatever Keras runs on.
        inputs = self.backend.convert_to_tensor(inputs)
        return self._compute(self.backend.name, inputs, [])


@keras.saving.register_keras_serializable(package="specfast")
class FeatureExtractor(_Adapter, keras.layers.Layer):
    """`specfast.FeatureExtractor` as a Keras layer without weights.

    Args:
        spec: a FeatureSpec, which has the dtype of the output too, or the dictionary of one, as
            configurations and its JSON have it.
        num_threads: threads for a call; None: the global setting.
        name: the name of the layer.

    Input and output are those of the extractor for one array, integers included. Gradients reach
    the samples; ValueError for the gradient of a step that has none. NotImplementedError for
    exports, forward and second derivatives and `portable`. Saved in `.keras` files, which need
    `specfast.keras` to be loaded.
    """

    def __init__(
        self,
        spec: FeatureSpec | Mapping[str, Any],
        *,
        num_threads: int | None = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        if isinstance(spec, Mapping):
            spec = FeatureSpec.from_dict(spec)
        self._extractor = features.FeatureExtractor(spec, num_threads=num_threads)
        # Without autocast: samples are read in the dtype that they have.
        super().__init__(name=name, trainable=trainable, dtype=spec.dtype, autocast=False)
        self._features = SpectrogramFunction(self._extractor)

    @property
    def spec(self) -> FeatureSpec:
        """What is computed."""
        return self._extractor.spec

    def _function(self) -> SpectrogramFunction:
        return self._features

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self._compute(keras.backend.backend(), inputs, [], keep=bool(training))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, the specification as the dictionary of its JSON."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "spec": json.loads(self.spec.to_json()),
            "num_threads": self._extractor.pipeline.arguments.num_threads,
        }
