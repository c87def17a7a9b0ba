# SPDX-License-Identifier: BSD-3-Clause
"""One weight of a layer, in the form that Keras gives it."""

from __future__ import annotations

from typing import Any

import numpy as np

from specfast._engine.arrays import Array


class Weight:
    """One weight: a name and values. It is a snapshot and does not follow `set_weights`.

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
        """The name of the dtype, as Keras' variables have it."""
        return str(self.value.dtype.name)

    def numpy(self) -> Array:
        """Returns a copy of the values."""
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
