# SPDX-License-Identifier: BSD-3-Clause
"""Workers of Dask: a cluster on this machine, or one that exists."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import signal
import time
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from specfast._corpus.errors import CorpusError
from specfast._corpus.optional import import_dask, import_distributed
from specfast._corpus.scheduler import num_processors
from specfast._corpus.worker import Report, Task, compute_shard
from specfast._engine.build import VERSION

__all__ = ["DaskWorkers", "connected", "local_workers"]

CONNECT_SECONDS = 5
# While a cluster grows, workers come in; no more tasks than this wait at the scheduler for each.
_TASKS_PER_WORKER = 2
_MIN_WINDOW = 4
_COUNT_SECONDS = 5.0
_MIB = 1 << 20
_SETTINGS = {
    # What Dask measures of itself and of tasks, for charts that nobody looks at here.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.profile.interval": "1h",
    "distributed.worker.profile.cycle": "1h",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    # Dask has workers give memory back at once, and the next clip would take it again, page by
    # page: a sixth of the time.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 64 * _MIB,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 * _MIB,
}


def local_workers(stack: ExitStack, num_workers: int | None, num_threads: int) -> DaskWorkers:
    """Returns workers on this machine, which end with the stack.

    Args:
        stack: What ends them.
        num_workers: How many processes; None: as many as make up the processors that this process
            may use.
        num_threads: How many threads of the engine each of them uses.
    """
    distributed = import_distributed()
    if num_workers is None:
        num_workers = max(num_processors() // num_threads, 1)
    with import_dask().config.set(_SETTINGS):
        cluster = stack.enter_context(
            distributed.LocalCluster(
                n_workers=num_workers,
                # While one brings its shard to the disk, the other computes.
                threads_per_worker=2,
                processes=True,
                # Any free port; the usual one may be taken, and need not be open to others.
                dashboard_address="127.0.0.1:0",
                # The deaths of workers are ours to report, and Dask's traces are long.
                silence_logs=logging.CRITICAL,
            )
        )
    client = stack.enter_context(distributed.Client(cluster, set_as_default=False))
    client.run(_ignore_interrupts)
    return DaskWorkers(client, in_turns=True)


def _ignore_interrupts() -> None:
    """Lets Ctrl-C, which a terminal sends to all processes, be a matter of the command alone."""
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def connected(stack: ExitStack, address: str) -> DaskWorkers:
    """Returns the workers of a scheduler that runs elsewhere; the stack ends the connection.

    Raises:
        CorpusError: Nobody answers at this address within seconds, or its workers are not fit.
    """
    distributed = import_distributed()
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise CorpusError(f"no scheduler answers at {address!r}: {reason}") from error
    return DaskWorkers(stack.enter_context(client))


class DaskWorkers:
    """The workers that a client of Dask reaches.

    Args:
        client: It.
        in_turns: See `Task`.

    Attributes:
        client: See above.

    Raises:
        CorpusError: A worker has no specfast, or another version.
    """

    def __init__(self, client: Any, *, in_turns: bool = False) -> None:
        self.client, self._in_turns = client, in_turns
        self._distributed = import_distributed()
        address = getattr(client.scheduler, "address", None)
        self._address = str(address or client.scheduler_info().get("address"))
        self._work: dict[Future[Report], Any] = {}
        self._window, self._counted = _MIN_WINDOW, -_COUNT_SECONDS
        _check_versions(client)

    def submit(self, task: Task) -> Future[Report]:
        """Hands out a task."""
        promise: Future[Report] = Future()
        promise.set_running_or_notify_cancel()
        task = replace(task, in_turns=self._in_turns)
        work = self.client.submit(compute_shard, task, pure=False)
        # Dask forgets a task whose future nobody holds.
        self._work[promise] = work

        def deliver(done: Any) -> None:
            try:
                promise.set_result(done.result())
            except BaseException as error:
                promise.set_exception(error)
            self._work.pop(promise, None)

        # Dask calls it in a thread of its own.
        work.add_done_callback(deliver)
        return promise

    def cancel(self, future: Future[Report]) -> None:
        """Takes back a task, unless a worker has it already."""
        work = self._work.pop(future, None)
        if work is not None and self.client.status == "running":
            work.cancel()

    def window(self) -> int:
        """Returns how many tasks are to be handed out at a time."""
        now = time.monotonic()
        if now > self._counted + _COUNT_SECONDS:
            num_threads = sum(self.client.nthreads().values())
            self._window = max(_TASKS_PER_WORKER * num_threads, _MIN_WINDOW)
            self._counted = now
        return self._window

    def is_loss(self, error: BaseException) -> bool:
        """Tells whether a task failed because its worker died."""
        if isinstance(error, CancelledError | self._distributed.CancelledError):
            self.check()
            return True
        return isinstance(error, self._distributed.KilledWorker)

    def check(self) -> None:
        """Finds out whether the scheduler is still there.

        Raises:
            CorpusError: It is not.
        """
        if self.client.status != "running":
            raise CorpusError(
                f"the scheduler at {self._address!r} is gone. What is done is kept: the same "
                "command goes on from there"
            )


def _check_versions(client: Any) -> None:
    """Refuses workers of another version; those that join later find out themselves."""
    # A function of the standard library, which workers without specfast can run too.
    found = client.run(importlib.metadata.version, "specfast", on_error="return")
    for address, version in found.items():
        if version != VERSION:
            what = (
                f"specfast {version}"
                if isinstance(version, str)
                else f"no specfast ({type(version).__name__}: {version})"
            )
            raise CorpusError(
                f"the worker at {address!r} has {what}, and this is specfast {VERSION}: all must "
                "have the same"
            )
