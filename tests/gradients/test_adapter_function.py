# SPDX-License-Identifier: BSD-3-Clause
"""The function that adapters call: what it keeps, and for how long."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import specfast
from specfast._adapters import functional


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def trained() -> tuple[specfast.STFTSpectrogram, np.ndarray[Any, Any], list[Any]]:
    layer = specfast.STFTSpectrogram(mode="psd", frame_length=32)
    rng = np.random.default_rng(1)
    kernels = [k + np.float32(0.01) for k in layer.get_weights()]
    return layer, rng.standard_normal((2, 200, 1)).astype(np.float32), kernels


@pytest.mark.usefixtures("_no_collector")
def test_what_is_kept_goes_with_the_layer() -> None:
    """Not by the collector of cycles, which counts objects and not bytes."""
    layer, x, kernels = trained()
    function = functional.from_layer(layer)
    function(x, kernels, keep=True)
    assert function._kept is not None
    held = [weakref.ref(o) for o in (layer, function, function._kept.spectra)]
    assert functional.from_layer(layer) is function
    del layer, function
    assert [reference() for reference in held] == [None] * 3


def test_the_function_of_a_layer_is_that_of_its_arguments() -> None:
    layer, x, kernels = trained()
    layer.set_weights(kernels)
    function = functional.from_layer(layer)
    assert function.key == functional.key_of(layer)
    np.testing.assert_array_equal(function(x, kernels), layer(x))
    assert not np.array_equal(function(x), layer(x))  # no kernels: the analytic ones


@pytest.mark.parametrize("frozen", [False, True])
def test_spectra_are_dropped_by_the_last_pullback(frozen: bool) -> None:
    layer, x, kernels = trained()
    function = functional.from_layer(layer)
    cotangent = np.ones_like(function(x, kernels, keep=True, frozen=frozen))
    function.pull_back(x, kernels, cotangent, weights=False)
    assert (function._kept is None) == frozen
    function.pull_back(x, kernels, cotangent, signal=False)
    assert function._kept is None


@pytest.mark.usefixtures("_no_collector")
def test_registered_functions_are_found_for_as_long_as_somebody_holds_them() -> None:
    layer, _, _ = trained()
    function = functional.registered(layer)
    assert functional.from_key(function.key) is function
    key, reference = function.key, weakref.ref(function)
    del function
    assert reference() is None
    assert functional.from_key(key) is functional.from_key(key)
