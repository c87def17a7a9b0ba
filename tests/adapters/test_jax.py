# SPDX-License-Identifier: BSD-3-Clause
"""`specfast.jax`: functions of JAX arrays under jit, vmap and grad."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import specfast
from specfast._adapters import functional as _functional
from specfast.jax import mel_spectrogram, stft_spectrogram

ARGUMENTS: dict[str, Any] = {"mode": "psd", "frame_length": 32, "frame_step": 8}


def signals(*shape: int) -> Any:
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def some_kernels(layer: specfast.STFTSpectrogram) -> list[Any]:
    rng = np.random.default_rng(4)
    return [
        (w + 0.1 * rng.standard_normal(w.shape)).astype(np.float32) for w in layer.get_weights()
    ]


def test_values() -> None:
    layer = specfast.STFTSpectrogram(**ARGUMENTS)
    x = signals(2, 300, 1)
    expected = layer(x)
    np.testing.assert_array_equal(stft_spectrogram(x, **ARGUMENTS), expected)
    np.testing.assert_array_equal(stft_spectrogram(x, layer), expected)
    np.testing.assert_array_equal(jax.jit(lambda x: stft_spectrogram(x, layer))(x), expected)
    kernels = some_kernels(layer)
    layer.set_weights(kernels)
    expected = layer(x)
    np.testing.assert_array_equal(stft_spectrogram(x, layer), expected)
    np.testing.assert_array_equal(stft_spectrogram(x, kernels=kernels, **ARGUMENTS), expected)
    mel = specfast.MelSpectrogram(fft_length=64, num_mel_bins=8)
    np.testing.assert_array_equal(
        jax.jit(lambda x: mel_spectrogram(x, mel))(x[..., 0]), mel(x[..., 0])
    )


def test_dtypes() -> None:
    x = signals(300)
    assert mel_spectrogram(x.astype(np.float16), fft_length=64).dtype == np.float16
    assert mel_spectrogram((1000 * x).astype(np.int16), fft_length=64).dtype == np.float32
    with jax.enable_x64(True):
        layer = specfast.MelSpectrogram(fft_length=64, dtype="float64")
        wide = x.astype(np.float64)
        np.testing.assert_array_equal(mel_spectrogram(wide, fft_length=64), layer(wide))


def test_equal_arguments_compile_once() -> None:
    traces = []

    @jax.jit
    def traced(x: Any) -> Any:
        traces.append(x.shape)
        return stft_spectrogram(x, **ARGUMENTS)

    for seed in range(3):
        traced(signals(1, 100, 1) + seed)
    assert len(traces) == 1
    x = jnp.asarray(signals(1, 100, 1))
    before = _functional._from_key.cache_info().misses
    assert before >= 1
    stft_spectrogram(x, **ARGUMENTS)
    stft_spectrogram(x, **dict(reversed(ARGUMENTS.items())))
    assert _functional._from_key.cache_info().misses == before


def test_equal_arguments_make_no_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    x = signals(1, 100, 1)
    expected = stft_spectrogram(x, **ARGUMENTS)
    monkeypatch.setattr(specfast.STFTSpectrogram, "__init__", None)
    np.testing.assert_array_equal(stft_spectrogram(x, **ARGUMENTS), expected)


def test_arguments_that_are_no_keys() -> None:
    x, window = signals(1, 100, 1), np.hanning(32)
    expected = specfast.STFTSpectrogram(window=window, **ARGUMENTS)(x)
    for given in (window, list(window)):
        np.testing.assert_array_equal(stft_spectrogram(x, window=given, **ARGUMENTS), expected)
    assert mel_spectrogram(x[..., 0], fft_length=64, num_mel_bins=8).shape[1] == 8
    with pytest.raises(TypeError, match="num_mel_bins"):
        mel_spectrogram(x[..., 0], fft_length=64, num_mel_bins=8.0)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("jit", [False, True])
def test_gradients(trained: bool, jit: bool) -> None:
    layer = specfast.STFTSpectrogram(**ARGUMENTS)
    if trained:
        layer.set_weights(some_kernels(layer))
    x = signals(2, 300, 1)
    kernels = layer.get_weights()

    def loss(x: Any, kernels: Any) -> Any:
        return jnp.sum(stft_spectrogram(x, layer, kernels=kernels) ** 2)

    gradient = jax.grad(loss, argnums=(0, 1))
    of_x, of_kernels = (jax.jit(gradient) if jit else gradient)(x, kernels)
    y, pullback = layer.vjp(x)
    expected = pullback(2 * y)
    np.testing.assert_array_equal(of_x, expected.signal)
    for found, wanted in zip(of_kernels, expected.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_only_the_wanted_gradients_are_computed(requested_gradients: list[Any]) -> None:
    layer = specfast.STFTSpectrogram(**ARGUMENTS)
    x, kernels = signals(1, 100, 1), layer.get_weights()

    def loss(x: Any, kernels: Any) -> Any:
        return jnp.sum(stft_spectrogram(x, layer, kernels=kernels))

    jax.grad(loss, argnums=0)(x, kernels)
    jax.jit(jax.grad(loss, argnums=1))(x, kernels)[0].block_until_ready()
    assert requested_gradients == [
        {"signal": True, "weights": False},
        {"signal": False, "weights": True},
    ]


def test_vmap() -> None:
    layer = specfast.STFTSpectrogram(**ARGUMENTS)
    x, kernels = signals(3, 2, 100, 1), some_kernels(layer)

    def each(x: Any, kernels: Any) -> Any:
        return stft_spectrogram(x, layer, kernels=kernels)

    mapped = jax.vmap(each, in_axes=(0, None))(x, kernels)
    np.testing.assert_array_equal(mapped, np.stack([each(part, kernels) for part in x]))
    of_kernels = [np.stack([k, 2 * k]) for k in kernels]
    mapped = jax.vmap(jax.vmap(each, in_axes=(None, 0)), in_axes=(0, None))(x, of_kernels)
    assert mapped.shape[:2] == (3, 2)
    np.testing.assert_array_equal(mapped[2, 1], each(x[2], [2 * k for k in kernels]))

    def loss(x: Any, kernels: Any) -> Any:
        return jnp.sum(each(x, kernels) ** 2)

    per_signal = jax.jit(jax.vmap(jax.grad(loss, argnums=1), in_axes=(0, None)))(x, kernels)
    alone = jax.grad(loss, argnums=1)(x[1], kernels)
    for found, wanted in zip(per_signal, alone, strict=True):
        np.testing.assert_array_equal(found[1], wanted)


def test_vmap_is_not_the_batch_of_top_db() -> None:
    x = signals(2, 2000) * np.array([[1e-4], [1.0]], np.float32)
    together = mel_spectrogram(x, fft_length=256)
    apart = jax.vmap(lambda x: mel_spectrogram(x, fft_length=256))(x)
    assert np.abs(together[0] - apart[0]).max() > 1
    np.testing.assert_array_equal(apart[0], mel_spectrogram(x[0], fft_length=256))


def test_mel_gradient() -> None:
    layer = specfast.MelSpectrogram(fft_length=64, sequence_stride=32, num_mel_bins=8)
    x = signals(2, 300)
    found = jax.jit(jax.grad(lambda x: jnp.sum(mel_spectrogram(x, layer))))(x)
    y, pullback = layer.vjp(x)
    np.testing.assert_array_equal(found, pullback(np.ones_like(y)).signal)


def test_errors() -> None:
    x = signals(1, 300, 1)
    with pytest.raises(ValueError, match="too short"):
        jax.jit(lambda x: stft_spectrogram(x, **ARGUMENTS))(x[:, :10])
    with pytest.raises(ValueError, match="must not be followed"):
        stft_spectrogram(x, specfast.STFTSpectrogram(), mode="psd")
    with pytest.raises(TypeError, match=r"must be a specfast\.STFTSpectrogram"):
        stft_spectrogram(x, specfast.MelSpectrogram())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="jax_enable_x64"):
        stft_spectrogram(x, dtype="float64")
    with pytest.raises(TypeError, match="Invalid input type"):
        stft_spectrogram(x.astype(np.int32), **ARGUMENTS)


def test_large_arguments_do_not_block() -> None:
    """`jax.pure_callback` would wait for itself here where processors are few."""
    layer = specfast.STFTSpectrogram(frame_length=512)
    x = signals(8, 32000, 1)
    kernels = tuple(map(jnp.asarray, some_kernels(layer)))
    step = jax.jit(jax.grad(lambda k: jnp.mean(stft_spectrogram(x, layer, kernels=k))))
    for _ in range(5):
        kernels = tuple(k - g for k, g in zip(kernels, step(kernels), strict=True))
    assert all(np.isfinite(k).all() for k in kernels)
