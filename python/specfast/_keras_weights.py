# SPDX-License-Identifier: BSD-3-Clause
"""Reads the weights of single layers out of a Keras model's HDF5 file, taken for hostile.

Nothing is followed but hard links inside the file, and an array is read only after its shape,
type, storage and filters have been compared with what the configuration asks for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from specfast import _checks
from specfast._keras_archive import (
    HARMLESS_BYTES,
    MAX_EXPANSION,
    WEIGHTS,
    KerasFileError,
    failing_as,
)
from specfast._keras_config import Place

Array = npt.NDArray[Any]

MAX_GROUPS = 20_000
MAX_NESTING = 100


class WeightsFile:
    """The variables in a model.weights.h5.

    Args:
        stream: the file, whose content was compared with its checksum. It is not closed.

    Raises:
        KerasFileError: if it is no HDF5 file.
        ImportError: if h5py is not installed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._h5py = _h5py()
        self._num_bytes = stream.seek(0, io.SEEK_END)
        with failing_as(WEIGHTS):
            self._root = self._h5py.File(stream, "r")

    def close(self) -> None:
        with failing_as(WEIGHTS):
            self._root.close()

    def variables(
        self, place: Place, name: str, *, count: int, shape: tuple[int, ...], required: bool
    ) -> list[Array] | None:
        """The variables of one layer.

        Args:
            place: where Keras puts them.
            name: the layer's name, which Keras writes beside them.
            count: how many there must be.
            shape: the shape that each must have.
            required: whether the layer had been built when it was saved.

        Returns:
            float16, float32 or float64 arrays; bfloat16 comes as float32. None if there are
            none and none are required.

        Raises:
            KerasFileError: if they are not there, or not what they must be.
        """
        with failing_as(f"{WEIGHTS}: layer {_checks.short(name)}"):
            group = self._find(place, name)
            keys = [] if group is None else sorted(_names(group))
            if not keys and not required:
                return None
            if group is None or keys != [str(number) for number in range(count)]:
                raise KerasFileError(
                    f"{WEIGHTS}: {_path(place)} must hold {count} variables of layer "
                    f"{_checks.short(name)}. Received: {_checks.short(keys)}"
                )
            return [self._array(group, key, shape) for key in keys]

    # ---- Groups ------------------------------------------------------------------------------

    def _find(self, place: Place, name: str) -> Any:
        group = self._variables_at(place.path)
        saved_as = None if group is None else self._saved_name(group)
        if place.unsure_below is None:
            if group is not None and saved_as not in (None, name):
                raise KerasFileError(
                    f"{WEIGHTS}: {_path(place)} holds the weights of layer "
                    f"{_checks.short(saved_as)}, where the configuration has {_checks.short(name)}"
                )
            return group
        if saved_as == name:
            return group
        return self._by_name(place.unsure_below, name)

    def _variables_at(self, path: tuple[str, ...]) -> Any:
        group = self._root
        for part in (*path, "vars"):
            group = self._child(group, part, self._h5py.Group)
            if group is None:
                return None
        return group

    def _by_name(self, path: tuple[str, ...], name: str) -> Any:
        """The one group below an object of unknown attributes that Keras wrote the name into."""
        found = [
            group
            for group in self._groups_below(path)
            if _last_part(group) == "vars" and self._saved_name(group) == name
        ]
        if len(found) == 1:
            return found[0]
        raise KerasFileError(
            f"{WEIGHTS}: the weights of layer {_checks.short(name)} are inside "
            f"{'/'.join(path) or 'the model'}, whose class is not Keras' own, and {len(found)} "
            "groups there bear its name. Load the model with Keras and pass the layer to "
            "specfast.from_keras"
        )

    def _groups_below(self, path: tuple[str, ...]) -> Iterator[Any]:
        group = self._root
        for part in path:
            group = self._child(group, part, self._h5py.Group)
            if group is None:
                return
        waiting, count = [(group, 0)], 0
        while waiting:
            group, depth = waiting.pop()
            count += 1
            if count > MAX_GROUPS or depth > MAX_NESTING:
                raise KerasFileError(
                    f"{WEIGHTS}: more than {MAX_GROUPS} groups, or nested deeper than "
                    f"{MAX_NESTING}, or in a circle"
                )
            yield group
            waiting += [(child, depth + 1) for child in self._groups_in(group)]

    def _groups_in(self, parent: Any) -> Iterator[Any]:
        for name in _names(parent):
            self._check_link(parent, name)
            if isinstance(child := parent[name], self._h5py.Group):
                yield child

    def _child(self, parent: Any, name: str, kind: type) -> Any:
        """What stands in a group under a name, if anything does; links are not followed."""
        if not name or name == "." or "/" in name or "\0" in name:
            raise KerasFileError(f"{WEIGHTS}: {_checks.short(name)} cannot be part of a path")
        # Not `name in parent`, which opens what a link points to.
        if not parent.id.links.exists(name.encode()):
            return None
        self._check_link(parent, name)
        child = parent[name]
        if not isinstance(child, kind):
            raise KerasFileError(
                f"{WEIGHTS}: {child.name} must be a {kind.__name__}. "
                f"Received: a {type(child).__name__}"
            )
        return child

    def _check_link(self, parent: Any, name: str) -> None:
        if parent.id.links.get_info(name.encode()).type != self._h5py.h5l.TYPE_HARD:
            raise KerasFileError(
                f"{WEIGHTS}: {_checks.short(name)} in {parent.name} is a soft or an external "
                "link, which is not followed"
            )

    def _saved_name(self, group: Any) -> str | None:
        """The name of the layer that Keras wrote beside its variables, if it did."""
        if "name" not in group.attrs:
            return None
        attribute = group.attrs.get_id("name")
        text = self._h5py.check_string_dtype(attribute.dtype)
        if text is None or attribute.shape != ():
            raise KerasFileError(f"{WEIGHTS}: the attribute `name` of {group.name} is no string")
        name = group.attrs["name"]
        return name.decode() if isinstance(name, bytes) else str(name)

    # ---- Arrays ------------------------------------------------------------------------------

    def _array(self, group: Any, key: str, shape: tuple[int, ...]) -> Array:
        dataset = self._child(group, key, self._h5py.Dataset)
        where = f"{WEIGHTS}: {dataset.name}"
        if dataset.shape != shape:
            raise KerasFileError(
                f"{where} must have the shape {shape} that the configuration says. "
                f"Received: {_checks.short(dataset.shape)}"
            )
        dtype = dataset.dtype
        is_bfloat16 = dtype == np.dtype("V2") and dataset.attrs.get("dtype") == "bfloat16"
        if not is_bfloat16 and not (dtype.kind == "f" and dtype.itemsize <= 8):
            raise KerasFileError(
                f"{where} must hold float16, bfloat16, float32 or float64. "
                f"Received: {_checks.short(dtype)}"
            )
        self._check_storage(dataset, where)
        values: Array = dataset[()]
        if is_bfloat16:  # the upper half of a float32
            values = (values.view("<u2").astype(np.uint32) << 16).view(np.float32)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if not np.isfinite(values).all():
            raise KerasFileError(f"{where} holds NaN or infinity, as a diverged training leaves")
        return values

    def _check_storage(self, dataset: Any, where: str) -> None:
        h5 = self._h5py
        plan = dataset.id.get_create_plist()
        layout = plan.get_layout()
        if layout not in (h5.h5d.COMPACT, h5.h5d.CONTIGUOUS, h5.h5d.CHUNKED):
            raise KerasFileError(f"{where} is virtual: other files are not read")
        if plan.get_external_count():
            raise KerasFileError(f"{where} has external storage: other files are not read")
        readable = (h5.h5z.FILTER_DEFLATE, h5.h5z.FILTER_SHUFFLE, h5.h5z.FILTER_FLETCHER32)
        filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
        if unknown := [code for code in filters if code not in readable]:
            raise KerasFileError(f"{where} went through filter {unknown[0]}, which is not read")
        stored = min(dataset.id.get_storage_size(), self._num_bytes)
        bound = max(HARMLESS_BYTES, MAX_EXPANSION * stored) if filters else stored
        if dataset.nbytes > bound:
            raise KerasFileError(
                f"{where} declares {dataset.nbytes} bytes, where the file holds {stored}"
            )


def _names(group: Any) -> list[str]:
    return [str(name) for name in group]


def _last_part(group: Any) -> str:
    return str(group.name).rpartition("/")[2]


def _path(place: Place) -> str:
    return "/".join((*place.path, "vars"))


def _h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            f"reading the weights of an STFTSpectrogram needs h5py ({error}): "
            'pip install "specfast[keras-files]"'
        ) from error
    module: ModuleType = h5py
    return module
