# SPDX-License-Identifier: BSD-3-Clause
"""Leading axes of any strides are read in place: the same numbers as of a copy, without one."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makers import Array, same_bits, small_mel
from signals import noise

ARGUMENTS: list[dict[str, Any]] = [
    {"top_db": None},
    {"top_db": 20.0, "top_db_scope": "clip"},
    {"top_db": 20.0, "top_db_scope": "batch"},
]


@st.composite
def views(draw: st.DrawFn) -> Array:
    """Draws views of noise: axes exchanged, reversed, thinned out or repeated."""
    num_axes = draw(st.integers(1, 4))
    shape = [draw(st.integers(1, 4)) for _ in range(num_axes)]
    x = noise(*shape, 200) * np.arange(1, shape[0] + 1).reshape(-1, *[1] * num_axes)
    x = x.astype(draw(st.sampled_from(["float32", "float64", "int16"])))
    x = x.transpose(*draw(st.permutations(range(num_axes))), num_axes)
    steps = st.sampled_from([slice(None), slice(None, None, -1), slice(None, None, 2)])
    x = x[tuple(draw(steps) for _ in range(num_axes + 1))]
    for axis in range(num_axes):
        if draw(st.booleans()):
            x = np.broadcast_to(x.take([0], axis), (*x.shape[:axis], 3, *x.shape[axis + 1 :]))
    return x


@settings(max_examples=150, deadline=None)
@given(views(), st.sampled_from(ARGUMENTS))
def test_a_view_gives_the_bits_of_its_copy(x: Array, arguments: dict[str, Any]) -> None:
    layer, copy = small_mel(**arguments), np.ascontiguousarray(x)
    assert same_bits(layer(x), layer(copy))
    if x.dtype != np.int16:
        (y, back), (y_of_copy, back_of_copy) = layer.vjp(x), layer.vjp(copy)
        assert same_bits(y, y_of_copy)
        assert same_bits(back(y)[0], back_of_copy(y)[0])


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
@pytest.mark.parametrize("shape", [(300, 2, 100_000), (2, 300, 100_000)])
def test_repetitions_are_not_stored(shape: tuple[int, ...], arguments: dict[str, Any]) -> None:
    layer = small_mel(sequence_stride=1 << 16, **arguments)
    x = np.broadcast_to(np.ones((2, 1, 100_000), np.float32), (2, 300, 100_000))
    x = x if shape[0] == 2 else x.swapaxes(0, 1)
    assert x.shape == shape
    tracemalloc.start()
    try:
        layer(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
