# SPDX-License-Identifier: BSD-3-Clause
"""Manifests of others: one clip a line of JSON, a row of CSV or a row of a Parquet file.

A row has a `path` and optionally `id`, `start`, `duration` and `channel`. Other keys are ignored,
for manifests have texts and speakers too; only those that usually mean one of these are refused.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

from specfast._corpus.ids import default_id
from specfast._corpus.item import Item, is_real
from specfast._corpus.lhotse_manifests import clip_of_lhotse, is_of_lhotse
from specfast._corpus.optional import import_pyarrow
from specfast._spec import checks

__all__ = ["MANIFEST_SUFFIXES", "lines_of", "read_jsonl", "read_manifest", "text_of"]

MANIFEST_SUFFIXES = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".parquet")

_FIELDS = ("path", "id", "start", "duration", "channel")
# What others call a field, where the right name is missing: ignoring it would give other clips.
_MISNOMERS = (("offset", "start"), ("end", "duration"))
# A cut with its alignments may have megabytes; a file that is no text has no line ends.
_MAX_LINE_BYTES = 1 << 26
_BATCH_ROWS = 1 << 14


def read_manifest(path: str) -> Iterator[Item]:
    """Yields the clips of a manifest file, in the order of its lines.

    Args:
        path: A file with one of `MANIFEST_SUFFIXES`. Paths in it are relative to its folder;
            those of lhotse's manifests, as lhotse reads them, to the working folder.

    Raises:
        ValueError: A line is broken; the message has the number of the line.
        OSError: The file cannot be read.
        ImportError: It is a Parquet file, and pyarrow is not installed.
    """
    folder = os.path.join(os.getcwd(), os.path.dirname(path))  # noqa: PTH109, PTH118, PTH120
    suffixes = path.lower()
    if suffixes.endswith(".parquet"):
        yield from _read_parquet(path, folder)
        return
    try:
        with _opened(path) as stream:
            read = _read_csv if suffixes.endswith((".csv", ".csv.gz")) else read_jsonl
            yield from read(lines_of(stream), repr(path), folder)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path!r} is a damaged gzip file: {error}") from error


def _opened(path: str) -> BinaryIO:
    if path.lower().endswith(".gz"):
        return gzip.open(path)  # type: ignore[return-value]
    return open(path, "rb")  # noqa: PTH123


# ---- Rows --------------------------------------------------------------------------------------


def _clip_of(row: Mapping[str, Any], folder: str) -> Item:
    """Returns the clip of a row whose path is relative to a folder."""
    for misnomer, field in _MISNOMERS:
        if misnomer in row and field not in row:
            raise ValueError(f"`{misnomer}` is not read; a clip has `start` and `duration`")
    path = row.get("path")
    if path is None:
        keys = ", ".join(repr(key) for key in list(row)[:10])
        raise ValueError(f"there is no `path`, only {checks.clipped(keys) or 'nothing'}")
    if not isinstance(path, str) or not path:
        raise ValueError(
            f"`path` must be a text that is not empty. {checks.received('path', path)}"
        )
    start, channel, name = row.get("start"), row.get("channel"), row.get("id")
    if type(start) is not float:
        start = 0.0 if start is None else _seconds("start", start)
    duration = row.get("duration")
    if duration is not None and type(duration) is not float:
        duration = _seconds("duration", duration)
    if type(channel) is float and channel.is_integer():
        channel = int(channel)
    if "://" not in path:
        path = os.path.join(folder, path)  # noqa: PTH118
    if name is None:
        name = default_id(path, folder, start, channel)
    elif type(name) is int:
        name = str(name)
    return Item(name, path, start, duration, channel)


def _seconds(name: str, value: Any) -> float:
    if type(value) is not int or not is_real(value):
        raise ValueError(f"`{name}` must be a number of seconds. {checks.received(name, value)}")
    return float(value)


# ---- Lines of JSON -----------------------------------------------------------------------------


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the lines of a stream; one without an end is cut, so that memory is bounded."""
    return iter(partial(stream.readline, _MAX_LINE_BYTES), b"")


def read_jsonl(lines: Iterable[bytes], name: str, folder: str, number: int = 1) -> Iterator[Item]:
    """Yields the clips of lines of JSON, ours or lhotse's; empty lines are passed over.

    Args:
        lines: As from `lines_of`.
        name: What messages call them.
        folder: What paths are relative to, an absolute path.
        number: Of the first line.
    """
    for number, line in enumerate(lines, number):  # noqa: B020
        try:
            text = text_of(line, number).strip()
            if text:
                yield _clip_of_line(text, folder)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name}, line {number}: {_reason(error)}") from error


def text_of(line: bytes, number: int) -> str:
    """Returns a line without the mark of UTF-8 that may be in front of the first.

    Raises:
        ValueError: It is no UTF-8, or too long.
    """
    if len(line) >= _MAX_LINE_BYTES:
        raise ValueError(f"it is longer than {_MAX_LINE_BYTES} bytes")
    return line.decode("utf-8-sig" if number == 1 else "utf-8")


def _clip_of_line(text: str, folder: str) -> Item:
    row = json.loads(text)
    if not isinstance(row, dict):
        raise ValueError(f"a line must be a JSON object. Received: {checks.clipped(text)}")
    return clip_of_lhotse(row) if is_of_lhotse(row) else _clip_of(row, folder)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        text = error.doc if error.doc.isprintable() else repr(error.doc[:100])
        return f"it is no JSON ({error.msg} at character {error.pos + 1}): {checks.clipped(text)}"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start + 1} is {error.object[error.start]:#04x})"
    return str(error)


# ---- CSV ---------------------------------------------------------------------------------------


def _read_csv(lines: Iterable[bytes], name: str, folder: str) -> Iterator[Item]:
    """Yields the clips of rows with commas below a row of names; an empty cell says nothing."""
    texts = (text_of(line, number) for number, line in enumerate(lines, 1))
    rows = csv.reader(texts, strict=True)
    try:
        header = _checked_header(next((cells for cells in rows if any(cells)), None))
        for cells in rows:
            if any(cells):
                yield _clip_of(_named(header, cells), folder)
    except (ValueError, csv.Error) as error:
        # A line that is no text has not been counted.
        line = rows.line_num + isinstance(error, UnicodeDecodeError)
        raise ValueError(f"{name}, line {line}: {_reason(error)}") from error


def _checked_header(cells: list[str] | None) -> list[str]:
    header = [cell.strip() for cell in cells or ()]
    if cells is not None and "path" not in header:
        raise ValueError(
            "the first line must name the columns, `path` among them, with commas between. "
            f"Received: {checks.clipped(','.join(cells))}"
        )
    twice = [field for field in _FIELDS if header.count(field) > 1]
    if twice:
        raise ValueError(f"there are two columns `{twice[0]}`")
    return header


def _named(header: list[str], cells: list[str]) -> dict[str, Any]:
    """Returns a row by the names of its columns, without empty cells, and numbers as such."""
    if len(cells) != len(header):
        raise ValueError(f"it has {len(cells)} cells, and the header {len(header)}")
    row: dict[str, Any] = {key: cell for key, cell in zip(header, cells, strict=True) if cell}
    for field, kind in (("start", float), ("duration", float), ("channel", int)):
        cell = row.get(field)
        if cell is None:
            continue
        try:
            # Python reads 1_000 as a number too.
            row[field] = kind(cell.replace("_", "?"))
        except ValueError:
            expected = "a number of seconds" if kind is float else "an integer"
            raise ValueError(
                f"`{field}` must be {expected}. {checks.received(field, cell)}"
            ) from None
    return row


# ---- Parquet -----------------------------------------------------------------------------------


def _read_parquet(path: str, folder: str) -> Iterator[Item]:
    pa, parquet = import_pyarrow()
    number = 0
    with open(path, "rb") as stream:  # noqa: PTH123
        try:
            file = parquet.ParquetFile(stream)
            names = file.schema_arrow.names
            if "path" not in names:
                raise ValueError(f"there is no column `path`, only {', '.join(map(repr, names))}")
            misnomers = [misnomer for misnomer, _ in _MISNOMERS]
            columns = [name for name in names if name in (*_FIELDS, *misnomers)]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield _clip_of(dict(zip(columns, values, strict=True)), folder)
        except (ValueError, pa.ArrowException) as error:
            place = f", row {number}" if number else ""
            raise ValueError(f"{path!r}{place}: {error}") from error
