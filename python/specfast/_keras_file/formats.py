# SPDX-License-Identifier: BSD-3-Clause
"""Recognises files and folders that are often taken for .keras files, to say what they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import BinaryIO

from specfast._keras_file import hdf5 as _hdf5

_SAVE = "save the model with model.save('name.keras')"


def kind_of(stream: BinaryIO) -> str | None:
    """Returns what a file is and what to do with it; None if it may be a zip archive."""
    stream.seek(0)
    start = stream.read(64)
    stream.seek(0)
    if start.startswith(_hdf5.SIGNATURE):
        return _kind_of_hdf5(stream)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return (
            "not a .keras file but JSON, perhaps a model's configuration, which has no weights; "
            f"{_SAVE}"
        )
    return None


def _kind_of_hdf5(stream: BinaryIO) -> str:
    try:
        file = _hdf5.File(stream)
        is_legacy = file.has_attribute(file.root, "model_config")
        is_weights = not is_legacy and not {"layers", "vars"}.isdisjoint(file.members(file.root))
    except _hdf5.FormatError:
        is_legacy = is_weights = False
    if is_legacy:
        return (
            "not a .keras file but a model in the HDF5 format from before Keras 3; load it with "
            f"keras.models.load_model and {_SAVE}"
        )
    if is_weights:
        return (
            "not a .keras file but HDF5 with a model's weights alone, which do not say what its "
            f"layers are; {_SAVE}"
        )
    return (
        "not a .keras file but HDF5, a model's weights alone or the format before Keras 3; "
        f"{_SAVE}"
    )


def kind_of_folder(names: Collection[str]) -> str:
    """Returns what a folder without config.json is, and what to do with it."""
    if "saved_model.pb" in names:
        return (
            "a SavedModel of TensorFlow, which holds operations and no layers; load the Keras "
            f"model that it was made from and {_SAVE}"
        )
    keras_files = sorted(name for name in names if name.endswith(".keras"))
    hint = f", such as {keras_files[0]!r} in it" if keras_files else ""
    return f"a folder that holds no config.json is no Keras model; pass a .keras file{hint}"
