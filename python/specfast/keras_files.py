# SPDX-License-Identifier: BSD-3-Clause
"""Reads front-end layers from Keras models, with their trained weights and without Keras.

Files are untrusted: docs/keras-models.md says which checks and bounds apply.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from specfast._keras_file import config as _keras_config
from specfast._keras_file.archive import CONFIG, Archive, KerasFileError
from specfast._keras_file.config import FrontEnd
from specfast._keras_file.weights import WeightsFile
from specfast._spec import checks as _checks
from specfast.layers.catalogue import LAYERS, FrontEndLayer, fields_of, names_of_one_layer

__all__ = ["KerasFileError", "from_keras", "load_keras"]

KerasFileError.__module__ = __name__  # where it is public

MAX_WEIGHTS_BYTES = 8 << 30
# A few bytes of configuration must not order gigabytes of tables: bounds on the lengths of a
# layer, and on their sum over a file.
MAX_LENGTH = 1 << 20
MAX_TOTAL_LENGTH = 1 << 22

# Arguments of every Keras layer that no output depends on.
_OF_TRAINING_ONLY = ("activity_regularizer",)
# Arguments of ours that no layer of Keras' own can have.
_ADDITIONS = frozenset(f.name for name in LAYERS for f in fields_of(name) if not f.in_keras)
# Methods that a subclass may define and still compute what its parent computes.
_HARMLESS = ("__init__", "__init_subclass__", "get_config", "from_config")


# ---- Files -----------------------------------------------------------------------------------


def load_keras(
    path: str | os.PathLike[str] | BinaryIO, *, max_weights_bytes: int = MAX_WEIGHTS_BYTES
) -> dict[str, FrontEndLayer]:
    """Returns the STFTSpectrogram and MelSpectrogram layers of a `.keras` file, with weights.

    Neither Keras nor any framework is needed, and nothing of the file is run or imported.

    Args:
        path: a `.keras` file, or a seekable file object open for binary reading that holds one.
        max_weights_bytes: the largest model.weights.h5 that is read.

    Returns:
        The layers under their names, in the order in which Keras saves them; empty if the model
        has none. Nested models, wrappers and pipelines are searched too. Layers of the same name
        stand under their path, the names of the models around them and their own joined by "/".

    Raises:
        KerasFileError: (a ValueError) if the file is no Keras model, is broken, goes beyond a
            limit, or hides a layer's weights in a class that is not Keras' own.
        OSError: if the file cannot be opened.
        ImportError: if SciPy is missing for a window, or ml_dtypes for weights in bfloat16.
        TypeError: if `path` is none of the above.
    """
    limit = _checks.integer(
        "max_weights_bytes", max_weights_bytes, minimum=0, maximum=(1 << 63) - 1
    )
    with _opened(path) as (stream, source):
        try:
            return _load(Archive(stream), limit)
        except KerasFileError as error:
            raise KerasFileError(f"cannot read {source}: {error}") from error


@contextmanager
def _opened(path: Any) -> Iterator[tuple[BinaryIO, str]]:
    if isinstance(path, str | os.PathLike):
        with Path(path).open("rb") as stream:
            yield stream, repr(os.fspath(path))
    elif callable(getattr(path, "read", None)) and callable(getattr(path, "seek", None)):
        if not isinstance(path.read(0), bytes):
            raise TypeError(
                f"`path` must be open for binary reading. {_checks.received('path', path)}"
            )
        yield path, _checks.short(getattr(path, "name", path))
    else:
        raise TypeError(
            "`path` must be a path or a file object open for binary reading. "
            f"{_checks.received('path', path)}"
        )


def _load(archive: Archive, max_weights_bytes: int) -> dict[str, FrontEndLayer]:
    found = _keras_config.front_ends(_keras_config.parse(archive.config()))
    _check_lengths(found)
    layers = {key: (_from_file(f), f) for key, f in zip(_keys(found), found, strict=True)}
    if any(layer.pipeline.weight_names for layer, _ in layers.values()):
        with archive.weights(max_weights_bytes) as stream:
            weights = WeightsFile(stream)
            for layer, front_end in layers.values():
                if layer.pipeline.weight_names:
                    _take_weights(layer, front_end, weights)
    return {key: layer for key, (layer, _) in layers.items()}


def _check_lengths(found: list[FrontEnd]) -> None:
    total = 0
    for front_end in found:
        for field in fields_of(front_end.class_name):
            length = front_end.config.get(field.name) if field.sizes_tables else None
            if not isinstance(length, int | float):
                continue  # anything but a number is refused with the other arguments
            if length > MAX_LENGTH:
                raise KerasFileError(
                    f"{CONFIG}: layer {_checks.short(front_end.name)}: `{field.name}` must be at "
                    f"most {MAX_LENGTH} in a file. {_checks.received(field.name, length)}"
                )
            total += int(length) if length > 0 else 0
    if total > MAX_TOTAL_LENGTH:
        raise KerasFileError(
            f"{CONFIG}: the lengths of all its front-end layers sum up to {total}, at most "
            f"{MAX_TOTAL_LENGTH} are read"
        )


def _keys(found: list[FrontEnd]) -> list[str]:
    counts = Counter(front_end.name for front_end in found)
    keys = [f.name if counts[f.name] == 1 else "/".join(f.names) for f in found]
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise KerasFileError(f"{CONFIG}: two layers are named {_checks.short(twice[0])}")
    return keys


def _from_file(front_end: FrontEnd) -> FrontEndLayer:
    class_name, config = front_end.class_name, front_end.config
    try:
        if _keras_config.is_ours(front_end.node):
            config.pop("num_threads", None)  # a matter of the machine that computes
        elif additions := [key for key in _ADDITIONS if key in config]:
            raise ValueError(f"`{additions[0]}` is no argument of Keras' {class_name}")
        _check_window(config.get("window"))
        # Not `from_config`, which also takes a configuration around that which was checked.
        return LAYERS[class_name](**_without_training(config))
    except (TypeError, ValueError, OverflowError) as error:
        raise KerasFileError(
            f"{CONFIG}: layer {_checks.short(front_end.name)}: {error}"
        ) from error


def _check_window(window: Any) -> None:
    """Refuses a list that NumPy would make more of than was in the file, such as of strings."""
    if _keras_config.is_object(window):
        window = window["config"].get("value")
    if isinstance(window, list) and not all(isinstance(value, int | float) for value in window):
        raise ValueError(
            "`window` must be a name, None, or an array of numbers. "
            f"{_checks.received('window', window)}"
        )


def _without_training(config: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in config.items() if key not in _OF_TRAINING_ONLY}


def _take_weights(layer: FrontEndLayer, front_end: FrontEnd, weights: WeightsFile) -> None:
    arrays = weights.variables(
        front_end.place,
        front_end.name,
        count=len(layer.pipeline.weight_names),
        shape=layer.pipeline.weight_shape,
        required=front_end.is_built,
    )
    if arrays is not None:
        layer.set_weights(arrays)


# ---- Layers and configurations ----------------------------------------------------------------


def from_keras(layer_or_config: Any) -> FrontEndLayer:
    """Returns the layer of this package that computes what a Keras layer does, with its weights.

    Args:
        layer_or_config: a live `keras.layers.STFTSpectrogram` or `MelSpectrogram` (Keras is not
            imported for that); what its `get_config()` returned; or what
            `keras.saving.serialize_keras_object(layer)` returned. A configuration has no
            weights: its layer gets the analytic ones. A subclass is taken for its parent, unless
            it redefines how anything is computed. The epsilon is that of a new layer, 1e-7, not
            what `keras.config.set_epsilon` may have set.

    Raises:
        TypeError: if it is neither a layer nor a dictionary.
        ValueError: if it is of another class or redefines a method, or the constructor refuses
            its configuration.
        ImportError: as from `load_keras`.
    """
    if isinstance(layer_or_config, Mapping):
        return _from_configuration(layer_or_config)
    base = _keras_class(layer_or_config)
    layer = _configured(base.__name__, base.get_config(layer_or_config))
    weights = layer_or_config.get_weights()
    if layer.pipeline.weight_names and weights:
        layer.set_weights(weights)
    return layer


def _from_configuration(config: Mapping[Any, Any]) -> FrontEndLayer:
    if _keras_config.is_object(config):
        if _keras_config.is_front_end(config):
            return _configured(config["class_name"], config["config"])
        raise ValueError(
            "`layer_or_config` must be a layer of Keras' class STFTSpectrogram or "
            "MelSpectrogram; a whole model is read by specfast.load_keras. "
            f"Received: class_name={_checks.short(config['class_name'])}, registered_name="
            f"{_checks.short(config.get('registered_name'))}"
        )
    classes = [name for name in LAYERS if not names_of_one_layer(name).isdisjoint(config)]
    if len(classes) != 1:
        raise ValueError(
            "`layer_or_config` must have the arguments of either STFTSpectrogram or "
            f"MelSpectrogram, or a class_name and a config. Received: {_checks.short(config)}"
        )
    return _configured(classes[0], config)


def _configured(class_name: str, config: Mapping[Any, Any]) -> FrontEndLayer:
    return LAYERS[class_name].from_config(_without_training(config))


def _keras_class(layer: Any) -> Any:
    """Returns the class of Keras, or of an adapter of ours, that a live layer is of."""
    classes = type(layer).__mro__
    for position, base in enumerate(classes):
        if base.__name__ in LAYERS and base.__module__.split(".")[0] in ("keras", "specfast"):
            _check_computes_alike(layer, base, classes[:position])
            return base
    if isinstance(layer, str | os.PathLike | bytes):
        raise TypeError(
            "`layer_or_config` must be a layer or a dictionary; a file is read by "
            f"specfast.load_keras. {_checks.received('layer_or_config', layer)}"
        )
    raise TypeError(
        "`layer_or_config` must be a keras.layers.STFTSpectrogram or MelSpectrogram, or the "
        f"configuration of one. {_checks.received('layer_or_config', layer)}"
    )


def _check_computes_alike(layer: Any, base: type, subclasses: Sequence[type]) -> None:
    methods = {name for name in vars(base) if callable(getattr(base, name))} | {"__call__"}
    redefined = {name for subclass in subclasses for name in vars(subclass)}
    changed = (methods & redefined).difference(_HARMLESS)
    if changed:
        raise ValueError(
            f"`layer_or_config` is of the class {type(layer).__name__}, which redefines "
            f"{', '.join(sorted(changed))} of {base.__name__}: what it computes is not known here"
        )
