# SPDX-License-Identifier: BSD-3-Clause
"""Hands out the tasks of a run, a bounded number at a time, and takes the reports.

What is lost with a worker is handed out again; the worker that gets it finds the note of the one
that died.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from specfast._corpus.errors import CorpusError
from specfast._corpus.worker import Report, Task, compute_shard

__all__ = ["Pool", "Workers", "num_processors", "reports_of"]

# How often a shard may be lost with its worker, before it is the workers that must be at fault.
_MAX_LOSSES = 10
_LOOK_SECONDS = 1.0


class Workers(Protocol):
    """Where tasks are computed."""

    def submit(self, task: Task) -> Future[Report]:
        """Hands out a task."""
        ...

    def cancel(self, future: Future[Report]) -> None:
        """Takes back a task, unless a worker has it already."""
        ...

    def window(self) -> int:
        """Returns how many tasks are to be handed out at a time."""
        ...

    def is_loss(self, error: BaseException) -> bool:
        """Tells whether a task failed because its worker died. Prepares for the next `submit`."""
        ...

    def check(self) -> None:
        """Is called every second.

        Raises:
            CorpusError: There will be no more reports.
        """
        ...


class Pool:
    """An executor of concurrent.futures, of the caller's."""

    def __init__(self, executor: Executor, num_workers: int | None) -> None:
        self._executor = executor
        self._own: ProcessPoolExecutor | None = None
        self._num_workers = num_workers or num_processors()

    def submit(self, task: Task) -> Future[Report]:
        try:
            return (self._own or self._executor).submit(compute_shard, task)
        except BrokenProcessPool:
            self._replace()
            return self.submit(task)

    def cancel(self, future: Future[Report]) -> None:
        future.cancel()

    def window(self) -> int:
        return 2 * self._num_workers

    def is_loss(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)

    def check(self) -> None:
        pass

    def _replace(self) -> None:
        """Goes on in a pool of its own: one with a dead worker takes no more tasks."""
        self.close()
        # Workers that are forked later would inherit whatever is open now.
        context = multiprocessing.get_context("spawn")
        self._own = ProcessPoolExecutor(self._num_workers, mp_context=context)

    def close(self) -> None:
        """Ends the pool that took the place of the caller's, if there is one."""
        if self._own is not None:
            self._own.shutdown(wait=False, cancel_futures=True)


def num_processors() -> int:
    """Returns how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def reports_of(
    tasks: Iterable[Task], workers: Workers, tick: Callable[[], None]
) -> Iterator[Report]:
    """Yields the report of every task, in the order in which they come in.

    Args:
        tasks: Read as they are handed out, never far ahead.
        workers: Who computes.
        tick: Called about once a second, also while nothing comes in.

    Raises:
        CorpusError: A task cannot be done, or workers are lost again and again.
    """
    waiting = iter(tasks)
    pending: dict[Future[Report], Task] = {}
    losses: dict[int, int] = {}
    try:
        while True:
            while len(pending) < workers.window() and (task := next(waiting, None)):
                pending[workers.submit(task)] = task
            if not pending:
                return
            done, _ = wait(pending, _LOOK_SECONDS, FIRST_COMPLETED)
            tick()
            workers.check()
            for future in done:
                task = pending.pop(future)
                report = _report(future, task, workers, losses)
                if report is None:
                    pending[workers.submit(task)] = task
                else:
                    losses.pop(task.shard.number, None)
                    yield report
    finally:
        for future in pending:
            workers.cancel(future)


def _report(
    future: Future[Report], task: Task, workers: Workers, losses: dict[int, int]
) -> Report | None:
    """Returns the report of a task that is over; None if it is to be handed out again."""
    try:
        return future.result()
    except CorpusError:
        raise
    except (Exception, CancelledError) as error:
        if not workers.is_loss(error):
            raise
        number = task.shard.number
        losses[number] = losses.get(number, 0) + 1
        if losses[number] > _MAX_LOSSES:
            raise CorpusError(
                f"{task.shard.stem} was lost with its worker {losses[number]} times, though its "
                "clips were computed in processes of their own: the workers are ended by "
                f"something else ({type(error).__name__}: {error})"
            ) from error
        return None
