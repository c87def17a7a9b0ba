# SPDX-License-Identifier: BSD-3-Clause
"""Computes spectrograms and gradients, for layers, streams and adapters alike."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from specfast import _core
from specfast._engine import arrays, device_calls, device_views, devices, gradients
from specfast._engine.arrays import Array
from specfast._spec import checks
from specfast._spec.arguments import Arguments, sample_scale
from specfast._spec.policy import Policy, bfloat16

Shape = tuple[int | None, ...]
PipelineType = TypeVar("PipelineType", bound="Pipeline")

_MAX_DIMENSION = 1 << 62


class Pipeline(ABC):
    """A layer's arguments, precision, weights and plan: all that a result depends on.

    Immutable, but for the plans for devices that it makes when they are needed, and shared by
    threads; `with_weights` makes another one.

    Attributes:
        arguments: the checked arguments of the layer.
        policy: its precision.
        plan: the engine's plan; its `kernels` are None while the weights are the initial ones.
        num_threads: threads for a call; 0: the global setting.
        computes_on_device: whether samples in CPU memory are computed on a device.
        readable_dtypes: the dtypes of samples that go to the engine as they are; none if the
            policy refuses every input.
        half_dtype: the dtype of results where it is not the plan's own, else None.
        samples_axis: the axis of the input along which the samples of a signal lie.
        channels_axis: that of its channels; None: each of them is a signal of its own.
        signal_rank: how many axes one signal has, that of its channels included.
        signal_axes: their names, for messages.
        min_samples: how many samples a signal must have.
        join_frames: how many frames of the engine become one of the result.
        weight_names: the names of the weights, in Keras' order.
        weight_shape: the shape of each weight.
        clamps_to_maximum: whether results depend on the maximum of the whole signal.
        clamp_name: the argument that says how far below it results may be.
        maximum_name: the argument of a stream that stands in for it.
        maximum_unit: what that is a number of.
        step_of_same_padding: samples from frame to frame with padding "same", else None.
    """

    arguments_class: ClassVar[type[Arguments]]
    takes_integers: ClassVar[bool]  # also bfloat16 and lists: what Keras' data layers convert
    clamp_name: ClassVar[str] = "top_db"
    maximum_name: ClassVar[str] = "max_db"
    maximum_unit: ClassVar[str] = "level in dB"

    samples_axis: int
    channels_axis: int | None = None
    signal_rank: int = 1
    signal_axes: str = "samples,"
    min_samples: int = 0
    join_frames: int = 1
    weight_names: tuple[str, ...] = ()
    weight_shape: tuple[int, ...] = ()
    clamps_to_maximum: bool = False
    step_of_same_padding: int | None = None

    def __init__(self, arguments: Any, policy: Policy, kernels: list[Array] | None = None) -> None:
        self.arguments = arguments
        self.policy = policy
        self.num_threads: int = arguments.num_threads or 0
        self.computes_on_device = arguments.device not in (None, "cpu")
        self.readable_dtypes = self._readable_dtypes()
        self.half_dtype = self._half_dtype()
        self.plan = self._make_plan(kernels)
        self._device_plans: dict[int, _core.DevicePlan] = {}

    @abstractmethod
    def _config(self) -> _core.Config:
        """Returns the engine's configuration."""

    @abstractmethod
    def _make_plan(self, kernels: list[Array] | None) -> _core.Plan:
        """Makes the engine's plan; None: with the analytic kernels."""

    def _config_of_fields(self, mode: str) -> _core.Config:
        """Returns the engine's configuration with precision and every field that is a setting."""
        config = _core.Config(mode)
        config.dtype = self.policy.plan_dtype
        for field in self.arguments.fields():
            if field.setting is not None:
                setattr(config, field.setting, getattr(self.arguments, field.name))
        return config

    def _readable_dtypes(self) -> frozenset[np.dtype[Any]]:
        if self.takes_integers:
            return arrays.SAMPLE_DTYPES
        if self.policy.compute_dtype == "bfloat16":
            return frozenset()
        return arrays.FLOAT_DTYPES

    def _half_dtype(self) -> np.dtype[Any] | None:
        compute = self.policy.compute_dtype
        if compute == "float16":
            return np.dtype(np.float16)
        if compute == "bfloat16" and self.readable_dtypes:
            return bfloat16()
        return None

    @property
    def shares_maximum(self) -> bool:
        """Whether a signal's result depends on the other signals of the call."""
        return False

    @property
    def result_dtype(self) -> np.dtype[Any]:
        """The dtype of results."""
        return self.half_dtype or np.dtype(self.policy.plan_dtype)

    # ---- Results -----------------------------------------------------------------------------

    def run(self, x: Any, out: Any = None, scale: float | None = None) -> Any:
        """Returns the spectrogram of `x`; arguments and errors are those of a layer's call."""
        factor = 0.0 if scale is None else self.checked_scale(scale)
        if type(x) is not np.ndarray and (kind := device_views.kind_of(x)) is not None:
            return self._run_on_device(x, kind, out, factor)
        if self.computes_on_device:
            return self._run_copied(x, out, factor)
        # Everything that is no sample array of the engine's own kind takes the longer way.
        if not (type(x) is np.ndarray and x.dtype in self.readable_dtypes and x.flags.aligned):
            x = self.samples(x, out, scaled=scale is not None)
        self.check_call(x.shape)
        if out is not None and type(out) is not np.ndarray:
            arrays.check_is_array(out)
        try:
            if self.half_dtype is not None:
                return self._run_half(x, out, factor, self.half_dtype)
            return self.plan(x, out, self.num_threads, factor)
        except MemoryError as error:
            raise self._no_memory(x) from error

    def _run_on_device(self, x: Any, kind: device_views.Kind, out: Any, scale: float) -> Any:
        self._check_analytic()
        view = kind.read(x, None, devices.number(self.arguments.device or ""))
        if not self.readable_dtypes:
            raise self._no_bfloat16(view)
        arrays.check_samples_on_device(
            view.dtype, view.shape, integers=self.takes_integers or scale != 0
        )
        device_calls.check_place(view, self.arguments.device)
        self.check_call(view.shape)
        shape = self._result_shape(view.shape)
        dtype = self.policy.compute_dtype
        try:
            plan = self._plan_on(view.device)
            return device_calls.run(plan, x, kind, view, out, shape, dtype, scale)
        except MemoryError as error:
            raise self._no_memory(view) from error

    def _run_copied(self, x: Any, out: Array | None, scale: float) -> Array:
        self._check_analytic()
        samples = self.samples(x, out, scaled=scale != 0)
        self.check_call(samples.shape)
        shape = self._result_shape(samples.shape)
        if out is not None:
            arrays.check_is_array(out)
            arrays.check_out(out, shape, self.result_dtype)
            arrays.check_no_overlap(out, samples)
        device = devices.number(str(self.arguments.device))
        try:
            plan = self._plan_on(device)
            result = np.empty(shape, self.result_dtype) if out is None else out
            return device_calls.run_copied(plan, samples, device, result, scale)
        except MemoryError as error:
            raise self._no_memory(samples) from error

    def _result_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the shape of the result for samples of a checked shape."""
        return self.shape_of_frames(shape, self.plan.num_frames(shape[self.samples_axis]))

    def _plan_on(self, device: int) -> _core.DevicePlan:
        """Returns the plan for a device, which is made when it is first needed, and stays."""
        plan = self._device_plans.get(device)
        if plan is None:
            devices.require(device)
            made = _core.DevicePlan(self._config(), self.plan, device)
            plan = self._device_plans.setdefault(device, made)
        return plan

    def _check_analytic(self) -> None:
        if not self.plan.is_analytic:
            raise device_calls.refuse("products with trained kernels")

    def run_keeping(self, samples: Array) -> tuple[Array, Array | None]:
        """Returns the spectrogram of converted samples, and the spectra if a pullback needs them.

        Errors are those of `run`.
        """
        self.check_call(samples.shape)
        try:
            output, spectra = self.plan.call_keeping(samples, self.num_threads)
        except MemoryError as error:
            raise self._no_memory(samples) from error
        if self.half_dtype is not None:
            output = arrays.rounded(output, self.half_dtype, None)
        return output, spectra

    def vjp(self, x: Any) -> tuple[Array, gradients.Pullback]:
        """Returns the spectrogram of `x` and its pullback, as `Layer.vjp` does."""
        if self.computes_on_device or device_views.kind_of(x) is not None:
            raise device_calls.refuse("gradients")
        view = arrays.view(x, lists=self.takes_integers)
        samples = self.samples(view)
        output, spectra = self.run_keeping(samples)
        return output, self.pullback(samples, view.dtype, output.shape, spectra)

    def pullback(
        self,
        samples: Array,
        signal_dtype: np.dtype[Any],
        shape: tuple[int, ...],
        spectra: Array | None = None,
    ) -> gradients.Pullback:
        """Returns the pullback of a call.

        Args:
            samples: the converted samples of the call.
            signal_dtype: the dtype that they had; gradients are in it, or in that of the result
                if it is not a floating point dtype.
            shape: the shape of the call's result.
            spectra: those that `run_keeping` returned; None: they are recomputed.
        """
        floating = signal_dtype.kind == "f" or signal_dtype.name == "bfloat16"
        return gradients.pullback(
            self.plan,
            self.policy,
            samples,
            signal_dtype.newbyteorder("=") if floating else self.result_dtype,
            shape,
            self.num_threads,
            spectra,
        )

    def _run_half(self, x: Array, out: Array | None, scale: float, dtype: np.dtype[Any]) -> Array:
        if out is not None:
            arrays.check_out(out, self.output_shape(x.shape), dtype)
            arrays.check_no_overlap(out, x)
        return arrays.rounded(self.plan(x, None, self.num_threads, scale), dtype, out)

    def _no_memory(self, x: Array | device_views.View) -> MemoryError:
        return MemoryError(
            f"no memory for a result of shape {self.output_shape(x.shape)} and dtype "
            f"{self.policy.compute_dtype}. Received: x of shape {x.shape} and dtype {x.dtype}"
        )

    # ---- Clips of different lengths ----------------------------------------------------------

    def to_signals(self, x: Array) -> Array:
        """Returns a view of an input as [..., channels, samples]."""
        return x[..., None, :]

    def fitted(self, row: Array) -> Array:
        """Returns the samples of a channel that are computed, in place of those of a clip."""
        return row

    def frames_of(self, num_samples: int) -> int:
        """Returns the frames of the engine's output for a clip of so many samples."""
        return self.plan.num_frames(num_samples)

    def valid_frames_of(self, num_samples: int) -> int:
        """Returns how many frames of the result hold what so many samples give."""
        return self.plan.num_frames(num_samples)

    def run_rows(
        self, rows: list[Array], shape: tuple[int, ...], frames: int, out: Any, scale: float
    ) -> Array:
        """Returns the result for the channels of clips, of one dtype and one stride.

        Args:
            rows: the channels of all clips, one after the other.
            shape: that of an input which holds all of them.
            frames: how many frames each of them gets.
            out: as in a call, and known not to share memory with the samples.
            scale: the factor of the samples; 0: they are taken as they are.
        """
        result_shape = self.shape_of_frames(shape, frames)
        if out is not None:
            arrays.check_out(out, result_shape, self.result_dtype)
        target = out if self.half_dtype is None else None
        values = self.call_engine(rows, shape, frames, target, scale)
        return values if self.half_dtype is None else arrays.rounded(values, self.half_dtype, out)

    def call_engine(
        self, rows: list[Array], shape: tuple[int, ...], frames: int, out: Any, scale: float
    ) -> Array:
        """Returns the engine's own values; arguments are those of `run_rows`."""
        leading = shape[: len(shape) - self.signal_rank]
        channels = 1 if self.channels_axis is None else shape[self.channels_axis]
        try:
            return self.plan.call_clips(
                rows, leading, frames, out, self.num_threads, scale, channels
            )
        except MemoryError as error:
            result_shape = self.shape_of_frames(shape, frames)
            raise MemoryError(
                f"no memory for a result of shape {result_shape} and dtype {self.result_dtype}"
            ) from error

    # ---- Samples -----------------------------------------------------------------------------

    def samples(self, x: Any, out: Array | None = None, *, scaled: bool = False) -> Array:
        """Returns `x` as an array that the engine can read, converted where it has to be.

        Args:
            x: the samples, as in a call of the layer.
            out: the caller's `out`, which must not share memory with `x`.
            scaled: whether the samples are multiplied by a scale, and so may be integers.

        Raises:
            TypeError: for samples of a wrong type or dtype.
            ValueError: for a list where none is taken, or memory that `x` and `out` share.
            MemoryError: if there is no room for a converted copy.
        """
        view = arrays.view(x, lists=self.takes_integers)
        if not self.readable_dtypes:
            raise self._no_bfloat16(view)
        samples = arrays.samples(
            view,
            integers=self.takes_integers or scaled,
            scaled=scaled,
            dtype=self.policy.plan_dtype,
        )
        # The engine sees only the samples that it gets. A converted copy must not let an `out`
        # pass that lies in the caller's own array.
        if out is not None and samples is not view and isinstance(out, np.ndarray):
            arrays.check_no_overlap(out, view)
        return samples

    def _no_bfloat16(self, x: Array | device_views.View) -> TypeError:
        return TypeError(
            f"Invalid input type: with dtype={self.policy.name!r} the input would be "
            "bfloat16. Expected float16, float32 or float64. "
            f"Received: x of dtype {x.dtype} and shape {x.shape}"
        )

    def checked_scale(self, scale: Any) -> float:
        """Returns the argument `scale` for the engine; see `sample_scale`."""
        return sample_scale(scale, self.policy.plan_dtype)

    # ---- Shapes ------------------------------------------------------------------------------

    @abstractmethod
    def check_shape(self, shape: Sequence[Any]) -> None:
        """Refuses the shape of an input. A dimension that is None is unknown.

        Raises:
            ValueError: for a wrong rank, or signals that are too short.
        """

    def check_call(self, shape: tuple[int, ...]) -> None:
        """As `check_shape`, and warns of a shape that is sound but hardly meant."""
        self.check_shape(shape)

    @abstractmethod
    def shape_of_frames(self, input_shape: Sequence[Any], frames: Any) -> tuple[Any, ...]:
        """Returns the shape of the result for an input of a checked shape and its frames."""

    @abstractmethod
    def frame_grid(self) -> tuple[int, int]:
        """Returns how many samples the first frame needs, and each further one."""

    @abstractmethod
    def frame_axis(self, channels: int) -> int:
        """Returns the axis of frames in a stream's output for that many channels."""

    def output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Returns the shape of the result; None where it depends on an unknown dimension.

        Raises:
            TypeError: if a dimension is neither an integer nor None.
            ValueError: for a dimension that is negative or huge, and as `check_shape`.
        """
        shape = checked_dimensions(input_shape)
        self.check_shape(shape)
        num_samples = shape[self.samples_axis]
        frames = None if num_samples is None else self.plan.num_frames(num_samples)
        return self.shape_of_frames(shape, frames)

    def symbolic_shape(self, shape: Sequence[Any]) -> tuple[Any, ...]:
        """As `output_shape`, for dimensions that are expressions: calculated with, no more."""
        self.check_shape(shape)
        first, hop = self.frame_grid()
        return self.shape_of_frames(shape, (shape[self.samples_axis] - first) // hop + 1)

    # ---- Weights -----------------------------------------------------------------------------

    def weight_values(self) -> list[Array]:
        """Returns the weights in their own dtype; not to be written to."""
        return []

    def with_weights(
        self: PipelineType, weights: Sequence[Any] | None, layer_name: str
    ) -> PipelineType:
        """Returns the pipeline with these weights instead of its own.

        Args:
            weights: an array of real numbers for each of `weight_names`, rounded to the dtype of
                the layer's weights. None: the analytic ones.
            layer_name: the name of the layer, for messages.

        Raises:
            ValueError: for another number of arrays, or another shape.
            TypeError: for values that are not real numbers.
        """
        if weights is None:
            kernels = None
        elif len(weights) != len(self.weight_names):
            raise ValueError(
                f"You called `set_weights(weights)` on layer {layer_name!r} with a weight list of "
                f"length {len(weights)}, but the layer was expecting "
                f"{len(self.weight_names)} weights."
            )
        else:
            kernels = [self._checked_weight(*pair, layer_name) for pair in enumerate(weights)]
        if not kernels and self.plan.kernels is None:
            return self
        return type(self)(self.arguments, self.policy, kernels)

    def _checked_weight(self, index: int, value: Any, layer_name: str) -> Array:
        """Returns a weight in the engine's dtype, rounded to that of the layer's weights."""
        name = f"weights[{index}]"
        shown = f"`{name}` ({self.weight_names[index]})"
        array = arrays.real_numbers(name, value, shown)
        if array.shape != self.weight_shape:
            raise ValueError(
                f"{shown} must have shape {self.weight_shape} on layer {layer_name!r}. "
                f"Received: {name} of shape {array.shape}"
            )
        with np.errstate(all="ignore"):
            rounded = array.astype(self.policy.weights_dtype)
        kernel = np.ascontiguousarray(rounded, dtype=self.policy.engine_weights_dtype)
        kernel.flags.writeable = False  # the plan would not follow a change
        return kernel


def checked_dimensions(input_shape: Sequence[int | None]) -> list[int | None]:
    """Returns a shape given by hand: None, or integers that are not negative."""
    try:
        dimensions = list(input_shape)
        if any(isinstance(d, bool | np.bool_) for d in dimensions):
            raise TypeError  # Python would take True for 1
        shape = [None if d is None else operator.index(d) for d in dimensions]
    except TypeError:
        raise TypeError(
            "`input_shape` must be a sequence of integers or None. "
            f"{checks.received('input_shape', input_shape)}"
        ) from None
    if any(d is not None and not 0 <= d <= _MAX_DIMENSION for d in shape):
        raise ValueError(
            f"`input_shape` must have dimensions between 0 and {_MAX_DIMENSION}. "
            f"{checks.received('input_shape', input_shape)}"
        )
    return shape
