# SPDX-License-Identifier: BSD-3-Clause
"""TensorFlow's own operations, of which the layers' computation is composed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from specfast._adapters.functional import SpectrogramFunction
from specfast._engine.arrays import Array


class _Tensor:
    """A tensor of TensorFlow that behaves like an array: its sizes are always known, as numbers
    or as scalar tensors of a graph."""

    def __init__(self, value: Any) -> None:
        self.value = tf.convert_to_tensor(value)

    @property
    def shape(self) -> tuple[Any, ...]:
        known = self.value.shape.as_list()
        if None not in known:
            return tuple(known)
        sizes = tf.shape(self.value)
        return tuple(sizes[i] if size is None else size for i, size in enumerate(known))

    @property
    def ndim(self) -> int:
        return int(self.value.shape.rank)

    def reshape(self, shape: Sequence[Any]) -> _Tensor:
        return _Tensor(tf.reshape(self.value, shape))

    def swapaxes(self, first: int, second: int) -> _Tensor:
        axes = list(range(self.ndim))
        axes[first], axes[second] = axes[second], axes[first]
        return _Tensor(tf.transpose(self.value, axes))

    def __getitem__(self, key: Any) -> _Tensor:
        return _Tensor(self.value[key])

    def __abs__(self) -> _Tensor:
        return _Tensor(abs(self.value))


def _operator(name: str) -> Callable[[_Tensor, Any], _Tensor]:
    def apply(self: _Tensor, other: Any) -> _Tensor:
        return _Tensor(getattr(self.value, name)(_plain(other)))

    return apply


for _name in ("add", "sub", "mul", "truediv", "pow", "mod"):
    setattr(_Tensor, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(_Tensor, f"__r{_name}__", _operator(f"__r{_name}__"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(_Tensor, f"__{_name}__", _operator(f"__{_name}__"))


def _plain(x: Any) -> Any:
    return x.value if isinstance(x, _Tensor) else x


class _Operations:
    """`specfast._adapters.composed.Operations` on tensors of TensorFlow."""

    def cast(self, x: _Tensor, dtype: str) -> _Tensor:
        return _Tensor(tf.cast(x.value, dtype))

    def constant(self, values: Array, like: _Tensor) -> _Tensor:
        return _Tensor(values)

    def arange(self, count: Any, like: _Tensor) -> _Tensor:
        return _Tensor(tf.range(count))

    def integer(self, number: Any, like: _Tensor) -> _Tensor:
        return _Tensor(number)

    def take(self, x: _Tensor, index: _Tensor) -> _Tensor:
        return _Tensor(tf.gather(x.value, index.value, axis=-1))

    def product(self, x: _Tensor, matrix: _Tensor) -> _Tensor:
        # Not tf.matmul, which gives wrong numbers for a stack of matrices times one on some
        # processors (TensorFlow 2.21 with oneDNN).
        return _Tensor(tf.tensordot(x.value, matrix.value, 1))

    def pad(self, x: _Tensor, before: Any, after: Any) -> _Tensor:
        return _Tensor(tf.pad(x.value, [*[(0, 0)] * (x.ndim - 1), (before, after)]))

    def where(self, condition: _Tensor, x: Any, y: Any) -> _Tensor:
        (dtype,) = {a.value.dtype for a in (x, y) if isinstance(a, _Tensor)}
        x, y = (tf.convert_to_tensor(_plain(a), dtype) for a in (x, y))
        return _Tensor(tf.where(condition.value, x, y))

    def maximum(self, x: _Tensor, y: _Tensor) -> _Tensor:
        return _Tensor(tf.maximum(x.value, y.value))

    def sqrt(self, x: _Tensor) -> _Tensor:
        return _Tensor(tf.sqrt(x.value))

    def log(self, x: _Tensor) -> _Tensor:
        return _Tensor(tf.math.log(x.value))

    def arctan2(self, y: _Tensor, x: _Tensor) -> _Tensor:
        return _Tensor(tf.atan2(y.value, x.value))

    def moveaxis(self, x: _Tensor, source: int, destination: int) -> _Tensor:
        axes = list(range(x.ndim))
        axes.insert(destination % x.ndim, axes.pop(source))
        return _Tensor(tf.transpose(x.value, axes))

    def join(self, x: _Tensor, axis: int) -> _Tensor:
        sizes = x.shape
        if isinstance(sizes[axis], int):  # exporters to ONNX get sizes behind a transpose wrong
            return _Tensor(tf.concat(tf.unstack(x.value, axis=axis), axis))
        return x.reshape((*sizes[:axis], sizes[axis] * sizes[axis + 1], *sizes[axis + 2 :]))

    def concatenate(self, tensors: Sequence[_Tensor], axis: int) -> _Tensor:
        return _Tensor(tf.concat([x.value for x in tensors], axis))

    def largest(self, x: _Tensor, axes: tuple[int, ...] | None) -> _Tensor:
        return _Tensor(tf.reduce_max(x.value, axes, keepdims=True))

    def constant_of(self, x: _Tensor) -> _Tensor:
        return _Tensor(tf.stop_gradient(x.value))


_OPERATIONS = _Operations()


def spectrogram(function: SpectrogramFunction, x: Any, kernels: Sequence[Any]) -> Any:
    """Returns the function's output on any device, by TensorFlow alone."""
    return function.composed(_OPERATIONS, _Tensor(x), [_Tensor(k) for k in kernels]).value
