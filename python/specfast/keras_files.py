# SPDX-License-Identifier: BSD-3-Clause
"""Reads front-end layers from Keras models, with their trained weights and without Keras.

Files are untrusted: docs/keras-models.md says which checks and bounds apply.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from specfast._keras_file import config as _keras_config
from specfast._keras_file import hidden as _hidden
from specfast._keras_file import policies as _policies
from specfast._keras_file.archive import Archive
from specfast._keras_file.config import FrontEnd
from specfast._keras_file.errors import CONFIG, KerasFileError, NotSearchedWarning
from specfast._keras_file.folder import Folder
from specfast._keras_file.weights import WeightsFile
from specfast._spec import checks as _checks
from specfast.layers.catalogue import LAYERS, FrontEndLayer, fields_of, names_of_one_layer

__all__ = ["KerasFileError", "NotSearchedWarning", "from_keras", "load_keras"]

# Where they are public.
KerasFileError.__module__ = __name__
NotSearchedWarning.__module__ = __name__

MAX_WEIGHTS_BYTES = 8 << 30
# A few bytes of configuration must not order gigabytes of tables: bounds on the lengths of a
# layer, and on their sum over a file.
MAX_LENGTH = 1 << 20
MAX_TOTAL_LENGTH = 1 << 22
MAX_KEY_LENGTH = 4096  # of the names around a layer and its own, where they make its key

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
        path: a `.keras` file, the folder that `model.save(path, zipped=False)` writes, or a
            seekable file object open for binary reading that holds a `.keras` file.
        max_weights_bytes: the largest model.weights.h5 that is read.

    Returns:
        The layers under their names, in the order in which Keras saves them; empty if the model
        has none. Nested models, wrappers and pipelines are searched too. Layers of the same name
        stand under their path, the names of the models around them and their own joined by "/".

    Warns:
        NotSearchedWarning: (a UserWarning) if objects in the model may hold such layers without
            showing them: those of classes that are not Keras' own, and code such as that of a
            Lambda. An empty dictionary without it says that the model has none.

    Raises:
        KerasFileError: (a ValueError) if the file is no Keras model, is broken, goes beyond a
            limit, or has weights of a spectrogram, or a subclass of one, that is not found.
        OSError: if the file cannot be opened.
        ImportError: if SciPy is missing for a window, or ml_dtypes for weights in bfloat16.
        TypeError: if `path` is none of the above.
    """
    limit = _checks.integer(
        "max_weights_bytes", max_weights_bytes, minimum=0, maximum=(1 << 63) - 1
    )
    with _opened(path) as (file, shown):
        try:
            source = Folder(file) if isinstance(file, Path) else Archive(file)
            layers, not_searched = _load(source, limit)
        except KerasFileError as error:
            raise KerasFileError(f"cannot read {shown}: {error}") from error
    if not_searched is not None:
        warnings.warn(
            f"{shown} may hold more layers than are returned. Not searched: {not_searched}. What "
            "their own code makes is not in the configuration; load the model with Keras and pass "
            "such layers to specfast.from_keras",
            NotSearchedWarning,
            stacklevel=2,
        )
    return layers


@contextmanager
def _opened(path: Any) -> Iterator[tuple[BinaryIO | Path, str]]:
    """Yields an open file, or the path of a folder, and how messages name it."""
    if isinstance(path, str | os.PathLike):
        shown = repr(os.fspath(path))
        if Path(path).is_dir():
            yield Path(path), shown
            return
        with Path(path).open("rb") as stream:
            yield stream, shown
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


def _load(
    source: Archive | Folder, max_weights_bytes: int
) -> tuple[dict[str, FrontEndLayer], str | None]:
    """Returns the layers, and in words what was not searched."""
    model = _keras_config.parse(source.config())
    contents = _keras_config.contents(model)
    found = contents.front_ends
    _check_lengths(found)
    layers = {key: (_from_file(f), f) for key, f in zip(_keys(found), found, strict=True)}
    trainable = [pair for pair in layers.values() if pair[0].pipeline.weight_names]
    with _weights(source, max_weights_bytes, required=bool(trainable)) as weights:
        for layer, front_end in trainable:
            assert weights is not None
            _take_weights(layer, front_end, weights)
        not_searched = _hidden.not_searched(model, contents, weights)
    return {key: layer for key, (layer, _) in layers.items()}, not_searched


@contextmanager
def _weights(
    source: Archive | Folder, max_bytes: int, *, required: bool
) -> Iterator[WeightsFile | None]:
    """Yields the weights file; None if it cannot be read and no layer requires it."""
    with ExitStack() as stack:
        weights: WeightsFile | None = None
        try:
            weights = WeightsFile(stack.enter_context(source.weights(max_bytes)))
        except KerasFileError:
            if required:
                raise
        yield weights


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
    """Returns the layers' keys. Names are joined last: a long one may be around many layers."""
    counts = Counter(front_end.name for front_end in found)
    paths = [(f.name,) if counts[f.name] == 1 else f.names for f in found]
    _check_once(paths)
    for path in paths:
        if sum(map(len, path)) + len(path) > MAX_KEY_LENGTH:
            raise KerasFileError(
                f"{CONFIG}: the name of a layer and those around it must be at most "
                f"{MAX_KEY_LENGTH} characters together. Received: {_shown(path)}"
            )
    keys = ["/".join(path) for path in paths]
    _check_once(keys)
    return keys


def _check_once(keys: Sequence[Any]) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise KerasFileError(f"{CONFIG}: two layers are named {_shown(twice[0])}")


def _shown(key: str | tuple[str, ...]) -> str:
    if isinstance(key, tuple):
        key = "/".join(map(_checks.clipped, key))
    return _checks.short(key)


def _from_file(front_end: FrontEnd) -> FrontEndLayer:
    class_name, config = front_end.class_name, front_end.config
    try:
        if _keras_config.is_ours(front_end.node):
            for of_machine in ("num_threads", "device"):  # matters of the machine that computes
                config.pop(of_machine, None)
        elif additions := [key for key in _ADDITIONS if key in config]:
            raise ValueError(f"`{additions[0]}` is no argument of Keras' {class_name}")
        _check_window(config.get("window"))
        # Not `from_config`, which also takes a configuration around that which was checked.
        return LAYERS[class_name](**_accepted(config))
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


def _accepted(config: Mapping[Any, Any]) -> dict[Any, Any]:
    """Returns a configuration as the constructors take it."""
    result = {key: value for key, value in config.items() if key not in _OF_TRAINING_ONLY}
    if _policies.is_map(result.get("dtype")):
        result["dtype"] = _policies.of_layer(result["dtype"], result.get("name"))
    return result


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
    dtype = _policies.of_live_layer(layer_or_config)
    config = base.get_config(layer_or_config)
    layer = _configured(base.__name__, config if dtype is None else {**config, "dtype": dtype})
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
    return LAYERS[class_name].from_config(_accepted(config))


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
