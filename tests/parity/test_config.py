# SPDX-License-Identifier: BSD-3-Clause
"""Configurations go from Keras to specfast and back, and layers stay the same on the way."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import specfast

pytestmark = pytest.mark.keras

CONFIGURATIONS: list[tuple[str, dict[str, Any]]] = [
    ("STFTSpectrogram", {}),
    ("STFTSpectrogram", {"mode": "stft", "frame_length": 100, "frame_step": 30}),
    ("STFTSpectrogram", {"fft_length": 512, "window": "blackman", "periodic": True}),
    ("STFTSpectrogram", {"window": None, "scaling": None, "padding": "same"}),
    ("STFTSpectrogram", {"scaling": "spectrum", "expand_dims": True}),
    ("STFTSpectrogram", {"data_format": "channels_first", "trainable": False}),
    ("STFTSpectrogram", {"dtype": "float64", "name": "front_end"}),
    ("STFTSpectrogram", {"dtype": "mixed_float16"}),
    ("STFTSpectrogram", {"frame_length": 4, "window": [0.25, 1.0, 1.0, 0.25]}),
    ("MelSpectrogram", {}),
    ("MelSpectrogram", {"fft_length": 512, "sequence_stride": 100, "sequence_length": 400}),
    ("MelSpectrogram", {"window": "hamming", "sampling_rate": 22050, "num_mel_bins": 64}),
    ("MelSpectrogram", {"window": None, "min_freq": 0.0, "max_freq": 4000.0}),
    ("MelSpectrogram", {"power_to_db": False, "mag_exp": 1.0, "name": "mel"}),
    ("MelSpectrogram", {"top_db": 60.0, "min_power": 1e-6, "ref_power": 20.0}),
    ("MelSpectrogram", {"dtype": "float16", "trainable": False}),
    ("MelSpectrogram", {"sampling_rate": 16000.0, "max_freq": 0}),
]
IDS = [f"{layer}-{'-'.join(arguments) or 'defaults'}" for layer, arguments in CONFIGURATIONS]


def without_name(config: dict[str, Any]) -> dict[str, Any]:
    """Made-up names count up from one layer to the next."""
    return {key: value for key, value in config.items() if key != "name"}


@pytest.mark.parametrize(("name", "arguments"), CONFIGURATIONS, ids=IDS)
def test_both_write_the_same(keras: ModuleType, name: str, arguments: dict[str, Any]) -> None:
    ours = getattr(specfast, name)(**arguments).get_config()
    theirs = getattr(keras.layers, name)(**arguments).get_config()
    assert without_name(ours) == without_name(theirs)
    if "name" in arguments:
        assert ours["name"] == theirs["name"]
    json.dumps(ours)


@pytest.mark.parametrize(("name", "arguments"), CONFIGURATIONS, ids=IDS)
def test_from_keras(keras: ModuleType, name: str, arguments: dict[str, Any]) -> None:
    theirs = getattr(keras.layers, name)(**arguments)
    ours = getattr(specfast, name).from_config(theirs.get_config())
    assert ours.get_config() == theirs.get_config()
    serialized = keras.saving.serialize_keras_object(theirs)
    again = getattr(specfast, name).from_config(json.loads(json.dumps(serialized)))
    assert again.get_config() == theirs.get_config()


@pytest.mark.parametrize(("name", "arguments"), CONFIGURATIONS, ids=IDS)
def test_to_keras(keras: ModuleType, name: str, arguments: dict[str, Any]) -> None:
    ours = getattr(specfast, name)(**arguments)
    theirs = getattr(keras.layers, name).from_config(json.loads(json.dumps(ours.get_config())))
    assert theirs.get_config() == ours.get_config()
    assert theirs.name == ours.name
    assert (
        theirs.dtype_policy.name
        == json.loads(json.dumps(ours.get_config()))["dtype"]["config"]["name"]
    )


def test_window_array_travels(keras: ModuleType) -> None:
    window = np.linspace(0.1, 1.0, 32)
    x = np.random.default_rng(0).standard_normal((1, 200, 1)).astype(np.float32)
    ours = specfast.STFTSpectrogram(mode="psd", frame_length=32, window=window)
    theirs = keras.layers.STFTSpectrogram.from_config(ours.get_config())
    np.testing.assert_allclose(
        ours(x), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-3, atol=1e-4
    )
    config = keras.layers.STFTSpectrogram(mode="psd", frame_length=32, window=window).get_config()
    np.testing.assert_array_equal(specfast.STFTSpectrogram.from_config(config)(x), ours(x))


def test_a_keras_layer_within_a_saved_model(keras: ModuleType) -> None:
    layer = keras.layers.MelSpectrogram(num_mel_bins=12, name="front_end")
    model = keras.Sequential([keras.Input((3000,)), layer])
    saved = json.loads(model.to_json())
    config = next(
        entry for entry in saved["config"]["layers"] if entry["class_name"] == "MelSpectrogram"
    )
    ours = specfast.MelSpectrogram.from_config({**config["config"]})
    assert (ours.name, ours.num_mel_bins) == ("front_end", 12)
