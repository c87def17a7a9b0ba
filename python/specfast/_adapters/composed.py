# SPDX-License-Identifier: BSD-3-Clause
"""What the layers compute, composed of a framework's own operations.

The result equals the engine's up to rounding, and so do all derivatives, with the conventions of
the engine where there is none (see docs/training.md). It is slower, and knows no limits but those
of the framework: derivatives of any order and direction are taken of it, and it is what exported
programs hold. One text serves every framework, by way of `Operations`.

Nothing but products, sums and elementary functions of real numbers is used: other runtimes have
those on all devices, and transforms of complex numbers on few.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from specfast._engine import filterbank
from specfast._engine.arrays import Array
from specfast._engine.mel_pipeline import MelPipeline
from specfast._engine.pipeline import Pipeline
from specfast._engine.stft_pipeline import StftPipeline

# The engine's own bounds below which quotients are not taken.
_ENERGY_FACTOR = 16

# The values of a table; 256 MiB in float32.
_MAX_TABLE = 1 << 26


class Operations(Protocol):
    """What a framework must offer besides arithmetic, comparison, `abs`, `reshape` and `swapaxes`
    of its arrays, here called tensors."""

    def cast(self, x: Any, dtype: str) -> Any:
        """Returns a tensor of this dtype."""

    def constant(self, values: Array, like: Any) -> Any:
        """Returns values as a tensor on the device of another."""

    def arange(self, count: Any, like: Any) -> Any:
        """Returns the integers from 0 to count - 1 on the device of another tensor."""

    def integer(self, number: Any, like: Any) -> Any:
        """Returns a number, which may be an expression of unknown sizes, as a tensor."""

    def take(self, x: Any, index: Any) -> Any:
        """Returns the elements of the last axis at these places, a tensor of two axes."""

    def product(self, x: Any, matrix: Any) -> Any:
        """Returns the product of the last axis of `x`, which has more than two, with a matrix."""

    def pad(self, x: Any, before: Any, after: Any) -> Any:
        """Returns `x` with zeros before and after its last axis."""

    def where(self, condition: Any, x: Any, y: Any) -> Any: ...

    def maximum(self, x: Any, y: Any) -> Any: ...

    def sqrt(self, x: Any) -> Any: ...

    def log(self, x: Any) -> Any: ...

    def arctan2(self, y: Any, x: Any) -> Any: ...

    def moveaxis(self, x: Any, source: int, destination: int) -> Any: ...

    def join(self, x: Any, axis: int) -> Any:
        """Returns a tensor with an axis and the next one as one."""

    def concatenate(self, tensors: Sequence[Any], axis: int) -> Any: ...

    def largest(self, x: Any, axes: tuple[int, ...] | None) -> Any:
        """Returns the maximum along axes, which are kept; equal ones share its gradient."""

    def constant_of(self, x: Any) -> Any:
        """Returns a tensor with the values of `x`, which derivatives take for a constant."""


class Composed(ABC):
    """A pipeline's computation as a function of tensors.

    Call it with the operations, samples and kernels, if any: the kernels then take the place of
    the transform. Shapes and dtypes are those of the layer. The caller checks what it passes.
    """

    frame_length: int
    window: Array | None

    def __init__(self, pipeline: Pipeline) -> None:
        self.dtype = pipeline.policy.plan_dtype
        self._kernel_dtype = pipeline.policy.variable_dtype
        self._result_dtype = pipeline.policy.compute_dtype
        self._first, self._hop = pipeline.frame_grid()
        self._tiny = float(np.finfo(self.dtype).tiny)
        self._transform: _Transform | None = None

    def __call__(self, ops: Operations, x: Any, kernels: Sequence[Any] = ()) -> Any:
        return ops.cast(self._compute(ops, ops.cast(x, self.dtype), kernels), self._result_dtype)

    @property
    @abstractmethod
    def num_points(self) -> int:
        """The length of the transform."""

    @abstractmethod
    def _compute(self, ops: Operations, x: Any, kernels: Sequence[Any]) -> Any: ...

    def _num_frames(self, num_samples: Any) -> Any:
        return (num_samples - self._first) // self._hop + 1

    def _spectrum(self, ops: Operations, frames: Any, kernels: Sequence[Any]) -> list[Any]:
        """Returns real and imaginary parts, or the product with each kernel."""
        if kernels:
            rounded = (ops.cast(ops.cast(k, self._kernel_dtype), self.dtype) for k in kernels)
            return [ops.product(frames, kernel[:, 0, :]) for kernel in rounded]
        if self._transform is None:
            self._transform = _Transform(self.num_points, self.dtype)
        if self.window is not None:
            frames = frames * ops.constant(self.window.astype(self.dtype), frames)
        return list(self._transform(ops, _folded(ops, frames, self.frame_length, self.num_points)))

    def _polar(self, ops: Operations, re: Any, im: Any, flat: Any) -> tuple[Any, Any, Any, Any]:
        """Returns a scale, both parts divided by it, and the sum of their squares, 1 to 2.

        The scale is a constant for derivatives, which do not depend on it: squares and quotients
        of small numbers stay in range. Where `flat`, a constant 1 stands in for the bin.
        """
        scale = ops.constant_of(ops.where(flat, 1.0, ops.maximum(abs(re), abs(im))))
        re, im = ops.where(flat, 1.0, re) / scale, ops.where(flat, 0.0, im) / scale
        return scale, re, im, re * re + im * im


class _ComposedStft(Composed):
    def __init__(self, pipeline: StftPipeline) -> None:
        super().__init__(pipeline)
        self._arguments = arguments = pipeline.arguments
        self.frame_length = arguments.frame_length
        self.window = _scaled(arguments.window_values, arguments.scaling)
        self._channels_last = arguments.data_format == "channels_last"

    @property
    def num_points(self) -> int:
        return self._arguments.num_points // 2 * 2

    def _compute(self, ops: Operations, x: Any, kernels: Sequence[Any]) -> Any:
        if self._channels_last:
            x = ops.moveaxis(x, -1, 1)
        num_frames = self._num_frames(x.shape[-1])
        if self._arguments.padding == "same":
            total = (num_frames - 1) * self._hop + self.frame_length - x.shape[-1]
            x = ops.pad(x, total // 2, total - total // 2)
        frames = _frames(ops, x, _starts(ops, x, num_frames, self._hop), self.frame_length)
        rows = self._rows(ops, self._spectrum(ops, frames, kernels))
        if self._arguments.expand_dims:
            return ops.moveaxis(rows, 1, -1) if self._channels_last else rows
        # [batch, channels, frames, bins]: the channels join the bins.
        joined = ops.join(rows.swapaxes(1, 2), 2)
        return joined if self._channels_last else joined.swapaxes(1, 2)

    def _rows(self, ops: Operations, spectrum: Sequence[Any]) -> Any:
        mode = self._arguments.mode
        if mode in ("real", "imag"):
            return spectrum[0 if len(spectrum) == 1 or mode == "real" else 1]
        re, im = spectrum
        if mode == "stft":
            return ops.concatenate([re, im], -1)
        power = re * re + im * im
        if mode == "psd":
            factors = np.full(self.num_points // 2 + 1, 2, self.dtype)
            factors[[0, -1]] = 1
            return power * ops.constant(factors, power)
        if mode == "angle":
            flat = power <= self._tiny
            re, im = re + 0.0, im + 0.0  # makes zeros of -0, whose angle is 0
            constant = ops.arctan2(ops.constant_of(im), ops.constant_of(re))
            _, re, im, _ = self._polar(ops, re, im, flat)
            return ops.where(flat, constant, ops.arctan2(im, re))
        return self._floored(ops, re, im, power)

    def _floored(self, ops: Operations, re: Any, im: Any, power: Any) -> Any:
        """Returns the rows of the modes with a floor."""
        epsilon = float(self._arguments.epsilon)
        is_log = self._arguments.mode == "log"
        floor = max(epsilon, epsilon * epsilon) if is_log else epsilon
        flat = power <= max(floor, self._tiny)
        raised = ops.constant_of(ops.where(power <= floor, floor, power))
        scale, _, _, squares = self._polar(ops, re, im, flat)
        if is_log:
            return ops.where(flat, ops.log(raised) / 2, ops.log(scale) + ops.log(squares) / 2)
        return ops.where(flat, ops.sqrt(raised), scale * ops.sqrt(squares))


class _ComposedMel(Composed):
    def __init__(self, pipeline: MelPipeline) -> None:
        super().__init__(pipeline)
        self._arguments = arguments = pipeline.arguments
        self.window = arguments.window_values
        self.frame_length = arguments.fft_length if self.window is None else len(self.window)
        # The window stands in the middle of the frame; where the frame begins, powers do not tell.
        self._start = (self.num_points - self.frame_length) // 2 - self.num_points // 2
        self._matrix = filterbank.weight_matrix(
            arguments.num_mel_bins,
            self.num_points // 2 + 1,
            arguments.sampling_rate,
            arguments.min_freq,
            arguments.max_freq,
        ).astype(self.dtype)
        self._top_db = float(arguments.top_db or 0) if pipeline.clamps_to_maximum else None

    @property
    def num_points(self) -> int:
        return int(self._arguments.fft_length)

    def _compute(self, ops: Operations, x: Any, kernels: Sequence[Any]) -> Any:
        num_samples = x.shape[-1]
        starts = _starts(ops, x, self._num_frames(num_samples), self._hop) + self._start
        frames = _frames(ops, x, starts, self.frame_length, reflected=True)
        re, im = self._spectrum(ops, frames, kernels)
        powers = self._powers(ops, re, im)
        energies = ops.product(powers, ops.constant(self._matrix, powers)).swapaxes(-1, -2)
        return self._levels(ops, energies) if self._arguments.power_to_db else energies

    def _powers(self, ops: Operations, re: Any, im: Any) -> Any:
        exponent = float(self._arguments.mag_exp)
        power = re * re + im * im
        if exponent == 2:
            return power
        flat = power <= self._tiny
        scale, _, _, squares = self._polar(ops, re, im, flat)
        if exponent == 1:
            return ops.where(flat, ops.sqrt(ops.constant_of(power)), scale * ops.sqrt(squares))
        constant = ops.constant_of(power) ** (exponent / 2)
        return ops.where(flat, constant, scale**exponent * squares ** (exponent / 2))

    def _levels(self, ops: Operations, energies: Any) -> Any:
        arguments = self._arguments
        min_power = float(arguments.min_power)
        reference = 10 * math.log10(max(abs(arguments.ref_power), min_power))
        flat = energies <= max(min_power, _ENERGY_FACTOR * self._tiny)
        raised = ops.constant_of(ops.where(energies <= min_power, min_power, energies))
        logarithm = ops.where(flat, ops.log(raised), ops.log(ops.where(flat, 1.0, energies)))
        levels = logarithm * (10 / math.log(10)) - reference
        if self._top_db is None or any(_is_number(n) and n == 0 for n in levels.shape):
            return levels
        axes = (-2, -1) if arguments.top_db_scope == "clip" else None
        floor = ops.largest(levels, axes) - self._top_db
        return ops.where(levels > floor, levels, floor)


def composed(pipeline: Pipeline) -> Composed:
    """Returns a pipeline's computation; its weights are left out."""
    if isinstance(pipeline, StftPipeline):
        return _ComposedStft(pipeline)
    if isinstance(pipeline, MelPipeline):
        return _ComposedMel(pipeline)
    raise NotImplementedError(
        "a FeatureExtractor is computed by the engine on the CPU only: exports, forward and "
        "second derivatives and portable=True need STFTSpectrogram or MelSpectrogram. To export a "
        "model, compute its features before it. "
        f"Received: {getattr(pipeline, 'spec', pipeline)!r}"
    )


def _is_number(dimension: Any) -> bool:
    """Tells a size that is known from one that stands for many: nothing is compared with those."""
    return type(dimension) is int


def _scaled(window: Array | None, scaling: str | None) -> Array | None:
    if window is None or scaling is None:
        return window
    if scaling == "density":
        return np.asarray(window / np.sqrt(np.sum(window**2)))
    return np.asarray(window / np.sum(np.abs(window)))


def _starts(ops: Operations, x: Any, num_frames: Any, hop: int) -> Any:
    return ops.arange(num_frames, x).reshape((-1, 1)) * hop


def _frames(
    ops: Operations, x: Any, starts: Any, frame_length: int, *, reflected: bool = False
) -> Any:
    """Returns the frames that begin at `starts`, [..., frames, frame_length]."""
    index = starts + ops.arange(frame_length, x)
    if reflected:
        last = x.shape[-1] - 1
        # A signal of one sample is constant. A length that is not known is taken to be longer.
        period = ops.integer(1 if _is_number(last) and last == 0 else 2 * last, x)
        index = abs(index) % period  # by parity: exporters to ONNX take the rest of -1 for -1
        index = ops.where(2 * index > period, period - index, index)
    return ops.take(x, index)


def _folded(ops: Operations, frames: Any, length: int, num_points: int) -> Any:
    """Returns frames of `length` samples as `num_points`: followed by zeros, or wrapped once."""
    if length <= num_points:
        return frames if length == num_points else ops.pad(frames, 0, num_points - length)
    rest = frames[..., num_points:]
    return frames[..., :num_points] + ops.pad(rest, 0, 2 * num_points - length)


class _Transform:
    """The discrete Fourier transform of real frames, as two products with small matrices.

    With N = rows * columns, sample columns * a + b and bin k + rows * l, a transform of length
    `rows` over a is followed by a turn and one of length `columns` over b.
    """

    def __init__(self, num_points: int, dtype: str) -> None:
        rows = max(n for n in range(1, math.isqrt(num_points) + 1) if num_points % n == 0)
        columns = num_points // rows
        self._shape = (rows, columns)
        self.num_bins = num_points // 2 + 1
        blocks = (self.num_bins - 1) // rows + 1
        if columns * blocks > _MAX_TABLE:
            raise NotImplementedError(
                "a transform without an engine needs tables as large as its longest prime factor "
                f"squared. Received: a transform of {num_points} points, choose one that has "
                "smaller factors, as powers of two have"
            )
        a, k, b, block = (np.arange(n) for n in (rows, rows, columns, blocks))
        self._first = _turns(np.outer(a, k), rows, dtype)
        self._between = _turns(np.outer(b, k), num_points, dtype)
        self._last = _turns(np.outer(b, block), columns, dtype)

    def __call__(self, ops: Operations, frames: Any) -> tuple[Any, Any]:
        """Returns real and imaginary parts [..., bins] of frames [..., samples]."""
        *leading, _ = frames.shape
        x = frames.reshape((*leading, *self._shape)).swapaxes(-1, -2)
        re, im = (ops.product(x, ops.constant(table, x)) for table in self._first)
        cosine, sine = (ops.constant(table, x) for table in self._between)
        re, im = re * cosine - im * sine, re * sine + im * cosine
        re, im = re.swapaxes(-1, -2), im.swapaxes(-1, -2)
        cosine, sine = (ops.constant(table, x) for table in self._last)
        re, im = (
            ops.product(re, cosine) - ops.product(im, sine),
            ops.product(re, sine) + ops.product(im, cosine),
        )
        size = self._shape[0] * cosine.shape[1]

        def in_order(part: Any) -> Any:
            return part.swapaxes(-1, -2).reshape((*leading, size))[..., : self.num_bins]

        return in_order(re), in_order(im)


def _turns(products: Array, length: int, dtype: str) -> tuple[Array, Array]:
    """Returns cosine and sine of -2 pi products / length."""
    angles = -2 * np.pi * (products % length) / length
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)
