# SPDX-License-Identifier: BSD-3-Clause
"""Finds the front-end layers in the configuration of a Keras model: data are read, never run.

Class names are compared with the few that are known here. What `module` says is only text, and
a function or a Lambda is a dictionary like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._keras_file.archive import CONFIG, KerasFileError
from specfast._spec import checks as _checks
from specfast.layers.catalogue import LAYERS

MAX_DEPTH = 200
MAX_CONTAINERS = 1 << 19
MAX_DIGITS = 400
MAX_LAYERS = 1000

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """The place of a layer's weights: names of HDF5 groups from the root on.

    Keras names them after attributes and classes. Below an object whose class is not Keras'
    own, the attributes are not known; `unsure_below` is the path of the outermost such object.
    """

    path: tuple[str, ...] = ()
    unsure_below: tuple[str, ...] | None = None

    def below(self, name: str) -> Place:
        return Place((*self.path, name), self.unsure_below)

    def inside(self, node: Object) -> Place:
        """Returns the place for objects inside the one that stands here."""
        if self.unsure_below is None and not is_of_keras(node):
            return Place(self.path, self.path)
        return self


@dataclass(frozen=True)
class FrontEnd:
    """A layer found: `names` are those of the objects around it, outermost first, and its own."""

    node: Object
    names: tuple[str, ...]
    place: Place

    @property
    def class_name(self) -> str:
        return str(self.node["class_name"])

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.node["config"])

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def is_built(self) -> bool:
        """Tells whether the layer had its weights when it was saved."""
        return bool(self.node.get("build_config"))


# ---- From text to dictionaries ---------------------------------------------------------------


def parse(data: bytes) -> Any:
    """Returns the value of a JSON text of bounded depth and size, as Keras parses it.

    Raises:
        KerasFileError: if it is no JSON in UTF-8 or goes beyond a limit.
    """
    try:
        text = data.decode("utf-8")
        _check_brackets(data)
        return json.loads(text, parse_int=_integer)
    except KerasFileError:
        raise
    except (ValueError, RecursionError) as error:
        raise KerasFileError(f"{CONFIG}: {_checks.clipped(str(error))}") from error


def _check_brackets(data: bytes) -> None:
    """Bounds depth and number of containers before a recursive parser sees the text."""
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")  # so that each quote is a border
    characters = np.frombuffer(plain, np.uint8)
    quotes = np.cumsum(characters == ord('"'), dtype=np.uint8)  # wraps, but stays odd or even
    outside = characters[quotes % 2 == 0]
    opening = _either(outside, "[{")
    steps = opening.astype(np.int32) - _either(outside, "]}")
    depth = int(np.cumsum(steps, dtype=np.int32).max(initial=0))
    if depth > MAX_DEPTH:
        raise KerasFileError(f"{CONFIG}: nested {depth} deep, at most {MAX_DEPTH} are read")
    count = int(np.count_nonzero(opening))
    if count > MAX_CONTAINERS:
        raise KerasFileError(
            f"{CONFIG}: it has {count} lists and dictionaries, at most {MAX_CONTAINERS} are read"
        )


def _either(characters: npt.NDArray[np.uint8], pair: str) -> npt.NDArray[np.bool_]:
    either: npt.NDArray[np.bool_] = (characters == ord(pair[0])) | (characters == ord(pair[1]))
    return either


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise KerasFileError(
            f"{CONFIG}: a number of {len(digits)} digits, at most {MAX_DIGITS} are read"
        )
    return int(digits)


# ---- From dictionaries to layers -------------------------------------------------------------


def is_object(value: Any) -> bool:
    """Tells whether a value is an object as `keras.saving.serialize_keras_object` writes it."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), Mapping)
    )


def is_of_keras(node: Object) -> bool:
    """Tells whether the class is Keras' own: a registered one names its package."""
    module = node.get("module", "keras")
    return (
        isinstance(module, str)
        and module.split(".")[0] == "keras"
        and node.get("registered_name") in (None, node["class_name"])
    )


def is_ours(node: Object) -> bool:
    """Tells whether the class is a Keras layer that this package registered under its name."""
    return bool(node.get("registered_name") == f"specfast>{node['class_name']}")


def is_front_end(node: Object) -> bool:
    return node["class_name"] in LAYERS and (is_of_keras(node) or is_ours(node))


def front_ends(model: Any) -> list[FrontEnd]:
    """Returns the front-end layers of a model, in the order in which Keras saves them.

    Args:
        model: the value of config.json.

    Raises:
        KerasFileError: if it is no model, or one whose layers its configuration does not show.
    """
    if not is_object(model):
        raise KerasFileError(
            f"{CONFIG}: it must hold a model, with class_name and config. "
            f"Received: {_checks.short(model)}"
        )
    found = []
    for front_end in _walk(model, (), Place()):
        found.append(front_end)
        if len(found) > MAX_LAYERS:
            raise KerasFileError(f"{CONFIG}: it has more than {MAX_LAYERS} front-end layers")
    if not found and not is_of_keras(model) and "layers" not in model["config"]:
        raise KerasFileError(
            f"{CONFIG}: the layers of class {_checks.short(model['class_name'])} are made by its "
            "own code, which a file does not hold. Load the model with Keras and pass its layers "
            "to specfast.from_keras"
        )
    return found


def _walk(node: Object, names: tuple[str, ...], place: Place) -> Iterator[FrontEnd]:
    """Yields the layers below a node; `names` are those around it, without the model's own."""
    if place.path:
        names = (*names, *_own_name(node))
    if is_front_end(node):
        if not _own_name(node):
            raise KerasFileError(
                f"{CONFIG}: a layer of class {node['class_name']} must have a name. "
                f"Received: name={_checks.short(node['config'].get('name'))}"
            )
        yield FrontEnd(node, names or _own_name(node), place)
        return
    place = place.inside(node)
    for attribute, value in node["config"].items():
        yield from _walk_value(value, names, place.below(attribute))


def _walk_value(value: Any, names: tuple[str, ...], place: Place) -> Iterator[FrontEnd]:
    """Yields the layers in the value of an attribute, which may hold containers of objects."""
    if is_object(value):
        yield from _walk(value, names, place)
        return
    items = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, list | Mapping):
        return
    used: dict[str, int] = {}
    for item in items:
        if is_object(item):
            group = _unique(_snake_case(item["class_name"]), used)
        elif isinstance(item, list | Mapping):
            group = _unique("container", used)
        else:
            continue
        yield from _walk_value(item, names, place.below(group))


def _own_name(node: Object) -> tuple[str, ...]:
    name = node["config"].get("name")
    return (name,) if isinstance(name, str) and name else ()


def _unique(name: str, used: dict[str, int]) -> str:
    """Returns an object's name in its container: numbered from the second of a class on."""
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def _snake_case(class_name: str) -> str:
    name = re.sub(r"\W+", "", class_name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
