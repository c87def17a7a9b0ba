# SPDX-License-Identifier: BSD-3-Clause
"""The base of the layers: name, dtype policy, configuration, calls, weights and streams."""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar, overload

import numpy as np

from specfast._engine import clips
from specfast._engine.arrays import Array
from specfast._engine.gradients import Pullback
from specfast._engine.pipeline import Pipeline, Shape
from specfast._engine.stream import Stream
from specfast._spec import checks, html, policy
from specfast._spec.arguments import warn_of_zero_window
from specfast._spec.keywords import unknown_keywords
from specfast.layers.weights import Weight

LayerType = TypeVar("LayerType", bound="Layer")

# Counters of automatic names. `next` on a counter and `setdefault` are atomic in CPython.
_name_counters: dict[str, itertools.count[int]] = {}


class Layer:
    """Base of the layers, shared by threads; immutable but for `trainable` and the weights."""

    name: str
    num_threads: int | None
    device: str | None

    pipeline_class: ClassVar[type[Pipeline]]

    _pipeline: Pipeline
    _is_new = True  # and gives warnings; False: a copy of a layer that has given them

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Takes the arguments of the subclass' constructor by their names: its `locals()`."""
        kind, arguments_class = type(self), self.pipeline_class.arguments_class
        if unknown := values["unknown"]:
            accepted = _keywords(kind)
            raise unknown_keywords(kind.__name__, unknown, accepted, arguments_class.fields())
        arguments = arguments_class.checked(values)
        name = _automatic_name(kind) if values["name"] is None else values["name"]
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "`name` must be a string and cannot contain the character '/'. "
                f"{checks.received('name', name)}"
            )
        precision = policy.policy(values["dtype"])
        arguments.check_precision(precision.plan_dtype)
        self._trainable = checks.strict_flag("trainable", values["trainable"])
        self._pipeline = self.pipeline_class(arguments, precision)
        if self._is_new:
            warn_of_zero_window(arguments.window_values)
        public = {"name": str(name), **arguments.public()}
        self.__dict__.update(public)
        self._fixed = frozenset(public)

    @property
    def pipeline(self) -> Pipeline:
        """The arguments, precision and weights with which calls run now; for adapters."""
        return self._pipeline

    # ---- Calls -------------------------------------------------------------------------------

    @overload
    def __call__(
        self, x: Array, *, out: Array | None = None, scale: float | None = None
    ) -> Array: ...
    @overload
    def __call__(
        self, x: Any, *, lengths: Any = None, out: Any = None, scale: float | None = None
    ) -> Any: ...
    def __call__(
        self, x: Any, *, lengths: Any = None, out: Any = None, scale: float | None = None
    ) -> Any:
        """Returns the spectrogram of every signal in `x`; the class gives shapes and dtypes.

        Args:
            x: the samples: a NumPy array, anything with DLPack, the buffer protocol or
                `__array__`, and for mel a nested list. float32 and float64 (for mel also int16)
                are read in place, whatever their strides; other dtypes, byte-swapped and
                misaligned arrays are converted first. Never written to. An array of torch, CuPy,
                JAX or Numba in the memory of a GPU is computed there, see docs/gpu.md. Or a list
                of arrays, clips of different lengths: what `x` holds, without the axes of a batch.
            lengths: how many samples each clip of a padded `x` has: integers in the shape of
                the axes of its batch. What lies behind them is never read.
            out: written to and returned, if given. It must have exactly the shape and the dtype
                of the result, be C-contiguous, aligned and writable, and share no memory with
                `x`; it is never converted. After an error its content is undefined only if the
                computation had begun.
            scale: the factor by which samples are multiplied while they are read, in the
                precision of the layer: 1 / 32768 for 16-bit PCM in [-1, 1). None: samples are
                taken as they are, as in Keras. With a scale an STFTSpectrogram takes integers
                too, int16 in place.

        Returns:
            An array of shape `compute_output_shape(x.shape)` and dtype `compute_dtype`. For a
            list of clips, and with `lengths`, a `Features(values, num_frames, mask)`: each clip
            gives what it gives alone, but that `top_db` of a batch counts from the maximum of all
            clips. Frames behind a clip are 0.0, in dB too; `mask` tells which are its own.

        Raises:
            TypeError: for samples or an `out` of a wrong type or dtype.
            ValueError: for a wrong shape, a length beyond the array, or an unfit `out`.
            MemoryError: if there is no room for the result.
            RuntimeError: if a GPU is to compute, and it, its driver or its library is missing.
            NotImplementedError: if a GPU is to compute with trained kernels, or clips of
                different lengths.
        """
        if lengths is not None or clips.is_list_of_clips(x):
            return clips.call(self._pipeline, x, lengths, out, scale)
        return self._pipeline.run(x, out, scale)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Returns the shape that a call returns for an input of this shape.

        For a MelSpectrogram it is right where Keras' own is not: for ranks above 2, and for
        lengths that leave sequence_stride - 1 samples over, where Keras says one frame too many.

        Args:
            input_shape: the dimensions of the input; None for one that is not known.

        Returns:
            The dimensions of the output; None for one that depends on an unknown one.

        Raises:
            TypeError: if a dimension is neither an integer nor None.
            ValueError: for a negative dimension, and for a shape that a call refuses.
        """
        return self._pipeline.output_shape(input_shape)

    def vjp(self, x: Any) -> tuple[Array, Pullback]:
        """Returns the result of a call, and a function from its gradient to those of `x` and
        weights.

        Gradients are those at the weights that the layer has now, analytic or not, whether or not
        it is `trainable`.

        Args:
            x: as for a call. Where it is read in place, it must keep its values until the
                pullback has been called.

        Returns:
            `(output, pullback)`. `pullback(cotangent, *, signal=True, weights=True)` takes the
            gradient of some number with respect to `output`, an array of its shape and any real
            dtype, and returns `Gradients(signal, weights)`. Gradients that are not asked for are
            not computed. It may be called any number of times, by any thread.
            With trained kernels it holds the spectra, about twice the output, in all modes but
            "real", "imag" and "stft".

        There is no derivative, or none that is finite, at a power of zero (square root, angle,
        `mag_exp`) and at the floors `epsilon`, `min_power` and `top_db`. It is taken as zero
        there, so that silence gives zeros. A level at or below the floor that `top_db` makes
        hands its gradient on to the maximum from which that floor hangs; several maxima share it
        alike, as in Keras. NaN in `x` gives NaN in everything that depends on it.

        Raises:
            TypeError, ValueError, MemoryError: as a call; the pullback for a `cotangent` of
                another shape, or one that is no array of real numbers.
        """
        return self._pipeline.vjp(x)

    def stream(
        self,
        channels: int = 1,
        *,
        max_db: float | str | None = None,
        num_samples: int | None = None,
    ) -> Stream:
        """Returns a stream: this layer on a signal that arrives piece by piece.

        See docs/streams.md.

        Args:
            channels: how many channels the signal has, 1 to 65536.
            max_db: only for a layer with `top_db`, which clamps to the maximum of the whole
                signal: replaces that maximum. A level in dB; or "running", the maximum of a frame
                and all before it (over all channels with `top_db_scope` "batch", of each channel
                with "clip").
            num_samples: only for padding "same", whose zeros in front of the signal depend on its
                length: that length, or any number with the same remainder modulo `frame_step`.

        Raises:
            TypeError: if a value is of a wrong type.
            ValueError: if a value is out of its range, missing, or without a use here.
            MemoryError: if there is no room for the samples of a frame.
        """
        return Stream(
            self._pipeline, self, channels=channels, maximum=max_db, num_samples=num_samples
        )

    # ---- Weights -----------------------------------------------------------------------------

    @property
    def weights(self) -> list[Weight]:
        """The weights in Keras' order, as they are now.

        STFTSpectrogram has `real_kernel` and `imag_kernel` of shape (frame_length, 1, bins), in
        the modes "real" and "imag" only the one of that name: the scaled window times cos and
        -sin of 2 pi n k / N, until `set_weights` changes them. MelSpectrogram has none.
        """
        pipeline = self._pipeline
        pairs = zip(pipeline.weight_names, pipeline.weight_values(), strict=True)
        return [Weight(name, values) for name, values in pairs]

    @property
    def trainable_weights(self) -> list[Weight]:
        """`weights` if the layer is trainable, else none."""
        return self.weights if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """`weights` if the layer is not trainable, else none."""
        return [] if self._trainable else self.weights

    def get_weights(self) -> list[Array]:
        """Returns copies of the values of `weights`, in the dtype of the weights (`dtype`)."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replaces the values of all weights.

        Calls that have begun finish with the old values; every other call takes the new ones,
        all of them. Values that differ from the analytic ones by no more than Keras' own rounding
        leave the FFT in charge (see `is_analytic`), and `get_weights` still returns them as given.

        Args:
            weights: an array for each of `weights`, in that order and of just that shape, of any
                real dtype; converted to that of the weight. NaN and infinity are taken, as in
                Keras.

        Raises:
            ValueError: for another number of arrays, or another shape.
            TypeError: for values that are not real numbers.
        """
        try:
            values = list(weights)
        except TypeError:
            raise TypeError(
                f"`weights` must be a list of arrays. {checks.received('weights', weights)}"
            ) from None
        self._pipeline = self._pipeline.with_weights(values, self.name)

    @property
    def is_analytic(self) -> bool:
        """Tells whether calls run by FFT.

        False once the weights differ from the analytic ones by more than Keras' own rounding:
        eps * (max |window| + |window[n]| * (8 + 2 angle)), where eps is the machine epsilon of
        `dtype`, angle = 2 pi n k / N, and the window is scaled. In half precision it is eps * max
        |window|: Keras' rounding of the angle leaves little of the kernels there. (With dtype
        "float64", Keras on JAX and NumPy is only as exact as float32, and so its kernels count as
        trained.) Always True for MelSpectrogram.
        """
        return self._pipeline.plan.is_analytic

    # ---- Name and policy ---------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether `weights` are `trainable_weights`; passed on in the configuration."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = checks.strict_flag("trainable", value)

    @property
    def dtype(self) -> str:
        """The name of the dtype in which Keras' layer keeps its weights."""
        return self._pipeline.policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The name of the dtype that a call returns."""
        return self._pipeline.policy.compute_dtype

    def __setattr__(self, name: str, value: Any) -> None:
        self._refuse_if_fixed(name, checks.received(name, value))
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse_if_fixed(name, f"Received: del {name}")
        super().__delattr__(name)

    def _refuse_if_fixed(self, name: str, received: str) -> None:
        if name in self.__dict__.get("_fixed", ()):
            raise AttributeError(
                f"{type(self).__name__}.{name} is fixed when the layer is made, make a new "
                f"layer instead. {received}"
            )

    # ---- Configuration -----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration as a dictionary of plain values, in Keras' form.

        It goes through JSON, and `keras.layers.<this class>.from_config` accepts it. Arguments
        that Keras does not have are in it only when they differ from their defaults.
        """
        return {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self._pipeline.policy.serialize(),
            **self._pipeline.arguments.config(),
        }

    @classmethod
    def from_config(cls: type[LayerType], config: Any) -> LayerType:
        """Returns a layer made from what `get_config` returned, here or in Keras.

        Args:
            config: a configuration, or the dictionary around it that
                `keras.saving.serialize_keras_object` makes.

        Raises:
            TypeError: if `config` is no dictionary with names as keys.
            ValueError: if it is of another class, has a key that is no argument, or holds a
                value that the constructor refuses.
        """
        if not isinstance(config, Mapping) or not all(isinstance(key, str) for key in config):
            raise TypeError(
                "`config` must be a dictionary with strings as keys. "
                f"{checks.received('config', config)}"
            )
        if "class_name" in config and isinstance(config.get("config"), Mapping):
            names = [c.__name__ for c in cls.__mro__ if issubclass(c, Layer) and c is not Layer]
            if config["class_name"] not in names:
                raise ValueError(
                    f"`config` must be of class {names[0]}. "
                    f"Received: class_name={checks.short(config['class_name'])}"
                )
            return cls.from_config(config["config"])
        return cls(**config)

    def __reduce__(self) -> tuple[Any, ...]:
        # A plan does not travel; it is made again from the configuration and the weights.
        weights = None if self._pipeline.plan.kernels is None else self.get_weights()
        return restored, (type(self), self.get_config(), weights)

    def __repr__(self) -> str:
        changed = self._pipeline.arguments.changed()
        if not _is_automatic(self.name, type(self)):
            changed = {"name": self.name, **changed}
        if self._pipeline.policy.name != "float32":
            changed["dtype"] = self._pipeline.policy.name
        if not self._trainable:
            changed["trainable"] = False
        shown = (f"{name}={_shown(value)}" for name, value in changed.items())
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_html_(self) -> str:
        arguments = self._pipeline.arguments
        rows = {"name": self.name, "dtype": self._pipeline.policy.name, **arguments.public()}
        return html.table(type(self).__name__, rows.items(), arguments.changed())


def restored(
    cls: type[LayerType], config: dict[str, Any], weights: list[Array] | None = None
) -> LayerType:
    """Returns another layer like the one that had this configuration; gives no warnings again."""
    layer = cls.__new__(cls)
    layer.__dict__["_is_new"] = False
    layer.__init__(**config)  # type: ignore[misc]
    if weights is not None:
        layer.set_weights(weights)
    return layer


def _shown(value: Any) -> str:
    """Returns a value as it can be typed; of an array, only its size."""
    if isinstance(value, np.ndarray):
        return f"<array of {value.size}>"
    if isinstance(value, float) and math.isinf(value):
        return f"float('{value}')"
    return repr(value)


def _keywords(kind: type[Layer]) -> list[str]:
    parameters = inspect.signature(kind).parameters.values()
    return [
        parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD
    ]


def _snake_case(class_name: str) -> str:
    snake = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", snake).lower()


def _automatic_name(kind: type[Layer]) -> str:
    """Returns the name that Keras would give: snake case, numbered from the second one on."""
    snake = _snake_case(kind.__name__)
    number = next(_name_counters.setdefault(snake, itertools.count()))
    return f"{snake}_{number}" if number else snake


def _is_automatic(name: str, kind: type[Layer]) -> bool:
    return re.fullmatch(rf"{_snake_case(kind.__name__)}(_[0-9]+)?", name) is not None
