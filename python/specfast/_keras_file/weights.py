# SPDX-License-Identifier: BSD-3-Clause
"""Finds the weights of single layers in a Keras model's HDF5 file.

Everything there is compared with the configuration before an array is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from specfast._keras_file import hdf5 as _hdf5
from specfast._keras_file.config import Place
from specfast._keras_file.errors import WAY_OUT, WEIGHTS, KerasFileError, as_keras_file_error
from specfast._spec import checks as _checks

Array = npt.NDArray[Any]
Path = tuple[str, ...]

MAX_DEPTH = 200
_OPTIMIZER = "optimizer"  # beside the layers; it has variables of every layer's shapes


@dataclass(frozen=True)
class VariableGroup:
    """A group in which Keras put the variables of one object, or would have put them.

    Attributes:
        path: the groups from the root on; the last, "vars", is left out.
        address: where it is in the file.
        name: the object's name, if Keras wrote it beside the variables.
    """

    path: Path
    address: int
    name: str | None


class WeightsFile:
    """The variables in a model.weights.h5.

    Args:
        stream: the file, open for binary reading and seekable.

    Raises:
        KerasFileError: if it is no HDF5 file as Keras writes it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        with as_keras_file_error(WEIGHTS):
            self._file = _hdf5.File(stream)
        self._groups: list[VariableGroup] | None = None
        self._by_saved_name: dict[str | None, list[VariableGroup]] = {}
        self._taken: set[int] = set()

    def variables(
        self, place: Place, name: str, *, count: int, shape: tuple[int, ...], required: bool
    ) -> list[Array] | None:
        """Returns the variables of one layer.

        Args:
            place: where Keras puts them.
            name: the layer's name, which Keras writes beside them.
            count: how many there must be.
            shape: the shape that each must have.
            required: whether the layer had been built when it was saved.

        Returns:
            float16, float32 or float64 arrays, read only; bfloat16 comes as float32. None if
            there are none and none are required.

        Raises:
            KerasFileError: if they are not there, or not what they must be.
        """
        with as_keras_file_error(f"{WEIGHTS}: layer {_checks.short(name)}"):
            group = self._find(place, name)
            members = {} if group is None else self._file.members(group)
            if group is not None:
                self._taken.add(group)
            if not members and not required:
                return None
            keys = [str(number) for number in range(count)]
            if sorted(members) != keys:
                raise KerasFileError(
                    f"{WEIGHTS}: {_path(place)} must hold {count} variables of layer "
                    f"{_checks.short(name)}. Received: {_checks.short(sorted(members))}"
                )
            return [self._array(_target(members, key), shape, place, key) for key in keys]

    def groups(self) -> list[VariableGroup]:
        """Returns all groups of variables but those of the optimizer, in the order of the file.

        Raises:
            KerasFileError: if the file's structure is broken or goes beyond a limit.
        """
        if self._groups is None:
            with as_keras_file_error(WEIGHTS):
                self._groups = list(self._walk())
        return self._groups

    def is_taken(self, group: VariableGroup) -> bool:
        """Tells whether `variables` found a layer's variables in this group."""
        return group.address in self._taken

    def keys(self, group: VariableGroup) -> list[str]:
        """Returns the keys of the variables in a group; none if they cannot be read."""
        return list(self._members(group))

    def shapes(self, group: VariableGroup) -> list[tuple[int, ...]]:
        """Returns the shapes of the arrays in a group, whatever their types are."""
        shapes = []
        for target in self._members(group).values():
            try:
                shapes += [] if target is None else [self._file.shape(target)]
            except _hdf5.FormatError:
                continue  # no array, or one of a kind that Keras does not write
        return shapes

    def _members(self, group: VariableGroup) -> dict[str, int | None]:
        try:
            return self._file.members(group.address)
        except _hdf5.FormatError:
            return {}

    def _find(self, place: Place, name: str) -> int | None:
        group = self._at((*place.path, "vars"))
        saved_as = None if group is None else self._file.string_attribute(group, "name")
        if place.unsure_below is not None:
            return group if saved_as == name else self._by_name(place.unsure_below, name)
        if saved_as not in (None, name):
            raise KerasFileError(
                f"{WEIGHTS}: {_path(place)} holds the weights of layer "
                f"{_checks.short(saved_as)}, where the configuration has {_checks.short(name)}"
            )
        return group

    def _at(self, path: tuple[str, ...]) -> int | None:
        address: int = self._file.root
        for part in path:
            members = self._file.members(address)
            if part not in members:
                return None
            address = _target(members, part)
        return address

    def _by_name(self, path: Path, name: str) -> int:
        """Returns the one group with this name below an object whose attributes are unknown."""
        if not self._by_saved_name:
            for group in self.groups():
                self._by_saved_name.setdefault(group.name, []).append(group)
        named = self._by_saved_name.get(name, [])
        found = [group for group in named if group.path[: len(path)] == path]
        if len(found) == 1:
            return found[0].address
        raise KerasFileError(
            f"{WEIGHTS}: the weights of layer {_checks.short(name)} are inside "
            f"{_checks.clipped('/'.join(path)) or 'the model'}, whose class is not Keras' own, "
            f"and {len(found)} groups there bear its name. {WAY_OUT}"
        )

    def _walk(self) -> Iterator[VariableGroup]:
        path: list[str] = []
        waiting = [(self._file.root, 0, "")]  # address, depth, name; the root has none
        seen = {self._file.root}
        while waiting:
            address, depth, name = waiting.pop()
            path[max(depth - 1, 0) :] = [name] if depth else []
            if depth > MAX_DEPTH:
                raise KerasFileError(f"{WEIGHTS}: groups are nested more than {MAX_DEPTH} deep")
            for member, target in reversed(self._file.members(address).items()):
                if target is None or target in seen or (depth == 0 and member == _OPTIMIZER):
                    continue
                if not self._file.is_group(target):
                    continue
                seen.add(target)
                if member == "vars":  # holds arrays alone, maybe thousands
                    yield VariableGroup(tuple(path), target, self._saved_name(target))
                else:
                    waiting.append((target, depth + 1, member))

    def _saved_name(self, group: int) -> str | None:
        try:
            return self._file.string_attribute(group, "name")
        except _hdf5.FormatError:
            return None  # it is no name as Keras writes it; who needs it, asks again

    def _array(self, address: int, shape: tuple[int, ...], place: Place, key: str) -> Array:
        where = f"{WEIGHTS}: {_path(place)}/{key}"
        dataset = self._file.dataset(address)
        if dataset.shape != shape:
            raise KerasFileError(
                f"{where} must have the shape {shape} that the configuration says. "
                f"Received: {_checks.short(dataset.shape)}"
            )
        values = self._file.array(dataset)
        if values.dtype.kind == "V":
            if self._file.string_attribute(address, "dtype") != "bfloat16":
                raise KerasFileError(
                    f"{where} must hold float16, bfloat16, float32 or float64. "
                    "Received: two bytes of another type"
                )
            # The upper half of a float32.
            values = (values.view("<u2").astype(np.uint32) << 16).view(np.float32)
        if not np.isfinite(values).all():
            raise KerasFileError(f"{where} holds NaN or infinity, as a diverged training leaves")
        return values.astype(values.dtype.newbyteorder("="), copy=False)


def _target(members: dict[str, int | None], name: str) -> int:
    address = members[name]
    if address is None:
        raise KerasFileError(
            f"{WEIGHTS}: {_checks.short(name)} is a link, and links are not followed"
        )
    return address


def _path(place: Place) -> str:
    """Returns a place for messages; names in an untrusted configuration may be of any length."""
    return "/".join(_checks.clipped(name) for name in (*place.path[-8:], "vars"))
