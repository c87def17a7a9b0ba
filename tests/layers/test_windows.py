# SPDX-License-Identifier: BSD-3-Clause
"""The window argument: names of the engine, names of SciPy, arrays, and what is none of these."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.signal import get_window

from makers import small_mel, small_stft, stft
from signals import noise
from specfast import _core
from specfast._spec import windows as _windows

NAMES = [
    *("boxcar", "triang", "parzen", "bohman", "blackman", "nuttall", "blackmanharris"),
    *("flattop", "bartlett", "barthann", "hamming", "hann", "cosine"),
]


@pytest.mark.parametrize("name", NAMES)
def test_named_windows_are_built_in(name: str) -> None:
    assert name in _core.window_names()


KALDI_NAMES = ["povey", "sine"]


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("name", [n for n in _core.window_names() if n not in KALDI_NAMES])
def test_built_in_windows_are_those_of_scipy(name: str, periodic: bool) -> None:
    for length in [1, 2, 3, 4, 5, 8, 31, 100, 255, 2048]:
        expected = get_window(name, length, fftbins=periodic)
        values = _windows.named(name, length, periodic=periodic)
        assert values.dtype == np.float64
        np.testing.assert_allclose(
            values, expected, rtol=0, atol=4e-15, err_msg=f"{name} {length}"
        )


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("name", KALDI_NAMES)
def test_the_windows_of_kaldi(name: str, periodic: bool) -> None:
    for length in [1, 2, 3, 31, 400, 2048]:
        values = _core.window(name, length, periodic)
        intervals = max(length - (not periodic), 1)
        sine = np.sin(np.pi * np.arange(length, dtype=np.longdouble) / intervals)
        expected = sine if name == "sine" else np.abs(sine) ** np.longdouble(1.7)
        if length == 1:
            expected = np.ones(1)
        np.testing.assert_allclose(values, expected, rtol=0, atol=4e-16, err_msg=str(length))


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("name", ["tukey", "taylor", "exponential"])
def test_other_names_come_from_scipy(name: str, periodic: bool) -> None:
    assert name not in _core.window_names()
    layer = stft(window=name, frame_length=64, periodic=periodic, mode="stft")
    values = get_window(name, 64, fftbins=periodic)
    same = stft(window=values, frame_length=64, mode="stft")
    x = noise(1, 300, 1)
    assert np.array_equal(layer(x), same(x))
    assert layer.get_config()["window"] == name


@pytest.mark.parametrize("name", ["foo", "", "HANN", "periodic", "hann "])
def test_unknown_names(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a window") as caught:
        stft(window=name)
    assert f"window={name!r}" in str(caught.value)
    assert "hann" in str(caught.value)


@pytest.mark.parametrize("name", ["kaiser", "gaussian", "dpss", "chebwin", "general_cosine"])
def test_names_that_need_parameters(name: str) -> None:
    with pytest.raises(ValueError, match="must have parameters") as caught:
        stft(window=name)
    assert f"window={name!r}" in str(caught.value)
    assert "get_window" in str(caught.value)


NO_SCIPY = """
import sys
sys.modules["scipy"] = None
import specfast
from specfast import MelSpectrogram, STFTSpectrogram
STFTSpectrogram(window="blackman"), MelSpectrogram()
for name in ["taylor", "tukey"]:
    try:
        STFTSpectrogram(window=name)
    except ImportError as error:
        assert name in str(error) and "pip install scipy" in str(error) and "hann" in str(error)
    else:
        raise AssertionError(name)
for name in ["foo", "kaiser"]:
    try:
        STFTSpectrogram(window=name)
    except ValueError as error:
        assert f"window={name!r}" in str(error)
        assert name == "kaiser" or "SciPy, which has more, is not installed" in str(error)
    else:
        raise AssertionError(name)
print("fine")
"""


def test_without_scipy() -> None:
    result = subprocess.run(
        [sys.executable, "-c", NO_SCIPY], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stdout == "fine\n", result.stderr


# ---- Arrays ----------------------------------------------------------------------------------

VALUES = np.hanning(16) + 0.25


@pytest.mark.parametrize(
    "window",
    [
        VALUES,
        VALUES.astype(">f8"),
        np.repeat(VALUES, 2)[::2],
        VALUES[::-1][::-1],
        VALUES.tolist(),
        tuple(VALUES.tolist()),
        memoryview(VALUES),
        {"class_name": "__numpy__", "config": {"value": VALUES.tolist(), "dtype": "float64"}},
        {"class_name": "__tensor__", "config": {"value": VALUES.tolist(), "dtype": "float64"}},
    ],
    ids=lambda window: type(window).__name__,
)
def test_windows_as_arrays(window: Any) -> None:
    x = noise(1, 100, 1)
    expected = small_stft(window=VALUES, mode="stft")(x)
    layer = small_stft(window=window, mode="stft")
    assert np.array_equal(layer(x), expected)
    assert layer.get_config()["window"] == VALUES.tolist()
    mel = small_mel(window=window, sequence_length=16)
    assert np.array_equal(mel(x[..., 0]), small_mel(window=VALUES, sequence_length=16)(x[..., 0]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint16, bool])
def test_windows_of_other_dtypes(dtype: Any) -> None:
    window = (np.arange(16) % 3).astype(dtype)
    x = noise(1, 100, 1)
    expected = small_stft(window=window.astype(np.float64))(x)
    assert np.array_equal(small_stft(window=window)(x), expected)


@pytest.mark.parametrize(
    ("window", "error", "text"),
    [
        (np.ones(10), ValueError, "(10,)"),
        (np.ones((16, 1)), ValueError, "(16, 1)"),
        (np.ones((0,)), ValueError, "(0,)"),
        (8.0, ValueError, "()"),
        (5, ValueError, "window=5"),
        (("kaiser", 8.0), ValueError, "('kaiser', 8.0)"),
        (["kaiser", 8.0], ValueError, "['kaiser', 8.0]"),
        (b"hann", ValueError, "b'hann'"),
        (["1"] * 16, ValueError, "'1'"),
        ([[1.0], [1.0, 2.0]], ValueError, "[[1.0], [1.0, 2.0]]"),
        (np.ones(16) * 1j, TypeError, "complex128"),
        (np.full(16, None), TypeError, "object"),
        (object(), TypeError, "object"),
        (np.full(16, np.nan), ValueError, "window[0]=nan"),
        (np.r_[np.ones(15), np.inf], ValueError, "window[15]=inf"),
        ({"value": [1.0]}, ValueError, "{'value': [1.0]}"),
    ],
    ids=str,
)
def test_bad_windows(window: Any, error: type[Exception], text: str) -> None:
    for make, arguments in ((small_stft, {}), (small_mel, {"sequence_length": 16})):
        with pytest.raises(error) as caught:
            make(window=window, **arguments)
        assert "window" in str(caught.value)
        assert text in str(caught.value)


@pytest.mark.parametrize("scaling", ["density", "spectrum"])
def test_a_window_of_zeros_cannot_be_scaled(scaling: str) -> None:
    with pytest.raises(ValueError, match=f"zero everywhere with scaling='{scaling}'"):
        small_stft(window=np.zeros(16), scaling=scaling)
    with pytest.warns(UserWarning, match="`window` is zero everywhere.* of 16 zeros") as given:
        layer = small_stft(window=np.zeros(16), scaling=None, mode="psd")
    assert [warning.filename for warning in given] == [small_stft.__code__.co_filename]
    copy.deepcopy(layer)  # gives none again
    assert not layer(noise(1, 40, 1)).any()
    with pytest.raises(ValueError, match="zero everywhere"):
        stft(window="bartlett", frame_length=2)


def test_a_mel_window_of_zeros_gives_the_floor() -> None:
    with pytest.warns(UserWarning, match="`window` is zero everywhere"):
        layer = small_mel(window=np.zeros(64))
    assert np.allclose(layer(noise(100)), -100.0)
