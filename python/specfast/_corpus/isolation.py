# SPDX-License-Identifier: BSD-3-Clause
"""Computes clips in a process of their own, so that one that kills its process is found.

Several clips are tried together, and halves of them where their process died, until one is alone.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specfast._corpus.computing import Computer, Outcome
from specfast._corpus.item import Item
from specfast._corpus.settings import Settings
from specfast._corpus.summary import Failure

__all__ = ["outcomes_apart"]

# A process may die of something else than its clip; not so often.
_TRIALS = 2
_MAIN = "from specfast._corpus.isolation import main; main()"
# No clip takes as long; what waits for ever is as good as dead.
_SECONDS_PER_CLIP = 3600
# What a process that is killed ends with, under systems that have that signal.
_KILLED = -9


@dataclass(frozen=True)
class _Request:
    settings: Settings
    num_threads: int
    items: list[Item]


def outcomes_apart(
    settings: Settings, num_threads: int, items: Sequence[Item]
) -> Iterator[Outcome]:
    """Yields what becomes of clips, computed in other processes than this one.

    Args:
        settings, num_threads: As for a Computer.
        items: The clips.
    """
    request = _Request(settings, num_threads, list(items))
    status = 0
    for _ in range(_TRIALS if len(items) == 1 else 1):
        outcomes, status = _tried(request)
        if outcomes is not None:
            yield from outcomes
            return
    if len(items) == 1:
        reason = f"computing it {_death(status)}, {_TRIALS} times in a process of its own"
        yield Outcome(failure=Failure(items[0].id, items[0].path, reason))
        return
    middle = len(items) // 2
    for half in (items[:middle], items[middle:]):
        yield from outcomes_apart(settings, num_threads, half)


def _tried(request: _Request) -> tuple[list[Outcome] | None, int]:
    """Returns the outcomes, or None and the status of the process that died.

    Raises:
        ImportError, OSError: What the process met that no clip is to blame for.
    """
    try:
        result = subprocess.run(
            [sys.executable, "-c", _MAIN],
            input=pickle.dumps(request),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_SECONDS_PER_CLIP * len(request.items),
        )
    except subprocess.TimeoutExpired:
        return None, _KILLED
    if result.returncode != 0:
        return None, result.returncode
    answer: list[Outcome] | Exception = pickle.loads(result.stdout)
    if isinstance(answer, Exception):
        raise answer
    return answer, 0


def _death(status: int) -> str:
    if status >= 0:
        return f"ended its process with status {status}"
    try:
        return f"killed its process ({signal.Signals(-status).name})"
    except ValueError:
        return f"killed its process (signal {-status})"


def main() -> None:
    """Computes the clips that standard input asks for; what a process of their own runs."""
    # Some decoders print; what they print is not to be taken for the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    outcomes: list[Outcome] | Exception
    try:
        request: _Request = pickle.load(sys.stdin.buffer)
        computer = Computer(request.settings, request.num_threads)
        outcomes = [computer.outcome_of(item) for item in request.items]
    except Exception as error:
        outcomes = error
    with answer:
        pickle.dump(outcomes, answer)
