# SPDX-License-Identifier: BSD-3-Clause
"""Features from elsewhere: arrays, tensors, files of them, and what functions return."""

from __future__ import annotations

import inspect
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from specfast._doctor.clip import Clip
from specfast._doctor.errors import DoctorError
from specfast._spec import checks

# What programs call the features in a dictionary or an .npz file.
_FEATURE_KEYS = ("features", "input_features", "mel", "stft", "input_values", "audio_values")
_RATE_NAMES = ("rate", "sampling_rate", "sample_rate", "sr", "fs")


def features_of(value: Any, name: str) -> np.ndarray[Any, Any]:
    """Returns features as a real array of two dimensions; leading ones of length 1 are dropped.

    Args:
        value: an array, a tensor of a framework, nested lists, a dictionary with an entry
            "input_features", or a tuple that begins with features.
        name: what messages call it.

    Raises:
        DoctorError: if it is none of these.
    """
    if isinstance(value, Mapping) or hasattr(value, "keys"):
        value = _entry(value, name)
    if isinstance(value, tuple) and len(value) and hasattr(value[0], "shape"):
        value = value[0]  # with lengths behind it
    if hasattr(value, "detach"):  # a tensor of torch
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
    accepted = "a real array of shape (rows, frames) or (frames, rows)"
    try:
        array = checks.to_array(value)
    except Exception as error:  # a foreign object may fail in any way
        raise DoctorError(
            f"{name} must be {accepted}. {checks.received('value', value)}: "
            f"{checks.clipped(str(error))}"
        ) from error
    if not checks.holds_reals(array) or array.dtype.kind == "b":
        raise DoctorError(f"{name} must be {accepted}. {checks.received('value', value)}")
    shape = array.shape
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or array.size == 0:
        raise DoctorError(f"{name} must be {accepted}. Received: an array of shape {shape}")
    if not np.isfinite(array.astype(np.float64)).any():
        raise DoctorError(f"{name} must have finite values. Received: none in {array.size}")
    return array


def _entry(values: Any, name: str) -> Any:
    keys = [str(key) for key in values.keys()]  # noqa: SIM118 (no dictionary of Python's)
    for key in _FEATURE_KEYS:
        if key in keys:
            return values[key]
    if len(keys) == 1:
        return values[keys[0]]
    raise DoctorError(
        f"{name} must have one array, or one called {', '.join(_FEATURE_KEYS)}. "
        f"Received: {checks.short(keys)}"
    )


def load_values(path: str, name: str) -> np.ndarray[Any, Any]:
    """Returns the features of a .npy, .npz or .csv file.

    Raises:
        DoctorError: if it holds none.
        OSError: if it cannot be opened.
    """
    shown = f"`{name}` {path!r}"
    try:
        if Path(path).suffix.lower() == ".csv":
            with Path(path).open("rb") as stream:
                return features_of(np.loadtxt(stream, delimiter=",", ndmin=2), shown)
        with Path(path).open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            return features_of(loaded, shown)
    except DoctorError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise DoctorError(
            f"{shown} must be an array of numbers: {checks.clipped(str(error))}"
        ) from error


def called(
    function: Callable[..., Any], clip: Clip, rate: float, name: str
) -> np.ndarray[Any, Any]:
    """Returns what a function of the user makes of a clip.

    It is called with the samples, float32, and with the rate where it has a parameter for that.

    Raises:
        DoctorError: if it raises an error, or what it returns are no features.
    """
    samples = np.array(clip.samples, np.float32)
    arguments, keywords = _arguments(function, samples, rate)
    try:
        result = function(*arguments, **keywords)
    except (Exception, SystemExit) as error:  # of a function of the user's
        raise DoctorError(
            f"{name} failed: {type(error).__name__}: {checks.clipped(str(error))}"
        ) from error
    return features_of(result, f"what {name} returns")


def _arguments(
    function: Callable[..., Any], samples: Any, rate: float
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    number: float = int(rate) if rate == int(rate) else rate
    try:
        parameters = inspect.signature(function).parameters
    except (ValueError, TypeError):  # a function without a signature
        return (samples,), {}
    named = [name for name in _RATE_NAMES if name in parameters]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [
        name
        for name, parameter in parameters.items()
        if parameter.kind in positional and parameter.default is inspect.Parameter.empty
    ]
    if named and parameters[named[0]].kind is not inspect.Parameter.POSITIONAL_ONLY:
        return (samples,), {named[0]: number}
    return ((samples, number) if len(required) > 1 else (samples,)), {}
