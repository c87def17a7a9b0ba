# SPDX-License-Identifier: BSD-3-Clause
"""A finished run as a sequence of clips, whose features are mapped into memory."""

from __future__ import annotations

import hashlib
import operator
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, SupportsIndex, TypeVar, overload

import numpy as np

from specfast._corpus.errors import CorpusError
from specfast._corpus.formats.catalogue import format_of
from specfast._corpus.formats.interface import Array, Store
from specfast._corpus.index import INDEX_SUFFIX, Row, read_index
from specfast._corpus.settings import RunFile, read_run
from specfast._corpus.shards import SHARDS_NAME, Shard, read_plan
from specfast._corpus.summary import read_summary
from specfast._spec import checks
from specfast._spec.feature_spec import FeatureSpec

__all__ = ["Corpus", "Entry", "ShardReader", "run_of"]

# Of so many shards, index and mapping are kept; others are opened again when they are asked for.
_KEPT_SHARDS = 256
_HASH_BYTES = 8

_Kept = TypeVar("_Kept")


class Entry:
    """A clip of a corpus.

    Attributes:
        row: What the index says of it.
    """

    __slots__ = ("_store", "dtype", "row", "shape")

    def __init__(self, row: Row, store: Store, shape: tuple[int, ...], dtype: Any) -> None:
        self.row = row
        self.shape = shape
        self.dtype = dtype
        self._store = store

    @property
    def id(self) -> str:
        """What the clip is called."""
        return self.row.id

    @property
    def values(self) -> Array:
        """The features, in the layout of the front end, read-only; read when they are used."""
        return self._store.read(self.row.id, self.row.offset, self.shape, self.dtype)

    @property
    def file(self) -> Path:
        """The file in which the features lie, `row.offset` bytes from its beginning."""
        return self._store.file(self.row.id)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return f"Entry({self.id!r}, {shape} {self.dtype}, {self.row.seconds:g} s)"


class Corpus(Sequence[Entry]):
    """The features of a run, in the order of its list; clips that failed are left out.

    Immutable; can be pickled, and opened by any number of processes.

    Args:
        out: The folder of the run.
        partial: Whether to take a run that is not complete, as far as it is.

    Raises:
        CorpusError: There is no run, or it is not complete.
    """

    def __init__(self, out: Path, *, partial: bool = False) -> None:
        self._out = out
        self._partial = partial
        self._run = run_of(out)
        self._shards: list[Shard] = []
        counts = []
        for shard in read_plan(out):
            summary = read_summary(out, shard)
            if summary is not None:
                self._shards.append(shard)
                counts.append(summary.num_clips - len(summary.failures))
        if len(self._shards) < self._run.num_shards and not partial:
            raise CorpusError(
                f"the run in {str(out)!r} is not complete: {len(self._shards)} of "
                f"{self._run.num_shards} shards are done. The command that began it goes on; "
                "partial=True takes what there is"
            )
        self._ends = list(accumulate(counts))
        self._readers: OrderedDict[int, ShardReader] = OrderedDict()
        self._hashes: tuple[Array, Array] | None = None

    @property
    def spec(self) -> FeatureSpec:
        """The front end."""
        return self._run.settings.spec

    @property
    def fingerprint(self) -> str:
        """That of the front end."""
        return self.spec.fingerprint()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: SupportsIndex) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"a corpus of {len(self)} clips has none at {number}")
        number %= len(self)
        place = bisect_right(self._ends, number)
        return self._reader(place).entry(number - (self._ends[place - 1] if place else 0))

    def __iter__(self) -> Iterator[Entry]:
        for place in range(len(self._shards)):
            yield from self._reader(place)

    def by_id(self, id: str) -> Entry:  # noqa: A002
        """Returns the clip of an id. The first call reads the ids of all shards.

        Raises:
            KeyError: There is none, or it failed.
        """
        if self._hashes is None:
            self._hashes = self._hashed_ids()
        hashes, numbers = self._hashes
        wanted = _hash_of(id)
        for place in range(int(np.searchsorted(hashes, wanted)), len(hashes)):
            if hashes[place] != wanted:
                break
            entry = self[int(numbers[place])]
            if entry.id == id:
                return entry
        raise KeyError(f"no clip has the id {checks.short(id)}")

    def _hashed_ids(self) -> tuple[Array, Array]:
        """Returns a hash of each id, sorted, and where its clip is: 16 bytes a clip."""
        hashes = np.fromiter((_hash_of(entry.id) for entry in self), np.uint64, len(self))
        order = np.argsort(hashes, kind="stable")
        return hashes[order], order

    def _reader(self, place: int) -> ShardReader:
        return _kept(
            self._readers,
            place,
            lambda: ShardReader(self._out, self._run, self._shards[place]),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (self._out, self._partial)

    def __repr__(self) -> str:
        return f"Corpus({str(self._out)!r}, {len(self)} clips)"


def _opened(out: Path, partial: bool) -> Corpus:
    return Corpus(out, partial=partial)


def _hash_of(name: str) -> np.uint64:
    digest = hashlib.blake2b(name.encode(), digest_size=_HASH_BYTES).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _kept(cache: OrderedDict[int, _Kept], key: int, make: Callable[[], _Kept]) -> _Kept:
    """Returns what is in the cache, or is made; what was used least recently leaves it."""
    value = cache.pop(key, None)
    if value is None:
        value = make()
    cache[key] = value
    if len(cache) > _KEPT_SHARDS:
        cache.popitem(last=False)
    return value


class ShardReader:
    """The clips of one shard.

    Raises:
        CorpusError: Its files cannot be read.
    """

    def __init__(self, out: Path, run: RunFile, shard: Shard) -> None:
        container = format_of(run.settings.format)
        folder = out / SHARDS_NAME
        self._spec = run.settings.spec
        self._dtype = np.dtype(self._spec.dtype)
        path = folder / f"{shard.stem}{INDEX_SUFFIX}"
        try:
            self.rows = read_index(path)
            path = folder / f"{shard.stem}{container.suffix}"
            self._store = container.open(path)
        except (OSError, ValueError) as error:
            raise CorpusError(f"cannot read {str(path)!r}: {error}") from error

    def entry(self, index: int) -> Entry:
        """Returns a clip by its place in the shard."""
        row = self.rows[index]
        return Entry(row, self._store, self._shape(row), self._dtype)

    def __iter__(self) -> Iterator[Entry]:
        return map(self.entry, range(len(self.rows)))

    def _shape(self, row: Row) -> tuple[int, ...]:
        by_frame = self._spec.layout == "frames_first"
        rows = self._spec.num_rows
        shape = (row.frames, rows) if by_frame else (rows, row.frames)
        return shape if row.channels == 1 else (row.channels, *shape)


def run_of(out: Path) -> RunFile:
    """Returns the run of a folder.

    Raises:
        CorpusError: There is none.
    """
    run = read_run(out)
    if run is None:
        raise CorpusError(f"{str(out)!r} holds no run: there is no run.json")
    return run
