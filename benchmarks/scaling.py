# SPDX-License-Identifier: BSD-3-Clause
"""How time grows with the length of one signal and with the precision, and falls with threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from .handle import WorkerHandle, cpus_for
from .peers import OURS, PEERS, PeerInfo
from .runner import Effort, Result, Say, Turn, measure, take_turns
from .workloads import WORKLOADS, one_signal

_PEER_LENGTHS_S = (1.0, 10.0, 60.0, 600.0)
_HOUR_S = 3600.0
_OURS = next(peer for peer in PEERS if peer.key == OURS)


def run(
    peers: Sequence[PeerInfo],
    longest_s: float,
    hour_s: dict[str, float],
    effort: Effort,
    say: Say,
) -> dict[str, Any]:
    """Both curves: seconds by length for every peer that does the whole work; our speed-up.

    ``hour_s``: medians of W6 where the one-thread table has them; an hour is long for peers.
    """
    short = replace(effort, max_rounds=9, budget_s=effort.budget_s / 3)
    whole = [p for p in peers if p.kind in ("keras", "peer")]
    say("time over length, peers, one thread")
    lengths = [one_signal(seconds) for seconds in _PEER_LENGTHS_S]
    table = measure(whole, lengths, 1, short, say)
    by_length: dict[str, dict[str, float]] = {}
    for work in lengths:
        for peer, result in table.results[work.key].items():
            by_length.setdefault(peer, {})[f"{work.seconds:g}"] = result.median_s
    for peer, times in by_length.items():
        if peer in hour_s:
            times[f"{_HOUR_S:g}"] = hour_s[peer]
    say("time over length, ours, one thread")
    ours = _own_lengths(longest_s, effort)
    by_length[OURS] = ours
    say("float64 over float32, ours, one thread")
    float64_over_float32 = _float64_over_float32(effort)
    say("threads, ours")
    medians, fastest, limits = _speedups(effort)
    for name, by_threads in limits.items():
        for threads, limit in by_threads.items():
            say(
                f"  {name}: {threads} threads {medians[name][threads]:.2f} times one; "
                f"{threads} processes at once {limit:.2f}"
            )
    return {
        "seconds_by_length": by_length,
        "longest_s": longest_s,
        "float64_over_float32": float64_over_float32,
        "longest_over_10s": (ours[f"{longest_s:g}"] / longest_s) / (ours["10"] / 10.0),
        "speedup": medians,
        "speedup_of_fastest_calls": fastest,
        "speedup_of_processes": limits,
    }


def _own_lengths(longest_s: float, effort: Effort) -> dict[str, float]:
    """Medians by length, with ``out=``; all lengths lie ready in one worker and take turns."""
    shorter = (s for s in (*_PEER_LENGTHS_S, _HOUR_S) if s < longest_s)
    lengths = sorted({*shorter, 10.0, longest_s})
    worker = WorkerHandle(_OURS, 1, cpus_for(1))
    try:
        # Into an array that is there already: the pages of a fresh one cost long signals more, and
        # they are the operating system's.
        works = [replace(one_signal(seconds), reuse_output=True) for seconds in lengths]
        turns = [Turn.prepare(worker, work, effort.clock) for work in works]
        take_turns(turns, effort)
        results = _results(turns, effort.clock)
    finally:
        worker.close()
    return {
        f"{seconds:g}": result.median_s for seconds, result in zip(lengths, results, strict=True)
    }


def _float64_over_float32(effort: Effort) -> list[tuple[str, str, float]]:
    """(float64 workload, float32 workload, ratio of medians); both take turns in one worker."""
    pairs = (("W8a", "W2"), ("W8b", "W3"))
    works = {work.key: work for work in WORKLOADS}
    ratios = []
    worker = WorkerHandle(_OURS, 1, cpus_for(1))
    try:
        for double, single in pairs:
            turns = [Turn.prepare(worker, works[key], effort.clock) for key in (double, single)]
            take_turns(turns, effort)
            slow, fast = _results(turns, effort.clock)
            ratios.append((double, single, slow.median_s / fast.median_s))
            worker.ask(60.0, "release")
    finally:
        worker.close()
    return ratios


_Speedups = dict[str, dict[str, float]]  # workload -> threads -> ratio


@dataclass
class _AtOnce:
    """Turns of several workers, taken at the same time."""

    turns: Sequence[Turn]

    @property
    def failure(self) -> str | None:
        return next((turn.failure for turn in self.turns if turn.failure is not None), None)

    def visit(self) -> None:
        with ThreadPoolExecutor(len(self.turns)) as pool:
            list(pool.map(Turn.visit, self.turns))


def _speedups(effort: Effort) -> tuple[_Speedups, _Speedups, _Speedups]:
    """Time on one thread / time on n for batches, and for one signal of as many samples.

    By medians, by the fastest calls (which other work disturbs least), and what the machine
    grants: the throughput of n processes of one thread each, which share nothing, over one's.
    """
    batches = [w for w in WORKLOADS if w.key in ("W2", "W3")]
    signals = [one_signal(w.seconds, like=w.key) for w in batches]
    names = [f"{w.key}, batch" for w in batches] + [f"{w.key}, one signal" for w in batches]
    counts = thread_counts()
    workers: dict[int, WorkerHandle] = {}
    singles: list[WorkerHandle] = []
    medians: _Speedups = {}
    fastest: _Speedups = {}
    limits: _Speedups = {}
    try:
        for threads in counts:
            workers[threads] = WorkerHandle(_OURS, threads, cpus_for(threads))
        singles.extend(WorkerHandle(_OURS, 1, [cpu]) for cpu in cpus_for(counts[-1]))
        for name, work in zip(names, [*batches, *signals], strict=True):
            turns = [Turn.prepare(worker, work, "wall") for worker in workers.values()]
            at_once = {
                n: _AtOnce([Turn.prepare(worker, work, "wall") for worker in singles[:n]])
                for n in counts[1:]
            }
            take_turns([*turns, *at_once.values()], effort)
            results = dict(zip(workers, _results(turns, "wall"), strict=True))
            one = results[1]
            medians[name] = {str(n): one.median_s / r.median_s for n, r in results.items()}
            fastest[name] = {str(n): one.fastest_s / r.fastest_s for n, r in results.items()}
            limits[name] = {
                str(n): n * one.median_s / fmean(r.median_s for r in _results(them.turns, "wall"))
                for n, them in at_once.items()
            }
            for worker in [*workers.values(), *singles]:
                worker.ask(60.0, "release")
    finally:
        for worker in [*workers.values(), *singles]:
            worker.close()
    return medians, fastest, limits


def thread_counts() -> list[int]:
    """1, 2, 4, ... and all the cores this process may use."""
    cores = len(os.sched_getaffinity(0))
    powers = [1 << n for n in range(cores.bit_length())]
    return sorted({n for n in powers if n <= cores} | {cores})


def _results(turns: Sequence[Turn], clock: str) -> list[Result]:
    for turn in turns:
        if turn.failure is not None:
            raise RuntimeError(f"{turn.slot}: {turn.failure}")
    return [turn.result(clock) for turn in turns]
