# SPDX-License-Identifier: BSD-3-Clause
"""Each field of a configuration on a device: the numbers of the CPU, or a refusal in words."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

from makers import relative_l2
from signals import noise
from specfast import _core

pytestmark = pytest.mark.usefixtures("gpu")

MAX_ERROR = 1e-6
MAX_DB = 2e-3

# Values that are not the default, for the fields that are no text; settings that a field needs.
NUMBERS = {
    "mel_weights": np.abs(noise(129, 128)).astype(np.float64),
    "row_gain": np.full(128, 2.0),
    "row_offset": np.full(128, 2.0),
    "window": np.linspace(1, 2, 200),
    "hop": 50,
    "delta_order": 1,
    "drop_frames": 1,
    "masked_frames": 1,
    "normalization_ddof": 0,
    "delta_window": 3,
    "dct_is_orthonormal": 0,
    "frame_length": 150,
    "fft_length": 512,
    "num_mel_bins": 40,
    "frame_span": 300,
    "pad_length": 70,
    "num_cepstra": 13,
}
WORDS = {
    "dtype": ["float64"],
    "padding": ["valid", "same", "center", "sides", "end", "hops"],
    "scaling": ["density", "spectrum", None],
    "level": ["energy", "log10", "ln", "decibel_of_sum", "log10_of_sum", "ln_of_sum"],
    "top_db_scope": [None, "clip"],
    "pad_mode": ["reflect", "constant", "edge", "symmetric"],
    "energy": ["raw", "windowed"],
    "preemphasis_rule": ["frame", "signal"],
    "mel_scale": ["slaney"],
    "mel_triangles": ["hertz"],
    "mel_norm": ["area", "slaney"],
    "normalization": ["std", "variance"],
}
PCEN: dict[str, Any] = {"level": "energy", "top_db_scope": None}
NEEDED: dict[str, dict[str, Any]] = {
    "pad_length": {"padding": "sides"},
    "pad_mode": {"padding": "center"},
    "frame_span": {"padding": "valid"},
    "energy_floor": {"energy": "raw"},
    "preemphasis": {"preemphasis_rule": "frame"},
    "dct_is_orthonormal": {"num_cepstra": 13},
    "lifter": {"num_cepstra": 13},
    "normalization_ddof": {"normalization": "variance"},
    "normalization_epsilon": {"normalization": "variance"},
    "delta_window": {"delta_order": 1},
    "pcen": PCEN,
    **{
        f"pcen_{name}": {**PCEN, "pcen": 1}
        for name in ("gain", "bias", "power", "smoothing", "epsilon")
    },
}
# What reaches a GPU as it stands: in the window, in the bands, or as a number of the recipe.
COMPUTED = {
    *("dtype", "frame_length", "hop", "fft_length", "padding", "scaling", "window", "epsilon"),
    *("num_mel_bins", "sampling_rate_hz", "min_freq_hz", "max_freq_hz", "mag_exp", "level"),
    *("top_db_scope", "top_db", "min_power", "ref_power", "input_gain", "mel_scale"),
    *("mel_triangles", "mel_norm", "pad_mode", "pad_value"),
}


FIELDS = [name for name, kind in vars(_core.Config).items() if isinstance(kind, property)]
FIELDS.remove("mode")


def values_of(field: str, config: _core.Config) -> list[Any]:
    """Returns values of a field to try."""
    if field in WORDS:
        return WORDS[field]
    if field in NUMBERS:
        return [NUMBERS[field]]
    default = getattr(config, field)
    return (
        [1 - default] if default in (0, 1) and isinstance(default, int) else [default / 2 + 0.25]
    )


def base_config(mode: str) -> _core.Config:
    config = _core.Config(mode)
    config.frame_length, config.fft_length, config.hop = 200, 256, 64
    return config


def plan_on_device(config: _core.Config, plan: _core.Plan) -> _core.DevicePlan | None:
    """Returns the plan, or None where a device refuses the configuration in words."""
    try:
        return _core.DevicePlan(config, plan, 0)
    except ValueError as error:
        if "on a device" in str(error):
            return None
        raise


@pytest.mark.parametrize("mode", ["mel", "psd"])
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_computed_or_refused(mode: str, field: str) -> None:
    """No field, with no value, is passed over in silence."""
    x, outcomes = noise(2, 900) / 4, set()
    for value in values_of(field, base_config(mode)):
        config = base_config(mode)
        try:
            for name, needed in NEEDED.get(field, {}).items():
                setattr(config, name, needed)
            setattr(config, field, value)
            plan = _core.Plan(config, "any_rank")
        except (ValueError, TypeError):
            outcomes.add("unknown")  # on the CPU as well
            continue
        samples = x.astype(config.dtype)
        wanted = plan(samples, None, 1, 0.0)
        if (device_plan := plan_on_device(config, plan)) is None:
            outcomes.add("refused")
            continue
        result = np.full_like(wanted, np.nan)
        place = (samples.ctypes.data, samples.shape, samples.strides, config.dtype)
        device_plan.execute(*place, result.ctypes.data, config.dtype, 1)
        decibels = mode == "mel" and config.level == "decibel"
        error = np.abs(result - wanted).max() if decibels else relative_l2(result, wanted)
        assert error <= (MAX_DB if decibels else MAX_ERROR), (field, value)
        outcomes.add("computed")
    if mode == "mel":
        assert outcomes - {"unknown"}, "no value of the field was tried"
        assert (field in COMPUTED) == ("computed" in outcomes)


@pytest.mark.parametrize(
    ("field", "value", "received"),
    [
        ("padding", "hops", "padding=5"),
        ("pad_mode", "edge", "pad_mode=2"),
        ("frame_span", 2050, "frame_span=2050"),
        ("drop_frames", 1, "drop_frames=1"),
        ("power_offset", 0.25, "power_offset=0.25"),
        ("level", "ln", "level=3"),
        ("num_cepstra", 13, "num_cepstra=13"),
        ("normalization", "variance", "normalization=2"),
        ("row_gain", np.full(128, 2.0), "an array"),
    ],
)
def test_a_field_that_a_device_does_not_compute(field: str, value: Any, received: str) -> None:
    config = _core.Config("mel")
    if field == "frame_span":
        config.padding = "valid"
    setattr(config, field, value)
    plan = _core.Plan(config, "any_rank")
    with pytest.raises(ValueError, match=f"{field} must have .* on a device.*received {received}"):
        _core.DevicePlan(config, plan, 0)


def test_the_plan_of_the_cpu_lives_as_long_as_that_of_the_device() -> None:
    config = base_config("psd")
    plan = _core.Plan(config, "any_rank")
    alive, device_plan = weakref.ref(plan), _core.DevicePlan(config, plan, 0)
    del plan
    assert alive() is not None
    del device_plan
    assert alive() is None
