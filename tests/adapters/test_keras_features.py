# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.keras.FeatureExtractor` on the backend at hand."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from feature_cases import WITH_GRADIENT, WITHOUT_GRADIENT, spec_of

import specfast


def model_of(keras: ModuleType, layer: Any) -> Any:
    layers = [layer, keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((2000,)), *layers])


@pytest.mark.parametrize("name", [*WITH_GRADIENT, *WITHOUT_GRADIENT])
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_values(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator, name: str, dtype: str
) -> None:
    layer, plain = (
        adapter.FeatureExtractor(spec_of(name)),
        specfast.FeatureExtractor(spec_of(name)),
    )
    x = (rng.standard_normal((2, 4000)) * 50).astype(dtype)
    y = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_array_equal(y, plain(x), strict=True)
    assert layer.compute_output_shape((None, 4000))[1:] == y.shape[1:]


@pytest.mark.parametrize("name", ["whisper", "kaldi_fbank", "pcen"])
def test_in_a_model(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator, tmp_path: Path, name: str
) -> None:
    spec = spec_of(name)
    model = model_of(keras, adapter.FeatureExtractor(spec, num_threads=2, name="front"))
    x = rng.standard_normal((8, 2000)).astype("float32")
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((8, 1)), batch_size=4, verbose=0)
    expected = model.predict(x, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
    assert loaded.layers[0].spec == spec
    assert loaded.layers[0].get_config() == model.layers[0].get_config()


def test_configuration(adapter: ModuleType) -> None:
    layer = adapter.FeatureExtractor(spec_of("nemo"), name="front")
    config = layer.get_config()
    assert config["spec"]["format"] == "specfast.FeatureSpec"
    other = adapter.FeatureExtractor.from_config(config)
    assert (other.spec, other.name) == (layer.spec, "front")
    with pytest.raises(ValueError, match="schema"):
        adapter.FeatureExtractor({**config["spec"], "schema": 99})
    with pytest.raises(TypeError, match="`spec` must be a FeatureSpec"):
        adapter.FeatureExtractor("whisper")


def test_a_mixed_policy_leaves_samples_alone(
    keras: ModuleType, adapter: ModuleType, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((2, 2000)).astype("float32")
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        y = adapter.FeatureExtractor(spec_of("whisper"))(x)
    finally:
        keras.config.set_dtype_policy(policy)
    expected = specfast.FeatureExtractor(spec_of("whisper"))(x)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), expected, strict=True)


def test_portable_is_refused(adapter: ModuleType, rng: np.random.Generator) -> None:
    layer = adapter.FeatureExtractor(spec_of("whisper"))
    layer.portable = True
    with pytest.raises(NotImplementedError, match="compute its features before it"):
        layer(rng.standard_normal((2, 2000)).astype("float32"))
