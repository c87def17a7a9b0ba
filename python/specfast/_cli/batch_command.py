# SPDX-License-Identifier: BSD-3-Clause
"""The command `batch`: its options and help. The work is in `batch`."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from specfast._cli import options
from specfast._cli.errors import WrongUse, hushed_libraries
from specfast._cli.exits import PARTLY_DONE, exit_codes
from specfast._corpus.formats.catalogue import FORMATS
from specfast._corpus.settings import MAX_SHARD_BYTES, MIN_SHARD_BYTES
from specfast._spec.arguments import MAX_THREADS
from specfast.layers.catalogue import fields_of

__all__ = ["batch"]

_DEFAULT_RATE = 16000

# The names are the fields of Batch.
_OPTIONS = (
    click.argument("sources", metavar="SOURCE...", nargs=-1, type=options.FileName()),
    click.option(
        "-o",
        "--output",
        metavar="OUT",
        type=options.FileName(),
        help="Folder of the run: new, empty, or that of the same command, which then goes on.",
    ),
    click.option(
        "--verify",
        metavar="OUT",
        type=options.FileName(),
        help="Compute nothing: check the files of a run against their checksums and its list.",
    ),
    click.option(
        "--format",
        "kind",
        type=click.Choice(tuple(FORMATS)),
        default="safetensors",
        help="How shards are stored.",
    ),
    click.option(
        "--shard-bytes",
        type=click.IntRange(MIN_SHARD_BYTES, MAX_SHARD_BYTES),
        help="Bytes of features in a shard, the unit of work. Default: an eighth of everything "
        "before it, from 4 to 32 MiB.",
    ),
    click.option(
        "--suffix",
        "suffixes",
        multiple=True,
        metavar=".SUFFIX",
        help="What recordings in folders end in; may be given several times. Default: those of "
        "the usual formats.",
    ),
    click.option(
        "--resample",
        is_flag=True,
        help="Resample recordings of other rates, by soxr. Default: they fail, with the rates "
        "named.",
    ),
    click.option(
        "--channel",
        type=options.CHANNEL,
        help="Use only this channel, counted from 0, where a manifest names none. Default: all.",
    ),
    click.option("--mono", "--mix", "mono", is_flag=True, help="Use the mean of all channels."),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Compute on the workers of this scheduler of Dask, such as tcp://host:8786. "
        "Default: on processes of this machine.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Number of these processes. Default: one for each processor that this one may use.",
    ),
    click.option(
        "--num-threads",
        type=click.IntRange(1, MAX_THREADS),
        default=1,
        help="Number of threads in each worker.",
    ),
    click.option(
        "--max-failures",
        type=click.IntRange(min=0),
        help="End the run when more recordings than this have failed. Default: never.",
    ),
    click.option(
        "--retry-failed",
        is_flag=True,
        help="Try once more what failed before.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print no progress and no report."),
)


def _batch_options(command: options.Command) -> options.Command:
    mel = options.layer_options(fields_of("MelSpectrogram"))
    return options.apply((*_OPTIONS, options.front(), *mel), command)


def _refuse_beside_verify(folder: str, given: dict[str, Any]) -> None:
    """Refuses what has no effect where nothing is computed."""
    flags = {parameter.name: parameter.opts[0] for parameter in batch.params}
    for name in given:
        if name in ("verify", "quiet"):
            continue
        flag = "SOURCE" if name == "sources" else flags[name]
        raise WrongUse(f"--verify {folder} takes no {flag}: it computes nothing")


@click.command()
@_batch_options
@click.option(
    "--sampling-rate",
    type=int,
    help=f"Sampling rate in Hz that the settings are meant for. Default: {_DEFAULT_RATE}.",
)
def batch(**values: Any) -> None:
    """Write the features of many recordings.

    SOURCE is a recording; a folder, which is searched; a manifest, .jsonl, .csv or .parquet, with
    a column path and, if wanted, id, start, duration and channel; a manifest of lhotse; or '-', a
    list on standard input.

    OUT gets shards of features, each with an index, and errors.jsonl, which says what failed. The
    same command again goes on where it was interrupted. Mel spectrograms are those of `specfast
    mel`; see docs/corpus.md.

    Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but some recordings failed, 130 interrupted.
    """
    # What it takes to run many processes is not imported for other commands, or for help.
    from specfast._cli.batch import Batch, run_batch, run_verify

    given = options.given(values)
    front, folder = values.pop("front"), values.pop("verify")
    job = Batch(**{field.name: values.pop(field.name) for field in dataclasses.fields(Batch)})
    settings = options.given(values)
    with exit_codes(), hushed_libraries():
        if folder is not None:
            _refuse_beside_verify(folder, given)
            run_verify(folder, quiet=job.quiet)
            return
        num_failed = run_batch(job, settings, front=front)
    if num_failed:
        raise click.exceptions.Exit(PARTLY_DONE)
