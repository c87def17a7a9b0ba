# SPDX-License-Identifier: BSD-3-Clause
"""What Keras saves of layers that it does not show, in folders, and with maps of policies."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import specfast
from specfast.keras_files import KerasFileError, NotSearchedWarning

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:.*before the model is built"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]

STFT: dict[str, Any] = {"frame_length": 16, "frame_step": 8, "fft_length": 16}
MEL: dict[str, Any] = {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 2}
SAMPLES = 80

Place = Callable[[Any, Any], None]  # puts a layer somewhere in another


def as_attribute(own: Any, front: Any) -> None:
    own.front = front


def in_list(own: Any, front: Any) -> None:
    own.parts = [front]


def in_dictionary(own: Any, front: Any) -> None:
    own.parts = {"a": [front]}


def in_a_plain_object(own: Any, front: Any) -> None:
    own.box = SimpleNamespace(front=front)


def in_a_model(own: Any, front: Any) -> None:
    import keras

    own.part = keras.Sequential([front], name="part")


PLACES = [as_attribute, in_list, in_dictionary, in_a_plain_object, in_a_model]


@pytest.fixture(scope="module")
def own(keras: ModuleType) -> Any:
    """A registered class that makes a layer in its own code and can show another."""

    class Own(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def __init__(self, place: Place, front: Any, shown: Any = None, **others: Any) -> None:
            super().__init__(**others)
            place(self, front)
            self.shown = shown

        def build(self, shape: Any) -> None:
            for layer in self._flatten_layers(include_self=False):
                if not layer.built:
                    layer.build(shape)

        def call(self, x: Any) -> Any:
            return x if self.shown is None else self.shown(x)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "shown": self.shown}

    return keras.saving.register_keras_serializable("mine")(Own)


def saved(
    keras: ModuleType, folder: Path, *layers: Any, make: Any = None, train: bool = False
) -> Path:
    path = folder / "model.keras"
    model = (make or keras.Sequential)([keras.Input((SAMPLES, 1)), *layers, keras.layers.Dense(2)])
    if train:  # the optimizer then has variables of every shape
        model.compile("adam", "mse", metrics=["mae"])
        x = np.random.default_rng(1).standard_normal((2, SAMPLES, 1))
        model.fit(x, np.zeros(model.compute_output_shape(x.shape)), verbose=0)
    model.save(path)
    return path


def found_with_a_warning(path: Path, what: str = "'outer' of class 'mine>Own'") -> list[str]:
    with pytest.warns(NotSearchedWarning, match=what):
        return list(specfast.load_keras(path))


def quiet(path: Path) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotSearchedWarning)
        return list(specfast.load_keras(path))


@pytest.mark.parametrize("mode", ["log", "imag"])
@pytest.mark.parametrize("place", PLACES)
def test_kernels_that_a_class_hides(
    keras: ModuleType, own: Any, place: Place, mode: str, tmp_path: Path
) -> None:
    front = keras.layers.STFTSpectrogram(mode=mode, **STFT, name="inner")
    path = saved(keras, tmp_path, own(place, front, name="outer"), train=place == as_attribute)
    if place == in_a_plain_object:  # where Keras cannot see them either
        assert found_with_a_warning(path) == []
        return
    with pytest.raises(KerasFileError, match="'outer' of class 'mine>Own', whose own code"):
        specfast.load_keras(path)
    assert specfast.from_keras(front).mode == mode  # the way out


@pytest.mark.parametrize("name", ["levels", None])
@pytest.mark.parametrize("place", PLACES)
def test_a_layer_without_weights_that_a_class_hides(
    keras: ModuleType, own: Any, place: Place, name: str | None, tmp_path: Path
) -> None:
    front = keras.layers.MelSpectrogram(**MEL, name=name)
    front.build((None, SAMPLES))
    path = saved(keras, tmp_path, own(place, front, name="outer"))
    if place == in_a_plain_object or (place == as_attribute and name is not None):
        assert found_with_a_warning(path) == []
        return
    # The file calls it a spectrogram: Keras names layers and members of containers so.
    with pytest.raises(KerasFileError, match="'outer' of class 'mine>Own', whose own code"):
        specfast.load_keras(path)


def test_a_class_that_shows_all_it_has(keras: ModuleType, own: Any, tmp_path: Path) -> None:
    def shown() -> Any:
        return keras.layers.STFTSpectrogram(**STFT, name="shown")

    def nothing(_own: Any, _front: Any) -> None:
        pass

    assert quiet(saved(keras, tmp_path, own(nothing, None, shown()))) == ["shown"]
    levels = keras.layers.MelSpectrogram(**MEL, name="levels")
    levels.build((None, SAMPLES))
    path = saved(keras, tmp_path, own(as_attribute, levels, shown(), name="outer"))
    assert found_with_a_warning(path) == ["shown"]
    other = keras.layers.STFTSpectrogram(**STFT, name="other")
    path = saved(keras, tmp_path, own(as_attribute, other, shown()))
    with pytest.raises(KerasFileError, match="holds the kernels of a spectrogram"):
        specfast.load_keras(path)


def test_layers_of_keras_own_raise_no_alarm(keras: ModuleType, tmp_path: Path) -> None:
    layers = keras.layers

    @keras.saving.register_keras_serializable("mine")
    class Chain(keras.Sequential):  # type: ignore[misc,name-defined]
        pass

    convolution = layers.Conv1D(9, 16, use_bias=False, name="stft_spectrogram_9")
    assert quiet(saved(keras, tmp_path, convolution)) == []
    rest = [layers.Dropout(0.5), layers.Bidirectional(layers.LSTM(3, return_sequences=True))]
    front = layers.STFTSpectrogram(**STFT, name="front")
    for make in (keras.Sequential, Chain):
        path = saved(keras, tmp_path, front, *rest, make=make, train=True)
        assert quiet(path) == ["front"]
    start = keras.Input((SAMPLES, 1))
    bins = layers.STFTSpectrogram(**STFT, name="front")(start)
    attention = layers.MultiHeadAttention(1, 9, use_bias=False)(bins, bins)
    keras.Model(start, attention).save(tmp_path / "attention.keras")
    assert quiet(tmp_path / "attention.keras") == ["front"]


def test_subclasses_and_layers_from_outside(keras: ModuleType, tmp_path: Path) -> None:
    register = keras.saving.register_keras_serializable("mine")

    @register
    class Loud(keras.layers.STFTSpectrogram):  # type: ignore[misc,name-defined]
        pass

    @register
    class Mel(keras.layers.MelSpectrogram):  # type: ignore[misc,name-defined]
        pass

    path = saved(keras, tmp_path, Loud(**STFT, name="a"))
    with pytest.raises(KerasFileError, match="'a' of class 'mine>Loud' has all arguments of STFT"):
        specfast.load_keras(path)
    keras.Sequential([keras.Input((SAMPLES,)), Mel(**MEL, name="b")]).save(path)
    with pytest.raises(KerasFileError, match="'b' of class 'mine>Mel' has all arguments of Mel"):
        specfast.load_keras(path)
    model = keras.Sequential([keras.Input((SAMPLES, 1)), keras.layers.Dense(2)])
    model.front = keras.layers.STFTSpectrogram(**STFT)
    model.front.build((None, SAMPLES, 1))
    model.save(path)
    with pytest.raises(KerasFileError, match="front holds the kernels of a spectrogram"):
        specfast.load_keras(path)


def test_lambdas(keras: ModuleType, tmp_path: Path) -> None:
    front = keras.layers.STFTSpectrogram(**STFT, name="front")
    assert quiet(saved(keras, tmp_path, keras.layers.Lambda(front))) == ["front"]
    assert (
        found_with_a_warning(
            saved(keras, tmp_path, keras.layers.Lambda(keras.ops.abs, name="code")),
            "'code' of class 'Lambda'",
        )
        == []
    )
    # Keras writes what a function closes over, but not its weights.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The object being serialized includes a `lambda`")
        path = saved(keras, tmp_path, keras.layers.Lambda(lambda x: front(x)))
    with pytest.raises(KerasFileError, match="must hold 2 variables of layer 'front'"):
        specfast.load_keras(path)


def test_folders_and_other_formats(keras: ModuleType, tmp_path: Path) -> None:
    front = keras.layers.STFTSpectrogram(**STFT, name="front")
    model = keras.Sequential([keras.Input((SAMPLES, 1)), front])
    front.set_weights([w + 0.1 for w in front.get_weights()])
    model.save(tmp_path / "folder", zipped=False)
    loaded = specfast.load_keras(tmp_path / "folder")["front"]
    for actual, expected in zip(loaded.get_weights(), front.get_weights(), strict=True):
        assert np.array_equal(actual, expected)
    model.save(tmp_path / "old.h5")
    model.save_weights(tmp_path / "all.weights.h5")
    (tmp_path / "model.json").write_text(model.to_json())
    for name, text in [
        ("old.h5", "a model in the HDF5 format from before Keras 3"),
        ("all.weights.h5", "HDF5 with a model's weights alone"),
        ("model.json", "but JSON"),
    ]:
        with pytest.raises(KerasFileError, match=text):
            specfast.load_keras(tmp_path / name)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("default", "policies"),
    [
        ("float16", {}),
        ("mixed_bfloat16", {"other": "float64"}),
        (None, {}),
        (None, {"front": "float16"}),  # Keras writes no names then
        ("float32", {"front": "float16"}),
        ("float16", {"model/dense": "float64"}),
    ],
)
def test_maps_of_policies(
    keras: ModuleType, default: str | None, policies: dict[str, str], nested: bool, tmp_path: Path
) -> None:
    kinds = keras.dtype_policies
    named = {key: kinds.DTypePolicy(name) for key, name in policies.items()}
    front = keras.layers.STFTSpectrogram(
        **STFT, name="front", dtype=kinds.DTypePolicyMap(default, named)
    )
    model = keras.Sequential([keras.Input((SAMPLES, 1)), front], name="model")
    if nested:
        model = keras.Sequential([keras.Input((SAMPLES, 1)), model])
    live = specfast.from_keras(front)
    assert (live.compute_dtype, live.dtype) == (front.compute_dtype, front.variable_dtype)
    model.save(tmp_path / "model.keras")
    ours = specfast.load_keras(tmp_path / "model.keras")["front"]
    again = keras.models.load_model(tmp_path / "model.keras")
    theirs = again.get_layer("model").get_layer("front") if nested else again.get_layer("front")
    assert (ours.compute_dtype, ours.dtype) == (theirs.compute_dtype, theirs.variable_dtype)
