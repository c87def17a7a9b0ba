# SPDX-License-Identifier: BSD-3-Clause
"""Many recordings in, one folder out: what `specfast batch` does.

Nothing here knows click: `WrongUse` and `Failed` carry what went wrong.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specfast import corpus
from specfast._cli.errors import Failed, WrongUse, failures, refusals
from specfast._cli.fronts import front_end
from specfast._cli.jobs import make_layer
from specfast._cli.output import report
from specfast._cli.progress import amount, shown_progress
from specfast._corpus.sources import find_items
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers import MelSpectrogram
from specfast.layers.specs import spec_of_layer

__all__ = ["Batch", "run_batch", "run_verify"]


@dataclass(frozen=True)
class Batch:
    """The request.

    Attributes:
        sources: Files, folders, manifests, or "-".
        output: The folder of the run; None: none was named.
        kind: The format of shards.
        shard_bytes: How large they are; None: as for `specfast.corpus.run`.
        suffixes: What recordings in folders end in; none: the usual ones.
        resample, mono, channel: As for `specfast.corpus.run`.
        scheduler: The address of a scheduler; None: processes of this machine.
        workers: How many of these; None: as many as there are processors.
        num_threads: How many threads each has.
        max_failures, retry_failed: As for `specfast.corpus.run`.
        quiet: Whether to print neither progress nor report.
    """

    sources: tuple[str, ...]
    output: str | None
    kind: str
    shard_bytes: int | None
    suffixes: tuple[str, ...]
    resample: bool
    mono: bool
    channel: int | None
    scheduler: str | None
    workers: int | None
    num_threads: int
    max_failures: int | None
    retry_failed: bool
    quiet: bool


def run_batch(job: Batch, settings: dict[str, Any], *, front: str | None) -> int:
    """Computes the features of many recordings, and returns how many failed.

    Args:
        job: See `Batch`.
        settings: Arguments of MelSpectrogram; none of them beside a front.
        front: What --front says, if it was given.

    Raises:
        WrongUse, Failed: See there.
    """
    _check(job)
    with failures(), _corpus_errors(), _no_logs():
        spec = _spec_of(front, settings)
        stdin = None if sys.stdin is None else sys.stdin.buffer
        begin = time.monotonic()
        with shown_progress(quiet=job.quiet) as progress:
            summary = corpus.run(
                find_items(job.sources, stdin=stdin, suffixes=job.suffixes or None),
                str(job.output),
                spec,
                job.scheduler,
                format=job.kind,
                shard_bytes=job.shard_bytes,
                resample=job.resample,
                mono=job.mono,
                channel=job.channel,
                num_workers=job.workers,
                num_threads=job.num_threads,
                max_failures=job.max_failures,
                retry_failed=job.retry_failed,
                progress=progress,
            )
    if not job.quiet:
        report(_summary(str(job.output), summary, time.monotonic() - begin))
    return summary.num_failed


def _check(job: Batch) -> None:
    if not job.sources:
        raise WrongUse("SOURCE is missing: a recording, a folder, a manifest, or '-'")
    if job.output is None:
        raise WrongUse("-o is missing: the folder of the run")
    if job.mono and job.channel is not None:
        raise WrongUse(f"--mono and --channel {job.channel} exclude each other")
    if job.scheduler is not None and job.workers is not None:
        raise WrongUse(
            f"--workers {job.workers} only applies to processes of this machine; --scheduler "
            f"{job.scheduler} has workers of its own"
        )


def _spec_of(front: str | None, settings: dict[str, Any]) -> FeatureSpec:
    """Returns the front end that the options describe."""
    if front is not None:
        return front_end(front, settings).spec
    layer = make_layer(MelSpectrogram, settings)
    with refusals():
        return spec_of_layer(layer)


@contextlib.contextmanager
def _corpus_errors() -> Iterator[None]:
    """Turns what a run cannot begin or go on with into `Failed`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise Failed(str(error)) from error
        raise Failed(f"{str(error.filename)!r}: {error.strerror}") from error
    except (corpus.CorpusError, ValueError, TypeError) as error:
        raise Failed(str(error)) from error


@contextlib.contextmanager
def _no_logs() -> Iterator[None]:
    """Keeps what Dask logs of lost connections from the terminal: our own error says it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _summary(output: str, summary: corpus.RunSummary, elapsed: float) -> str:
    failed = (
        f"{summary.num_failed} failed, see {Path(output) / 'errors.jsonl'!s}; "
        if summary.num_failed
        else ""
    )
    kept = f" ({summary.num_kept} done before)" if summary.num_kept else ""
    return (
        f"{output}: {amount(summary.num_clips, 'clip')}, {failed}"
        f"{amount(summary.num_shards, 'shard')}{kept}, {_audio(summary.seconds)} of audio, "
        f"{summary.num_bytes / 1e6:.1f} MB; {elapsed:.1f} s"
    )


def _audio(seconds: float) -> str:
    return f"{seconds / 3600:.2f} hours" if seconds >= 3600 else f"{seconds / 60:.2f} minutes"


def run_verify(folder: str, *, quiet: bool) -> None:
    """Checks the files of a run.

    Raises:
        Failed: Something is wrong; the message names all of it.
    """
    with failures(), _corpus_errors():
        found = corpus.verify(folder)
    if found.problems:
        raise Failed(
            f"{folder}: {amount(len(found.problems), 'problem')}:\n" + "\n".join(found.problems)
        )
    if not quiet:
        report(
            f"{folder}: {amount(found.num_shards, 'shard')}, {amount(found.num_clips, 'clip')}, "
            f"{found.num_failed} of them without features; every byte is as it was written"
        )
