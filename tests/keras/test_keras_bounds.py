# SPDX-License-Identifier: BSD-3-Clause
"""What is made of a hostile file is bounded like what is read of it.

Text and structure that a file has once may be used many times: names that overlap, one name around
many layers, nodes with the same children, sizes that are promised. Each such file is read in a
process of its own that has little memory to spare.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specfast
from archives import archive, kernels, small_model, weights_file
from keras_models import Node, functional, mel_node, node, sequential, stft_node
from specfast._keras_file import hdf5
from specfast.keras_files import KerasFileError

READ = """
import resource, sys, warnings
import numpy, specfast, specfast.keras_files
warnings.simplefilter("ignore")
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (int(sys.argv[2]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20, 256 << 20))
try:
    print("read", list(specfast.load_keras(sys.argv[1]))[:3])
except specfast.keras_files.KerasFileError as error:
    print(error)
"""


def outcome(stream: io.BytesIO, folder: Path, *, spare_mib: int) -> str:
    """What load_keras says of a file in a process that can take so much more memory."""
    if sys.platform != "linux":
        pytest.skip("the memory of a process is limited as Linux does it")
    path = folder / "hostile.keras"
    path.write_bytes(stream.getvalue())
    command = [sys.executable, "-c", READ, str(path), str(spare_mib)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr[-300:]
    assert len(result.stdout) < 1000
    return result.stdout


# ---- HDF5 by hand ------------------------------------------------------------------------------


def hdf5_file(tree: bytes, names: bytes, *more: bytes) -> bytes:
    """A file whose root group has this B-tree and these names; `more` follows the tree at 200."""
    body = bytearray(200)
    body[:8] = hdf5.SIGNATURE
    body[13:15] = b"\x08\x08"
    heap = 200 + len(tree) + sum(map(len, more))
    size = heap + 32 + len(names)
    struct.pack_into("<QQQ", body, 24, 0, (1 << 64) - 1, size)
    struct.pack_into("<Q", body, 64, 100)  # the header of the root group
    struct.pack_into("<BxHIIxxxx", body, 100, 1, 1, 1, 24)
    struct.pack_into("<HHBxxxQQ", body, 116, 17, 16, 0, 200, heap)  # its one message
    result = bytes(body) + tree + b"".join(more)
    return result + struct.pack("<4sxxxxQQQ", b"HEAP", len(names), 0, heap + 32) + names


def tree_node(level: int, children: list[int]) -> bytes:
    words = [word for child in children for word in (0, child)]
    head = struct.pack("<4sBBHQQ", b"TREE", 0, level, len(children), 0, 0)
    return head + struct.pack(f"<{len(words)}Q", *words)


def symbols(offsets: list[int], address: int = 100) -> bytes:
    entries = b"".join(struct.pack("<QQI20x", offset, address, 0) for offset in offsets)
    return struct.pack("<4sBxH", b"SNOD", 1, len(offsets)) + entries


def overlapping_names(num_bytes: int, count: int, address: int = 100) -> bytes:
    """Names that begin at every byte of one long text: their lengths sum up to gigabytes."""
    place = 200 + 24 + 16
    node = symbols(list(range(count)), address)
    return hdf5_file(tree_node(0, [place]), b"a" * num_bytes + b"\0", node)


def wide_tree() -> bytes:
    """A node with 65535 children that are all the same such node, and so on.

    All wait at once, and each takes several times the memory of its 16 bytes in the file.
    """
    wide, levels = 65535, 12
    size = 24 + 16 * wide
    nodes = [tree_node(levels - i, [200 + size * (i + 1)] * wide) for i in range(levels)]
    return hdf5_file(nodes[0], b"a\0", *nodes[1:])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (overlapping_names(400_000, 14_000), "a name or text of more than 1024 bytes"),
        (overlapping_names(1024, 1024), "model.weights.h5: "),
        (overlapping_names(65_000, 65_000), "a name or text of more than 1024 bytes"),
        (wide_tree(), "circular or larger than 67108864 bytes"),
        (
            hdf5_file(tree_node(0, [240]), b"\xff" * (8 << 20), symbols([0])),
            "more than 1024 bytes",
        ),
    ],
    ids=["names", "short names", "many names", "tree", "no text"],
)
def test_structure_that_is_used_many_times(data: bytes, text: str, tmp_path: Path) -> None:
    stream = archive(sequential(stft_node()), data)
    assert text in outcome(stream, tmp_path, spare_mib=400)


def test_lengths_of_names_are_paid_for() -> None:
    """Names that overlap within the limit: a tenth of their text is in the file."""
    ours = hdf5.File(io.BytesIO(overlapping_names(1024, 1024)))
    budget = ours._budget
    assert len(ours.members(ours.root)) == 1024
    assert budget - ours._budget > 1024 * 1025 // 2


@pytest.mark.parametrize("length", [1024, 1025])
def test_names_of_a_kibibyte_are_read(length: int) -> None:
    stream = io.BytesIO(weights_file({"x" * length: ("y" * length, [])}))
    ours = hdf5.File(stream)
    if length > hdf5.MAX_TEXT_BYTES:
        with pytest.raises(hdf5.FormatError, match="more than 1024 bytes"):
            ours.members(ours.root)
        return
    target = ours.members(ours.root)["x" * length]
    assert target is not None
    variables = ours.members(target)["vars"]
    assert variables is not None
    assert ours.string_attribute(variables, "name") == "y" * length


def test_an_attribute_of_more_than_a_kibibyte() -> None:
    ours = hdf5.File(io.BytesIO(weights_file({"x": ("y" * 1025, [])})))
    variables = ours.members(ours.members(ours.root)["x"] or 0)["vars"]
    with pytest.raises(hdf5.FormatError, match="more than 1024 bytes"):
        ours.string_attribute(variables or 0, "name")


def test_groups_nested_without_end(tmp_path: Path) -> None:
    data = weights_file({"/".join("a" * 250): ("x", [])})
    model = sequential(node("Own", {"name": "own", "front": stft_node()}, module="mine"))
    assert "nested more than 200 deep" in outcome(archive(model, data), tmp_path, spare_mib=200)


# ---- Configurations ----------------------------------------------------------------------------

LONG = "x" * 4_000_000


def around(names: list[str]) -> Node:
    """A model of a long name around models, each with a layer named "a"."""
    inner = [functional(mel_node("a"), name=name) for name in names]
    return sequential(functional(*inner, name=LONG))


def below_a_long_attribute(count: int) -> Node:
    layers = [stft_node(f"a{number}", built=False) for number in range(count - 1)]
    own = node("Pipeline", {"name": "pipe", LONG: [*layers, stft_node("last")]})
    return sequential(own)


def deep(count: int) -> Node:
    value: Any = [{"class_name": "A", "module": "m", "config": {}}] * count
    for number in range(60):
        value = node(f"A{number}", {"name": "n" * 1000, "l": value}, module="m", built=False)
    return sequential(value)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (sequential(functional(*[mel_node("a")] * 900, name=LONG)), "two layers are named 'xxx"),
        (around([f"m{number}" for number in range(900)]), "must be at most 4096 characters"),
        (around([LONG[:100_000]] * 2), "two layers are named 'xxx"),
        (below_a_long_attribute(900), "must hold 2 variables of layer 'last'"),
        (sequential(node("Own", {"name": "a", "b": mel_node()}, module="b." * 4_000_000)), "read"),
        (deep(100_000), "read []"),
        (sequential(node("Own" * 1_000_000, {"name": LONG}, module="b"), mel_node()), "read"),
    ],
    ids=["same", "different", "around", "attribute", "module", "deep", "class"],
)
def test_text_that_is_around_many_layers(model: Node, text: str, tmp_path: Path) -> None:
    assert text in outcome(archive(model, {}), tmp_path, spare_mib=600)


def test_keys_of_usual_names_are_as_before() -> None:
    name = "m" * 500
    model = sequential(functional(mel_node("a"), name=name), mel_node("a"))
    assert list(specfast.load_keras(archive(model))) == [f"{name}/a", "a"]


def test_names_that_are_one_when_they_are_joined() -> None:
    first = functional(functional(mel_node("c"), name="b"), name="a")
    model = sequential(first, functional(mel_node("c"), name="a/b"))
    with pytest.raises(KerasFileError, match="two layers are named 'a/b/c'"):
        specfast.load_keras(archive(model))


# ---- Archives ----------------------------------------------------------------------------------


@cache
def packed_zeros(member: str, num_bytes: int) -> bytes:
    """An archive in which a member is zeros, packed a thousandfold."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        if member != "config.json":
            file.writestr("config.json", json.dumps(sequential(stft_node())))
        with file.open(member, "w", force_zip64=False) as target:
            for _ in range(num_bytes >> 20):
                target.write(bytes(1 << 20))
    return stream.getvalue()


def forged(member: str, num_bytes: int, **fields: int) -> io.BytesIO:
    """Zeros packed a thousandfold, and other numbers in the directory's entry."""
    data = bytearray(packed_zeros(member, num_bytes))
    entry = data.index(member.encode(), data.index(b"PK\1\2")) - 46
    for name, value in fields.items():
        struct.pack_into("<I", data, entry + {"packed": 20, "offset": 42}[name], value)
    return io.BytesIO(bytes(data))


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (lambda: forged("model.weights.h5", 512 << 20, packed=(512 << 20) // 50), "are promised"),
        (
            lambda: forged("config.json", 12 << 20, packed=1 << 20),
            "are promised, in an archive of",
        ),
        (lambda: forged("model.weights.h5", 2 << 20, offset=1 << 30), "model.weights.h5: "),
        (lambda: forged("model.weights.h5", 512 << 20), "more than 100 times as many"),
    ],
    ids=["packed size", "configuration", "offset", "honest"],
)
def test_promised_sizes_are_compared_with_the_file(
    stream: Callable[[], io.BytesIO], text: str, tmp_path: Path
) -> None:
    assert text in outcome(stream(), tmp_path, spare_mib=200)


def test_bytes_are_counted_while_they_are_unpacked(tmp_path: Path) -> None:
    """A promise that fits into the file, since another member makes it large."""
    stream = forged("model.weights.h5", 128 << 20, packed=2 << 20)
    data = stream.getvalue()
    cut = data.index(b"PK\1\2")
    large = bytearray(data[:cut] + bytes(4 << 20) + data[cut:])
    struct.pack_into("<I", large, len(large) - 6, cut + (4 << 20))  # where the directory begins
    assert "more than 100 times as many" in outcome(
        io.BytesIO(bytes(large)), tmp_path, spare_mib=200
    )


def test_the_sound_file_is_read_within_the_same_limits(tmp_path: Path) -> None:
    assert "read ['front']" in outcome(small_model(), tmp_path, spare_mib=100)
    large = {"layers/stft_spectrogram": ("front", kernels(1)),
             "layers/dense": ("d", [np.zeros((1 << 10, 1 << 14), np.float32)])}  # fmt: skip
    assert "read" in outcome(archive(sequential(stft_node()), large), tmp_path, spare_mib=200)
