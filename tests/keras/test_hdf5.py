# SPDX-License-Identifier: BSD-3-Clause
"""The own reader of HDF5 against h5py. Forged files are in test_keras_hostile."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
import pytest

from specfast._keras_file import hdf5 as _hdf5


def written(fill: Any) -> io.BytesIO:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream


def compare(ours: _hdf5.File, address: int, theirs: h5py.Group) -> int:
    """Compares everything below a group; returns how many objects there are."""
    members = ours.members(address)
    assert sorted(members) == sorted(theirs)
    count = len(members)
    for name in theirs.attrs:
        assert ours.string_attribute(address, name) == theirs.attrs[name]
    assert ours.string_attribute(address, "none") is None
    for name, target in members.items():
        assert target is not None
        assert ours.is_group(target) == isinstance(theirs[name], h5py.Group)
        if ours.is_group(target):
            count += compare(ours, target, theirs[name])
        else:
            actual, expected = ours.array(ours.dataset(target)), theirs[name][...]
            assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
            assert actual.tobytes() == expected.tobytes()
    return count


def test_everything_that_is_read() -> None:
    def fill(file: h5py.File) -> None:
        draw = np.random.default_rng(1)
        for number, dtype in enumerate(["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]):
            for rank in range(5):
                file[f"arrays/{number}/{rank}"] = draw.standard_normal((3,) * rank).astype(dtype)
        file["opaque"] = np.arange(5, dtype="u2").view("V2")
        for number in range(700):  # a B-tree of two levels
            group = file.create_group(f"many/group {number}/vars")
            group.attrs["name"] = f"näme {number} " + "x" * (number % 90)
        group = file.create_group("attributes")
        for number in range(40):  # more than fit into one block of a header
            group.attrs[f"äöü{number}" if number % 2 else f"plain{number}"] = f"<{number}>"
        group.attrs["empty"] = ""

    stream = written(fill)
    ours = _hdf5.File(stream)
    with h5py.File(stream) as theirs:
        assert compare(ours, ours.root, theirs) == 1 + 6 + 6 * 5 + 1 + 1 + 2 * 700 + 1


def test_numbers_of_other_types_are_named_so() -> None:
    for dtype in ("i4", "u1", "bool", "c16", "S3", "longdouble"):
        ours = _hdf5.File(written(lambda file, dtype=dtype: file.create_dataset("x", (3,), dtype)))
        address = ours.members(ours.root)["x"]
        assert address is not None
        with pytest.raises(_hdf5.FormatError):
            ours.dataset(address)


def test_structure_has_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hdf5, "MAX_STRUCTURE_BYTES", 1024)

    def fill(file: h5py.File) -> None:
        for number in range(50):
            file.create_group(str(number))

    ours = _hdf5.File(written(fill))
    with pytest.raises(_hdf5.FormatError, match="circular or larger than 1024 bytes"):
        ours.members(ours.root)


def test_a_file_that_shrinks_while_it_is_read() -> None:
    stream = written(lambda file: file.create_dataset("x", data=np.ones(100)))
    ours = _hdf5.File(stream)
    address = ours.members(ours.root)["x"]
    assert address is not None
    dataset = ours.dataset(address)
    stream.truncate(dataset.address + 8)
    with pytest.raises(_hdf5.FormatError, match="became shorter"):
        ours.array(dataset)
