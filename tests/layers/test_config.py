# SPDX-License-Identifier: BSD-3-Clause
"""Configurations: Keras' read here, ours as Keras writes them, and copies of layers."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

from makers import same_bits, small_mel, small_stft, stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram

# What Keras 3.15.1 returned from get_config(), through JSON.
KERAS_STFT = """{"name": "stft_spectrogram", "trainable": true, "dtype": {"module": "keras",
"class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null}, "mode":
"log", "frame_length": 256, "frame_step": null, "fft_length": null, "window": "hann", "periodic":
false, "scaling": "density", "padding": "valid", "data_format": "channels_last", "expand_dims":
false}"""
KERAS_MEL = """{"name": "mel_spectrogram", "trainable": true, "dtype": {"module": "keras",
"class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null},
"fft_length": 2048, "sequence_stride": 512, "sequence_length": 2048, "window": "hann",
"sampling_rate": 16000, "num_mel_bins": 128, "min_freq": 20.0, "max_freq": 8000, "power_to_db":
true, "top_db": 80.0, "mag_exp": 2.0, "min_power": 1e-10, "ref_power": 1.0}"""
# What keras.saving.serialize_keras_object(layer) returned for
# STFTSpectrogram(mode="stft", frame_length=8, frame_step=3, fft_length=16, window=<array>,
#                 scaling="spectrum", padding="same", expand_dims=True,
#                 data_format="channels_first", dtype="mixed_float16", trainable=False,
#                 name="front") after a call.
KERAS_SERIALIZED = """{"module": "keras.layers", "class_name": "STFTSpectrogram", "config":
{"name": "front", "trainable": false, "dtype": {"module": "keras", "class_name": "DTypePolicy",
"config": {"name": "mixed_float16"}, "registered_name": null}, "mode": "stft", "frame_length": 8,
"frame_step": 3, "fft_length": 16, "window": {"class_name": "__numpy__", "config": {"value":
[0.0, 0.25, 0.5, 1.0, 1.0, 0.5, 0.25, 0.0], "dtype": "float64"}}, "periodic": false, "scaling":
"spectrum", "padding": "same", "data_format": "channels_first", "expand_dims": true},
"registered_name": null, "build_config": {"input_shape": [2, 1, 40]}}"""

LAYERS: list[Any] = [
    pytest.param(lambda: stft(), id="stft-default"),
    pytest.param(lambda: MelSpectrogram(), id="mel-default"),
    pytest.param(
        lambda: stft(
            "psd",
            20,
            5,
            24,
            "hamming",
            True,
            None,
            "same",
            True,
            "channels_first",
            epsilon=1e-5,
            num_threads=2,
            name="all",
            dtype="float64",
            trainable=False,
        ),
        id="stft-all",
    ),
    pytest.param(
        lambda: MelSpectrogram(
            64,
            16,
            32,
            "hamming",
            22050.5,
            8,
            0,
            9000.0,
            True,
            None,
            1.5,
            1e-8,
            4,
            top_db_scope="clip",
            num_threads=3,
            name="all",
            dtype="mixed_float16",
        ),
        id="mel-all",
    ),
    pytest.param(lambda: small_stft(window=np.hanning(16) + 1 / 3), id="stft-window"),
    pytest.param(lambda: small_mel(window=np.hamming(64) / 3), id="mel-window"),
    pytest.param(lambda: small_stft(window=None), id="stft-no-window"),
    pytest.param(lambda: small_mel(window=None, top_db=float("inf")), id="mel-no-window"),
]


def sample_input(layer: STFTSpectrogram | MelSpectrogram) -> np.ndarray[Any, Any]:
    if isinstance(layer, MelSpectrogram):
        return noise(2, 300)
    return noise(2, 300, 3) if layer.data_format == "channels_last" else noise(2, 3, 300)


@pytest.mark.parametrize(
    ("layer", "text"), [(STFTSpectrogram, KERAS_STFT), (MelSpectrogram, KERAS_MEL)]
)
def test_configuration_of_a_default_layer_is_keras_own(layer: Any, text: str) -> None:
    theirs = json.loads(text)
    ours = layer(name=theirs["name"]).get_config()
    assert ours == theirs
    assert list(ours) == list(theirs)
    restored = layer.from_config(theirs)
    assert restored.get_config() == theirs
    assert theirs == json.loads(text), "from_config changed its argument"


def test_serialised_keras_layer_is_accepted() -> None:
    layer = STFTSpectrogram.from_config(json.loads(KERAS_SERIALIZED))
    assert (layer.name, layer.trainable) == ("front", False)
    assert (layer.dtype, layer.compute_dtype) == ("float32", "float16")
    assert layer(noise(2, 1, 40)).shape == (2, 1, 14, 18)
    expected = [0.0, 0.25, 0.5, 1.0, 1.0, 0.5, 0.25, 0.0]
    assert isinstance(layer.window, np.ndarray)
    assert layer.window.tolist() == expected
    config = layer.get_config()
    # A list: Keras reads that back, but fails on its own "__numpy__" form.
    assert config["window"] == expected
    assert config["dtype"] == json.loads(KERAS_SERIALIZED)["config"]["dtype"]


@pytest.mark.filterwarnings("ignore:`fft_length` is recommended")
@pytest.mark.parametrize("make", LAYERS)
def test_round_trips(make: Any) -> None:
    layer = make()
    config = layer.get_config()
    x = sample_input(layer)
    y = layer(x)
    rebuilt = {
        "from_config": type(layer).from_config(config),
        "json": type(layer).from_config(json.loads(json.dumps(config))),
        "serialised": type(layer).from_config(
            {"module": "keras.layers", "class_name": type(layer).__name__, "config": config}
        ),
        "constructor": type(layer)(**config),
        "copy": copy.copy(layer),
        "deepcopy": copy.deepcopy(layer),
        **{
            f"pickle {protocol}": pickle.loads(pickle.dumps(layer, protocol))
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
        },
    }
    for way, other in rebuilt.items():
        assert type(other) is type(layer), way
        assert other.get_config() == config, way
        assert repr(other) == repr(layer), way
        assert same_bits(other(x), y), way


@pytest.mark.parametrize("make", LAYERS)
def test_config_is_a_fresh_dictionary(make: Any) -> None:
    layer = make()
    config = layer.get_config()
    config["dtype"]["config"]["name"] = "float16"
    config.clear()
    assert layer.get_config()["dtype"]["config"]["name"] != "float16" or (
        layer.compute_dtype == "float16"
    )
    assert layer.get_config()["name"] == layer.name


def test_additions_are_written_only_when_used() -> None:
    keras_keys = set(json.loads(KERAS_STFT)), set(json.loads(KERAS_MEL))
    assert set(stft(epsilon=1e-7, num_threads=None).get_config()) == keras_keys[0]
    assert set(small_mel(top_db_scope="batch").get_config()) == keras_keys[1]
    assert set(small_mel(top_db=None).get_config()) == keras_keys[1]
    used = stft(epsilon=1e-6, num_threads=2).get_config()
    assert (used["epsilon"], used["num_threads"]) == (1e-6, 2)
    assert small_mel(top_db_scope="clip").get_config()["top_db_scope"] == "clip"


def test_trainable_and_name_survive() -> None:
    layer = small_stft(name="mine")
    layer.trainable = False
    other = pickle.loads(pickle.dumps(layer))
    assert (other.name, other.trainable) == ("mine", False)


def test_old_dtype_strings_are_accepted() -> None:
    assert (
        MelSpectrogram.from_config(json.loads(KERAS_MEL) | {"dtype": "float64"}).dtype == "float64"
    )


@pytest.mark.parametrize(
    ("config", "error", "text"),
    [
        (None, TypeError, "None"),
        ([("fft_length", 64)], TypeError, "fft_length"),
        ({1: 2}, TypeError, "1: 2"),
        ({"hop": 3}, ValueError, "{'hop': 3}"),
        ({"fft_length": "64"}, TypeError, "'64'"),
        ({"class_name": "STFTSpectrogram", "config": {}}, ValueError, "'STFTSpectrogram'"),
        ({"class_name": "Dense", "config": {"fft_length": 64}}, ValueError, "'Dense'"),
        ({"dtype": {"class_name": "Policy"}}, ValueError, "Policy"),
        ({"window": {"class_name": "__tensor__"}}, ValueError, "__tensor__"),
        ({"window": {"class_name": "Evil", "config": {"value": [1]}}}, ValueError, "Evil"),
        (
            {"fft_length": 2, "window": {"class_name": "__numpy__", "config": {"value": [1]}}},
            ValueError,
            "(1,)",
        ),
    ],
    ids=str,
)
def test_bad_configurations(config: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        MelSpectrogram.from_config(config)
    assert text in str(caught.value)


def test_subclasses_round_trip() -> None:
    layer = _Doubled(factor=3, fft_length=64, num_mel_bins=4)
    other = pickle.loads(pickle.dumps(layer))
    assert type(other) is _Doubled
    assert other.factor == 3
    # A configuration of the layer itself is one of a subclass as well.
    assert type(_Doubled.from_config({"class_name": "MelSpectrogram", "config": {}})) is _Doubled


class _Doubled(MelSpectrogram):
    def __init__(self, factor: int = 2, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.factor = factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


def test_repr_shows_what_is_not_default() -> None:
    assert repr(stft(name="a")) == "STFTSpectrogram(name='a')"
    assert (
        repr(small_stft(name="a", mode="psd", window=np.ones(16), dtype="float64"))
        == "STFTSpectrogram(name='a', mode='psd', frame_length=16, frame_step=4, fft_length=32, "
        "window=<array of 16>, dtype='float64')"
    )
    assert (
        repr(MelSpectrogram(name="m", num_mel_bins=80, top_db=None))
        == "MelSpectrogram(name='m', num_mel_bins=80, top_db=None)"
    )
