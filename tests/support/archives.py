# SPDX-License-Identifier: BSD-3-Clause
"""Keras models as .keras files, made by hand as `model.save` of Keras 3.15.1 makes them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from makers import SMALL_MEL, SMALL_STFT

Array = npt.NDArray[Any]
Node = dict[str, Any]

FLOAT32 = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
    "shared_object_id": 140230770643024,
}
KERNEL_SHAPE = (16, 1, 17)  # of a layer with the arguments SMALL_STFT


def node(class_name: str, config: Node, *, built: bool = True, **changes: Any) -> Node:
    """An object of Keras as `keras.saving.serialize_keras_object` returns it."""
    result: Node = {
        "module": "keras.layers",
        "class_name": class_name,
        "config": config,
        "registered_name": None,
    }
    if built:
        result["build_config"] = {"input_shape": [None, 64, 1]}
    return result | changes


def stft_node(name: str = "front", *, built: bool = True, **arguments: Any) -> Node:
    config = {"name": name, "trainable": True, "dtype": FLOAT32, **SMALL_STFT, **arguments}
    return node("STFTSpectrogram", config, built=built)


def mel_node(name: str = "mel", **arguments: Any) -> Node:
    config = {"name": name, "trainable": True, "dtype": FLOAT32, **SMALL_MEL, **arguments}
    return node("MelSpectrogram", config)


def dense_node(name: str = "dense") -> Node:
    return node("Dense", {"name": name, "dtype": FLOAT32, "units": 2, "activation": "linear"})


def sequential(*layers: Node, name: str = "sequential", **changes: Any) -> Node:
    start = node("InputLayer", {"name": "input_layer", "batch_shape": [None, 64, 1]}, built=False)
    config = {"name": name, "dtype": FLOAT32, "layers": [start, *layers]}
    return node("Sequential", config, module="keras", **changes)


def functional(*layers: Node, name: str = "functional", **changes: Any) -> Node:
    """Keras writes more beside each layer; none of it is read."""
    wired = [layer | {"name": layer["config"]["name"], "inbound_nodes": []} for layer in layers]
    config = {"name": name, "trainable": True, "layers": wired, "input_layers": ["x", 0, 0]}
    module = {"module": "keras.src.models.functional", "registered_name": "Functional"}
    return node("Functional", config, **(module | changes))


def holder(key: str, value: Any, *, name: str = "holder") -> Node:
    """An object of a user's registered class with an argument that holds layers."""
    config = {"name": name, key: value}
    return node("Holder", config, module=None, registered_name="Custom>Holder")


def kernels(seed: int, count: int = 2, shape: tuple[int, ...] = KERNEL_SHAPE) -> list[Array]:
    """Kernels that no initialiser makes."""
    draw = np.random.default_rng(seed).standard_normal
    return [draw(shape).astype(np.float32) for _ in range(count)]


# Path of a layer's group -> its name and its variables.
Variables = Mapping[str, tuple[str | None, list[Array]]]


def weights_file(
    variables: Variables, change: Callable[[h5py.File], None] | None = None, **arguments: Any
) -> bytes:
    """A model.weights.h5, by h5py with its own defaults, as Keras has it written."""
    stream = io.BytesIO()
    with h5py.File(stream, "w", **arguments) as file:
        for path, (name, arrays) in variables.items():
            group = file.create_group(f"{path}/vars")
            if name is not None:
                group.attrs["name"] = name
            for number, array in enumerate(arrays):
                group[str(number)] = array
        if change is not None:
            change(file)
    return stream.getvalue()


def archive(model: Any, weights: bytes | Variables | None = None, **members: bytes) -> io.BytesIO:
    """A .keras file: `model` as text or as what becomes JSON."""
    config = model if isinstance(model, bytes) else json.dumps(model).encode()
    if isinstance(weights, Mapping):
        weights = weights_file(weights)
    content = {"metadata.json": b'{"keras_version": "3.15.1"}', "config.json": config}
    if weights is not None:
        content["model.weights.h5"] = weights
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in (content | members).items():
            file.writestr(name, data)
    stream.seek(0)
    return stream


def small_model() -> io.BytesIO:
    """One trained STFTSpectrogram named "front" and a Dense layer."""
    variables = {
        "layers/stft_spectrogram": ("front", kernels(1)),
        "layers/dense": ("dense", [np.ones((17, 2), np.float32), np.zeros(2, np.float32)]),
    }
    return archive(sequential(stft_node(), dense_node()), variables)
