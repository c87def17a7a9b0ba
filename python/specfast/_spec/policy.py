# SPDX-License-Identifier: BSD-3-Clause
"""The `dtype` argument of a layer: names, NumPy dtypes and Keras' serialised policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from specfast._spec import checks as _checks

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_PLAIN = ("float16", "bfloat16", "float32", "float64")
_ACCEPTED = (
    "'float16', 'bfloat16', 'float32', 'float64', 'mixed_float16', 'mixed_bfloat16', a NumPy "
    "dtype of one of these, or a serialised Keras DTypePolicy"
)
_POLICY_CLASSES = ("DTypePolicy", "FloatDTypePolicy")


@dataclass(frozen=True)
class Policy:
    """A Keras dtype policy: what a layer computes and returns, and what its weights would be.

    Half precision exists at the border only: with "float16" or "bfloat16" the engine
    computes in float32 and the result is rounded once.
    """

    name: str
    compute_dtype: str
    variable_dtype: str

    @property
    def plan_dtype(self) -> str:
        """The precision in which the engine works: "float32" or "float64"."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    @property
    def weights_dtype(self) -> np.dtype[Any]:
        """The dtype of a layer's weights.

        Raises:
            ImportError: for "bfloat16" without the package ml_dtypes.
        """
        return float_dtype("dtype", self.variable_dtype)

    @property
    def engine_weights_dtype(self) -> np.dtype[Any]:
        """The dtype in which the engine takes weights: it holds those of the layer exactly."""
        return np.dtype("float64" if self.variable_dtype == "float64" else "float32")

    @property
    def machine_epsilon(self) -> float:
        """Machine epsilon of the weights' dtype, in which Keras computes the analytic ones."""
        if self.variable_dtype == "bfloat16":
            return 2.0**-7
        return float(np.finfo(self.variable_dtype).eps)

    def serialize(self) -> dict[str, Any]:
        """Returns the dictionary that Keras writes into a layer's configuration."""
        return {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": self.name},
            "registered_name": None,
        }


def policy(dtype: Any) -> Policy:
    """Returns the policy meant by a layer's `dtype` argument; None means "float32".

    Raises:
        ValueError: if `dtype` is none of the accepted forms.
    """
    name = _policy_name(dtype)
    if name in _MIXED:
        return Policy(name, _MIXED[name], "float32")
    if name in _PLAIN:
        return Policy(name, name, name)
    raise ValueError(f"`dtype` must be one of {_ACCEPTED}. {_checks.received('dtype', dtype)}")


def _policy_name(dtype: Any) -> str | None:
    if dtype is None:
        return "float32"
    if isinstance(dtype, str):
        return dtype
    if isinstance(dtype, Mapping):
        return _serialized_name(dtype)
    if isinstance(dtype, np.dtype):
        return dtype.name
    if dtype is float:  # Python's own float means Keras' default float, not 64 bits.
        return "float32"
    if isinstance(dtype, type):
        return getattr(dtype, "__name__", None)
    # A policy or dtype object of Keras or TensorFlow has a name, one of torch has only its repr.
    name = getattr(dtype, "name", None)
    return name if isinstance(name, str) else str(dtype).removeprefix("torch.")


def _serialized_name(dtype: Mapping[Any, Any]) -> str:
    class_name = dtype.get("class_name")
    config = dtype.get("config")
    name = config.get("name") if isinstance(config, Mapping) else None
    if class_name not in _POLICY_CLASSES or not isinstance(name, str):
        raise ValueError(
            "`dtype` given as a dictionary must be a serialised Keras policy such as "
            "{'class_name': 'DTypePolicy', 'config': {'name': 'float32'}}. "
            f"{_checks.received('dtype', dict(dtype))}"
        )
    return name


def float_dtype(argument: str, dtype: Any) -> np.dtype[Any]:
    """Returns the NumPy dtype of an argument that names one floating point type.

    Raises:
        ValueError: if `dtype` is not "float16", "bfloat16", "float32" or "float64".
        ImportError: for "bfloat16" without the package ml_dtypes.
    """
    name = _policy_name(dtype)
    if name not in _PLAIN:
        accepted = ", ".join(map(repr, _PLAIN))
        raise ValueError(
            f"`{argument}` must be one of {accepted}. {_checks.received(argument, dtype)}"
        )
    return bfloat16() if name == "bfloat16" else np.dtype(name)


def bfloat16() -> np.dtype[Any]:
    """Returns NumPy's dtype for bfloat16, which only the optional package ml_dtypes defines."""
    try:
        import ml_dtypes
    except ImportError as error:
        raise ImportError(
            "dtype 'bfloat16' needs the package ml_dtypes (`pip install ml_dtypes`); "
            "'float16' and 'float32' work without it"
        ) from error
    dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return dtype
