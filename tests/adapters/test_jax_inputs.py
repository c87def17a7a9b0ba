# SPDX-License-Identifier: BSD-3-Clause
"""What JAX makes no array of, and arrays that hold no samples, are refused with the way out."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import specfast
from specfast.jax import mel_spectrogram, stft_spectrogram

UNEQUAL = "padded with zeros to one length"


@pytest.mark.parametrize("of", [mel_spectrogram, stft_spectrogram])
def test_no_samples(of: Any) -> None:
    for data in (b"abcd", bytearray(b"abcd"), memoryview(b"abcd"), np.zeros(4, "S1")):
        with pytest.raises(TypeError, match=r"numpy\.frombuffer"):
            of(data)
    clips = [np.zeros(3, np.float32), np.zeros(2, np.float32)]
    objects = np.empty(2, object)
    objects[:] = clips
    with pytest.raises(ValueError, match=UNEQUAL):
        of(clips)
    with pytest.raises(TypeError, match=UNEQUAL):
        of(objects)
    for call in (of, jax.jit(of)):
        for dtype in ("int8", "uint8"):
            with pytest.raises(TypeError, match=rf"{dtype} and shape \(2, 800, 1\); bytes are no"):
                call(jnp.zeros((2, 800, 1), dtype))


def test_dtypes_that_numpy_knows_by_a_package() -> None:
    x = jnp.sin(jnp.arange(800, dtype="bfloat16"))
    assert mel_spectrogram(x).dtype == jnp.bfloat16
    assert mel_spectrogram(np.asarray(x)).dtype == jnp.bfloat16
    for dtype in ("float8_e4m3fn", "int4"):
        with pytest.raises(TypeError, match=rf"{dtype} .*pass x\.astype\(numpy\.float32\)"):
            specfast.MelSpectrogram()(x.astype(dtype))
