# SPDX-License-Identifier: BSD-3-Clause
"""The weights of a layer, under the names and in the forms that Keras gives them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from specfast import _core
from specfast._engine import arrays as _arrays
from specfast._engine.arrays import Array
from specfast._spec import checks as _checks
from specfast._spec import policy as _policy


class Weight:
    """One weight: a name and values. A snapshot: it does not follow a later `set_weights`.

    Attributes:
        name: "real_kernel" or "imag_kernel".
        value: the values, a read-only array.
    """

    def __init__(self, name: str, value: Array) -> None:
        value = value.view()
        value.flags.writeable = False
        self.name = name
        self.value = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> str:
        """Name of the dtype, as Keras' variables have it."""
        return str(self.value.dtype.name)

    def numpy(self) -> Array:
        """A copy of the values."""
        return self.value.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if dtype is not None and np.dtype(dtype) != self.value.dtype:
            if copy is False:
                raise ValueError(
                    f"a {self.dtype} weight becomes {np.dtype(dtype)} by a copy only. "
                    "Received: copy=False"
                )
            return self.value.astype(dtype)
        return self.value.copy() if copy else self.value

    def __repr__(self) -> str:
        return f"<Weight name={self.name} shape={self.shape} dtype={self.dtype}>"


class HasWeights(ABC):
    """What a layer offers of Keras' weights. This base is a layer without any."""

    name: str
    _plan: _core.Plan
    _policy: _policy.Policy
    _trainable: bool

    _weight_names: tuple[str, ...] = ()

    def _weight_values(self) -> list[Array]:
        """The values, in the dtype of the variables; not to be written to."""
        return []

    def _weight_shape(self) -> tuple[int, ...]:
        """Of each weight; a layer without weights is not asked."""
        return ()

    @abstractmethod
    def _make_plan(self, kernels: list[Array] | None = None) -> _core.Plan: ...

    @property
    def weights(self) -> list[Weight]:
        """The weights in Keras' order, as they are now.

        STFTSpectrogram has `real_kernel` and `imag_kernel` of shape (frame_length, 1, bins), in
        the modes "real" and "imag" only the one of that name: the scaled window times cos and
        -sin of 2 pi n k / N, until `set_weights` changes them. MelSpectrogram has none.
        """
        values = self._weight_values()
        return [Weight(name, v) for name, v in zip(self._weight_names, values, strict=True)]

    @property
    def trainable_weights(self) -> list[Weight]:
        """`weights` if the layer is trainable, else none."""
        return self.weights if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """`weights` if the layer is not trainable, else none."""
        return [] if self._trainable else self.weights

    def get_weights(self) -> list[Array]:
        """The values of `weights`: copies, in the dtype of the layer's variables (`dtype`)."""
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
            given = list(weights)
        except TypeError:
            raise TypeError(
                f"`weights` must be a list of arrays. {_checks.received('weights', weights)}"
            ) from None
        if len(given) != len(self._weight_names):
            raise ValueError(
                f"You called `set_weights(weights)` on layer {self.name!r} with a weight list of "
                f"length {len(given)}, but the layer was expecting "
                f"{len(self._weight_names)} weights."
            )
        if given:
            self._plan = self._make_plan([self._checked(*pair) for pair in enumerate(given)])

    def _checked(self, index: int, value: Any) -> Array:
        """An array of the right shape, rounded to the variables' dtype, as the engine takes it."""
        name = f"weights[{index}]"
        array = _arrays.view(value, lists=True)
        if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
            raise TypeError(
                f"`{name}` ({self._weight_names[index]}) must be an array of real numbers. "
                f"Received: {name} of dtype {array.dtype} and shape {array.shape}"
            )
        shape = self._weight_shape()
        if array.shape != shape:
            raise ValueError(
                f"`{name}` ({self._weight_names[index]}) must have shape {shape} on layer "
                f"{self.name!r}. Received: {name} of shape {array.shape}"
            )
        with np.errstate(all="ignore"):
            rounded = array.astype(variable_dtype(self._policy))
        kept = np.ascontiguousarray(rounded, dtype=engine_dtype(self._policy))
        kept.flags.writeable = False  # the plan would not follow a change
        return kept

    @property
    def is_analytic(self) -> bool:
        """Whether calls run by FFT.

        False once the weights differ from the analytic ones by more than Keras' own rounding:
        eps * (max |window| + |window[n]| * (8 + 2 angle)), where eps is the machine epsilon of
        `dtype`, angle = 2 pi n k / N, and the window is scaled. In half precision it is eps * max
        |window|: Keras' rounding of the angle leaves little of the kernels there. (With dtype
        "float64", Keras on JAX and NumPy is only as exact as float32, and so its kernels count as
        trained.) Always True for MelSpectrogram.
        """
        return self._plan.is_analytic


def variable_dtype(policy: _policy.Policy) -> np.dtype[Any]:
    """The dtype of a layer's weights."""
    return _policy.float_dtype("dtype", policy.variable_dtype)


def engine_dtype(policy: _policy.Policy) -> np.dtype[Any]:
    """The dtype in which the engine takes weights: it holds those of the variables exactly."""
    return np.dtype("float64" if policy.variable_dtype == "float64" else "float32")


def machine_epsilon(policy: _policy.Policy) -> float:
    """Of the type in which the weights are kept, and in which Keras computes the analytic ones."""
    if policy.variable_dtype == "bfloat16":
        return 2.0**-7
    return float(np.finfo(policy.variable_dtype).eps)
