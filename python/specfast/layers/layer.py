# SPDX-License-Identifier: BSD-3-Clause
"""What both layers share: name, dtype policy, configuration, and the way of a call."""

from __future__ import annotations

import inspect
import itertools
import operator
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from specfast import _core
from specfast._engine import arrays as _arrays
from specfast._engine import gradients as _vjp
from specfast._engine.stream import Stream
from specfast._spec import arguments as _arguments
from specfast._spec import checks as _checks
from specfast._spec import policy as _policy
from specfast._spec.keywords import unknown_keywords
from specfast.layers import weights as _weights

Shape = tuple[int | None, ...]
LayerType = TypeVar("LayerType", bound="Layer")

# Counters of automatic names. `next` on a counter and `setdefault` are atomic in CPython.
_name_counters: dict[str, itertools.count[int]] = {}

_MAX_DIMENSION = 1 << 62


def _automatic_name(class_name: str) -> str:
    """The name that Keras would give: snake case, numbered from the second one on."""
    snake = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", snake).lower()
    number = next(_name_counters.setdefault(snake, itertools.count()))
    return f"{snake}_{number}" if number else snake


class Layer(_weights.HasWeights):
    """Base of both layers, shared by threads; immutable but for `trainable` and the weights."""

    name: str
    num_threads: int | None

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Takes the arguments of the subclass' constructor by name: its `locals()`."""
        kind = type(self)
        if unknown := values["unknown"]:
            raise unknown_keywords(
                kind.__name__, unknown, self._keywords(), kind._arguments_class.fields()
            )
        arguments = kind._arguments_class.checked(values)
        name = _automatic_name(kind.__name__) if values["name"] is None else values["name"]
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "`name` must be a string and cannot contain the character '/'. "
                f"{_checks.received('name', name)}"
            )
        self._policy = _policy.policy(values["dtype"])
        arguments.check_precision(self._policy.plan_dtype)
        self._trainable = _checks.strict_flag("trainable", values["trainable"])
        self._arguments = arguments
        self._plan = self._make_plan()
        self._threads = arguments.num_threads or 0
        self._direct_dtypes = self._readable_dtypes()
        self._half_dtype = self._make_half_dtype()
        public = {"name": str(name), **arguments.public()}
        self.__dict__.update(public)
        self._fixed = frozenset(public)

    # ---- What the two layers differ in -------------------------------------------------------

    _arguments_class: ClassVar[type[_arguments.Arguments]]
    _arguments: Any
    _takes_integers: bool  # also bfloat16 and lists: what Keras' data layers convert
    _samples_axis: int

    @abstractmethod
    def _check_shape(self, shape: Sequence[int | None]) -> None:
        """Refuses an input shape; a dimension that is None is not known yet."""

    @abstractmethod
    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """The shape that a call returns for an input of this shape."""

    @abstractmethod
    def _output_shape(self, input_shape: Sequence[Any], frames: Any) -> tuple[Any, ...]:
        """The shape for an input of a checked shape, of which so many frames are made."""

    @abstractmethod
    def _frame_grid(self) -> tuple[int, int]:
        """How many samples the first frame asks for, and each further one."""

    # ---- The call ----------------------------------------------------------------------------

    def __call__(
        self, x: Any, *, out: _arrays.Array | None = None, scale: float | None = None
    ) -> _arrays.Array:
        """The spectrogram of every signal in `x`; the class says which shapes and dtypes.

        Args:
            x: the samples: a NumPy array, anything with DLPack, the buffer protocol or
                `__array__`, and for mel a nested list. float32 and float64 (for mel also int16)
                are read in place, whatever their strides; other dtypes, byte-swapped and
                misaligned arrays are converted first. Never written to.
            out: written to and returned, if given. It must have exactly the shape and the dtype
                of the result, be C-contiguous, aligned and writable, and share no memory with
                `x`; it is never converted. After an error its content is undefined only if the
                computation had begun.
            scale: what the samples are multiplied by while they are read, in the precision of
                the layer: 1 / 32768 for 16-bit PCM in [-1, 1). None: they are taken as they are,
                as Keras does. With a scale an STFTSpectrogram takes integers too, int16 in place.

        Returns:
            An array of shape `compute_output_shape(x.shape)` and dtype `compute_dtype`.

        Raises:
            TypeError: for samples or an `out` of a wrong type or dtype.
            ValueError: for a wrong shape, or an unfit `out`.
            MemoryError: if there is no room for the result.
        """
        factor = 0.0 if scale is None else self._checked_scale(scale)
        # Everything that is no sample array of the engine's own kind takes the longer way.
        if not (type(x) is np.ndarray and x.dtype in self._direct_dtypes and x.flags.aligned):
            x = self._samples(x, out, scaled=scale is not None)
        return self._call(self._plan, x, out, factor)

    def _call(
        self,
        plan: _core.Plan,
        x: _arrays.Array,
        out: _arrays.Array | None,
        scale: float = 0.0,
    ) -> _arrays.Array:
        """With samples that the engine can read."""
        self._check_shape(x.shape)
        if out is not None and type(out) is not np.ndarray:
            _arrays.check_is_array(out)
        try:
            if self._half_dtype is not None:
                return self._call_half(plan, x, out, self._half_dtype, scale)
            return plan(x, out, self._threads, scale)
        except MemoryError as error:
            raise self._no_memory(x) from error

    def vjp(self, x: Any) -> tuple[_arrays.Array, _vjp.Pullback]:
        """The result of a call, and the way back: from its gradient to those of `x` and weights.

        Gradients are those at the weights that the layer has now, analytic or not, whether or not
        it is `trainable`.

        Args:
            x: as for a call. Where it is read in place, it must keep its values until the
                pullback has been called.

        Returns:
            `(output, pullback)`. `pullback(cotangent, *, signal=True, weights=True)` takes the
            gradient of some number with respect to `output`, an array of its shape and any real
            dtype, and returns `Gradients(signal, weights)`. What is not asked for is not computed.
            It may be called any number of times, by any thread.
            With trained kernels it holds the spectra, about twice the output, in all modes but
            "real", "imag" and "stft".

        There is no derivative, or none that is finite, at a power of zero (square root, angle,
        `mag_exp`) and at the floors `epsilon`, `min_power` and `top_db`. It is taken as zero
        there, so that silence gives zeros. What lies at or below the floor that `top_db` makes
        hands its gradient on to the maximum from which that floor hangs; several maxima share it
        alike, as in Keras. NaN in `x` gives NaN in what depends on it.

        Raises:
            TypeError, ValueError, MemoryError: as a call; the pullback for a `cotangent` of
                another shape, or one that is no array of real numbers.
        """
        samples = _arrays.view(x, lists=self._takes_integers)
        floating = samples.dtype.kind == "f" or samples.dtype.name == "bfloat16"
        signal_dtype = samples.dtype.newbyteorder("=") if floating else self._result_dtype()
        samples = self._samples(samples, None)
        plan = self._plan  # the one that computes; set_weights may put another in its place
        output, kept = self._call_keeping(plan, samples)
        way_back = _vjp.pullback(
            plan, self._policy, samples, signal_dtype, output.shape, self._threads, kept
        )
        return output, way_back

    def _call_keeping(
        self, plan: _core.Plan, x: _arrays.Array
    ) -> tuple[_arrays.Array, _arrays.Array | None]:
        """As `_call`, and what the pullback need not compute once more."""
        self._check_shape(x.shape)
        try:
            output, kept = plan.call_keeping(x, self._threads)
        except MemoryError as error:
            raise self._no_memory(x) from error
        if self._half_dtype is not None:
            output = _arrays.rounded(output, self._half_dtype, None)
        return output, kept

    def _no_memory(self, x: _arrays.Array) -> MemoryError:
        shape = self.compute_output_shape(x.shape)
        return MemoryError(
            f"no memory for a result of shape {shape} and dtype {self.compute_dtype}. "
            f"Received: x of shape {x.shape} and dtype {x.dtype}"
        )

    def _result_dtype(self) -> np.dtype[Any]:
        return self._half_dtype or np.dtype(self._policy.plan_dtype)

    # ---- Streams -----------------------------------------------------------------------------

    def stream(
        self,
        channels: int = 1,
        *,
        max_db: float | str | None = None,
        num_samples: int | None = None,
    ) -> Stream:
        """A stream: this layer on a signal that arrives piece by piece. See docs/streams.md.

        Args:
            channels: how many channels the signal has, 1 to 65536.
            max_db: only for a layer with `top_db`, which clamps to the maximum of the whole
                signal: what takes the place of that maximum. A level in dB; or "running", the
                maximum of a frame and all before it (over all channels with `top_db_scope`
                "batch", of each channel with "clip").
            num_samples: only for padding "same", whose zeros in front of the signal depend on its
                length: that length, or any number with the same remainder modulo `frame_step`.

        Raises:
            TypeError: if a value is of a wrong type.
            ValueError: if a value is out of its range, missing, or without a use here.
            MemoryError: if there is no room for the samples of a frame.
        """
        return Stream(self, self._plan, channels=channels, max_db=max_db, num_samples=num_samples)

    @abstractmethod
    def _frame_axis(self, channels: int) -> int:
        """Where frames stand in the output for one signal of that many channels."""

    @abstractmethod
    def _clamps_to_maximum(self) -> bool:
        """Whether the output depends on the maximum of the whole signal."""

    @abstractmethod
    def _step_of_same_padding(self) -> int | None:
        """Samples from frame to frame with padding "same", else None."""

    def _checked_scale(self, scale: Any) -> float:
        return _arguments.sample_scale(scale, self._policy.plan_dtype)

    def _samples(
        self, x: Any, out: _arrays.Array | None, *, scaled: bool = False
    ) -> _arrays.Array:
        view = _arrays.view(x, lists=self._takes_integers)
        if not self._direct_dtypes:
            raise TypeError(
                f"Invalid input type: with dtype={self._policy.name!r} the input would be "
                "bfloat16. Expected float16, float32 or float64. "
                f"Received: x of dtype {view.dtype} and shape {view.shape}"
            )
        samples = _arrays.samples(
            view, integers=self._takes_integers or scaled, dtype=self._policy.plan_dtype
        )
        # The engine sees only the samples that it gets. A converted copy must not let an `out`
        # pass that lies in the caller's own array.
        if out is not None and samples is not view and isinstance(out, np.ndarray):
            _arrays.check_no_overlap(out, view)
        return samples

    def _call_half(
        self,
        plan: _core.Plan,
        x: _arrays.Array,
        out: _arrays.Array | None,
        dtype: np.dtype[Any],
        scale: float,
    ) -> _arrays.Array:
        if out is not None:
            _arrays.check_out(out, self.compute_output_shape(x.shape), dtype)
            _arrays.check_no_overlap(out, x)
        return _arrays.rounded(plan(x, None, self._threads, scale), dtype, out)

    @classmethod
    def _keywords(cls) -> list[str]:
        parameters = inspect.signature(cls).parameters.values()
        return [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]

    def _readable_dtypes(self) -> frozenset[np.dtype[Any]]:
        """Dtypes that go to the engine as they are; none if the policy refuses every input."""
        if self._takes_integers:
            return _arrays.SAMPLE_DTYPES
        if self._policy.compute_dtype == "bfloat16":
            return frozenset()
        return _arrays.FLOAT_DTYPES

    def _make_half_dtype(self) -> np.dtype[Any] | None:
        """The dtype of the result where it is not the plan's own."""
        compute = self._policy.compute_dtype
        if compute == "float16":
            return np.dtype(np.float16)
        if compute == "bfloat16" and self._direct_dtypes:
            return _policy.bfloat16()
        return None

    def _num_frames(self, num_samples: int | None) -> int | None:
        return None if num_samples is None else self._plan.num_frames(num_samples)

    def _checked_shape(self, input_shape: Sequence[int | None]) -> list[int | None]:
        """A shape given by hand: None or integers that are not negative, of a right rank."""
        try:
            dimensions = list(input_shape)
            if any(isinstance(d, bool | np.bool_) for d in dimensions):
                raise TypeError  # Python would take True for 1
            shape = [None if d is None else operator.index(d) for d in dimensions]
        except TypeError:
            raise TypeError(
                "`input_shape` must be a sequence of integers or None. "
                f"{_checks.received('input_shape', input_shape)}"
            ) from None
        if any(d is not None and not 0 <= d <= _MAX_DIMENSION for d in shape):
            raise ValueError(
                f"`input_shape` must have dimensions between 0 and {_MAX_DIMENSION}. "
                f"{_checks.received('input_shape', input_shape)}"
            )
        self._check_shape(shape)
        return shape

    # ---- Name and policy ---------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether `weights` are `trainable_weights`; passed on in the configuration."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = _checks.strict_flag("trainable", value)

    @property
    def dtype(self) -> str:
        """Name of the dtype that Keras' layer would keep its weights in."""
        return self._policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Name of the dtype that a call returns."""
        return self._policy.compute_dtype

    def __setattr__(self, name: str, value: Any) -> None:
        self._refuse_if_fixed(name, _checks.received(name, value))
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
        """The configuration as a dictionary of plain values, in Keras' form.

        It goes through JSON, and `keras.layers.<this class>.from_config` accepts it. Arguments
        that Keras does not have are in it only when they differ from their defaults.
        """
        return {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self._policy.serialize(),
            **self._arguments.config(),
        }

    @classmethod
    def from_config(cls: type[LayerType], config: Any) -> LayerType:
        """A layer from what `get_config` returned, here or in Keras.

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
                f"{_checks.received('config', config)}"
            )
        if "class_name" in config and isinstance(config.get("config"), Mapping):
            names = [c.__name__ for c in cls.__mro__ if issubclass(c, Layer) and c is not Layer]
            if config["class_name"] not in names:
                raise ValueError(
                    f"`config` must be of class {names[0]}. "
                    f"Received: class_name={_checks.short(config['class_name'])}"
                )
            return cls.from_config(config["config"])
        return cls(**config)

    def __reduce__(self) -> tuple[Any, ...]:
        # A plan does not travel; it is made again from the configuration and the weights.
        weights = None if self._plan.kernels is None else self.get_weights()
        return _restored, (type(self), self.get_config(), weights)

    def __repr__(self) -> str:
        changed = {"name": self.name, **self._arguments.changed()}
        if self._policy.name != "float32":
            changed["dtype"] = self._policy.name
        shown = (
            f"{key}=<array of {len(value)}>"
            if isinstance(value, np.ndarray)
            else f"{key}={value!r}"
            for key, value in changed.items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def _restored(
    cls: type[LayerType], config: dict[str, Any], weights: list[_arrays.Array] | None
) -> LayerType:
    layer = cls.from_config(config)
    if weights is not None:
        layer.set_weights(weights)
    return layer
