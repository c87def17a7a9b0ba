# SPDX-License-Identifier: BSD-3-Clause
"""The compiled module's own checks, which the layers' checks hide."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from specfast import _core


def fields(config: _core.Config) -> list[str]:
    return [name for name in dir(config) if not name.startswith("_")]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("log", {"frame_length": 256, "hop": 128, "padding": "valid", "scaling": "density"}),
        ("mel", {"padding": "center", "scaling": None, "top_db_scope": "batch", "top_db": 80.0}),
    ],
)
def test_a_configuration_begins_with_the_defaults_of_its_layer(
    mode: str, expected: dict[str, Any]
) -> None:
    config = _core.Config(mode)
    assert {name: getattr(config, name) for name in expected} == expected
    assert (config.mode, config.dtype, config.window) == (mode, "float32", None)


def test_every_field_takes_back_its_own_value() -> None:
    config = _core.Config("mel")
    for name in set(fields(config)) - {"mode"}:
        value = getattr(config, name)
        other = not value if isinstance(value, bool) else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            other = value + 1
        setattr(config, name, other)
        assert getattr(config, name) == other, name
    assert len(fields(config)) == 52


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("dtype", "float16", ValueError, "dtype must be one of 'float32', 'float64'"),
        ("dtype", None, ValueError, "received dtype=None"),
        (
            "padding",
            "full",
            ValueError,
            "'end', 'hops', received padding='full'",
        ),
        ("scaling", "power", ValueError, "None, 'density', 'spectrum'"),
        ("top_db_scope", "all", ValueError, "None, 'batch', 'clip'"),
        ("hop", 1.5, TypeError, "incompatible"),
        ("hop", "1", TypeError, "incompatible"),
        ("mode", "log", AttributeError, "set"),
    ],
)
def test_a_field_refuses_what_it_cannot_hold(
    field: str, value: Any, error: type[Exception], message: str
) -> None:
    config = _core.Config("mel")
    with pytest.raises(error, match=message):
        setattr(config, field, value)


def test_unknown_modes_and_layouts_are_named() -> None:
    with pytest.raises(ValueError, match=r"'psd', 'mel', received mode='power'"):
        _core.Config("power")
    with pytest.raises(ValueError, match=r"layout must be one of .*, received layout='flat'"):
        _core.Plan(_core.Config("log"), "flat")


def test_clips_are_as_many_as_the_result_has() -> None:
    """A result with room for more would show what its memory held."""
    plan = _core.Plan(_core.Config("log"), "flat_channels_last")
    clip = np.zeros(512, np.float32)
    assert plan.call_clips([clip] * 6, (3,), 2, num_channels=2).shape == (3, 2, 2 * 129)
    assert plan.call_clips([], (3,), 2, num_channels=0).shape == (3, 2, 0)
    for count, leading, channels in ((5, (3,), 2), (7, (3,), 2), (0, (3,), 1), (1, (0,), 1)):
        with pytest.raises(ValueError, match=rf"clips must be as many .*, received {count}"):
            plan.call_clips([clip] * count, leading, 2, num_channels=channels)


def test_clips_are_alike() -> None:
    plan = _core.Plan(_core.Config("log"), "flat_channels_last")
    clip = np.zeros(512, np.float32)
    with pytest.raises(ValueError, match=r"1 axis, received a clip of shape \(2, 512\)"):
        plan.call_clips([clip, np.zeros((2, 512), np.float32)], (2,), 2, num_channels=1)
    for other, received in ((clip.astype(np.float64), "float64"), (clip[::2], "stride 8 bytes")):
        with pytest.raises(
            ValueError, match=f"one dtype and one stride, received one .*{received}"
        ):
            plan.call_clips([clip, other], (2,), 2, num_channels=1)


@pytest.mark.parametrize(("field", "value"), [("delta_order", 2), ("normalization", "std")])
def test_a_stream_names_what_it_cannot_know(field: str, value: Any) -> None:
    config = _core.Config("mel")
    config.top_db_scope = None
    setattr(config, field, value)
    received = 1 if value == "std" else value
    with pytest.raises(ValueError, match=f"{field} must be .*, received {field}={received}"):
        _core.Stream(_core.Plan(config, "any_rank"), 1, "none", 0.0, 0)


def test_tables_name_the_mode() -> None:
    with pytest.raises(ValueError, match="the one that has bands, received mode=5"):
        _core.empty_bands_of(_core.Config("log"))
    with pytest.raises(ValueError, match="any but SPECFAST_MODE_MEL, received mode=7"):
        _core.analytic_weights(_core.Config("mel"))


def test_a_plan_checks_window_and_kernels() -> None:
    config = _core.Config("real")
    config.window = np.ones(255)
    with pytest.raises(ValueError, match=r"window must have shape \(256,\), .* \(255,\)"):
        _core.Plan(config, "flat_channels_last")
    config.window = None
    kernel = np.ones((256, 1, 129), np.float32)
    plan = _core.Plan(config, "flat_channels_last", kernels=[kernel])
    assert not plan.is_analytic
    with pytest.raises(ValueError, match="kernels must be 1 arrays, received 2"):
        _core.Plan(config, "flat_channels_last", kernels=[kernel, kernel])
    with pytest.raises(ValueError, match="float32 or float64, and shape"):
        _core.Plan(config, "flat_channels_last", kernels=[kernel.astype(np.int16)])
    with pytest.raises(ValueError, match="kernels must be None"):
        _core.Plan(_core.Config("mel"), "any_rank", kernels=[])
    with pytest.raises(ValueError, match="SPECFAST_MODE_MEL"):
        _core.analytic_weights(_core.Config("mel"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pad_length": 3}, "pad_length must be 0 without SPECFAST_PADDING_SIDES, .*=3"),
        ({"padding": "valid", "pad_mode": "edge"}, "pad_mode must be its default, .*=2"),
        ({"padding": "valid", "pad_mode": "constant"}, "pad_mode must be its default, .*=1"),
        ({"padding": "end", "pad_mode": "edge"}, "pad_mode must be SPECFAST_PAD_ZEROS, .*=2"),
        ({"preemphasis": 0.5}, "preemphasis must be 0 without a preemphasis_rule, .*=0.5"),
        ({"power_offset": 1e-39}, r"power_offset must be 0, or between 2\^-126 and 1e30, .*e-40"),
        (
            {"normalization": "std", "normalization_epsilon": 1e-300},
            r"normalization_epsilon must be 0, or between 2\^-126 and 1e30, .*e-300",
        ),
    ],
)
def test_a_plan_refuses_contradictions(changes: dict[str, Any], message: str) -> None:
    config = _core.Config("mel")
    for name, value in changes.items():
        setattr(config, name, value)
    with pytest.raises(ValueError, match=message):
        _core.Plan(config, "any_rank")


@pytest.mark.parametrize(
    ("common", "change"),
    [
        ({"padding": "end"}, {"pad_mode": "constant"}),
        ({}, {"dct_is_orthonormal": 0}),
        ({}, {"energy_floor": 1.0}),
        ({}, {"normalization_epsilon": 1.0}),
        ({}, {"delta_window": 3}),
        ({}, {"pcen_gain": 0.5}),
    ],
)
def test_what_has_no_effect_does_not_tell_states_apart(
    common: dict[str, Any], change: dict[str, Any]
) -> None:
    states = []
    for changes in (common, {**common, **change}):
        config = _core.Config("mel")
        for name, value in {"top_db_scope": None, **changes}.items():
            setattr(config, name, value)
        states.append(_core.Stream(_core.Plan(config, "any_rank"), 1, "none", 0.0, 0).save())
    assert states[0] == states[1]


# ---- What rows stand for ----------------------------------------------------


def test_frequencies_of_bands_are_the_peaks_of_the_filterbank() -> None:
    config = _core.Config("mel")
    config.num_mel_bins = 40
    config.min_freq_hz, config.max_freq_hz = 50.0, 7000.0
    hertz = _core.frequencies(config)
    weights = _core.mel_weights(40, 2**17 + 1, 16000, 50, 7000)
    np.testing.assert_allclose(hertz, weights.argmax(axis=0) * 8000 / 2**17, atol=0.07)


def test_frequencies_of_bands_are_those_of_their_scale() -> None:
    config = _core.Config("mel")
    config.num_mel_bins = 2
    config.min_freq_hz, config.max_freq_hz = 0.0, 1000.0 * 6.4 ** (15 / 27)
    config.mel_scale = "slaney"  # 0 to 30 mel, of which the first 15 are straight
    np.testing.assert_allclose(_core.frequencies(config), [2000 / 3, 1000 * 6.4 ** (5 / 27)])


@pytest.mark.parametrize("fft_length", [256, 255, 2])
def test_frequencies_of_bins_end_at_half_the_rate(fft_length: int) -> None:
    config = _core.Config("psd")
    config.frame_length = 2
    config.fft_length = fft_length
    config.sampling_rate_hz = 44100
    bins = fft_length // 2 + 1
    expected = np.linspace(0, 22050, bins)
    np.testing.assert_array_equal(_core.frequencies(config), expected)
    both = _core.Config("stft")
    both.frame_length, both.fft_length, both.sampling_rate_hz = 2, fft_length, 44100
    np.testing.assert_array_equal(_core.frequencies(both), np.tile(expected, 2))


def test_frequencies_need_a_sampling_rate() -> None:
    with pytest.raises(ValueError, match="sampling_rate must be finite and positive"):
        _core.frequencies(_core.Config("log"))


def test_edges_of_the_filterbank_are_evenly_spaced_on_the_mel_scale() -> None:
    config = _core.Config("mel")
    edges = np.linspace(*_core.hertz_to_mel([20.0, 8000.0]), 130)
    np.testing.assert_allclose(_core.hertz_to_mel(_core.frequencies(config)), edges[1:-1])
    assert _core.hertz_to_mel(1000.0) == pytest.approx(1127 * np.log(1 + 1000 / 700))


def test_mode_names_are_those_of_spectrograms() -> None:
    names = _core.mode_names()
    assert names == ["real", "imag", "stft", "angle", "magnitude", "log", "psd"]
    assert [_core.Config(name).mode for name in names] == names


def test_a_level_has_a_name() -> None:
    config = _core.Config("mel")
    assert config.level == "decibel"
    config.level = "energy"
    assert config.level == "energy"
    with pytest.raises(ValueError, match="level must be one of 'energy', 'decibel', .*received"):
        config.level = "loud"


def unclamped_mel_plan() -> _core.Plan:
    config = _core.Config("mel")
    config.top_db_scope = None
    return _core.Plan(config, "any_rank")


@pytest.mark.parametrize(
    ("make_owner", "make_user"),
    [
        (unclamped_mel_plan, lambda plan: _core.Stream(plan, 1, "none", 0.0, 0)),
        (
            lambda: _core.Inverse(_core.Config("stft")),
            lambda inverse: _core.InverseStream(inverse, 1, -1),
        ),
    ],
)
def test_what_a_stream_uses_lives_as_long_as_the_stream(
    make_owner: Callable[[], Any], make_user: Callable[[Any], Any]
) -> None:
    owner = make_owner()
    alive, user = weakref.ref(owner), make_user(owner)
    del owner
    assert alive() is not None
    del user
    assert alive() is None
