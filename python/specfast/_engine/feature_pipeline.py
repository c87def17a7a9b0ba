# SPDX-License-Identifier: BSD-3-Clause
"""The pipeline of FeatureExtractor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast import _core
from specfast._engine import arrays, device_calls, filterbank, pieces
from specfast._engine.arrays import Array
from specfast._engine.build import get_num_threads
from specfast._engine.gradients import Pullback
from specfast._engine.pipeline import Pipeline, Shape, checked_dimensions
from specfast._spec import checks
from specfast._spec.feature_spec import FeatureSpec
from specfast._spec.policy import Policy

# How many dimensions NumPy's arrays can have; a result has one more than the samples.
_MAX_DIMENSIONS = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0b1" else 32

_LAYOUTS = {"bands_first": "any_rank", "frames_first": "any_rank_frames_first"}
_SCOPES = {"clip": "clip", "batch": "batch"}
# The fields of a specification that are settings of the engine, and those settings.
_SETTINGS = {
    "frame_length": "frame_length",
    "hop_length": "hop",
    "fft_length": "fft_length",
    "padding": "padding",
    "frame_span": "frame_span",
    "drop_frames": "drop_frames",
    "masked_frames": "masked_frames",
    "pad_value": "pad_value",
    "input_scale": "input_gain",
    "sampling_rate": "sampling_rate_hz",
}
_MEL_SETTINGS = {
    "energy": "energy",
    "energy_floor": "energy_floor",
    "preemphasis": "preemphasis",
    "magnitude_exponent": "mag_exp",
    "power_offset": "power_offset",
    "num_mel_bins": "num_mel_bins",
    "min_freq": "min_freq_hz",
    "max_freq": "max_freq_hz",
    "mel_scale": "mel_scale",
    "mel_triangles": "mel_triangles",
    "mel_norm": "mel_norm",
    "floor": "min_power",
    "reference": "ref_power",
    "lifter": "lifter",
    "normalization_ddof": "normalization_ddof",
    "normalization_epsilon": "normalization_epsilon",
    "pcen_gain": "pcen_gain",
    "pcen_bias": "pcen_bias",
    "pcen_power": "pcen_power",
    "pcen_epsilon": "pcen_epsilon",
    "delta_order": "delta_order",
    "delta_window": "delta_window",
}


@dataclass(frozen=True, eq=False)
class FeatureArguments:
    """What a FeatureExtractor is made of."""

    spec: FeatureSpec
    num_threads: int | None
    device: str | None = None


class FeaturePolicy(Policy):
    """The precision of a specification: computation and result may differ."""

    def __init__(self, spec: FeatureSpec) -> None:
        super().__init__(spec.dtype, spec.dtype, spec.precision)

    @property
    def plan_dtype(self) -> str:
        return self.variable_dtype


def _smoothing(spec: FeatureSpec) -> float:
    """Returns the coefficient of PCEN's smoothing over T frames, (sqrt(1 + 4 T^2) - 1) / (2 T^2).

    Its squared response has fallen to one half at the angular frequency 1 / T, as in librosa.
    """
    frames = spec.pcen_time_constant * spec.sampling_rate / spec.hop_length
    return 2 / (1 + math.hypot(1, 2 * frames))  # the same, where T is small too


class FeaturePipeline(Pipeline):
    """Turns [..., samples] into the features of a specification."""

    takes_integers = True
    clamp_name = "dynamic_range"
    maximum_name = "max_level"
    maximum_unit = "level before gain and offset"
    samples_axis = -1

    arguments: FeatureArguments

    def __init__(self, arguments: FeatureArguments) -> None:
        super().__init__(arguments, FeaturePolicy(arguments.spec))
        spec = self.spec
        self.clamps_to_maximum = spec.dynamic_range is not None
        self.join_frames = spec.join_frames
        if spec.padding == "same":
            self.step_of_same_padding = spec.hop_length

    @property
    def spec(self) -> FeatureSpec:
        """The specification."""
        return self.arguments.spec

    @property
    def shares_maximum(self) -> bool:
        return self.clamps_to_maximum and self.spec.dynamic_range_scope == "batch"

    def _half_dtype(self) -> np.dtype[Any] | None:
        return None if self.spec.dtype == self.spec.precision else np.dtype(self.spec.dtype)

    def _config(self) -> _core.Config:
        return self.config()

    def config(self) -> _core.Config:
        """Returns the engine's configuration."""
        spec = self.spec
        config = _core.Config(spec.mode)
        config.dtype = spec.precision
        for name, setting in _SETTINGS.items():
            setattr(config, setting, getattr(spec, name))
        config.window = spec.window_values()
        config.scaling = spec.window_scaling
        config.epsilon = spec.epsilon
        if spec.pad_mode is not None:
            config.pad_mode = spec.pad_mode
        config.pad_length = spec.pad_length or 0
        if spec.padding not in ("valid", "sides"):
            config.frame_span = 0
        if spec.mode == "mel":
            self._set_bands(config)
        return config

    def _set_bands(self, config: _core.Config) -> None:
        spec = self.spec
        for name, setting in _MEL_SETTINGS.items():
            setattr(config, setting, getattr(spec, name))
        config.remove_dc = int(spec.remove_dc)
        config.preemphasis_rule = spec.preemphasis_rule if spec.preemphasis else None
        config.level = spec.level
        if spec.level != "energy" and spec.floor_rule == "add":
            config.level = f"{spec.level}_of_sum"
        config.top_db_scope = None
        if spec.dynamic_range is not None:
            config.top_db_scope = _SCOPES[spec.dynamic_range_scope]
            config.top_db = spec.dynamic_range
        config.num_cepstra = spec.num_cepstra or 0
        config.dct_is_orthonormal = int(spec.dct_norm == "ortho")
        config.normalization = None
        if spec.normalization is not None:
            config.normalization = spec.normalization_epsilon_in
        config.pcen = int(spec.pcen)
        if spec.pcen:
            config.pcen_smoothing = _smoothing(spec)
        if spec.mel_matrix is not None:
            config.mel_weights = np.array(spec.mel_matrix)
        for value, setting in ((spec.gain, "row_gain"), (spec.offset, "row_offset")):
            if value != getattr(FeatureSpec, setting.removeprefix("row_")):
                setattr(config, setting, np.broadcast_to(value, (spec.num_static_rows,)))

    def _make_plan(self, kernels: list[Array] | None) -> _core.Plan:
        del kernels  # there are none
        try:
            return _core.Plan(self.config(), _LAYOUTS[self.spec.layout])
        except MemoryError as error:
            raise MemoryError(f"no memory for a plan. Received: {self.spec!r}") from error

    # ---- Results -----------------------------------------------------------------------------

    def run(self, x: Any, out: Any = None, scale: float | None = None) -> Any:
        """Returns the features of an array [..., samples]; as FeatureExtractor's call."""
        device_calls.check_in_cpu_memory(x, "the features of a FeatureSpec")
        samples, factor = self._checked(x, out, scale)
        frames = self.frames_of(samples.shape[-1])
        if not self._arranges and frames == self.plan.num_frames(samples.shape[-1]):
            return super().run(samples, out, scale)
        if out is not None:
            arrays.check_is_array(out)
            arrays.check_no_overlap(out, samples)
        clips = samples.reshape(math.prod(samples.shape[:-1]), samples.shape[-1])
        rows = [self.fitted(clip) for clip in clips]
        return self.run_rows(rows, samples.shape, frames, out, factor)

    def _run_half(self, x: Array, out: Array | None, scale: float, dtype: np.dtype[Any]) -> Array:
        shape = self._result_shape(x.shape)
        if x.ndim > 2 or 0 in shape or not pieces.frames_stand_alone(self.spec):
            return super()._run_half(x, out, scale, dtype)
        if out is not None:
            arrays.check_out(out, shape, dtype)
            arrays.check_no_overlap(out, x)
        result = np.empty(shape, dtype) if out is None else out
        threads = self.num_threads or get_num_threads()
        of_clips = result if x.ndim == 2 else result[None]
        pieces.run(self.plan, self.spec, np.atleast_2d(x), of_clips, threads, scale)
        return result

    @property
    def _arranges(self) -> bool:
        spec = self.spec
        return (
            spec.join_frames > 1
            or spec.num_samples is not None
            or spec.num_frames is not None
            or spec.frames_multiple > 1
        )

    def _checked(self, x: Any, out: Any, scale: float | None) -> tuple[Array, float]:
        factor = 0.0 if scale is None else self.checked_scale(scale)
        if not (type(x) is np.ndarray and x.dtype in self.readable_dtypes and x.flags.aligned):
            x = self.samples(x, out, scaled=scale is not None)
        self.check_call(x.shape)
        return x, factor

    def fitted(self, row: Array) -> Array:
        """Returns a clip cut or padded to `num_samples`."""
        wanted = self.spec.num_samples
        if wanted is None or len(row) == wanted:
            return row
        if len(row) > wanted:
            return row[:wanted]
        times = wanted // len(row) if self.spec.sample_padding == "repeat" and len(row) else 1
        try:
            fitted = np.zeros(wanted, dtype=row.dtype)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a clip of so many samples. Received: num_samples={wanted}"
            ) from error
        fitted[: times * len(row)] = np.tile(row, times)
        return fitted

    def run_rows(
        self, rows: list[Array], shape: tuple[int, ...], frames: int, out: Any, scale: float
    ) -> Array:
        join, leading = self.join_frames, shape[:-1]
        result_shape = self.shape_of_frames(shape, frames // join)
        if out is not None:
            arrays.check_out(out, result_shape, self.result_dtype)
        fits = frames % join == 0 and self.half_dtype is None
        target = out if fits else None
        if target is not None and join > 1:
            target = target.reshape(*leading, frames, self.spec.num_rows // join)
        values = self.call_engine(rows, shape, frames, target, scale)
        result = self._arranged(values, result_shape, None if target is not None else out, out)
        if join > 1:
            self._leave_out_rests(result, rows)
        return result

    def _leave_out_rests(self, result: Array, rows: list[Array]) -> None:
        """Pads where frames of a clip that alone are a rest became one with padded ones."""
        clips = result.reshape(len(rows), *result.shape[-2:])
        for values, row in zip(clips, rows, strict=True):
            values[self.frames_of(len(row)) // self.join_frames :] = self.spec.pad_value

    def _arranged(
        self, values: Array, shape: tuple[int, ...], copied: Array | None, out: Array | None
    ) -> Array:
        """Joins frames and rounds, where the engine's values are not the result already."""
        join = self.join_frames
        if join > 1:
            whole = values.shape[-2] // join * join
            values = values[..., :whole, :].reshape(shape)
        if self.half_dtype is not None:
            return arrays.rounded(values, self.half_dtype, copied)
        if copied is not None:
            np.copyto(copied, values)
            return copied
        return values if out is None else out

    def run_keeping(self, samples: Array) -> tuple[Array, Array | None]:
        if self._arranges:  # there is no pullback that could need spectra
            return self.run(samples), None
        return super().run_keeping(samples)

    def vjp(self, x: Any) -> tuple[Array, Pullback]:
        self._check_has_gradient()
        return super().vjp(x)

    def pullback(
        self,
        samples: Array,
        signal_dtype: np.dtype[Any],
        shape: tuple[int, ...],
        spectra: Array | None = None,
    ) -> Pullback:
        self._check_has_gradient()
        return super().pullback(samples, signal_dtype, shape, spectra)

    def _check_has_gradient(self) -> None:
        for name in self._without_gradient():
            raise ValueError(
                f"a gradient needs {name}={FeatureSpec.__dataclass_fields__[name].default!r}. "
                f"{checks.received(name, getattr(self.spec, name))}"
            )

    def _without_gradient(self) -> Iterator[str]:
        """Yields the fields through which no gradient is computed."""
        spec = self.spec
        of_clips = "num_samples", "num_frames", "frames_multiple", "join_frames"
        for name in (*of_clips, "pcen", "delta_order"):
            if getattr(spec, name) != FeatureSpec.__dataclass_fields__[name].default:
                yield name
        # A clamp that other steps follow; those that one gain and one offset make are the same
        # before and behind it.
        scales = np.unique(spec.gain).tolist(), np.unique(spec.offset).tolist()
        is_uniform = all(len(values) == 1 for values in scales) and scales[0][0] > 0
        follows = spec.num_cepstra, spec.energy, spec.normalization
        if spec.dynamic_range is not None and (any(follows) or not is_uniform):
            yield "dynamic_range"

    # ---- Frames ------------------------------------------------------------------------------

    def frames_of(self, num_samples: int) -> int:
        """Returns the frames of the engine's output for a clip of so many samples."""
        spec = self.spec
        if spec.num_frames is not None:
            return spec.num_frames
        frames = self.plan.num_frames(spec.num_samples or num_samples)
        return -(-frames // spec.frames_multiple) * spec.frames_multiple

    def valid_frames_of(self, num_samples: int) -> int:
        """Returns how many frames of the result hold the features of so many samples."""
        spec = self.spec
        counted = min(num_samples, spec.num_samples or num_samples)
        valid = max(self.plan.num_frames(counted) - spec.masked_frames, 0)
        return min(valid, self.frames_of(num_samples)) // spec.join_frames

    def output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        shape = checked_dimensions(input_shape)
        self.check_shape(shape)
        num_samples = shape[-1]
        if num_samples is None and (self.spec.num_samples or self.spec.num_frames) is None:
            return self.shape_of_frames(shape, None)
        frames = self.frames_of(num_samples or 0)
        return self.shape_of_frames(shape, frames // self.spec.join_frames)

    # ---- Shapes ------------------------------------------------------------------------------

    def check_shape(self, shape: Sequence[Any]) -> None:
        if not shape or len(shape) >= _MAX_DIMENSIONS:
            raise ValueError(
                f"`x` must have 1 to {_MAX_DIMENSIONS - 1} dimensions (..., samples). "
                f"Received: x of shape {tuple(shape)}"
            )

    def shape_of_frames(self, input_shape: Sequence[Any], frames: Any) -> tuple[Any, ...]:
        rows = self.spec.num_rows
        if self.spec.layout == "frames_first":
            return (*input_shape[:-1], frames, rows)
        return (*input_shape[:-1], rows, frames)

    def frequencies(self) -> Array:
        """Returns the frequency of each row in Hz, before frames are joined; NaN for an energy."""
        return _core.frequencies(self.config())

    def empty_bands(self) -> npt.NDArray[np.bool_]:
        """Returns which mel bands hold no bin, [num_mel_bins]; of another mode than "mel" []."""
        mel = self.spec.mode == "mel"
        return _core.empty_bands_of(self._bands()) if mel else np.empty(0, np.bool_)

    def _bands(self) -> _core.Config:
        """Returns the engine's configuration up to the level."""
        bands = self.config()
        bands.num_cepstra, bands.lifter, bands.energy, bands.delta_order = 0, 0.0, None, 0
        bands.row_gain = bands.row_offset = None
        return bands

    def warn_of_empty_bands(self) -> None:
        """Gives one EmptyBandsWarning if bands hold no bin."""
        if self.spec.mode != "mel":
            return
        bands = self._bands()
        peaks = np.empty(0) if bands.mel_weights is not None else _core.frequencies(bands)
        filterbank.warn_of_empty_rows(bands, peaks)

    def frame_grid(self) -> tuple[int, int]:
        spec = self.spec
        if self._arranges or spec.padding not in ("center", "valid"):
            raise ValueError(
                f"the number of frames of this specification is no closed form: {spec!r}"
            )
        first = spec.fft_length % 2 if spec.padding == "center" else spec.frame_span
        return first + spec.drop_frames * spec.hop_length, spec.hop_length

    def frame_axis(self, channels: int) -> int:
        before = 0 if channels == 1 else 1
        return before if self.spec.layout == "frames_first" else before + 1
