# SPDX-License-Identifier: BSD-3-Clause
"""Our Keras layers beside Keras' own, on one backend: numbers, weights, files, training."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest

import specfast

Array = npt.NDArray[Any]

BACKEND = os.environ["KERAS_BACKEND"]

STFT_CASES: list[dict[str, Any]] = [
    {},
    {"mode": "stft", "frame_length": 100, "frame_step": 37, "fft_length": 128},
    {"mode": "psd", "frame_length": 64, "padding": "same", "expand_dims": True},
    {"mode": "magnitude", "frame_length": 64, "window": "hamming", "periodic": True},
    {"mode": "real", "frame_length": 64, "scaling": "spectrum"},
    {"mode": "imag", "frame_length": 64, "window": None, "scaling": None},
    {"mode": "log", "frame_length": 4, "window": [0.25, 1.0, 1.0, 0.25]},
]
MEL_CASES: list[dict[str, Any]] = [
    {},
    {"fft_length": 512, "sequence_stride": 100, "sequence_length": 400, "num_mel_bins": 40},
    {"power_to_db": False, "mag_exp": 1.0, "window": "hamming", "fft_length": 256},
]


def numpy_of(keras: ModuleType, x: Any) -> Array:
    array: Array = keras.ops.convert_to_numpy(x)
    return array


def is_analytic(layer: Any) -> bool:
    """Whether the latest call ran by FFT."""
    function = layer._function()
    assert function._latest is not None, "no call has been made with kernels"
    return bool(function._latest.plan.is_analytic)


def trained(layer: Any, rng: np.random.Generator) -> None:
    layer.set_weights([w + 0.02 * rng.standard_normal(w.shape) for w in layer.get_weights()])


# ---- Numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", STFT_CASES, ids=str)
def test_stft_numbers(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator, arguments: dict[str, Any]
) -> None:
    x = rng.standard_normal((2, 1500, 2)).astype(np.float32)
    ours, theirs = adapter.STFTSpectrogram(**arguments), keras.layers.STFTSpectrogram(**arguments)
    result = numpy_of(keras, ours(x))
    assert is_analytic(ours)
    np.testing.assert_array_equal(result, specfast.STFTSpectrogram(**arguments)(x))
    assert result.shape == tuple(ours.compute_output_shape(x.shape))
    expected = numpy_of(keras, theirs(x))
    assert np.linalg.norm(result - expected) < 2e-4 * np.linalg.norm(expected)

    trained(theirs, rng)
    ours.set_weights(theirs.get_weights())
    result, expected = numpy_of(keras, ours(x)), numpy_of(keras, theirs(x))
    assert not is_analytic(ours)
    assert np.linalg.norm(result - expected) < 1e-4 * np.linalg.norm(expected)


@pytest.mark.parametrize("arguments", MEL_CASES, ids=str)
@pytest.mark.parametrize("shape", [(3000,), (2, 3000), (2, 2, 3000)])
def test_mel_numbers(
    keras: ModuleType,
    adapter: ModuleType,
    rng: np.random.Generator,
    arguments: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    x = rng.standard_normal(shape).astype(np.float32)
    ours, theirs = adapter.MelSpectrogram(**arguments), keras.layers.MelSpectrogram(**arguments)
    result = numpy_of(keras, ours(x))
    np.testing.assert_array_equal(result, specfast.MelSpectrogram(**arguments)(x))
    np.testing.assert_allclose(result, numpy_of(keras, theirs(x)), rtol=1e-3, atol=2e-3)


def test_mel_shapes_are_right_where_keras_errs(keras: ModuleType, adapter: ModuleType) -> None:
    layer = adapter.MelSpectrogram(sequence_stride=512)
    symbolic = layer(keras.Input((511,), dtype="float32"))
    assert tuple(symbolic.shape) == (None, 128, 1)
    assert numpy_of(keras, layer(np.ones((2, 511), np.float32))).shape == (2, 128, 1)


def test_half_precision(keras: ModuleType, adapter: ModuleType, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 1000, 1)).astype(np.float32)
    layer = adapter.STFTSpectrogram(dtype="mixed_float16")
    result = layer(x)
    assert keras.backend.standardize_dtype(result.dtype) == "float16"
    assert [w.dtype for w in layer.get_weights()] == [np.float32] * 2
    assert is_analytic(layer)  # kernels are not rounded on their way


def test_bfloat16(keras: ModuleType, adapter: ModuleType, rng: np.random.Generator) -> None:
    x = rng.standard_normal(3000).astype(np.float32)
    result = adapter.MelSpectrogram(dtype="mixed_bfloat16")(x)
    assert keras.backend.standardize_dtype(result.dtype) == "bfloat16"
    rounded = numpy_of(keras, keras.ops.cast(result, "float32"))
    x = x.astype(ml_dtypes.bfloat16)  # as Keras hands them over
    expected = specfast.MelSpectrogram(dtype="mixed_bfloat16")(x).astype(np.float32)
    np.testing.assert_array_equal(rounded, expected)


def test_float64(keras: ModuleType, adapter: ModuleType, rng: np.random.Generator) -> None:
    if BACKEND == "jax":
        with pytest.raises(ValueError, match="jax_enable_x64"):
            adapter.MelSpectrogram(dtype="float64")(np.ones(3000, np.float32))
        return
    x = rng.standard_normal((1, 1000, 1))
    result = numpy_of(keras, adapter.STFTSpectrogram(dtype="float64")(x))
    np.testing.assert_array_equal(result, specfast.STFTSpectrogram(dtype="float64")(x))


def test_the_global_epsilon(keras: ModuleType, adapter: ModuleType) -> None:
    layer = adapter.STFTSpectrogram(mode="magnitude")
    silence = np.zeros((1, 300, 1), np.float32)
    before = keras.config.epsilon()
    assert numpy_of(keras, layer(silence)).max() == pytest.approx(np.sqrt(before))
    try:
        keras.config.set_epsilon(1e-4)
        assert numpy_of(keras, layer(silence)).max() == pytest.approx(1e-2)
    finally:
        keras.config.set_epsilon(before)


# ---- Errors ----------------------------------------------------------------------------------


def test_errors(keras: ModuleType, adapter: ModuleType) -> None:
    with pytest.raises(ValueError, match="Unrecognized keyword"):
        adapter.STFTSpectrogram(frames=3)
    with pytest.raises(ValueError, match="too short"):
        adapter.STFTSpectrogram()(np.ones((1, 100, 1), np.float32))
    with pytest.raises(ValueError, match="too short"):
        adapter.STFTSpectrogram()(keras.Input((100, 1)))
    with pytest.raises(TypeError, match="Invalid input type"):
        adapter.STFTSpectrogram(dtype="bfloat16")(np.ones((1, 300, 1), np.float32))
    with pytest.raises(ValueError, match="zero everywhere"):
        adapter.STFTSpectrogram(frame_length=2, window=[0.0, 0.0])


# ---- Configurations, weights and files -------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("STFTSpectrogram", a) for a in STFT_CASES] + [("MelSpectrogram", a) for a in MEL_CASES],
    ids=str,
)
def test_configurations(
    keras: ModuleType, adapter: ModuleType, name: str, arguments: dict[str, Any]
) -> None:
    ours = getattr(adapter, name)(**arguments, name="front_end")
    theirs = getattr(keras.layers, name)(**arguments, name="front_end")
    assert ours.get_config() == theirs.get_config()
    config = json.loads(json.dumps(theirs.get_config()))
    assert getattr(adapter, name).from_config(config).get_config() == theirs.get_config()
    config = json.loads(json.dumps(ours.get_config()))
    assert getattr(keras.layers, name).from_config(config).get_config() == ours.get_config()
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(ours)))
    again = keras.saving.deserialize_keras_object(serialized)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    without_adapters = getattr(specfast, name).from_config(serialized)
    assert without_adapters.get_config() == ours.get_config()


@pytest.mark.parametrize("arguments", [{}, {"mode": "real"}, {"mode": "imag"}], ids=str)
def test_weights_are_those_of_keras(
    keras: ModuleType, adapter: ModuleType, tmp_path: Path, arguments: dict[str, Any]
) -> None:
    arguments = {"frame_length": 64, **arguments}
    ours, theirs = (
        keras.Sequential([keras.Input((500, 1)), source.STFTSpectrogram(**arguments)])
        for source in (adapter, keras.layers)
    )
    described = [
        [(w.name, tuple(w.shape), w.dtype, w.trainable) for w in model.weights]
        for model in (ours, theirs)
    ]
    assert described[0] == described[1]
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)

    for number, (source, target) in enumerate([(ours, theirs), (theirs, ours)]):
        values = [w + number + 1 for w in source.get_weights()]
        source.set_weights(values)
        source.save_weights(tmp_path / "some.weights.h5")
        target.load_weights(tmp_path / "some.weights.h5")
        for w, v in zip(target.get_weights(), values, strict=True):
            np.testing.assert_array_equal(w, v)


def small_model(keras: ModuleType, source: ModuleType, **arguments: Any) -> Any:
    keras.utils.set_random_seed(3)
    arguments = {"frame_length": 64, "name": "front_end", **arguments}
    model = keras.Sequential(
        [
            keras.Input((1000, 1)),
            source.STFTSpectrogram(**arguments),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss)
    return model


def tones(rng: np.random.Generator) -> tuple[Array, Array]:
    labels = np.arange(24) % 3
    phase = np.arange(1000) * (0.3 + 0.5 * labels[:, None])
    noise = rng.standard_normal((24, 1000))
    return (np.sin(phase) + noise)[..., None].astype(np.float32), labels


def test_saved_models(
    keras: ModuleType, adapter: ModuleType, tmp_path: Path, rng: np.random.Generator
) -> None:
    x, labels = tones(rng)
    model = small_model(keras, adapter)
    before = model.get_layer("front_end").get_weights()
    model.fit(x, labels, batch_size=8, epochs=2, verbose=0)
    after = model.get_layer("front_end").get_weights()
    assert all(np.abs(w - v).max() > 1e-5 for w, v in zip(before, after, strict=True))
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    layer = again.get_layer("front_end")
    assert type(layer) is adapter.STFTSpectrogram
    for w, v in zip(layer.get_weights(), after, strict=True):
        np.testing.assert_array_equal(w, v)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_live_layers_without_keras(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((1, 500, 1)).astype(np.float32)
    layer = adapter.STFTSpectrogram(mode="psd", frame_length=64)
    expected = numpy_of(keras, layer(x))
    np.testing.assert_array_equal(specfast.from_keras(layer)(x), expected)
    trained(layer, rng)
    np.testing.assert_array_equal(specfast.from_keras(layer)(x), numpy_of(keras, layer(x)))
    mel = adapter.MelSpectrogram(num_mel_bins=7)
    assert specfast.from_keras(mel).get_config() == mel.get_config()


# ---- Training --------------------------------------------------------------------------------


# The gradient of "log" has no bound where the power is small, as it is at times in the first and
# the last bin: in float32 it is there what Keras' rounding of its kernels makes it.
TRAINING = [{"mode": mode} for mode in ("magnitude", "stft", "real")]
if BACKEND != "jax":
    TRAINING.append({"mode": "log", "dtype": "float64"})


@pytest.mark.parametrize("arguments", TRAINING, ids=str)
def test_training_as_keras_does(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator, arguments: dict[str, Any]
) -> None:
    x, labels = tones(rng)
    losses, weights = [], []
    for source in (adapter, keras.layers):
        model = small_model(keras, source, **arguments)
        start = model.get_weights()
        history = model.fit(x, labels, batch_size=8, epochs=4, verbose=0, shuffle=False)
        losses.append(history.history["loss"])
        weights.append([w - v for w, v in zip(model.get_weights(), start, strict=True)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    assert losses[0][-1] < losses[0][0]
    for change, expected in zip(*weights, strict=True):
        assert np.linalg.norm(change - expected) < 0.01 * np.linalg.norm(expected)


def test_frozen_kernels_stay(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator
) -> None:
    x, labels = tones(rng)
    model = small_model(keras, adapter, trainable=False)
    layer = model.get_layer("front_end")
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (0, 2)
    before = layer.get_weights()
    model.fit(x, labels, batch_size=8, verbose=0)
    for w, v in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)
    if BACKEND != "jax":  # there Keras traces again for predict
        assert is_analytic(layer)


@pytest.mark.parametrize("kind", ["stft", "mel"])
def test_gradients_reach_what_stands_before(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator, kind: str
) -> None:
    """A layer with a weight in front of ours learns the same gain as before Keras' own."""
    x = rng.standard_normal((4, 1000)).astype(np.float32)
    kernels = []
    for source in (adapter, keras.layers):
        keras.utils.set_random_seed(5)
        layers = [keras.Input((1000,)), keras.layers.Reshape((1000, 1))]
        layers.append(keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"))
        if kind == "stft":
            layers.append(source.STFTSpectrogram(mode="psd", frame_length=64, trainable=False))
        else:
            layers.append(keras.layers.Reshape((1000,)))
            layers.append(source.MelSpectrogram(fft_length=256, num_mel_bins=20, min_freq=100.0))
        model = keras.Sequential([*layers, keras.layers.Flatten()])
        model.compile(optimizer=keras.optimizers.SGD(1e-3), loss="mean_squared_error")
        model.fit(x, np.ones((4, *model.output_shape[1:])), epochs=3, batch_size=4, verbose=0)
        kernels.append(model.get_weights()[0].item())
    assert kernels[0] != 1
    assert kernels[0] - 1 == pytest.approx(kernels[1] - 1, rel=1e-3)


def test_a_functional_model_of_two_front_ends(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator
) -> None:
    """Layers of one configuration and different kernels do not get in each other's way."""
    inputs = keras.Input((None, 1))
    first, second = (adapter.STFTSpectrogram(frame_length=64) for _ in range(2))
    model = keras.Model(inputs, [first(inputs), second(inputs)])
    trained(second, rng)
    for num_samples in (300, 500):
        x = rng.standard_normal((2, num_samples, 1)).astype(np.float32)
        for layer, result in zip((first, second), model.predict(x, verbose=0), strict=True):
            alone = specfast.STFTSpectrogram(frame_length=64)
            alone.set_weights(layer.get_weights())
            np.testing.assert_array_equal(result, alone(x))


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("name", ["MelSpectrogram", "STFTSpectrogram"])
def test_bytes_are_refused_with_the_way_out(adapter: ModuleType, name: str, dtype: str) -> None:
    layer = getattr(adapter, name)()
    with pytest.raises(TypeError, match=r"numpy\.frombuffer") as caught:
        layer(np.zeros((2, 4000, 1), dtype))
    assert f"dtype {dtype} and shape (2, 4000, 1)" in str(caught.value)
