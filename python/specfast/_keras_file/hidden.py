# SPDX-License-Identifier: BSD-3-Clause
"""Looks for layers that a model has and its configuration does not show.

"None found" must not stand for "could not look". What may hold layers without showing them is
reported, and a spectrogram's variables in the weights file that belong to no layer found are an
error. The weights file has a group for every layer that Keras tracks, with its name beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from specfast._keras_file import config as _config
from specfast._keras_file.config import Contents, Object, Opaque
from specfast._keras_file.errors import WAY_OUT, WEIGHTS, KerasFileError, as_keras_file_error
from specfast._keras_file.weights import Path, VariableGroup, WeightsFile
from specfast._spec import checks as _checks

_NAME = re.compile("(stft|mel)_?spectrogram", re.IGNORECASE)
_VARIABLES = {"real_kernel", "imag_kernel"}  # the keys that a class of one's own may save under
_MODELS = ("Functional", "Model", "Sequential")
_MAX_VARIABLES = 16  # of an object with kernels; an embedding of thousands is not looked through
_MIN_ROWS = 5  # fewer filters are more likely a convolution's than a transform's
_MAX_DESCRIBED = 5


def not_searched(model: Object, contents: Contents, weights: WeightsFile | None) -> str | None:
    """Returns what may hold layers that were not found, in words; None if nothing does.

    Args:
        model: the whole configuration.
        contents: what it shows.
        weights: the weights file, from which the front ends' variables have been taken; None if
            it cannot be read.

    Raises:
        KerasFileError: if the weights file has variables of a spectrogram that was not found.
    """
    layout = _config.Layout(model)
    groups = [_Group(group, *layout.nearest(group.path)) for group in _groups(weights)]
    if weights is not None:
        with as_keras_file_error(WEIGHTS):
            _check_all_found(contents, weights, groups)
    complete = _complete(contents.opaque, groups)
    left = [o for o in contents.opaque if not _is_complete(o, complete)]
    count = len(left) + contents.num_opaque - len(contents.opaque)
    if not count:
        return None
    described = ", ".join(map(str, left[:_MAX_DESCRIBED]))
    more = f" and {count - _MAX_DESCRIBED} more" if count > _MAX_DESCRIBED else ""
    return described + more


@dataclass(frozen=True)
class _Group:
    """A group of variables, the innermost object shown around it, and the way that is left."""

    variables: VariableGroup
    node: Object
    left: Path

    @property
    def is_of_keras(self) -> bool:
        """Tells whether the variables belong to a layer of Keras' own, or one that it makes.

        Layers of one's own can be attached to Keras' models, but hardly to its layers.
        """
        node = self.node
        if not _config.is_of_keras(node) or _config.is_opaque(node) or _config.is_front_end(node):
            return False
        return not self.left or node["class_name"] not in _MODELS


def _groups(weights: WeightsFile | None) -> list[VariableGroup]:
    """Returns the groups of the file; none if it is not in the form that Keras writes.

    That is no error here: a layer that needs weights has found them before.
    """
    try:
        return [] if weights is None else weights.groups()
    except KerasFileError:
        return []


# ---- Objects that show all they have ---------------------------------------------------------


def _complete(opaque: list[Opaque], groups: list[_Group]) -> set[Path]:
    """Returns the places of outermost objects that show by name all that Keras saved of them."""
    nodes = {
        o.place.path: o.node for o in opaque if o.shows_front_ends and o.place.unsure_below is None
    }
    saved: dict[Path, Counter[str | None]] = {path: Counter() for path in nodes}
    lengths = {len(path) for path in nodes}
    for group in groups:
        if group.is_of_keras and group.left:
            continue  # it is made by a layer that is shown itself
        path = group.variables.path
        for around in (path[:length] for length in lengths if length < len(path)):
            if around in saved:
                saved[around][group.variables.name] += 1
    return {
        path
        for path, names in saved.items()
        if names and None not in names and names <= _config.names_inside(nodes[path])
    }


def _is_complete(opaque: Opaque, complete: set[Path]) -> bool:
    """Tells whether the object shows layers, and the outermost around it shows all there are."""
    place = opaque.place
    outermost = place.path if place.unsure_below is None else place.unsure_below
    return opaque.shows_front_ends and outermost in complete


# ---- Variables of layers that were not found -------------------------------------------------


def _check_all_found(contents: Contents, weights: WeightsFile, groups: list[_Group]) -> None:
    unsure = {f.name for f in contents.front_ends if f.place.unsure_below is not None}
    for located in groups:
        group, left = located.variables, located.left
        if located.is_of_keras or weights.is_taken(group):
            continue
        if kernel := _kernel_shape(weights, group):
            what = f"the kernels of a spectrogram, of shape {kernel}"
        elif left and group.name not in unsure and _has_name_of_spectrogram(weights, group):
            what = f"layer {_checks.short(group.name)}, which is called a spectrogram"
        else:
            continue
        owner = _owner(contents, group)
        inside = "" if owner is None else f" It is inside {owner}, whose own code makes it."
        raise KerasFileError(
            f"{WEIGHTS}: {'/'.join(map(_checks.clipped, group.path[-8:]))} holds {what}, and the "
            f"configuration shows no such layer there.{inside} {WAY_OUT}"
        )


def _kernel_shape(weights: WeightsFile, group: VariableGroup) -> tuple[int, ...] | None:
    """Returns the shape of kernels as an STFTSpectrogram has them, if the variables are such.

    It has two of shape (frame_length, 1, bins), or one in the modes "real" and "imag". So has a
    convolution without a bias: one array must therefore have the bins of a power of two.
    """
    keys = weights.keys(group)
    if not 0 < len(keys) <= _MAX_VARIABLES:
        return None
    shapes = Counter(weights.shapes(group))
    for shape, count in shapes.items():
        if len(shape) == 3 and shape[1] == 1 and shape[2] >= 2 and 0 < shape[0] < 2 * shape[2]:
            period = 2 * (shape[2] - 1)
            is_usual = shape[2] >= _MIN_ROWS and period & (period - 1) == 0
            has_bias = any(len(other) < 3 and other[-1:] == shape[2:] for other in shapes)
            if (count == 2 or is_usual) and not has_bias:
                return shape
    return None


def _has_name_of_spectrogram(weights: WeightsFile, group: VariableGroup) -> bool:
    names = [*group.path[-1:], group.name or ""]
    return any(map(_NAME.search, names)) or not _VARIABLES.isdisjoint(weights.keys(group))


def _owner(contents: Contents, group: VariableGroup) -> Opaque | None:
    """Returns the innermost object around a group that may hold what it does not show."""
    around = [o for o in contents.opaque if group.path[: len(o.place.path)] == o.place.path]
    return max(around, key=lambda o: len(o.place.path), default=None)
