# SPDX-License-Identifier: BSD-3-Clause
"""Several recordings in, a file for each in one folder; a bad one does not end the others."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from specfast._cli.errors import Failed, SomeFailed, WrongUse
from specfast._cli.input import STANDARD_INPUT
from specfast._cli.jobs import Job, prepared
from specfast._cli.output import report
from specfast._cli.target import STANDARD_OUTPUT

__all__ = ["are_many", "run_each"]

_SHOWN_NAMES = 3


def are_many(sources: Sequence[str], output: str) -> bool:
    """Returns whether each input gets a file of its own in a folder.

    So it is where there are several inputs, and where the output is a folder: a pattern may fit
    one file only.
    """
    return len(sources) > 1 or (_is_folder(output) and sources[0] != STANDARD_INPUT)


def run_each(
    work: Callable[[Job, dict[str, Any]], None],
    job: Job,
    sources: Sequence[str],
    settings: dict[str, Any],
) -> None:
    """Does the same work for each input.

    Args:
        work: Called with each job, and the settings.
        job: What the jobs share; its `output` is the folder.
        sources: The inputs.
        settings: What the work is done with.

    Raises:
        WrongUse: Two inputs would be written to the same file, the output cannot be a folder, or
            an option is wrong whatever the input is. Nothing has been done.
        Failed: The folder cannot be made, or no input could be worked on.
        SomeFailed: There were inputs that could not be worked on, and others. Each of the former
            is reported on standard error, and all others are done.
    """
    jobs = _jobs(job, sources)
    _make_folder(job.output)
    num_failed = 0
    for each in jobs:
        try:
            work(each, settings)
        except (Failed, WrongUse) as error:
            num_failed += 1
            message = str(error)
            name = repr(each.source)
            report(f"Error: {message}" if name in message else f"Error: {name}: {message}")
    if num_failed == len(jobs):
        raise Failed(f"nothing was written to {job.output!r}; see above")
    if num_failed:
        raise SomeFailed(f"{num_failed} of {len(jobs)} recordings failed; see above")


def _jobs(job: Job, sources: Sequence[str]) -> list[Job]:
    if not _is_folder(job.output):
        raise WrongUse(
            f"-o {job.output!r} is no folder, and IN are {len(sources)} files: "
            f"{_shown(sources)}. Each gets a file of its own in a folder: -o results/"
        )
    if STANDARD_INPUT in sources:
        raise WrongUse(f"IN '-' is standard input, which has no name for a file in {job.output!r}")
    kind = job.kind or "npy"
    jobs: dict[str, Job] = {}
    for source in sources:
        output = str(Path(job.output) / f"{Path(source).stem}.{kind}")
        if output in jobs:
            raise WrongUse(
                f"{jobs[output].source!r} and {source!r} would both be written to {output!r}; "
                "write them to two folders"
            )
        jobs[output] = replace(job, source=source, output=output, kind=kind)
    # What is wrong with the first input only is told when its turn comes.
    with contextlib.suppress(Failed):
        prepared(next(iter(jobs.values())))
    return list(jobs.values())


def _make_folder(output: str) -> None:
    folder = Path(output)
    try:
        folder.mkdir(exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failed(f"cannot make the folder {output!r}: {reason}") from error


def _is_folder(output: str) -> bool:
    """Returns whether a name is that of a folder, or can only become that of one."""
    # Path raises for names that no file can have, before Python 3.14.
    is_one = os.path.isdir(output)  # noqa: PTH112
    return output != STANDARD_OUTPUT and (output.endswith(("/", os.sep)) or is_one)


def _shown(sources: Sequence[str]) -> str:
    names = ", ".join(shlex.quote(name) for name in sources[:_SHOWN_NAMES])
    rest = len(sources) - _SHOWN_NAMES
    return f"{names} and {rest} more" if rest > 0 else names
