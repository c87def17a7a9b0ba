# SPDX-License-Identifier: BSD-3-Clause
"""What a stream remembers, as bytes: those of another stream, and broken ones, are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import signals
from makers import same_bits, small_mel


def test_a_broken_state_is_refused() -> None:
    layer = small_mel(top_db=20)
    stream = layer.stream(2, max_db="running")
    stream.push(signals.noise(2, 200))
    state = stream._core.save()
    expected = stream.push(signals.noise(2, 200, seed=1))
    random = np.random.default_rng(9)
    fresh = layer.stream(2, max_db="running")
    for broken in [b"", state[:-1], state + b"0", state[:50], bytes(len(state))]:
        with pytest.raises(ValueError, match="bytes must|num_bytes must"):
            fresh._core.load(broken)
    for other in [
        layer.stream(1, max_db="running"),
        layer.stream(2, max_db=0.0),
        small_mel(top_db=None).stream(2),
        small_mel(top_db=20, dtype="float64").stream(2, max_db="running"),
        small_mel(top_db=20, sequence_stride=17).stream(2, max_db="running"),
    ]:
        with pytest.raises(ValueError, match="bytes must be the state of a stream like this one"):
            other._core.load(state)
    for _ in range(2000):  # whatever stands there, it is refused or it works
        hostile = bytearray(state)
        for place in random.integers(0, 130, random.integers(1, 4)):
            hostile[place] = random.integers(256)
        try:
            fresh._core.load(bytes(hostile))
        except ValueError:
            continue
        fresh.push(signals.noise(2, 100))
        fresh.flush()
    fresh._core.load(state)
    assert same_bits(fresh.push(signals.noise(2, 200, seed=1)), expected)


@pytest.mark.parametrize(
    "change",
    [{"min_power": 1e-9}, {"mag_exp": 1.0}, {"sampling_rate": 7999}, {"window": "hamming"}],
)
def test_a_state_of_other_arguments_is_refused(change: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"top_db": None, "window": "hann"}
    state = small_mel(**arguments).stream()._core.save()
    with pytest.raises(ValueError, match="fingerprint"):
        small_mel(**{**arguments, **change}).stream()._core.load(state)


def test_a_state_of_another_maximum_is_refused() -> None:
    state = small_mel().stream(max_db=10)._core.save()
    with pytest.raises(ValueError, match="fingerprint"):
        small_mel().stream(max_db=11)._core.load(state)
