# SPDX-License-Identifier: BSD-3-Clause
"""From one clip to a corpus: features of many files, on many processes or machines.

See docs/corpus.md. What it needs beside NumPy: `pip install "specfast[corpus]"`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any

from specfast._corpus.calls import folder_of, items_of, workers_of
from specfast._corpus.errors import CorpusError, TooManyFailures
from specfast._corpus.fronts import spec_of
from specfast._corpus.item import Item
from specfast._corpus.reader import Corpus, Entry
from specfast._corpus.running import Limits, Progress, RunSummary, run_corpus
from specfast._corpus.settings import Settings
from specfast._corpus.verifying import Verification
from specfast._corpus.verifying import verify as _verify

__all__ = [
    "Corpus",
    "CorpusError",
    "Entry",
    "Item",
    "Progress",
    "RunSummary",
    "TooManyFailures",
    "Verification",
    "hugging_face_dataset",
    "open",
    "run",
    "torch_dataset",
    "verify",
]


def run(
    manifest: str | os.PathLike[str] | Iterable[Any],
    out: str | os.PathLike[str],
    front: Any,
    client: Executor | str | Any | None = None,
    *,
    format: str = "safetensors",  # noqa: A002
    shard_bytes: int | None = None,
    resample: bool = False,
    mono: bool = False,
    channel: int | None = None,
    num_workers: int | None = None,
    num_threads: int = 1,
    max_failures: int | None = None,
    retry_failed: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> RunSummary:
    """Computes the features of every clip into the shards of a folder.

    The same call again resumes what was interrupted, whatever ended it; the result has the same
    bytes as that of a run without an interruption, on any number of workers.

    Args:
        manifest: A recording, a folder, a manifest, or a list of them, as `specfast batch` takes
            them; or clips as `Item`.
        out: The folder, new or empty or that of the same run; it must mean the same on every
            worker.
        front: The name of a preset, a file that describes a front end, a FeatureSpec, a
            FeatureExtractor or a MelSpectrogram.
        client: A Client of Dask, the address of its scheduler, or an Executor of
            concurrent.futures; None: processes on this machine, by Dask's LocalCluster. A program
            that starts processes must do so below `if __name__ == "__main__":`.
        format: How shards are stored.
        shard_bytes: How large the features of a shard are, the unit of work. None: an eighth of
            everything before it, from 4 to 32 MiB.
        resample: Whether clips of another rate are resampled by soxr; otherwise they fail.
        mono: Whether to use the mean of all channels.
        channel: The one channel to use where a clip names none; None: all.
        num_workers: How many processes to start; for an executor, how many it has. None: as many
            as there are processors, or as Dask has elsewhere.
        num_threads: How many threads of the engine each worker uses.
        max_failures: How many clips may fail before the run ends; None: all.
        retry_failed: Whether shards with failures are computed once more.
        progress: Called about once a second, and at the end.

    Returns:
        What the run came to. Clips that failed are in `errors.jsonl` of the folder.

    Raises:
        CorpusError: The folder belongs to another run, cannot be written or is being written to;
            there are no clips; workers are of another version, cannot be reached or are lost.
        TooManyFailures: (a CorpusError) see `max_failures`.
        TypeError, ValueError, OSError: An argument is not what is accepted; a manifest is broken,
            cannot be read, or has an id twice.
        ImportError: A package is missing; the message says how to get it.
    """
    settings = Settings(spec_of(front), format, shard_bytes, resample, mono, channel)
    limits = Limits(num_threads, max_failures, retry_failed)
    folder = folder_of(out)
    workers = workers_of(client, num_workers, num_threads)
    return run_corpus(items_of(manifest), folder, settings, limits, workers, progress)


def open(out: str | os.PathLike[str], *, partial: bool = False) -> Corpus:  # noqa: A001
    """Opens the features of a run, which are mapped into memory.

    Args:
        out: The folder of the run.
        partial: Whether to take a run that is not complete, as far as it is.

    Raises:
        CorpusError: There is no run, or it is not complete.
        TypeError: `out` is no path.
    """
    return Corpus(folder_of(out), partial=partial)


def torch_dataset(corpus: Corpus) -> Any:
    """Returns the clips of a corpus as a `torch.utils.data.Dataset`, mapped into memory.

    Item i is a dictionary: `id`; `features`, a tensor in the layout of the front end; `seconds`.
    Nothing is copied: a slice of frames reads these only. Tensors may be written to: the pages
    that change are copied, and the file never changes. The dataset can be pickled, and so
    be used by the workers of a DataLoader.

    Raises:
        ImportError: torch is not installed.
    """
    from specfast._corpus.torch_dataset import TorchDataset

    return TorchDataset(corpus)


def hugging_face_dataset(corpus: Corpus) -> Any:
    """Returns a corpus as a `datasets.Dataset`, whose features are mapped into memory.

    Its columns are `id`, `path`, `start`, `seconds`, `rate`, `frames` and `features`, lists of
    lists in the layout of the front end. The table refers to the shards and copies nothing but
    what it needs to find a clip; the library itself copies the rows that are taken out as arrays
    or tensors. To share it with other processes, save it by `save_to_disk` first: pickled, it is
    copied whole. A run with format "zarr" and bands first is copied, and one with "npy" maps each
    file, of which the system allows some tens of thousands.

    Raises:
        ImportError: datasets is not installed.
        ValueError: A clip has several channels.
    """
    from specfast._corpus import hugging_face

    return hugging_face.hugging_face_dataset(corpus)


def verify(
    out: str | os.PathLike[str], *, progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Reads every file of a run and compares it with the checksums and the list.

    Args:
        out: The folder of the run.
        progress: Called with the number of shards that are checked, and that of all.

    Raises:
        CorpusError: There is no run.
        TypeError: `out` is no path.
    """
    return _verify(folder_of(out), progress)
