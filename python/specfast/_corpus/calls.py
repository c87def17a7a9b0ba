# SPDX-License-Identifier: BSD-3-Clause
"""The arguments of `specfast.corpus.run`: what users give, as what a run takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from specfast._corpus import clusters
from specfast._corpus.item import Item
from specfast._corpus.scheduler import Pool, Workers
from specfast._corpus.sources import find_items
from specfast._spec import checks

__all__ = ["folder_of", "items_of", "workers_of"]

_MAX_WORKERS = 1 << 16


def items_of(manifest: Any) -> Iterator[Item]:
    """Returns the clips that sources stand for, or those given.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(manifest, str | os.PathLike):
        return find_items([os.fspath(manifest)])
    if not isinstance(manifest, Iterable):
        raise TypeError(
            "`manifest` must be a path, a list of paths or clips as specfast.corpus.Item. "
            f"{checks.received('manifest', manifest)}"
        )
    return _each(manifest)


def _each(manifest: Iterable[Any]) -> Iterator[Item]:
    for entry in manifest:
        if isinstance(entry, Item):
            yield entry
        elif isinstance(entry, str | os.PathLike):
            yield from find_items([os.fspath(entry)])
        else:
            raise TypeError(
                "`manifest` must hold paths or clips as specfast.corpus.Item. "
                f"{checks.received('manifest', entry)}"
            )


def folder_of(out: Any) -> Path:
    """Returns an absolute path, under which workers find the folder too.

    Raises:
        TypeError: It is no path.
    """
    if not isinstance(out, str | os.PathLike) or isinstance(out, bytes):
        raise TypeError(f"`out` must be the path of a folder. {checks.received('out', out)}")
    return Path(out).resolve()


def workers_of(
    client: Any, num_workers: int | None, num_threads: int
) -> Callable[[ExitStack], Workers]:
    """Returns what engages the workers, once there is something to do.

    Args:
        client: An executor, a client of Dask, the address of a scheduler; None: Dask on this
            machine.
        num_workers: How many processes to start on this machine; for an executor: how many it has;
            for Dask elsewhere: None.
        num_threads: How many threads of the engine each of them uses.

    Raises:
        TypeError, ValueError: An argument is none of these.
    """
    if num_workers is not None:
        checks.integer("num_workers", num_workers, minimum=1, maximum=_MAX_WORKERS)
    if client is None:
        return lambda stack: clusters.local_workers(stack, num_workers, num_threads)
    if isinstance(client, Executor):

        def pool(stack: ExitStack) -> Workers:
            engaged = Pool(client, num_workers)
            stack.callback(engaged.close)
            return engaged

        return pool
    is_dask = hasattr(client, "scheduler") and hasattr(client, "submit")
    if num_workers is not None and (isinstance(client, str) or is_dask):
        raise ValueError(
            "`num_workers` must be None with a `client` of Dask, which has workers of its own. "
            f"{checks.received('num_workers', num_workers)}"
        )
    if isinstance(client, str):
        return lambda stack: clusters.connected(stack, client)
    if is_dask:
        return lambda _: clusters.DaskWorkers(client)
    raise TypeError(
        "`client` must be a Client of Dask, the address of its scheduler, an Executor of "
        f"concurrent.futures, or None. {checks.received('client', client)}"
    )
