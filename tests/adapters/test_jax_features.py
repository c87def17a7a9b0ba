# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.jax.extract_features`: values, gradients, jit and vmap, and what is refused."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from feature_cases import WITH_GRADIENT, WITHOUT_GRADIENT, spec_of

import specfast
from specfast import jax as adapter
from specfast import presets


@pytest.mark.parametrize("name", [*WITH_GRADIENT, *WITHOUT_GRADIENT])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int16"])
def test_values(name: str, dtype: str, rng: np.random.Generator) -> None:
    plain = specfast.FeatureExtractor(spec_of(name))
    x = (rng.standard_normal((2, 3, 4000)) * 50).astype(dtype)
    for call in (adapter.extract_features, jax.jit(adapter.extract_features, static_argnums=1)):
        y = call(x, plain)
        assert isinstance(y, jax.Array)
        np.testing.assert_array_equal(y, plain(x), strict=True)


@pytest.mark.parametrize("name", WITH_GRADIENT)
@pytest.mark.parametrize("wrap", [lambda call: call, jax.jit], ids=["eager", "jit"])
def test_gradients_are_those_of_the_engine(
    name: str, wrap: object, rng: np.random.Generator
) -> None:
    plain = specfast.FeatureExtractor(spec_of(name))
    x = rng.standard_normal((2, 4000)).astype("float32")
    y, pullback = plain.vjp(x)
    cotangent = rng.standard_normal(y.shape).astype("float32")

    def gradient(x: jax.Array) -> jax.Array:
        _, pull = jax.vjp(lambda x: adapter.extract_features(x, plain), x)
        return pull(jnp.asarray(cotangent))[0]

    assert callable(wrap)
    np.testing.assert_array_equal(wrap(gradient)(x), pullback(cotangent).signal)


@pytest.mark.parametrize(("name", "field"), WITHOUT_GRADIENT.items())
def test_no_gradient_is_a_matter_of_the_backward_pass(
    name: str, field: str, rng: np.random.Generator
) -> None:
    plain = specfast.FeatureExtractor(spec_of(name))
    x = rng.standard_normal(4000).astype("float32")
    y, pull = jax.vjp(lambda x: adapter.extract_features(x, plain), x)
    np.testing.assert_array_equal(y, plain(x))
    with pytest.raises(ValueError, match=rf"{field}.*gradient|gradient.*{field}"):
        pull(y)


@pytest.mark.parametrize("name", ["whisper", "nemo", "kaldi_fbank"])
def test_vmap(name: str, rng: np.random.Generator) -> None:
    plain = specfast.FeatureExtractor(spec_of(name))
    x = rng.standard_normal((3, 2, 2000)).astype("float32")
    each = jax.vmap(lambda x: adapter.extract_features(x, plain))
    np.testing.assert_array_equal(each(x), np.stack([plain(clip) for clip in x]))
    gradient = jax.vmap(jax.grad(lambda x: adapter.extract_features(x, plain).sum()))(x)
    y, pullback = plain.vjp(x[1])
    np.testing.assert_array_equal(gradient[1], pullback(np.ones_like(y)).signal)


def test_what_is_refused(rng: np.random.Generator) -> None:
    plain = presets.get("kaldi_fbank")
    x = jnp.asarray(rng.standard_normal(2000).astype("float32"))
    with pytest.raises(TypeError, match="`extractor` must be a specfast.FeatureExtractor"):
        adapter.extract_features(x, presets.spec("whisper"))
    with pytest.raises(NotImplementedError, match="FeatureExtractor"):
        jax.jvp(lambda x: adapter.extract_features(x, plain), (x,), (x,))
    with pytest.raises(NotImplementedError, match="compute its features before it"):
        jax.export.export(jax.jit(lambda x: adapter.extract_features(x, plain)))(x)
    wide = specfast.FeatureExtractor(plain.spec.replace(precision="float64", dtype="float64"))
    with pytest.raises(ValueError, match="jax_enable_x64"):
        adapter.extract_features(x, wide)
