# SPDX-License-Identifier: BSD-3-Clause
"""Every derivative and transform of TensorFlow, of our Keras layers and of Keras' own: the same
values, never None or zero in their place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

# What TensorFlow and its converters say of a loop in place of a vectorised call.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:tensorflow")

MODES = ("log", "magnitude", "psd", "real", "imag", "stft", "angle")
STFT: dict[str, Any] = {"frame_length": 16, "frame_step": 8, "fft_length": 20, "dtype": "float64"}
MEL: dict[str, Any] = {
    "fft_length": 32,
    "sequence_stride": 16,
    "num_mel_bins": 4,
    "min_freq": 500.0,
}
LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    **{mode: ("STFTSpectrogram", {**STFT, "mode": mode}) for mode in MODES},
    "same": ("STFTSpectrogram", {**STFT, "padding": "same", "expand_dims": True}),
    "frozen": ("STFTSpectrogram", {**STFT, "mode": "magnitude", "trainable": False}),
    "mel": ("MelSpectrogram", {**MEL, "top_db": 30.0}),
    "energy": ("MelSpectrogram", {**MEL, "power_to_db": False, "mag_exp": 1.0}),
}

Call = Callable[[Any], Any]
Transform = Callable[[Call, Any, list[Any]], Any]


def loss(y: Any) -> Any:
    return tf.reduce_sum(tf.tanh(0.1 * y) * tf.cast(tf.range(tf.size(y)), y.dtype)[::-1][0])


def gradient(call: Call, x: Any, kernels: list[Any]) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(call(x))
    return tape.gradient(value, [x, *kernels])


def penalty(call: Call, x: Any, kernels: list[Any]) -> Any:
    """The gradient of a loss that holds the gradients."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = sum(tf.reduce_sum(g**2) for g in gradient(call, x, kernels))
    return tape.gradient(value, [x, *kernels])


def third(call: Call, x: Any, kernels: list[Any]) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        second = penalty(call, x, kernels)
        value = sum(tf.reduce_sum(g[:1]) for g in second if g is not None)
    return tape.gradient(value, [x, *kernels])


def penalty_alone(call: Call, x: Any, kernels: list[Any]) -> Any:
    """Of the samples' gradient, with respect to the kernels, by one persistent tape."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        value = loss(call(x))
        penalty = tf.reduce_sum(tape.gradient(value, x) ** 2)
    return tape.gradient(penalty, [x, *kernels])


def of_cotangent(call: Call, x: Any, kernels: list[Any]) -> Any:
    """A gradient is linear in what flows back: its derivative by that is a forward one."""
    with tf.GradientTape() as inner:
        inner.watch(x)
        y = call(x)
    cotangent = tf.ones_like(y)
    with tf.GradientTape() as outer:
        outer.watch(cotangent)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = call(x)
        value = tf.reduce_sum(tf.sin(x) * inner.gradient(y, x, cotangent))
    return outer.gradient(value, cotangent)


def forward(call: Call, x: Any, kernels: list[Any]) -> Any:
    with tf.autodiff.ForwardAccumulator(x, tf.sin(x)) as accumulator:
        y = call(x)
    return accumulator.jvp(y)


def forward_of_function(call: Call, x: Any, kernels: list[Any]) -> Any:
    return forward(tf.function(call, autograph=False), x, kernels)


def forward_over_reverse(call: Call, x: Any, kernels: list[Any]) -> Any:
    with tf.autodiff.ForwardAccumulator(x, tf.sin(x)) as accumulator:
        found = gradient(call, x, kernels)
    return [accumulator.jvp(g) for g in found]


def reverse_over_forward(call: Call, x: Any, kernels: list[Any]) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(forward(call, x, kernels))
    return tape.gradient(value, [x, *kernels])


def jacobian(call: Call, x: Any, kernels: list[Any], *, pfor: bool, batch: bool) -> Any:
    with tf.GradientTape(persistent=not pfor) as tape:
        tape.watch(x)
        y = call(x)
        y = tf.reshape(y, (x.shape[0], -1))[:, :3]
    if batch:
        return tape.batch_jacobian(y, x, experimental_use_pfor=pfor)
    return tape.jacobian(y, [x, *kernels], experimental_use_pfor=pfor)


def hessian(call: Call, x: Any, kernels: list[Any]) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        (of_samples, *_) = gradient(call, x, kernels)
        some = of_samples[:, :2]
    return tape.jacobian(some, x)


def symbolic(call: Call, x: Any, kernels: list[Any]) -> Any:
    @tf.function(autograph=False)
    def found(x: Any) -> Any:
        first = tf.gradients(loss(call(x)), x)
        return first, tf.gradients(tf.reduce_sum(first[0] ** 2), x)

    return found(x)


def mapped(call: Call, x: Any, kernels: list[Any]) -> Any:
    return tf.vectorized_map(lambda one: call(one[None])[0], x)


def mapped_gradient(call: Call, x: Any, kernels: list[Any]) -> Any:
    return tf.vectorized_map(lambda one: gradient(call, one[None], kernels)[0][0], x)


def looped(call: Call, x: Any, kernels: list[Any]) -> Any:
    def one_by_one(x: Any) -> Any:
        return tf.map_fn(lambda one: call(one[None])[0], x)

    return gradient(one_by_one, x, kernels)


def conditional(call: Call, x: Any, kernels: list[Any]) -> Any:
    def either(x: Any) -> Any:
        return tf.cond(tf.reduce_sum(x) > 1e9, lambda: 2 * call(x), lambda: call(x))

    return penalty(either, x, kernels)


def recomputed(call: Call, x: Any, kernels: list[Any]) -> Any:
    again = tf.recompute_grad(call)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(again(x))
    return tape.gradient(value, x)


def compiled(call: Call, x: Any, kernels: list[Any]) -> Any:
    def both(x: Any) -> Any:
        return call(x), penalty(call, x, kernels)

    return tf.function(both, jit_compile=True, autograph=False)(x)


TRANSFORMS: dict[str, Transform] = {
    function.__name__: function
    for function in (
        gradient,
        penalty,
        third,
        penalty_alone,
        of_cotangent,
        forward,
        forward_of_function,
        forward_over_reverse,
        reverse_over_forward,
        hessian,
        symbolic,
        mapped,
        mapped_gradient,
        looped,
        conditional,
        recomputed,
        compiled,
    )
} | {
    f"jacobian-pfor={pfor}-batch={batch}": functools.partial(jacobian, pfor=pfor, batch=batch)
    for pfor in (False, True)
    for batch in (False, True)
}
EAGER_ONLY = {"forward_of_function", "symbolic", "compiled"}


def pair(keras: ModuleType, adapter: ModuleType, name: str) -> tuple[Any, Any, Any]:
    """Returns our layer, Keras' with the same weights, which are no analytic ones, and samples."""
    rng = np.random.default_rng(11)
    kind, arguments = LAYERS[name]
    shape = (2, 60)
    if kind == "STFTSpectrogram":
        shape = (2, 60, 1)
    ours, theirs = (getattr(source, kind)(**arguments) for source in (adapter, keras.layers))
    for layer in (ours, theirs):
        layer.build(shape)
    weights = [w + 0.05 * rng.standard_normal(w.shape) for w in theirs.get_weights()]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    return ours, theirs, tf.constant(rng.standard_normal(shape), ours.compute_dtype)


def check(found: Any, expected: Any) -> None:
    found, expected = tf.nest.flatten(found), tf.nest.flatten(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if other is None:  # as the second derivative of what is linear
            assert one is None or not np.any(one)
            continue
        assert one is not None
        other = tf.convert_to_tensor(other).numpy()
        one = tf.convert_to_tensor(one).numpy()
        tolerance = 1e-10 if other.dtype == np.float64 else 1e-3
        assert np.linalg.norm(one - other) <= tolerance * np.linalg.norm(other) + 1e-12


# Every layer under some transforms, and every transform of some layers.
CASES = [(name, transform) for name in LAYERS for transform in ("penalty", "forward")]
CASES += [
    (name, transform)
    for name in ("log", "mel")
    for transform in TRANSFORMS
    # The third derivatives of Keras' mel layer, which computes in float32, are mostly noise.
    if (name, transform) not in [*CASES, ("mel", "third")]
]


@pytest.mark.parametrize(
    ("name", "transform", "graph"),
    [
        (*case, graph)
        for graph in (False, True)
        for case in CASES
        if not (graph and case[1] in EAGER_ONLY)
    ],
)
def test_transforms(
    keras: ModuleType, adapter: ModuleType, name: str, transform: str, graph: bool
) -> None:
    ours, theirs, x = pair(keras, adapter, name)
    results = []
    for layer in (ours, theirs):
        kernels = [weight.value for weight in layer.trainable_weights]
        run = functools.partial(TRANSFORMS[transform], layer, kernels=kernels)
        results.append((tf.function(run, autograph=False) if graph else run)(x=x))
    check(*results)
