# SPDX-License-Identifier: BSD-3-Clause
"""Configurations of Keras models, made by hand as Keras 3.15.1 writes them."""

from __future__ import annotations

from typing import Any

from makers import SMALL_MEL, SMALL_STFT

Node = dict[str, Any]

FLOAT32 = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
    "shared_object_id": 140230770643024,
}


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
