# SPDX-License-Identifier: BSD-3-Clause
"""`layer.vjp` as a function of arrays: the same bits always, dtypes, strides, errors."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest

from makers import Array, perturb, same_bits, small_mel, small_stft
from oracle import STFT_MODES
from signals import noise
from specfast import MelSpectrogram

# ---- Determinism -------------------------------------------------------------------------------


def gradient_bytes(layer: Any, x: Array) -> bytes:
    y, pullback = layer.vjp(x)
    gradients = pullback(noise(*y.shape, seed=9))
    assert gradients.signal is not None
    return b"".join(g.tobytes() for g in (gradients.signal, *gradients.weights))


def test_a_cotangent_too_large_for_the_layer_becomes_infinite() -> None:
    y, pullback = small_mel().vjp(noise(300))
    with np.errstate(all="raise"):
        assert not np.all(np.isfinite(pullback(np.full(y.shape, 1e300)).signal))


def test_threads_change_no_bit() -> None:
    for dtype in ("float32", "float64"):
        for make in (
            lambda n, dtype=dtype: small_stft(mode="log", num_threads=n, dtype=dtype),
            lambda n, dtype=dtype: perturb(small_stft(mode="angle", num_threads=n, dtype=dtype)),
            lambda n, dtype=dtype: small_mel(num_threads=n, dtype=dtype),
            lambda n, dtype=dtype: small_mel(num_threads=n, dtype=dtype, fft_length=75),
        ):
            mel = isinstance(make(1), MelSpectrogram)
            for shape in ((1, 30_000), (9, 2000)):
                x = noise(*shape) if mel else noise(*shape, 2)
                expected = gradient_bytes(make(1), x)
                for number in (2, 3, 4, 7):
                    assert gradient_bytes(make(number), x) == expected


def test_the_batch_changes_no_bit() -> None:
    x = noise(7, 3000, 2)
    for layer in (small_stft(mode="log"), perturb(small_stft(mode="psd"))):
        y, pullback = layer.vjp(x)
        cotangent = noise(*y.shape, seed=2)
        whole = pullback(cotangent).signal
        for i in range(7):
            part = layer.vjp(x[i : i + 1])[1](cotangent[i : i + 1]).signal
            assert whole is not None
            assert part is not None
            assert same_bits(part[0], whole[i])


def test_what_is_not_asked_for_changes_no_bit() -> None:
    layer = perturb(small_stft(mode="log"))
    y, pullback = layer.vjp(noise(3, 3000, 1))
    cotangent = noise(*y.shape, seed=2)
    both = pullback(cotangent)
    signal_only = pullback(cotangent, weights=False)
    weights_only = pullback(cotangent, signal=False)
    assert signal_only.weights == []
    assert weights_only.signal is None
    assert both.signal is not None
    assert signal_only.signal is not None
    assert same_bits(signal_only.signal, both.signal)
    assert all(map(same_bits, weights_only.weights, both.weights))
    assert pullback(cotangent, signal=False, weights=False) == (None, [])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_kept_changes_no_bit(dtype: str) -> None:
    for mode in STFT_MODES:
        layer = perturb(small_stft(mode=mode, dtype=dtype, num_threads=3))
        plan: Any = layer.pipeline.plan
        for num_samples in (16, 50, 700, 3000):
            x = noise(3, num_samples, 2, dtype=dtype)
            output, kept = plan.call_keeping(x)
            assert same_bits(output, layer(x))
            assert (kept is None) == (mode in ("real", "imag", "stft"))
            cotangent = noise(*output.shape, seed=3, dtype=dtype)
            signal, weights = plan.pull_back(x, cotangent, True, True)
            again = layer.vjp(x)[1](cotangent)
            assert again.signal is not None
            assert same_bits(again.signal, signal)
            assert all(map(same_bits, again.weights, weights))


def test_kept_spectra_of_something_else_are_refused() -> None:
    x = noise(2, 300, 1)
    trained, untrained = perturb(small_stft()), small_stft()
    plan: Any = trained.pipeline.plan
    output, kept = plan.call_keeping(x)
    for wrong in (
        kept[:1],
        kept[..., :-1],
        kept.astype(np.float64),
        kept[0],
        np.asfortranarray(kept),
    ):
        with pytest.raises(ValueError, match="kept must be"):
            plan.pull_back(x, output, True, True, 1, wrong)
    with pytest.raises(ValueError, match="kept must be"):
        plan.pull_back(x[:, :200], output[:, :47].copy(), True, True, 1, kept)
    other: Any = untrained.pipeline.plan
    assert other.call_keeping(x)[1] is None
    with pytest.raises(ValueError, match="kept must be"):
        other.pull_back(x, output, True, True, 1, kept)


def test_pullbacks_in_threads() -> None:
    layer = perturb(small_stft(mode="log", num_threads=2))
    x = noise(2, 3000, 1)
    y, pullback = layer.vjp(x)
    cotangent = np.ones_like(y)
    expected = pullback(cotangent)
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(10):
            found = pullback(cotangent)
            if not all(map(same_bits, found.weights, expected.weights)):
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# ---- Arrays in and out -------------------------------------------------------------------------


def test_gradients_are_those_at_the_time_of_the_call() -> None:
    layer = perturb(small_stft(mode="psd"))
    x = noise(1, 300, 1)
    y, pullback = layer.vjp(x)
    before = pullback(np.ones_like(y))
    layer.set_weights([w * 2 for w in layer.get_weights()])
    after = pullback(np.ones_like(y))
    assert before.signal is not None
    assert after.signal is not None
    assert same_bits(after.signal, before.signal)
    assert not same_bits(layer.vjp(x)[1](np.ones_like(y)).signal, before.signal)


def test_dtypes() -> None:
    for layer_dtype, x_dtype in itertools.product(
        ["float32", "float64", "float16", "mixed_float16"], [np.float16, np.float32, np.float64]
    ):
        layer = small_stft(mode="psd", dtype=layer_dtype)
        y, pullback = layer.vjp(noise(1, 300, 1).astype(x_dtype))
        assert y.dtype == layer.compute_dtype
        for cotangent in (np.ones(y.shape, np.float16), np.ones(y.shape, np.int32)):
            gradients = pullback(cotangent)
            assert gradients.signal is not None
            assert gradients.signal.dtype == x_dtype
            assert all(g.dtype == layer.dtype for g in gradients.weights)
    for x in (np.arange(300, dtype=np.int16), [0.5] * 300, np.ones(300, bool)):
        y, pullback = small_mel(dtype="float64").vjp(x)
        gradient = pullback(np.ones_like(y)).signal
        assert gradient is not None
        assert gradient.dtype == np.float64
    swapped = noise(1, 300, 1).astype(">f4")
    assert small_stft().vjp(swapped)[1](np.ones((1, 72, 17))).signal.dtype == np.float32


def test_strides() -> None:
    for layer, x in (
        (small_stft(mode="log"), noise(3, 700, 2)),
        (perturb(small_stft(mode="log", data_format="channels_first")), noise(3, 2, 700)),
        (small_mel(), noise(3, 2, 700)),
    ):
        expected = gradient_bytes(layer, x)
        assert gradient_bytes(layer, np.asfortranarray(x)) == expected
        assert gradient_bytes(layer, np.repeat(x, 2, axis=-1)[..., ::2]) == expected
        y, pullback = layer.vjp(x)
        cotangent = noise(*y.shape, seed=9)
        plain = pullback(cotangent).signal
        for other in (
            np.asfortranarray(cotangent),
            cotangent.astype(">f4"),
            np.repeat(cotangent, 2, axis=0)[::2],
        ):
            assert same_bits(pullback(other).signal, plain)
        ones = np.ones(y.shape, np.float32)
        spread = np.broadcast_to(np.float32(1), y.shape)
        assert same_bits(pullback(spread).signal, pullback(ones).signal)


def test_empty_batches() -> None:
    for layer in (small_stft(), perturb(small_stft())):
        for shape in ((0, 300, 1), (2, 300, 0)):
            y, pullback = layer.vjp(np.zeros(shape, np.float32))
            gradients = pullback(np.zeros(y.shape))
            assert gradients.signal is not None
            assert gradients.signal.shape == shape
            assert all(g.shape == (16, 1, 17) and not g.any() for g in gradients.weights)
    y, pullback = small_mel().vjp(np.zeros((0, 300), np.float32))
    assert pullback(y).signal.shape == (0, 300)


def test_what_is_refused() -> None:
    layer = small_stft()
    with pytest.raises(ValueError, match="too short"):
        layer.vjp(np.zeros((1, 3, 1), np.float32))
    with pytest.raises(TypeError, match="Invalid input type"):
        layer.vjp(np.zeros((1, 300, 1), np.int32))
    y, pullback = layer.vjp(noise(1, 300, 1))
    for wrong in (y[:, :-1], y[0], np.zeros(3), np.zeros((*y.shape, 1))):
        with pytest.raises(ValueError, match=r"`cotangent` must have the shape.*\(1, 72, 17\)"):
            pullback(wrong)
    for wrong in (y * 1j, y.astype(str), y.astype(object), None):
        with pytest.raises(TypeError):
            pullback(wrong)
