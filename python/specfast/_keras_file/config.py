# SPDX-License-Identifier: BSD-3-Clause
"""Finds the front-end layers in the configuration of a Keras model: data are read, never run.

Class names are compared with the few that are known here. What `module` says is only text, and
a function or a Lambda is a dictionary like any other. Objects whose own code may make layers that
no configuration shows are found too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._keras_file.errors import CONFIG, WAY_OUT, KerasFileError
from specfast._spec import checks as _checks
from specfast.layers.catalogue import LAYERS, names_in_keras

MAX_DEPTH = 200
MAX_CONTAINERS = 1 << 19
MAX_DIGITS = 400
MAX_LAYERS = 1000
MAX_OPAQUE = 1000  # objects of others' classes that are described one by one

# Keras' own classes that run what is no part of the configuration.
_RUN_OTHERS = ("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper")
# Attributes of Keras' layers whose objects are no layers, unless they look like ones.
_HELPERS = ("activation", "dtype", "window")
_ENDS_OF_HELPERS = ("_activation", "_constraint", "_initializer", "_regularizer")

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


@dataclass(frozen=True)
class Opaque:
    """An object whose own code may make layers that its configuration does not show.

    `names` are as in a FrontEnd; `shows_front_ends` tells whether its configuration has any.
    """

    node: Object
    names: tuple[str, ...]
    place: Place
    shows_front_ends: bool

    def __str__(self) -> str:
        kind = _class_of(self.node)
        if not self.place.path:
            return f"the model, of class {kind}"
        # A class of one's own may leave its name out of its configuration.
        names = self.names if _own_name(self.node) else (*self.names, self.place.path[-1])
        return f"{_checks.short('/'.join(map(_checks.clipped, names[-3:])))} of class {kind}"


@dataclass(frozen=True)
class Contents:
    """What a model's configuration shows.

    Attributes:
        front_ends: the front-end layers, in the order in which Keras saves them.
        opaque: the first MAX_OPAQUE objects that may hold more.
        num_opaque: how many such objects there are.
    """

    front_ends: list[FrontEnd]
    opaque: list[Opaque]
    num_opaque: int


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
        and module.partition(".")[0] == "keras"
        and node.get("registered_name") in (None, node["class_name"])
    )


def is_ours(node: Object) -> bool:
    """Tells whether the class is a Keras layer that this package registered under its name."""
    return bool(node.get("registered_name") == f"specfast>{node['class_name']}")


def is_front_end(node: Object) -> bool:
    return node["class_name"] in LAYERS and (is_of_keras(node) or is_ours(node))


def contents(model: Any) -> Contents:
    """Returns the front-end layers of a model, and the objects that may hold more.

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
    found: list[FrontEnd] = []
    opaque: list[Opaque] = []
    num_opaque = 0
    for item in _walk(model, (), Place()):
        if isinstance(item, FrontEnd):
            found.append(item)
            if len(found) > MAX_LAYERS:
                raise KerasFileError(f"{CONFIG}: it has more than {MAX_LAYERS} front-end layers")
        else:
            num_opaque += 1
            if len(opaque) < MAX_OPAQUE:
                opaque.append(item)
    shows_layers = isinstance(model["config"].get("layers"), list)
    if not found and not shows_layers and not is_of_keras(model):
        raise KerasFileError(
            f"{CONFIG}: the layers of class {_checks.short(model['class_name'])} are made by its "
            "own code, which a file does not hold. Load the model with Keras and pass its layers "
            "to specfast.from_keras"
        )
    return Contents(found, opaque, num_opaque)


def _walk(value: Any, names: tuple[str, ...], place: Place) -> Iterator[FrontEnd | Opaque]:
    """Yields what is in an object or a container of objects, and then the object if it is opaque.

    `names` are those of the objects around it, without the model's own.
    """
    if not is_object(value):
        for group, child in _children(value):
            yield from _walk(child, names, place.below(group))
        return
    if place.path:
        names = (*names, *_own_name(value))
    if is_front_end(value):
        if not _own_name(value):
            raise KerasFileError(
                f"{CONFIG}: a layer of class {value['class_name']} must have a name. "
                f"Received: name={_checks.short(value['config'].get('name'))}"
            )
        yield FrontEnd(value, names or _own_name(value), place)
        return
    may_hide = is_opaque(value)
    if may_hide:
        _check_is_no_subclass(value)
    shows_front_ends = False
    for group, child in _children(value):
        for item in _walk(child, names, place.inside(value).below(group)):
            shows_front_ends |= isinstance(item, FrontEnd)
            yield item
    if may_hide:
        yield Opaque(value, names, place, shows_front_ends)


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    """Yields objects and containers in an object or a container, with the names of their groups.

    Keras calls the groups after an object's attributes, and in a container after the class.
    """
    if is_object(value):
        for attribute, child in value["config"].items():
            if isinstance(child, list | Mapping) and not _is_helper(attribute, child):
                yield attribute, child
        return
    used: dict[str, int] = {}
    for child in value.values() if isinstance(value, Mapping) else value:
        if is_object(child):
            yield _unique(_snake_case(child["class_name"]), used), child
        elif isinstance(child, list | Mapping):
            yield _unique("container", used), child


def _is_helper(attribute: str, value: Any) -> bool:
    return (
        (attribute in _HELPERS or attribute.endswith(_ENDS_OF_HELPERS))
        and is_object(value)
        and "build_config" not in value
        and not {"name", "trainable"} <= value["config"].keys()
    )


def is_opaque(node: Object) -> bool:
    """Tells whether an object may make layers of which the configuration says nothing."""
    if not is_of_keras(node):
        return not is_ours(node)
    if node["class_name"] == "Lambda":
        # Of a function there is a name at most, and a user's may be called like one of Keras'.
        function = node["config"].get("function")
        return not is_object(function) or function["class_name"] == "__lambda__"
    return node["class_name"] in _RUN_OTHERS


def _check_is_no_subclass(node: Object) -> None:
    """Refuses a class that takes what a front-end layer takes: it may compute anything."""
    for class_name in LAYERS:
        if node["config"].keys() >= set(names_in_keras(class_name)):
            raise KerasFileError(
                f"{CONFIG}: layer {_checks.short(node['config'].get('name'))} of class "
                f"{_class_of(node)} has all arguments of {class_name}, and a file does not say "
                f"what a subclass changes. {WAY_OUT}"
            )


class Layout:
    """Finds the objects of a model by the groups of their weights, each step looked up once."""

    def __init__(self, model: Object) -> None:
        self._model = model
        self._known: dict[int, dict[str, Any]] = {}

    def nearest(self, path: tuple[str, ...]) -> tuple[Object, tuple[str, ...]]:
        """Returns the innermost object shown on the way to some groups, and the way that is left.

        No way is left to the object whose variables Keras puts there.
        """
        value: Any = self._model
        nearest, left = self._model, path
        for number, group in enumerate(path, 1):
            if id(value) not in self._known:
                self._known[id(value)] = dict(_children(value))
            value = self._known[id(value)].get(group)
            if value is None:
                break
            if is_object(value):
                nearest, left = value, path[number:]
        return nearest, left


def names_inside(node: Object) -> Counter[str]:
    """Returns the names of an object and of all objects that its configuration shows."""
    names: Counter[str] = Counter()
    waiting: list[Any] = [node]
    while waiting:
        value = waiting.pop()
        if is_object(value):
            names.update(_own_name(value))
        waiting += [child for _, child in _children(value)]
    return names


def _class_of(node: Object) -> str:
    """Returns the class as messages show it, with the package under which it is registered."""
    return _checks.short(node.get("registered_name") or node["class_name"])


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
