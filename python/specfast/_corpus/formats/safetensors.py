# SPDX-License-Identifier: BSD-3-Clause
"""Shards as safetensors: a tensor for each clip, under its id, in the order of the list.

The format, https://github.com/huggingface/safetensors: the length of a JSON header in 8 bytes,
little-endian; the header, which names the dtype, shape and place of each tensor; the tensors one
behind the other. It is written here and not by the library, which sorts tensors by their names and
builds the file in memory; here a clip is written as soon as it is computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from specfast._corpus.formats.interface import Array, Clip
from specfast._corpus.formats.mapped import MappedFile
from specfast._corpus.item import Item

__all__ = ["Safetensors"]

_DTYPES = {
    np.dtype("float16"): "F16",
    np.dtype("float32"): "F32",
    np.dtype("float64"): "F64",
}
# So that tensors of any dtype begin where vectors can be loaded, from the first one on.
_ALIGNMENT = 64
_LENGTH_BYTES = 8
# The longest entry of a header.
_LONGEST = {
    "dtype": "F64",
    "shape": [1 << 16, 1 << 63, 1 << 63],
    "data_offsets": [1 << 63, 1 << 63],
}


class Safetensors:
    """See `Format`."""

    name = "safetensors"
    suffix = ".safetensors"

    def write(
        self,
        target: Path,
        clips: Iterable[Clip],
        items: Sequence[Item],
        metadata: Mapping[str, str],
    ) -> list[int]:
        header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
        head_bytes = _room(header, items)
        places, end = [], 0
        with target.open("xb") as stream:
            stream.seek(head_bytes)
            for clip in clips:
                begin, end = end, end + clip.values.nbytes
                places.append(head_bytes + begin)
                header[clip.item.id] = _described(clip.values, begin, end)
                stream.write(clip.values.data)
            text = _packed(header)
            stream.seek(0)
            stream.write((head_bytes - _LENGTH_BYTES).to_bytes(_LENGTH_BYTES, "little"))
            stream.write(text + b" " * (head_bytes - _LENGTH_BYTES - len(text)))
        return places

    def open(self, target: Path) -> MappedFile:
        return MappedFile(target)

    def head_bytes(self, target: Path) -> int | None:
        with target.open("rb") as stream:
            return _LENGTH_BYTES + int.from_bytes(stream.read(_LENGTH_BYTES), "little")


def _described(values: Array, begin: int, end: int) -> dict[str, Any]:
    return {
        "dtype": _DTYPES[values.dtype],
        "shape": list(values.shape),
        "data_offsets": [begin, end],
    }


def _packed(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, separators=(",", ":")).encode("ascii")


def _room(header: Mapping[str, Any], items: Sequence[Item]) -> int:
    """Returns how many bytes suffice for the header of a shard, whatever its clips turn out to be.

    It stands in front of them, and readers take the spaces at its end for nothing.
    """
    names = sum(len(json.dumps(item.id)) for item in items)
    entry = len(_packed({"": _LONGEST}))
    num_bytes = _LENGTH_BYTES + len(_packed(header)) + names + entry * len(items)
    return num_bytes + -num_bytes % _ALIGNMENT
