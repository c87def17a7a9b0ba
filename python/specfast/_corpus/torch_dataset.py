# SPDX-License-Identifier: BSD-3-Clause
"""A corpus as a dataset of torch; imported only where that is asked for."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from specfast._corpus.formats.interface import Array
from specfast._corpus.reader import Corpus

__all__ = ["TorchDataset"]

# So many files stay mapped when no tensor is left of them.
_KEPT_FILES = 16
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class TorchDataset(Dataset[dict[str, Any]]):
    """The clips of a corpus by their number: `{"id": ..., "features": tensor, "seconds": ...}`.

    Files are mapped privately: what is written to a tensor changes a copy of its pages, in this
    process, and never the file. No descriptor stays open for a tensor.

    Args:
        corpus: What to show.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._files: OrderedDict[Path, Array] = OrderedDict()

    def __len__(self) -> int:
        return len(self._corpus)

    def __getitem__(self, index: int) -> dict[str, Any]:
        entry = self._corpus[index]
        values = entry.values
        # A storage of its own for each clip: who pickles a tensor takes all of its storage along.
        flat = torch.frombuffer(
            self._content(entry.file),
            dtype=_DTYPES[values.dtype.name],
            count=values.size,
            offset=entry.row.offset,
        )
        strides = [stride // values.itemsize for stride in values.strides]
        features = flat.as_strided(values.shape, strides)
        return {"id": entry.id, "features": features, "seconds": entry.row.seconds}

    def _content(self, path: Path) -> Array:
        """Returns the bytes of a file; torch can map them without keeping a descriptor."""
        found: Array | None = self._files.pop(path, None)
        if found is None:
            size = path.stat().st_size
            name = os.fspath(path)
            found = torch.from_file(name, shared=False, size=size, dtype=torch.uint8).numpy()
        self._files[path] = found
        if len(self._files) > _KEPT_FILES:
            self._files.popitem(last=False)
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {"_corpus": self._corpus, "_files": OrderedDict()}
