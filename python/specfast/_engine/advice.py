# SPDX-License-Identifier: BSD-3-Clause
"""What a message says to do with an array that holds no samples: the way out, if there is one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

BYTES = (
    "bytes are no samples: for 16-bit PCM pass numpy.frombuffer(x, '<i2'), for unsigned 8-bit PCM "
    "(x.astype('float32') - 128) / 128, for signed 8-bit PCM scale=1 / 128, for numbers that are "
    "meant as they are x.astype('int16')"
)
ENCODED = (
    "text and encoded files are no samples: decode them first, by tf.io.decode_raw(x, tf.int16) "
    "or specfast.audio.read_audio(io.BytesIO(x.numpy()))"
)
UNEQUAL_CLIPS = (
    "specfast's own layers take clips of different lengths as a list of arrays; elsewhere they "
    "are padded with zeros to one length"
)
SCALE = "say how integers are scaled: scale=1 / 32768 for int16 PCM in [-1, 1)"
_LOOKED_AT = 100


def for_dtype(x: npt.NDArray[Any], *, integers: bool) -> str:
    """Returns the way out for an array that is refused for its dtype, after "; ", or nothing.

    Args:
        x: the array.
        integers: whether integers are taken where it goes, or with a scale alone.
    """
    way_out = _for_dtype(x, integers=integers)
    return f"; {way_out}" if way_out else ""


def _for_dtype(x: npt.NDArray[Any], *, integers: bool) -> str:
    dtype = x.dtype
    if dtype.kind == "c":
        return "pass x.real or x.imag"
    if dtype.names:
        return "pass its fields as channels: numpy.stack([x[name] for name in x.dtype.names])"
    # Dtypes of the package ml_dtypes are of kind V and not void.
    if dtype.name in ("longdouble", "float128", "float96") or (
        dtype.kind == "V" and dtype.type is not np.void
    ):
        return "pass x.astype(numpy.float32) or x.astype(numpy.float64)"
    if dtype.kind in "SV" or (dtype.kind in "iu" and dtype.itemsize == 1):
        return BYTES
    if dtype.kind == "O":
        return _for_objects(x)
    if dtype.kind in "iub" and not integers:
        return SCALE
    return ""


def _for_objects(x: npt.NDArray[Any]) -> str:
    items = list(itertools.islice(x.flat, _LOOKED_AT))
    if any(isinstance(item, bytes | bytearray | memoryview) for item in items):
        return BYTES
    if any(hasattr(item, "__len__") for item in items):
        return UNEQUAL_CLIPS
    names = ", ".join(sorted({type(item).__name__ for item in items})) or "none at all"
    return f"its items are objects of Python ({names}): pass x.astype(numpy.float64)"
