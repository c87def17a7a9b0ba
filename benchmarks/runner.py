# SPDX-License-Identifier: BSD-3-Clause
"""Takes turns between workers, A B C, B C A, ..., and gathers what they measured.

Every round visits everyone, so whatever disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .handle import WorkerError, WorkerHandle, cpus_for
from .peers import OURS, PeerInfo
from .workloads import Workload

_PREPARE_SECONDS = 240.0
_RUN_SECONDS = 120.0
_VISIT_SECONDS = 0.06  # a visit makes as many calls as fit, at least one, at most _MAX_CALLS
_MAX_CALLS = 20
_LONG_CALL_SECONDS = 0.3  # such a call needs no warm one before it
_LEAST_ROUNDS = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds until the budget of a workload is used, within limits."""

    min_rounds: int = 7
    max_rounds: int = 25
    budget_s: float = 40.0
    clock: str = "wall"  # of one-thread figures: "wall" or "processor"

    def enough(self, rounds: int, elapsed_s: float) -> bool:
        """Whether to stop now; an hour of audio would take too long at ``min_rounds``."""
        if rounds >= self.min_rounds:
            return elapsed_s > self.budget_s or rounds >= self.max_rounds
        return rounds >= _LEAST_ROUNDS and elapsed_s > 2 * self.budget_s

    def clock_for(self, threads: int) -> str:
        """Processor time says nothing about several threads."""
        return self.clock if threads == 1 else "wall"


FULL = Effort()
QUICK = Effort(min_rounds=3, max_rounds=7, budget_s=8.0)


@dataclass
class Result:
    """One peer on one workload."""

    peer: str
    form: str
    calls: int
    median_s: float
    quartiles_s: tuple[float, float]
    fastest_s: float
    rounds_s: list[float]  # median of each round
    running: float  # processor time / wall time; 1 on one undisturbed core
    trials_s: dict[str, float]  # shortest call of each form before the rounds
    check: dict[str, Any] | None = None
    failed_forms: dict[str, str] = field(default_factory=dict)


@dataclass
class Table:
    """All results of one number of threads."""

    threads: int
    cpus: list[int]
    clock: str
    results: dict[str, dict[str, Result]] = field(default_factory=dict)  # workload -> peer
    failures: dict[str, dict[str, str]] = field(default_factory=dict)  # workload or "*" -> peer
    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    def median_s(self, workload: str, peer: str = OURS) -> float | None:
        """Median of a peer on a workload; None if it was not measured."""
        result = self.results.get(workload, {}).get(peer)
        return result.median_s if result else None


@dataclass(eq=False)
class Turn:
    """A prepared call of one worker, and what its visits have brought."""

    worker: WorkerHandle
    slot: str
    prepared: dict[str, Any]
    wall_s: list[list[float]] = field(default_factory=list)  # [round][call]
    processor_s: list[list[float]] = field(default_factory=list)
    failure: str | None = None

    @classmethod
    def prepare(
        cls, worker: WorkerHandle, work: Workload, clock: str, reference: str | None = None
    ) -> Turn:
        """Lets a worker get a workload ready.  Raises WorkerError."""
        answer = worker.ask(
            _PREPARE_SECONDS,
            "prepare",
            slot=work.key,
            workload=asdict(work),
            clock=clock,
            reference=reference,
        )
        return cls(worker, work.key, answer)

    def visit(self) -> None:
        """One round's calls; a failure is remembered and ends the turns."""
        expected = self.prepared["trials_s"][self.prepared["form"]]
        calls = int(min(_MAX_CALLS, max(1, _VISIT_SECONDS // max(expected, 1e-9))))
        warm = expected < _LONG_CALL_SECONDS
        try:
            timed = self.worker.ask(_RUN_SECONDS, "run", slot=self.slot, calls=calls, warm=warm)
        except WorkerError as error:
            self.failure = str(error)
            return
        self.wall_s.append(timed["wall"])
        self.processor_s.append(timed["processor"])

    def result(self, clock: str) -> Result:
        """Statistics over all calls of all rounds, by the "wall" or the "processor" clock."""
        rounds = self.wall_s if clock == "wall" else self.processor_s
        pooled = np.concatenate([np.asarray(r) for r in rounds])
        wall = np.concatenate([np.asarray(r) for r in self.wall_s])
        processor = np.concatenate([np.asarray(r) for r in self.processor_s])
        low, median, high = np.percentile(pooled, (25, 50, 75))
        return Result(
            peer=self.worker.peer.key,
            form=self.prepared["form"],
            calls=len(pooled),
            median_s=float(median),
            quartiles_s=(float(low), float(high)),
            fastest_s=float(pooled.min()),
            rounds_s=[float(np.median(r)) for r in rounds],
            running=float(processor.sum() / wall.sum()),
            trials_s=self.prepared["trials_s"],
            check=self.prepared.get("check"),
            failed_forms=self.prepared["failed_forms"],
        )


class Visited(Protocol):
    """Whatever takes turns: a Turn, or several at once."""

    @property
    def failure(self) -> str | None:
        """Why there are no more visits."""

    def visit(self) -> None:
        """One round's calls."""


def take_turns(turns: Sequence[Visited], effort: Effort) -> None:
    """Visits everyone in every round, each round beginning with the next one."""
    started = time.monotonic()
    done = 0
    while turns and not effort.enough(done, time.monotonic() - started):
        first = done % len(turns)
        for turn in [*turns[first:], *turns[:first]]:
            if turn.failure is None:
                turn.visit()
        done += 1


def start(
    peers: Sequence[PeerInfo], threads: int, say: Say
) -> tuple[list[WorkerHandle], dict[str, str]]:
    """A worker for each peer that can be started; the reasons of the others."""
    workers, failures = [], {}
    for peer in peers:
        if peer.one_thread_only and threads != 1:
            continue
        try:
            workers.append(WorkerHandle(peer, threads, cpus_for(threads)))
        except WorkerError as error:
            say(f"  {peer.heading}: {error}")
            failures[peer.key] = str(error)
    return workers, failures


def measure(
    peers: Sequence[PeerInfo],
    workloads: Sequence[Workload],
    threads: int,
    effort: Effort,
    say: Say,
) -> Table:
    """Times every workload on every peer with this many threads."""
    needed = [peer for peer in peers if any(peer.takes(work.key) for work in workloads)]
    workers, failures = start(needed, threads, say)
    table = Table(threads, cpus_for(threads), effort.clock_for(threads))
    if failures:
        table.failures["*"] = failures
    table.versions = {worker.peer.key: worker.versions for worker in workers}
    try:
        with tempfile.TemporaryDirectory(prefix="specfast-bench-") as scratch:
            for work in workloads:
                started = time.monotonic()
                _measure_one(workers, work, table, effort, Path(scratch), say)
                say(f"  {work.key}: {time.monotonic() - started:.0f} s")
    finally:
        for worker in workers:
            worker.close()
    return table


def _measure_one(
    workers: Sequence[WorkerHandle],
    work: Workload,
    table: Table,
    effort: Effort,
    scratch: Path,
    say: Say,
) -> None:
    reference: str | None = None
    turns: list[Turn] = []
    failures: dict[str, str] = {}

    for worker in workers:
        if not worker.peer.takes(work.key):
            continue
        try:
            turn = Turn.prepare(worker, work, table.clock, reference)
            if worker.peer.key == OURS:
                reference = str(scratch / "ours.npy")
                worker.ask(_RUN_SECONDS, "save", slot=turn.slot, path=reference)
        except WorkerError as error:
            failures[worker.peer.key] = str(error)
            continue
        check = turn.prepared.get("check")
        if check is not None and not check["ok"]:
            failures[worker.peer.key] = f"its result differs from ours: {check['distance']}"
            continue
        turns.append(turn)

    take_turns(turns, effort)
    for turn in turns:
        if turn.failure is not None:
            failures[turn.worker.peer.key] = turn.failure
    table.results[work.key] = {
        turn.worker.peer.key: turn.result(table.clock) for turn in turns if turn.failure is None
    }
    if failures:
        table.failures[work.key] = failures
        for peer, reason in failures.items():
            say(f"  {work.key}, {peer}: {reason}")
    for worker in workers:
        if worker.alive():
            worker.ask(_RUN_SECONDS, "release")
