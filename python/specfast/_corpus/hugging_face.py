# SPDX-License-Identifier: BSD-3-Clause
"""A corpus as a dataset of Hugging Face; imported only where that is asked for.

The column of features refers to the files of the corpus, mapped into memory: an Arrow array needs
their values one behind the other, as the clips of a shard lie, and of its own the places where
they begin.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa

from specfast._corpus.formats.interface import Array
from specfast._corpus.index import Row
from specfast._corpus.reader import Corpus, Entry

__all__ = ["hugging_face_dataset"]

# Offsets in Arrow's lists have 32 bits.
_MAX_CHUNK_VALUES = 1 << 30
_SHOWN = ("id", "path", "start", "seconds", "rate", "frames")


def hugging_face_dataset(corpus: Corpus) -> Any:
    """Returns a `datasets.Dataset` with a row for each clip, whose features are not copied.

    Raises:
        ValueError: A clip has several channels.
    """
    rows: list[Row] = []
    chunks = []
    for run in _runs(corpus):
        rows += [entry.row for entry in run]
        chunks.append(_features(run, corpus.spec.layout == "frames_first"))
    kinds = {field.name: str(field.type) for field in fields(Row)}
    arrow_kinds = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
    columns = {
        name: pa.array([getattr(row, name) for row in rows], arrow_kinds[kinds[name]])
        for name in _SHOWN
    }
    if chunks:
        columns["features"] = pa.chunked_array(chunks)
    # Without one, the library would read all features to make it.
    fingerprint = _fingerprint(corpus.fingerprint, rows)
    table = datasets.table.InMemoryTable(pa.table(columns))
    return datasets.Dataset(table, fingerprint=fingerprint)


def _runs(corpus: Corpus) -> Iterator[list[Entry]]:
    """Yields clips whose values lie one behind the other in a file."""
    run: list[Entry] = []
    end: tuple[Path, int] | None = None
    num_values = 0
    for entry in corpus:
        if len(entry.shape) > 2:
            raise ValueError(
                "a dataset of Hugging Face must have clips of one channel: a run with mono=True "
                f"makes them. Received: {entry.id!r} with {entry.shape[0]} channels"
            )
        values = entry.values
        if run and (
            end != (entry.file, entry.row.offset) or num_values + values.size > _MAX_CHUNK_VALUES
        ):
            yield run
            run, num_values = [], 0
        run.append(entry)
        num_values += values.size
        # What is not contiguous is copied, by itself.
        is_whole = values.flags.c_contiguous
        end = (entry.file, entry.row.offset + values.nbytes) if is_whole else None
    if run:
        yield run


def _features(run: list[Entry], frames_first: bool) -> Any:
    """Returns the features of clips that lie one behind the other as an Arrow array of lists."""
    frames = np.array([entry.row.frames for entry in run])
    rows = run[0].shape[1 if frames_first else 0]
    values = _values(run[0].values, int(frames.sum()) * rows)
    if frames_first:
        of_frames = pa.FixedSizeListArray.from_arrays(values, rows)
        return pa.ListArray.from_arrays(_offsets(frames), of_frames)
    of_rows = pa.ListArray.from_arrays(_offsets(frames.repeat(rows)), values)
    return pa.FixedSizeListArray.from_arrays(of_rows, rows)


def _values(first: Array, num_values: int) -> Any:
    """Returns so many values of a file from those of a clip on, as an Arrow array."""
    if first.flags.c_contiguous:
        buffer: Any = first
        while not isinstance(buffer, pa.Buffer):
            buffer = buffer.base
        begin = first.__array_interface__["data"][0] - buffer.address
        buffer = buffer.slice(begin, num_values * first.itemsize)
    else:
        buffer = pa.py_buffer(np.ascontiguousarray(first))
    return pa.Array.from_buffers(pa.from_numpy_dtype(first.dtype), num_values, [None, buffer])


def _offsets(lengths: Array) -> Any:
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))


def _fingerprint(front: str, rows: list[Row]) -> str:
    """Returns what the library takes for the identity of the content, by the checksums of all."""
    digest = hashlib.blake2b(front.encode(), digest_size=8)
    digest.update("\n".join(row.id for row in rows).encode())
    digest.update(np.array([row.checksum for row in rows], np.uint64).tobytes())
    return digest.hexdigest()
