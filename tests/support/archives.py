# SPDX-License-Identifier: BSD-3-Clause
"""Keras models as .keras files, made by hand as `model.save` of Keras 3.15.1 makes them.

The configurations inside them come from keras_models.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from keras_models import dense_node, sequential, stft_node

Array = npt.NDArray[Any]

KERNEL_SHAPE = (16, 1, 17)  # of a layer with the arguments SMALL_STFT


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
