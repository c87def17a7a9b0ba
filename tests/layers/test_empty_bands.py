# SPDX-License-Identifier: BSD-3-Clause
"""Mel bands that hold no bin give one warning, which names them and the cause."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specfast import EmptyBandsWarning, MelSpectrogram, linear_to_mel_weight_matrix

# Arguments that make empty bands: how many, and what the warning says of them.
EMPTY: list[tuple[dict[str, Any], int, str]] = [
    (
        {"max_freq": 100000},
        62,
        r"bands 66 to 127, above half of the sampling rate, 8000 Hz: .*max_",
    ),
    ({"fft_length": 256, "num_mel_bins": 256}, 74, "bands 0 to 3, 6 to 12, .*62.5 Hz: .*num_mel"),
    ({"fft_length": 512}, 1, r"band 3, narrower than the distance of two bins, 31.25 Hz: .*fft_l"),
    ({"sampling_rate": 384000}, 10, "bands 0 to 2, .* 19, narrower"),
    ({"fft_length": 128, "max_freq": 9000}, 39, "narrower than .*; bands 124 to 127, above half"),
]
FULL: list[dict[str, Any]] = [
    {},
    {"fft_length": 400, "num_mel_bins": 80},
    {"fft_length": 512, "num_mel_bins": 80},
    {"fft_length": 1024, "num_mel_bins": 80, "sampling_rate": 22050, "max_freq": 8000},
]


def warnings_of(make: Any) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
    return caught


@pytest.mark.parametrize(("arguments", "count", "message"), EMPTY)
def test_one_warning_names_bands_and_cause(
    arguments: dict[str, Any], count: int, message: str
) -> None:
    with pytest.warns(EmptyBandsWarning, match=message) as caught:
        layer = MelSpectrogram(top_db=None, **arguments)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert str(caught[0].message).startswith(f"{count} of ")
    levels = layer(np.random.default_rng(0).standard_normal(20000))
    assert (np.ptp(levels, axis=1) == 0).sum() == count


@pytest.mark.parametrize("arguments", FULL, ids=str)
def test_usual_settings_give_none(arguments: dict[str, Any]) -> None:
    assert not warnings_of(lambda: MelSpectrogram(**arguments))


def test_copies_and_uses_do_not_repeat_it() -> None:
    with pytest.warns(EmptyBandsWarning):
        layer = MelSpectrogram(fft_length=512, top_db=None)
    x = np.zeros(2000, np.float32)
    uses = [
        lambda: layer(x),
        lambda: layer.stream().push(x),
        lambda: pickle.loads(pickle.dumps(layer)),
        lambda: copy.deepcopy(layer),
        lambda: layer.vjp(x),
        lambda: repr(layer),
    ]
    for use in uses:
        assert not warnings_of(use)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 200),
    st.integers(1, 300),
    st.floats(100, 48000),
    st.floats(0, 0.9),
    st.floats(0.01, 3),
)
def test_the_warning_counts_the_columns_of_zeros(
    bands: int, bins: int, rate: float, low: float, width: float
) -> None:
    """The matrix itself tells which bands are empty."""
    low_hz, high_hz = low * rate / 2, (low + width) * rate / 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        matrix = linear_to_mel_weight_matrix(bands, bins, rate, low_hz, high_hz, "float64")
    count = int((matrix == 0).all(axis=0).sum())
    assert len(caught) == (count > 0)
    if count:
        text = str(caught[0].message)
        assert text.startswith(f"{count} of {bands} mel bands")
        assert "lower_edge_hertz" in text or "upper_edge_hertz" in text
