# SPDX-License-Identifier: BSD-3-Clause
"""What may be compared: names, files, specifications, extractors, layers, arrays, functions."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from specfast._doctor.errors import DoctorError
from specfast._doctor.values import features_of, load_values
from specfast._spec import checks, preset_specs
from specfast._spec.feature_spec import FeatureSpec
from specfast.front_files import read_front
from specfast.layers import FeatureExtractor, MelSpectrogram, STFTSpectrogram
from specfast.layers.specs import spec_of_layer

ARRAY_SUFFIXES = (".npy", ".npz", ".csv")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True)
class Source:
    """One side of a comparison; one of `spec`, `values` and `function` is not None.

    Attributes:
        label: what reports call it.
        spec: of a known front end.
        values: features from elsewhere, as they came.
        function: a function of (samples) or (samples, rate) that returns features.
    """

    label: str
    spec: FeatureSpec | None = None
    values: np.ndarray[Any, Any] | None = None
    function: Callable[..., Any] | None = None


def source_of(value: Any, name: str) -> Source:
    """Returns one side of a comparison.

    Args:
        value: what the user gave.
        name: the argument, for messages.

    Raises:
        DoctorError: if it is no front end.
        OSError: if it is a file that cannot be opened.
        TypeError, ValueError, ImportError: as `read_front`, `spec_of_layer`.
    """
    if isinstance(value, FeatureSpec):
        return Source("a FeatureSpec", spec=value)
    if isinstance(value, FeatureExtractor):
        return Source("a FeatureExtractor", spec=value.spec)
    if isinstance(value, STFTSpectrogram | MelSpectrogram):
        return Source(f"a layer {type(value).__name__}", spec=spec_of_layer(value))
    if isinstance(value, str):
        return _of_text(value, name)
    if isinstance(value, os.PathLike):
        return _of_file(os.fspath(value), name)
    if callable(value) and not hasattr(value, "__array__"):
        return Source(f"the function {_name_of(value)}", function=value)
    values = features_of(value, f"`{name}`")
    return Source(f"an array {_shape(values)} of {values.dtype}", values=values)


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))


def _shape(values: np.ndarray[Any, Any]) -> str:
    return " x ".join(map(str, values.shape))


def _of_text(text: str, name: str) -> Source:
    if preset_specs.is_known(text):
        return Source(f"the preset {text}", spec=preset_specs.spec(text))
    if _FUNCTION.fullmatch(text) and not os.path.lexists(text):
        return Source(f"the function {text}", function=_imported(text, name))
    if preset_specs.means_file(text):
        return _of_file(text, name)
    near = preset_specs.nearest(text)
    raise DoctorError(
        f"`{name}` must be the name of a preset, a file, or module:function. "
        f"{checks.received(name, text)}" + (f". Did you mean {near!r}?" if near else "")
    )


def _of_file(path: str, name: str) -> Source:
    if Path(path).suffix.lower() in ARRAY_SUFFIXES:
        values = load_values(path, name)
        return Source(f"the array {path}, {_shape(values)} of {values.dtype}", values=values)
    return Source(f"the front end of {path}", spec=read_front(path))


def _imported(text: str, name: str) -> Callable[..., Any]:
    module_name, _, path = text.partition(":")
    try:
        value: Any = importlib.import_module(module_name)
        for part in path.split("."):
            value = getattr(value, part)
    except (Exception, SystemExit) as error:  # of a module of the user's
        raise DoctorError(
            f"`{name}` cannot be imported. {checks.received(name, text)}: "
            f"{type(error).__name__}: {checks.clipped(str(error))}"
        ) from error
    if not callable(value):
        raise DoctorError(f"`{name}` must be a function. {checks.received(text, value)}")
    return value  # type: ignore[no-any-return]
