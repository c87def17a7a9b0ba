# SPDX-License-Identifier: BSD-3-Clause
"""How far a run is, on standard error: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from specfast._cli.output import report
from specfast.corpus import Progress

__all__ = ["amount", "line_of", "shown_progress"]

_LINE_SECONDS = 60.0

Show = Callable[[Progress], None]


@contextlib.contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Show | None]:
    """Yields what shows progress while the block runs; None for nothing."""
    if quiet:
        yield None
        return
    bar = _bar() if sys.stderr is not None and sys.stderr.isatty() else None
    if bar is None:
        yield _Log()
        return
    with bar:
        task = bar.add_task("", total=None, facts="")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                total=progress.num_clips,
                completed=progress.done_clips,
                facts=_facts(progress),
            )

        yield show


def _bar() -> Any | None:
    """Returns a bar of rich; None where that is missing."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar
    except ImportError:
        return None
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[facts]}"))
    return Bar(*columns, console=Console(stderr=True), transient=True)


class _Log:
    """Prints a line a minute."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS:
            self._last = now
            report(line_of(progress))


def line_of(progress: Progress) -> str:
    """Returns how far a run is, for a log."""
    return f"{progress.done_clips} of {progress.num_clips} clips, {_facts(progress)}"


def _facts(progress: Progress) -> str:
    elapsed = max(progress.elapsed, 1e-9)
    facts = [
        f"{progress.seconds / 3600 / elapsed:.3f} hours of audio a second",
        f"{progress.num_failed} failed",
    ]
    if progress.computed_clips:
        left = (progress.num_clips - progress.done_clips) / progress.computed_clips * elapsed
        facts.append(f"{_duration(left)} left")
    return ", ".join(facts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def amount(count: int, name: str) -> str:
    """Returns a number with the name of what is counted."""
    return f"{count} {name}{'' if count == 1 else 's'}"
