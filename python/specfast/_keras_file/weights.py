# SPDX-License-Identifier: BSD-3-Clause
"""Finds the weights of single layers in a Keras model's HDF5 file.

Everything there is compared with the configuration before an array is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from specfast._keras_file import hdf5 as _hdf5
from specfast._keras_file.archive import WEIGHTS, KerasFileError, as_keras_file_error
from specfast._keras_file.config import Place
from specfast._spec import checks as _checks

Array = npt.NDArray[Any]


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
            if not members and not required:
                return None
            keys = [str(number) for number in range(count)]
            if sorted(members) != keys:
                raise KerasFileError(
                    f"{WEIGHTS}: {_path(place)} must hold {count} variables of layer "
                    f"{_checks.short(name)}. Received: {_checks.short(sorted(members))}"
                )
            where = f"{WEIGHTS}: {_path(place)}/"
            return [self._array(_target(members, key), shape, where + key) for key in keys]

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

    def _by_name(self, path: tuple[str, ...], name: str) -> int:
        """Returns the one group with this name below an object whose attributes are unknown."""
        top = self._at(path)
        groups = set() if top is None else set(self._variables_below(top))
        found = [g for g in groups if self._file.string_attribute(g, "name") == name]
        if len(found) == 1:
            return found[0]
        raise KerasFileError(
            f"{WEIGHTS}: the weights of layer {_checks.short(name)} are inside "
            f"{'/'.join(path) or 'the model'}, whose class is not Keras' own, and {len(found)} "
            "groups there bear its name. Load the model with Keras and pass the layer to "
            "specfast.from_keras"
        )

    def _variables_below(self, top: int) -> Iterator[int]:
        waiting, seen = [top], {top}
        while waiting:
            members = self._file.members(waiting.pop())
            for name in members:
                address = _target(members, name)
                if address not in seen and self._file.is_group(address):
                    seen.add(address)
                    waiting.append(address)
                    if name == "vars":
                        yield address

    def _array(self, address: int, shape: tuple[int, ...], where: str) -> Array:
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
    return "/".join((*place.path, "vars"))
