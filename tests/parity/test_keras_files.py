# SPDX-License-Identifier: BSD-3-Clause
"""Models that Keras made, trained and saved, read without it: the same features come out."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import judge
import signals
import specfast

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:.*before the model is built"),
    pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built"),
]

Array = npt.NDArray[Any]
STFT: dict[str, Any] = {"frame_length": 60, "frame_step": 20, "fft_length": 64}
MEL: dict[str, Any] = {"fft_length": 128, "sequence_stride": 50, "num_mel_bins": 16}
SAMPLES = 300


def save(model: Any, folder: Path) -> Path:
    path = folder / "model.keras"
    model.save(path)
    return path


def train(model: Any, x: Array, *, steps: int = 4) -> None:
    """A few steps towards chance, far enough to leave every kernel changed."""
    y = np.random.default_rng(2).standard_normal(model.compute_output_shape(x.shape))
    model.compile("adam", "mse")
    model.optimizer.learning_rate = 1e-2
    model.fit(x, y.astype(np.float32), epochs=steps, batch_size=len(x), verbose=0)


def assert_same_output(keras: ModuleType, ours: Any, theirs: Any, x: Array) -> None:
    """Both round float32 sums of 60 products; what is small beside its frame is noise."""
    expected = keras.ops.convert_to_numpy(theirs(x))
    actual = ours(x)
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    # A logarithm near its floor magnifies the rounding of a small magnitude.
    if ours.mode in ("log", "angle"):
        assert np.median(np.abs(actual - expected)) < 1e-5
        assert np.mean(np.abs(actual - expected) < 1e-3) > 0.98
    else:
        assert np.linalg.norm(actual - expected) < 2e-6 * np.linalg.norm(expected)


def assert_same_weights(ours: Any, theirs: Any) -> None:
    for actual, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert actual.dtype == expected.dtype
        assert np.array_equal(actual, expected)


@pytest.mark.parametrize(
    ("mode", "data_format"),
    [
        ("log", "channels_last"),
        ("log", "channels_first"),
        ("magnitude", "channels_first"),
        ("psd", "channels_last"),
        ("real", "channels_first"),
        ("imag", "channels_last"),
        ("angle", "channels_last"),
        ("stft", "channels_first"),
    ],
)
def test_trained_kernels(keras: ModuleType, mode: str, data_format: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    x = signals.noise(8, SAMPLES, 2)
    x = x if data_format == "channels_last" else np.moveaxis(x, 2, 1)
    theirs = keras.layers.STFTSpectrogram(
        mode=mode, **STFT, padding="same", data_format=data_format, name="front"
    )
    head = [keras.layers.Flatten(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(x.shape[1:]), theirs, *head])
    before = theirs.get_weights()
    train(model, x)
    for old, new in zip(before, theirs.get_weights(), strict=True):
        assert np.abs(new - old).max() > 1e-3

    loaded = specfast.load_keras(save(model, tmp_path))
    assert list(loaded) == ["front"]
    for ours in (loaded["front"], specfast.from_keras(theirs)):
        assert not ours.is_analytic
        assert ours.get_config() == theirs.get_config()
        assert_same_weights(ours, theirs)
        assert_same_output(keras, ours, theirs, x)


def test_untrained_kernels_keep_the_fft(keras: ModuleType, tmp_path: Path) -> None:
    for arguments in (STFT, {}, {"frame_length": 4096, "frame_step": 512, "window": "blackman"}):
        theirs = keras.layers.STFTSpectrogram(mode="stft", **arguments)
        model = keras.Sequential([keras.Input((5000, 1)), theirs])
        ours = specfast.load_keras(save(model, tmp_path))[theirs.name]
        assert ours.is_analytic
        assert_same_weights(ours, theirs)
        x = signals.noise(2, 5000, 1)
        expected = keras.ops.convert_to_numpy(theirs(x))
        judge.assert_stft_close(ours(x), expected, x, {"mode": "stft", **arguments})


def nested_model(keras: ModuleType) -> Any:
    """Layers of one class side by side, nested, wrapped, and twice of the same name."""
    layers = keras.layers

    def stft(name: str, **arguments: Any) -> Any:
        return layers.STFTSpectrogram(**{"mode": "magnitude", **STFT, **arguments, "name": name})

    def mean(x: Any) -> Any:
        return layers.GlobalAveragePooling1D()(x)

    inner = keras.Sequential([keras.Input((SAMPLES, 1)), stft("a"), layers.Dense(3)], name="inner")
    start = keras.Input((SAMPLES, 1))
    middle = keras.Model(start, mean(inner(start)) + mean(stft("a", mode="imag")(start))[:, :3],
                         name="middle")  # fmt: skip
    start = keras.Input((SAMPLES, 1))
    levels = layers.MelSpectrogram(**MEL, name="mel")(layers.Reshape((SAMPLES,))(start))
    pieces = layers.Reshape((3, SAMPLES // 3, 1))(start)
    parts = [
        mean(stft("b", mode="real")(start)),
        middle(start),
        mean(stft("a")(start)),
        mean(levels),
        layers.Flatten()(layers.TimeDistributed(stft("wrapped"), name="each")(pieces)),
    ]
    return keras.Model(start, layers.Dense(1)(layers.Concatenate()(parts)), name="outer")


def test_nested_models(keras: ModuleType, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    x = signals.noise(8, SAMPLES, 1)
    model = nested_model(keras)
    train(model, x)
    middle = model.get_layer("middle")
    theirs = {
        "a": model.get_layer("a"),
        "b": model.get_layer("b"),
        "middle/a": middle.get_layer("a"),
        "middle/inner/a": middle.get_layer("inner").get_layer("a"),
        "wrapped": model.get_layer("each").layer,
    }
    loaded = specfast.load_keras(save(model, tmp_path))
    assert set(loaded) == {*theirs, "mel"}
    for key, layer in theirs.items():
        assert not loaded[key].is_analytic, key
        assert_same_weights(loaded[key], layer)
        assert_same_output(keras, loaded[key], layer, x)
    expected = keras.ops.convert_to_numpy(model.get_layer("mel")(x[..., 0]))
    assert np.abs(loaded["mel"](x[..., 0]) - expected).max() < 1e-2

    # What Keras itself reads back is what was read here.
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_same_weights(loaded["middle/inner/a"],
                        again.get_layer("middle").get_layer("inner").get_layer("a"))  # fmt: skip


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"]
)
def test_dtype_policies(keras: ModuleType, dtype: str, tmp_path: Path) -> None:
    """Weights keep their bits; what calls round is for test_dtypes."""
    theirs = keras.layers.STFTSpectrogram(**STFT, dtype=dtype, name="front")
    theirs.build((None, SAMPLES, 1))
    draw = np.random.default_rng(3).standard_normal
    theirs.set_weights([draw(weight.shape) for weight in theirs.get_weights()])
    loaded = specfast.load_keras(save(keras.Sequential([theirs]), tmp_path))["front"]
    for ours in (loaded, specfast.from_keras(theirs)):
        assert ours.get_config() == theirs.get_config()
        for actual, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            assert actual.dtype.name == ours.dtype
            assert np.array_equal(actual.astype(np.float64), expected.astype(np.float64))


def test_array_windows(keras: ModuleType, tmp_path: Path) -> None:
    """Keras 3.15 saves such a layer and then fails to load it."""
    window = np.hamming(60)
    theirs = keras.layers.STFTSpectrogram(mode="stft", **STFT, window=window, name="front")
    model = keras.Sequential([keras.Input((SAMPLES, 1)), theirs])
    ours = specfast.load_keras(save(model, tmp_path))["front"]
    assert np.array_equal(ours.window, window)
    assert ours.is_analytic
    x = signals.noise(2, SAMPLES, 1)
    expected = keras.ops.convert_to_numpy(theirs(x))
    judge.assert_stft_close(ours(x), expected, x, {"mode": "stft", **STFT, "window": window})


def test_classes_of_the_user(keras: ModuleType, tmp_path: Path) -> None:
    register = keras.saving.register_keras_serializable("mine")

    @register
    class Chain(keras.Sequential):  # type: ignore[misc,name-defined]
        pass

    @register
    class Graph(keras.Model):  # type: ignore[misc,name-defined]
        pass

    @register
    class Holder(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def __init__(self, front: Any, **arguments: Any) -> None:
            super().__init__(**arguments)
            self._hidden = front

        def call(self, x: Any) -> Any:
            return self._hidden(x)

        def get_config(self) -> dict[str, Any]:
            front = keras.saving.serialize_keras_object(self._hidden)
            return {**super().get_config(), "front": front}

    class Loud(keras.layers.STFTSpectrogram):  # type: ignore[misc,name-defined]
        def call(self, x: Any) -> Any:
            return 2 * super().call(x)

    def made(make: Any) -> tuple[Any, Any]:
        front = keras.layers.STFTSpectrogram(mode="magnitude", **STFT, name="front")
        return make(front), front

    def graph(front: Any) -> Any:
        start = keras.Input((SAMPLES, 1))
        return Graph(start, keras.layers.Dense(1)(front(start)))

    x = signals.noise(4, SAMPLES, 1)
    start = keras.Input((SAMPLES, 1))
    for make in (
        lambda front: Chain([start, front, keras.layers.Dense(1)]),
        lambda front: keras.Sequential([start, Holder(front), keras.layers.Dense(1)]),
        graph,
    ):
        model, theirs = made(make)
        train(model, x)
        ours = specfast.load_keras(save(model, tmp_path))["front"]
        assert_same_weights(ours, theirs)
        assert_same_output(keras, ours, theirs, x)

    class Labelled(keras.layers.STFTSpectrogram):  # type: ignore[misc,name-defined]
        def __init__(self, label: str, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.label = label

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "label": self.label}

    labelled = Labelled("tenor", mode="magnitude", **STFT)
    train(keras.Sequential([start, labelled]), x)
    assert_same_output(keras, specfast.from_keras(labelled), labelled, x)
    with pytest.raises(ValueError, match="which redefines call of STFTSpectrogram"):
        specfast.from_keras(Loud(**STFT))


def test_subclassed_models_are_refused_by_name(keras: ModuleType, tmp_path: Path) -> None:
    class Subclassed(keras.Model):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.front = keras.layers.STFTSpectrogram(**STFT)

        def call(self, x: Any) -> Any:
            return self.front(x)

    model = Subclassed()
    x = signals.noise(2, SAMPLES, 1)
    model(x)
    with pytest.raises(ValueError, match="layers of class 'Subclassed' are made by its own code"):
        specfast.load_keras(save(model, tmp_path))
    assert_same_weights(specfast.from_keras(model.front), model.front)


def test_live_mel_layer(keras: ModuleType) -> None:
    theirs = keras.layers.MelSpectrogram(**MEL, window="hamming", top_db=60, name="mel")
    ours = specfast.from_keras(theirs)
    assert ours.get_config() == theirs.get_config()
    assert ours.weights == []


def test_model_without_front_end(keras: ModuleType, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert specfast.load_keras(save(model, tmp_path)) == {}


def test_model_saved_before_it_was_built(keras: ModuleType, tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.STFTSpectrogram(**STFT, name="front")])
    assert specfast.load_keras(save(model, tmp_path))["front"].is_analytic
