# SPDX-License-Identifier: BSD-3-Clause
"""The index of a shard: a row for each clip, in a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from specfast._corpus.optional import import_pyarrow

__all__ = ["INDEX_SUFFIX", "Row", "read_index", "write_index"]

INDEX_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class Row:
    """Where the features of a clip lie, and what they are of.

    Attributes:
        id, path: Those of the clip.
        start: Where it begins in its file, in seconds.
        shard: The number of its shard.
        offset: Its place there, in bytes; what it is in other formats than safetensors, these say.
        frames: How many frames it has.
        channels: How many channels; with one, its array has no axis of channels.
        seconds: How long it is.
        rate: The sampling rate of its file in Hz, before any resampling.
        checksum: The CRC-32 of the bytes of its features.
        fingerprint: That of the front end.
    """

    id: str
    path: str
    start: float
    shard: int
    offset: int
    frames: int
    channels: int
    seconds: float
    rate: int
    checksum: int
    fingerprint: str


_KINDS = {"str": "string", "int": "int64", "float": "float64"}


def write_index(target: Path, rows: Sequence[Row]) -> None:
    """Writes an index: the same rows give the same bytes on one installation of pyarrow."""
    pyarrow, parquet = import_pyarrow()
    schema = pyarrow.schema(
        [(field.name, getattr(pyarrow, _KINDS[str(field.type)])()) for field in fields(Row)]
    )
    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    parquet.write_table(
        pyarrow.table(columns, schema),
        target,
        compression="zstd",
        # Of the other columns almost all values differ.
        use_dictionary=["fingerprint"],
    )


def read_index(path: Path) -> list[Row]:
    """Returns the rows of an index.

    Raises:
        OSError, ValueError: It cannot be read, or is none.
    """
    _, parquet = import_pyarrow()
    table = parquet.read_table(path, memory_map=True, partitioning=None)
    names = [field.name for field in fields(Row)]
    return [Row(*values) for values in zip(*(table[name].to_pylist() for name in names))]  # noqa: B905
