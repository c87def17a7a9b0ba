# SPDX-License-Identifier: BSD-3-Clause
"""Turns what a caller passes into an array that the engine reads in place.

The engine takes native, aligned float32, float64 and int16 arrays of any strides. Layers ask for
these directly; only other objects come through here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._engine import advice as _advice
from specfast._engine import tensors as _tensors
from specfast._spec import checks as _checks

Array = npt.NDArray[Any]

DTypes = frozenset[np.dtype[Any]]
FLOAT_DTYPES: DTypes = frozenset({np.dtype(np.float32), np.dtype(np.float64)})
SAMPLE_DTYPES: DTypes = FLOAT_DTYPES | {np.dtype(np.int16)}

# Dtypes of TensorFlow whose items are no numbers.
_NO_NUMBERS = ("string", "variant", "resource")
_DEVICE_FLOATS = ("float16", "float32", "float64")
_STFT_TYPES = "float16, float32 or float64"
_MEL_TYPES = (
    "float16, bfloat16, float32, float64, bool, or integers of 16 bits or more (taken unscaled)"
)


def view(x: Any, *, lists: bool) -> Array:
    """Returns `x` as an ndarray that shares its memory wherever that is possible.

    Args:
        x: an ndarray, anything with DLPack, the buffer protocol or `__array__`, or a nested list.
        lists: whether lists and tuples are taken.

    Raises:
        TypeError: if `x` is no array of any kind, a masked array, or not in CPU memory.
        ValueError: for a list where none is taken, or one that is no rectangle of numbers.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "`x` is a masked array, and a spectrum has no way to leave samples out: pass "
            f"x.filled(value). Received: x of shape {x.shape}"
        )
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x)
    if isinstance(x, list | tuple):
        return _from_list(x, lists=lists)
    if _tensors.is_tensor(x):
        return _tensors.to_array(x)
    if has_no_numbers(x):
        raise _no_array(x, _advice.ENCODED)
    reason = "it is none of these"
    if hasattr(x, "row_splits"):
        reason = f"it is ragged; {_advice.UNEQUAL_CLIPS}: x.to_tensor() pads"
    elif hasattr(x, "__dlpack__"):
        try:
            return np.from_dlpack(x)
        except MemoryError:
            raise
        except Exception as error:
            # Some types export only a part of what they can convert: bfloat16, read-only memory.
            reason = _checks.clipped(str(error))
    try:
        array = np.asarray(x)
    except MemoryError:
        raise
    except Exception as error:
        raise _no_array(x, _checks.clipped(str(error))) from error
    if array.dtype.kind == "O" and array.ndim == 0:
        raise _no_array(x, reason)
    return array


def view_of(name: str, x: Any) -> Array:
    """Returns an argument of this name, an array of any kind but a list, as `view` does.

    Raises:
        TypeError: as `view`; for a list or a tuple too.
    """
    if isinstance(x, list | tuple):
        raise TypeError(
            f"`{name}` must be an array: pass numpy.asarray({name}). {_checks.received(name, x)}"
        )
    return view(x, lists=False)


def has_no_numbers(x: Any) -> bool:
    """Tells whether `x` is a tensor of text or the like: asked for DLPack, it ends the process."""
    return getattr(getattr(x, "dtype", None), "name", None) in _NO_NUMBERS


def _from_list(x: Any, *, lists: bool) -> Array:
    try:
        array = _checks.to_array(x)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"`x` given as a list must be a rectangle of numbers; {_advice.UNEQUAL_CLIPS}. "
            f"Received: x={_checks.short(x)}, of which NumPy says: {_checks.clipped(str(error))}"
        ) from error
    if not lists:
        raise ValueError(
            "`x` must be an array of rank 3, or a list of arrays of rank 2; Keras takes no list "
            f"of numbers here either: pass numpy.asarray(x). {_checks.received('x', x)}"
        )
    return array


def _no_array(x: Any, reason: str) -> TypeError:
    return TypeError(
        "`x` must be an array in CPU memory: a NumPy array, or anything with DLPack, the buffer "
        f"protocol or `__array__`. {_checks.received('x', x)}: {reason}"
    )


def real_numbers(name: str, value: Any, shown: str = "") -> Array:
    """Returns any array or nested list of real numbers as an ndarray.

    Args:
        name: the argument, for messages.
        value: its value.
        shown: how messages introduce it; by default its name.

    Raises:
        TypeError: if it holds anything else.
        ValueError: for a list that is no rectangle of numbers.
    """
    array = view(value, lists=True)
    if not _checks.holds_reals(array):
        raise TypeError(
            f"{shown or f'`{name}`'} must be an array of real numbers. "
            f"Received: {name} of dtype {array.dtype} and shape {array.shape}"
        )
    return array


def samples(x: Array, *, integers: bool, scaled: bool, dtype: str) -> Array:
    """Returns `x` if the engine can read it as it is, else a copy that it can.

    Args:
        x: any array.
        integers: whether bool and integers are taken (mel, or with a scale) or refused.
        scaled: whether a scale says what the integers mean.
        dtype: the engine's precision for this layer, which integers are converted to.

    Raises:
        TypeError: for a dtype that is not a sample's.
    """
    kind, name = x.dtype.kind, x.dtype.name
    if kind == "f" and name in ("float32", "float64"):
        pass
    elif name == "float16" or (integers and name == "bfloat16"):
        return _converted(x, np.dtype(np.float32))
    elif integers and name == "int16":
        pass
    elif integers and _is_number(x.dtype, scaled=scaled):
        return _converted(x, np.dtype(dtype))
    else:
        raise _no_samples(
            f"{x.dtype} and shape {x.shape}{_advice.for_dtype(x, integers=integers)}", integers
        )
    if x.dtype.isnative and x.flags.aligned:
        return x
    return _converted(x, x.dtype.newbyteorder("="))


def check_samples_on_device(dtype: str, shape: tuple[int, ...], *, integers: bool) -> None:
    """Refuses samples that a device does not read: nothing is converted there.

    Args:
        dtype: the name of their dtype.
        shape: their shape.
        integers: as for `samples`.

    Raises:
        TypeError: for another dtype than float16, float32, float64, or where integers are taken
            bfloat16 and int16.
    """
    if dtype in _DEVICE_FLOATS or (integers and dtype in ("bfloat16", "int16")):
        return
    shown = f"{dtype} and shape {shape}"
    if not integers:
        ways_out = ("int16", f"; {_advice.SCALE}"), ("bfloat16", "; pass x as float32")
        raise _no_samples(shown + dict(ways_out).get(dtype, ""), integers)
    raise TypeError(
        "Invalid input type. On a device samples must be float16, bfloat16, float32, float64 or "
        f"int16: convert them there first. Received: x of dtype {shown}"
    )


def _no_samples(received: str, integers: bool) -> TypeError:
    return TypeError(
        f"Invalid input type. Expected {_MEL_TYPES if integers else _STFT_TYPES}. "
        f"Received: x of dtype {received}"
    )


def _is_number(dtype: np.dtype[Any], *, scaled: bool) -> bool:
    """Returns whether these integers are numbers rather than the bytes of some encoding."""
    return dtype.kind == "b" or (
        dtype.kind in "iu" and (dtype.itemsize > 1 or (scaled and dtype.kind == "i"))
    )


def _converted(x: Array, dtype: np.dtype[Any]) -> Array:
    """Returns a copy of another dtype; axes of stride zero stay so and are not copied."""
    once = x[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in x.strides)]
    try:
        return np.broadcast_to(once.astype(dtype), x.shape)
    except MemoryError as error:
        raise MemoryError(
            f"no memory to convert `x` to {dtype}. "
            f"Received: x of dtype {x.dtype} and shape {x.shape}"
        ) from error


def check_is_array(out: Any) -> None:
    """Refuses an `out` that is no ndarray (a subclass such as memmap is one) or a masked one."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(
            f"`out` must be a NumPy array, not a masked one. {_checks.received('out', out)}"
        )


def check_out(out: Array, shape: tuple[int | None, ...], dtype: np.dtype[Any]) -> None:
    """Refuses an `out` into which the result cannot be written as it stands.

    Raises:
        TypeError: for another dtype, the byte order included.
        ValueError: for another shape, or an array that is not C-contiguous, aligned, writable.
    """
    if out.dtype != dtype:
        raise TypeError(f"`out` must have dtype {dtype}. Received: out of dtype {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"`out` must have shape {shape}. Received: out of shape {out.shape}")
    flags = out.flags
    if not (flags.c_contiguous and flags.aligned and flags.writeable):
        raise ValueError(
            "`out` must be C-contiguous, aligned and writable. Received: out with "
            f"c_contiguous={flags.c_contiguous}, aligned={flags.aligned}, "
            f"writeable={flags.writeable}"
        )


def check_no_overlap(out: Array, x: Array) -> None:
    """Refuses an `out` whose memory may overlap that of the samples (by the bounds of both)."""
    if np.may_share_memory(out, x):
        raise ValueError(
            "`out` must not share memory with `x`. "
            f"Received: out of shape {out.shape} inside the memory of x of shape {x.shape}"
        )


def rounded(result: Array, dtype: np.dtype[Any], out: Array | None) -> Array:
    """Returns the result in half precision: round to nearest, silently, infinity on overflow."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if out is None:
            return result.astype(dtype)
        np.copyto(out, result, casting="same_kind")
    return out
