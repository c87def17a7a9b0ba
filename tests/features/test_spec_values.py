# SPDX-License-Identifier: BSD-3-Clause
"""FeatureSpec as a value: checks, JSON, fingerprints."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
import re
from typing import Any

import numpy as np
import pytest

from specfast import FeatureExtractor, FeatureSpec, presets
from specfast._spec import feature_names
from specfast._spec.feature_spec import field_names


@pytest.mark.parametrize("name", presets.names())
def test_a_specification_comes_back(name: str) -> None:
    spec = presets.spec(name)
    for again in (
        FeatureSpec.from_json(spec.to_json()),
        FeatureSpec.from_json(spec.to_json(indent=2).encode()),
        eval(repr(spec), {"FeatureSpec": FeatureSpec}),
        pickle.loads(pickle.dumps(spec)),
        copy.deepcopy(spec),
        spec.replace(),
    ):
        assert again == spec
        assert hash(again) == hash(spec)
        assert again.fingerprint() == spec.fingerprint()


def test_a_fingerprint_is_that_of_every_machine() -> None:
    assert FeatureSpec().fingerprint().startswith("dd2a8c2c2c09b9f7")


def test_every_field_changes_the_fingerprint() -> None:
    prints = {presets.spec(name).fingerprint() for name in presets.names()}
    assert len(prints) == len(presets.names())
    spec = FeatureSpec(level="ln")
    for name, value in (("hop_length", 161), ("floor", 1e-9), ("window", (1.0,) * 400)):
        assert spec.replace(**{name: value}).fingerprint() != spec.fingerprint()


def test_arrays_become_tuples() -> None:
    spec = FeatureSpec(
        frame_length=4,
        num_mel_bins=2,
        window=np.ones(4, np.float32),
        gain=[1, 2],
        offset=np.zeros(2),
    )
    assert (spec.window, spec.gain, spec.offset) == ((1.0,) * 4, (1.0, 2.0), (0.0, 0.0))
    assert spec == FeatureSpec.from_json(spec.to_json())


@pytest.mark.parametrize("field", dataclasses.fields(FeatureSpec), ids=lambda field: field.name)
def test_a_default_is_what_its_check_returns(field: dataclasses.Field[Any]) -> None:
    """It is not checked when a specification is made."""
    checked = field.metadata["check"](field.name, field.default)
    assert (checked, type(checked)) == (field.default, type(field.default))


def test_a_zero_has_no_sign() -> None:
    assert FeatureSpec(offset=-0.0).fingerprint() == FeatureSpec().fingerprint()


def test_replace_derives_again() -> None:
    spec = FeatureSpec(padding="sides")
    assert (spec.fft_length, spec.frame_span, spec.pad_length) == (512, 512, 176)
    longer = spec.replace(frame_length=600)
    assert (longer.fft_length, longer.frame_span, longer.pad_length) == (1024, 1024, 432)
    assert spec.replace(sampling_rate=8000).max_freq == 4000


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"hop_length": 0}, ValueError, "`hop_length`"),
        ({"hop_length": 1.5}, TypeError, "`hop_length`"),
        ({"hop_length": True}, TypeError, "`hop_length`"),
        ({"input_scale": 1e300}, ValueError, "`input_scale` must be a number between"),
        ({"pad_value": float("nan")}, ValueError, "`pad_value`"),
        ({"floor": -1}, ValueError, "`floor`"),
        ({"floor": 1e-39}, ValueError, "`floor` must be 0, or a number between 2.*1e-39"),
        ({"epsilon": 1e-60}, ValueError, "`epsilon` must be 0, or a number between 2.*1e-60"),
        ({"power_offset": 1e-300}, ValueError, "`power_offset` must be 0, or .*1e-300"),
        ({"normalization_epsilon": 1e-39}, ValueError, "`normalization_epsilon` must be 0, or"),
        ({"preemphasis": 1.5}, ValueError, "`preemphasis`"),
        ({"preemphasis_rule": "signal"}, ValueError, "`preemphasis_rule` .* without preemphasis"),
        ({"fft_length": 100}, ValueError, "`fft_length` must be at least `frame_length`"),
        ({"frame_span": 100}, ValueError, "`frame_span`"),
        ({"pad_length": 3}, ValueError, "`pad_length` must be None but with"),
        ({"pad_mode": "edge"}, ValueError, "`pad_mode` must be None with padding 'valid'"),
        ({"padding": "end", "pad_mode": "edge"}, ValueError, "`pad_mode` must be 'constant'"),
        ({"padding": "around"}, ValueError, "`padding`"),
        ({"window": "hamn"}, ValueError, "`window`"),
        ({"window": [1.0, 2.0]}, ValueError, "window"),
        ({"window": [np.inf] * 400}, ValueError, "`window`"),
        ({"max_freq": 10.0, "min_freq": 20.0}, ValueError, "`max_freq` must be greater"),
        ({"level": "dB"}, ValueError, "`level`"),
        ({"dynamic_range": 3.0}, ValueError, "`dynamic_range` must be None without a logarithm"),
        ({"level": "ln", "pcen": True}, ValueError, "`level` must be 'energy' with pcen"),
        ({"num_cepstra": 81, "level": "ln"}, ValueError, "`num_cepstra` must be at most"),
        ({"lifter": 22.0}, ValueError, "`lifter` must be 0 without cepstra"),
        ({"gain": [1.0, 2.0]}, ValueError, "`gain` must be a number or one for each of 80 rows"),
        ({"delta_order": 3}, ValueError, "`delta_order` must be 0, 1 or 2"),
        ({"join_frames": 2}, ValueError, "`layout` must be 'frames_first' with join_frames"),
        ({"num_frames": 3, "frames_multiple": 2}, ValueError, "`frames_multiple` must be 1"),
        ({"mode": "log", "gain": 2.0}, ValueError, "`gain` must be 1.0 without a filterbank"),
        ({"mode": "mel", "window_scaling": "density"}, ValueError, "`window_scaling`"),
        ({"mel_matrix": np.ones((3, 80))}, ValueError, "`mel_matrix` must have shape"),
        ({"mel_matrix": -np.ones((257, 80))}, ValueError, "`mel_matrix` must not be negative"),
        ({"mel_matrix": np.full((257, 80), np.nan)}, ValueError, "`mel_matrix`"),
        ({"dtype": "float64"}, ValueError, "`precision` must be 'float64'"),
        ({"sample_padding": "repeat"}, ValueError, "`sample_padding`"),
        ({"fft_lenght": 512}, TypeError, "no field 'fft_lenght'; did you mean 'fft_length'"),
        ({"zzz": 512}, TypeError, "no field 'zzz'$"),
    ],
    ids=str,
)
def test_what_is_refused(fields: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        FeatureSpec(**fields)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("n_fft", "'fft_length'?"),
        ("win_length", "'frame_length'?"),
        ("frame_step", "'hop_length'?"),
        ("noverlap", "'hop_length' (the frame's length minus noverlap)?"),
        ("frame_shift_ms", "'hop_length', in samples?"),
        ("n_mels", "'num_mel_bins'?"),
        ("sr", "'sampling_rate'?"),
        ("power", "'magnitude_exponent'?"),
        ("top_db", "'dynamic_range'?"),
        ("n_mfcc", "'num_cepstra'?"),
        ("center", "'padding'?"),
    ],
)
def test_names_of_other_libraries_are_recognised(name: str, meant: str) -> None:
    message = re.escape(f"FeatureSpec has no field {name!r}; did you mean {meant}") + "$"
    for make in (FeatureSpec, FeatureSpec().replace):
        with pytest.raises(TypeError, match=message):
            make(**{name: 1})


def test_no_alias_is_a_field_or_stands_for_two() -> None:
    aliases = [alias for names in feature_names.ALIASES.values() for alias in names]
    assert set(feature_names.ALIASES) <= set(field_names())
    assert not set(aliases) & set(field_names())
    assert len(aliases) == len(set(aliases))


def test_the_signature_names_the_fields() -> None:
    assert [*inspect.signature(FeatureSpec).parameters] == [*field_names()]
    with pytest.raises(TypeError, match="positional"):
        FeatureSpec("whisper")  # type: ignore[call-arg,misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "`schema` must be 1"),
        ({"schema": True}, "`schema` must be 1"),
        ({"format": "other"}, '"format"'),
        ({"hop_lenght": 160}, "no field .hop_lenght.; did you mean .hop_length."),
        ({"hop_length": "160"}, "`hop_length`"),
    ],
)
def test_json_that_is_no_specification(change: dict[str, Any], message: str) -> None:
    values = json.loads(FeatureSpec().to_json())
    with pytest.raises((ValueError, TypeError), match=message):
        FeatureSpec.from_json(json.dumps({**values, **change}))


def test_text_that_is_no_json() -> None:
    for text in ("", "{", "[1]", "3", "[" * 100000, b"\xff"):
        with pytest.raises(ValueError, match="`text` must be JSON|must be a dictionary"):
            FeatureSpec.from_json(text)
    with pytest.raises(TypeError, match="`text`"):
        FeatureSpec.from_json(3)  # type: ignore[arg-type]


def test_a_specification_does_not_change() -> None:
    spec = FeatureSpec()
    for name in field_names():
        with pytest.raises(AttributeError):
            setattr(spec, name, getattr(spec, name))


# A specification with every step, and one field of each step with another value.
STEPS = {
    "energy": ("raw", {"energy_floor": 1e4}),
    "window": ("hann", {"window_periodic": False}),
    "level": ("ln", {"floor": 1e3, "floor_rule": "add", "reference": 2.0}),
    "pcen": (
        True,
        {
            "pcen_gain": 0.5,
            "pcen_bias": 3.0,
            "pcen_power": 0.25,
            "pcen_epsilon": 0.1,
            "pcen_time_constant": 1.0,
        },
    ),
    "num_cepstra": (9, {"dct_norm": None}),
    "normalization": (
        "per_band",
        {
            "normalization_ddof": 0,
            "normalization_epsilon": 0.5,
            "normalization_epsilon_in": "variance",
        },
    ),
    "delta_order": (1, {"delta_window": 3}),
}
WITHOUT = {"window": (0.5,) * 400}


@pytest.mark.parametrize("step", STEPS)
def test_the_numbers_of_a_step_have_an_effect_with_it_only(step: str) -> None:
    value, parameters = STEPS[step]
    signal = np.random.default_rng(0).standard_normal(2000)
    without: dict[str, Any] = {step: WITHOUT[step]} if step in WITHOUT else {}
    plain = FeatureSpec(**without, precision="float64", dtype="float64")
    for name, other in parameters.items():
        changed = plain.replace(**{name: other})
        assert changed.fingerprint() == plain.fingerprint(), name
        assert changed != plain
        np.testing.assert_array_equal(
            FeatureExtractor(changed)(signal), FeatureExtractor(plain)(signal)
        )
        with_step, with_both = plain.replace(**{step: value}), changed.replace(**{step: value})
        assert with_both.fingerprint() != with_step.fingerprint(), name
        results = FeatureExtractor(with_both)(signal), FeatureExtractor(with_step)(signal)
        assert not np.array_equal(*results), name


def test_fields_of_a_filterbank_have_an_effect_without_a_matrix_only() -> None:
    matrix = tuple((1.0,) * 80 for _ in range(257))
    plain = FeatureSpec(mel_matrix=matrix)
    for name, other in {
        "min_freq": 50.0,
        "max_freq": 7000.0,
        "mel_scale": "slaney",
        "mel_triangles": "mel",
        "mel_norm": "area",
    }.items():
        assert plain.replace(**{name: other}).fingerprint() == plain.fingerprint(), name
        bank = FeatureSpec()
        assert bank.replace(**{name: other}).fingerprint() != bank.fingerprint(), name
    stft = FeatureSpec(mode="stft")
    assert stft.replace(num_mel_bins=9, epsilon=1.0).fingerprint() == stft.fingerprint()
    assert (
        stft.replace(mode="log", epsilon=1.0).fingerprint()
        != FeatureSpec(mode="log").fingerprint()
    )
