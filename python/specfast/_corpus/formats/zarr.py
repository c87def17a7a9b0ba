# SPDX-License-Identifier: BSD-3-Clause
"""Shards as arrays of Zarr, version 3: all clips of a shard one behind the other in time.

An array has the axes [frames, rows], or [rows, frames] as the front end has them, and its
attributes say where each clip begins. It is one file by the codec "sharding_indexed": chunks of
some frames, which readers elsewhere fetch one by one, lie in their order and uncompressed, so that
the whole is mapped into memory here. Several channels of a clip follow each other.

Written after the specification, https://zarr-specs.readthedocs.io/en/latest/v3/core/ and
.../codecs/sharding-indexed/; the library zarr is not needed, but reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from specfast._corpus.formats.interface import Array, Clip
from specfast._corpus.formats.mapped import MappedFile
from specfast._corpus.item import Item

__all__ = ["Zarr"]

_METADATA = "zarr.json"
# An array is one chunk of its grid, and that is the file.
_FILE = "c/0/0"
# So many values a chunk, in whole frames: some hundred kilobytes.
_CHUNK_VALUES = 1 << 17


class Zarr:
    """See `Format`."""

    name = "zarr"
    suffix = ".zarr"

    def write(
        self,
        target: Path,
        clips: Iterable[Clip],
        items: Sequence[Item],
        metadata: Mapping[str, str],
    ) -> list[int]:
        path = target / _FILE
        path.parent.mkdir(parents=True)
        begins, places, layout = [], {}, _Layout()
        with path.open("xb") as stream:
            for clip in clips:
                begins.append(stream.tell())
                places[clip.item.id] = _described(clip, layout.num_frames)
                frames = clip.values if clip.frames_first else clip.values.swapaxes(-1, -2)
                stream.write(np.ascontiguousarray(frames).data)
                layout = layout.with_clip(frames, clip.frames_first)
            stream.write(layout.end_of_file())
        description = layout.description({**metadata, "clips": places})
        (target / _METADATA).write_text(json.dumps(description), "ascii")
        return begins

    def head_bytes(self, target: Path) -> int | None:
        return None

    def open(self, target: Path) -> MappedArray:
        return MappedArray(target)


class MappedArray:
    """An array as `Zarr` writes it, mapped into memory."""

    def __init__(self, folder: Path) -> None:
        description = json.loads((folder / _METADATA).read_text("ascii"))
        self._frames_first = description["dimension_names"][0] == "frames"
        self._mapped = MappedFile(folder / _FILE)

    def read(self, name: str, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Returns the array of a clip, read-only, without reading it; it need not be contiguous,
        for frames follow each other in the file whatever the layout."""
        if self._frames_first:
            return self._mapped.read(name, offset, shape, dtype)
        by_frame = (*shape[:-2], shape[-1], shape[-2])
        return self._mapped.read(name, offset, by_frame, dtype).swapaxes(-1, -2)

    def file(self, name: str) -> Path:
        """Returns the file, which holds all clips."""
        return self._mapped.file(name)


def _described(clip: Clip, begin: int) -> dict[str, Any]:
    return {
        "begin": begin,
        "channels": 1 if clip.values.ndim == 2 else len(clip.values),
        "frames": clip.frames,
        "seconds": clip.seconds,
    }


_FLOAT32: np.dtype[Any] = np.dtype("float32")


@dataclass(frozen=True)
class _Layout:
    """What a shard is as one array.

    Attributes:
        num_frames: Of all clips and channels.
        rows: How many values a frame has.
        dtype: Of the values.
        frames_first: Whether the first axis is that of frames.
    """

    num_frames: int = 0
    rows: int = 1
    dtype: np.dtype[Any] = _FLOAT32
    frames_first: bool = True

    def with_clip(self, frames: Array, frames_first: bool) -> _Layout:
        """Returns the layout with one clip more, [..., frames, rows]."""
        rows = frames.shape[-1]
        num_frames = self.num_frames + frames.size // rows
        return _Layout(num_frames, rows, frames.dtype, frames_first)

    @property
    def frame_bytes(self) -> int:
        return self.rows * self.dtype.itemsize

    @property
    def chunk_frames(self) -> int:
        return max(_CHUNK_VALUES // self.rows, 1)

    @property
    def num_chunks(self) -> int:
        return max(-(-self.num_frames // self.chunk_frames), 1)

    def description(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the array's metadata."""
        values: dict[str, Any] = {"name": "bytes", "configuration": {"endian": "little"}}
        transposed = {"name": "transpose", "configuration": {"order": [1, 0]}}
        sharding = {
            "chunk_shape": self._axes(self.chunk_frames),
            "codecs": [values] if self.frames_first else [transposed, values],
            "index_codecs": [values],
            "index_location": "end",
        }
        grid = {"chunk_shape": self._axes(self.num_chunks * self.chunk_frames)}
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": self._axes(self.num_frames),
            "data_type": self.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": grid},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0.0,
            "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
            "dimension_names": ["frames", "rows"] if self.frames_first else ["rows", "frames"],
            "attributes": dict(attributes),
        }

    def _axes(self, num_frames: int) -> list[int]:
        return [num_frames, self.rows] if self.frames_first else [self.rows, num_frames]

    def end_of_file(self) -> bytes:
        """Returns the rest of the last chunk, and the place and size of each chunk."""
        chunk_bytes = self.chunk_frames * self.frame_bytes
        missing = self.num_chunks * self.chunk_frames - self.num_frames
        index = np.empty((self.num_chunks, 2), "<u8")
        index[:, 0] = np.arange(self.num_chunks) * chunk_bytes
        index[:, 1] = chunk_bytes
        return bytes(missing * self.frame_bytes) + index.tobytes()
