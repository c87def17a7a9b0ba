# SPDX-License-Identifier: BSD-3-Clause
"""The commands of `specfast`: options, help and exit codes. The work is in `jobs` and `live`.

soundfile and matplotlib are imported where they are used, so that help and completion are quick.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from specfast._cli import options
from specfast._cli.batch_command import batch
from specfast._cli.doctor import DIFFERENT, SAME, TROUBLE, examined
from specfast._cli.errors import hushed_libraries
from specfast._cli.exits import exit_codes
from specfast._cli.facts import facts
from specfast._cli.fronts import front_end, run_front
from specfast._cli.fronts import fronts as table_of_fronts
from specfast._cli.input import STANDARD_INPUT
from specfast._cli.jobs import FORMATS, Job, make_layer, run_mel, run_stft
from specfast._cli.live import Live, run_live, run_live_front
from specfast._cli.many_files import are_many, run_each
from specfast._cli.one_file import refusal_of_several
from specfast._cli.output import standard_output
from specfast._cli.sound import ENCODINGS, SoundJob, run_sound
from specfast._engine.build import VERSION
from specfast._spec.arguments import MAX_THREADS
from specfast.layers import STFTSpectrogram
from specfast.layers.catalogue import fields_of

# What `mel` and `stft` have in common; the names are the fields of Job.
_JOB_OPTIONS = (
    click.argument("source", metavar="IN...", nargs=-1, required=True, type=options.FileName()),
    click.option(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        type=options.FileName(),
        help="File to write: .npy, .npz (with times, frequencies and settings) or .png. "
        "'-' is standard output. A folder, such as 'results/', gets a file for each IN.",
    ),
    click.option(
        "--format",
        "kind",
        type=click.Choice(FORMATS),
        help="Format to write. Default: from the suffix of OUT; npy for '-' and in a folder.",
    ),
    click.option("--force", is_flag=True, show_default=False, help="Replace OUT if it exists."),
    click.option(
        "--channel",
        type=options.CHANNEL,
        help="Use only this channel, counted from 0. Default: all channels.",
    ),
    click.option("--mono", "--mix", "mono", is_flag=True, help="Use the mean of all channels."),
    click.option(
        "--size",
        type=(click.IntRange(300, 20000), click.IntRange(200, 20000)),
        metavar="WIDTH HEIGHT",
        help="Size of the picture in pixels (png only). Default: 1200 500, higher for more than "
        "two channels.",
    ),
    options.db_range(
        "Levels in dB of the darkest and the brightest colour (png only). Default: from 80 dB "
        "below the highest level to that level."
    ),
    click.option(
        "--raw",
        type=options.RawEncoding(),
        metavar="ENCODING",
        help="IN has no header: samples in this encoding, channels interleaved. Requires --rate. "
        "Names are those of ffmpeg: s16le, f32le, mulaw, alaw, u8, s24le, s32be, ...",
    ),
    options.force_raw(),
    click.option("--rate", type=options.RATE, help="Sampling rate of raw input in Hz."),
    click.option(
        "--channels",
        type=options.CHANNELS,
        help="Number of channels in raw input. Default: 1.",
    ),
    click.option(
        "--num-threads",
        type=click.IntRange(1, MAX_THREADS),
        help="Number of threads. Default: all processors that this process may use.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print no report on standard error."),
)
_MEL_OPTIONS = options.layer_options(fields_of("MelSpectrogram"))
_STFT_OPTIONS = options.layer_options(fields_of("STFTSpectrogram"))


def _job_options(command: options.Command) -> options.Command:
    return options.apply(_JOB_OPTIONS, command)


def _mel_options(command: options.Command) -> options.Command:
    return options.apply(_MEL_OPTIONS, command)


def _stft_options(command: options.Command) -> options.Command:
    return options.apply(_STFT_OPTIONS, command)


def _run(
    work: Callable[[Any, dict[str, Any]], None],
    values: dict[str, Any],
    kind: Any,
    check: Callable[[dict[str, Any]], object] | None = None,
) -> None:
    """Runs `work` on a job of a kind; the values that are no fields of it go to the layer.

    `check` tells from the settings alone that they are wrong, before any of several inputs.
    """
    context = click.get_current_context()
    sources = values["source"] or (STANDARD_INPUT,)
    many = kind is Job and are_many(sources, values["output"])
    if len(sources) > 1 and not many:
        command = str(context.info_name)
        raise click.UsageError(refusal_of_several(command, sources))
    values["source"] = sources[0]
    job = kind(**{field.name: values.pop(field.name) for field in dataclasses.fields(kind)})
    settings = options.given(values)
    with exit_codes(), hushed_libraries():
        if not many:
            work(job, settings)
            return
        if check is not None:
            check(settings)
        run_each(work, job, sources, settings)


@click.group(
    context_settings={
        "help_option_names": ["--help", "-h"],
        "max_content_width": 99,
        "show_default": True,
    }
)
@click.version_option(VERSION)
def specfast() -> None:
    """Mel and STFT spectrograms with the numbers of the Keras layers.

    Exit codes: 0 done, 1 failed (a file, a missing package), 2 wrong use, 3 done, but some of
    many files failed, 130 interrupted.
    """


@specfast.command()
@_job_options
@options.front()
@_mel_options
@click.option(
    "--sampling-rate",
    type=int,
    help="Sampling rate in Hz that the settings are meant for. Default: the rate of IN. A "
    "recording with another rate is an error: nothing is resampled.",
)
def mel(**values: Any) -> None:
    """Write the mel spectrogram of a recording, or of each of several.

    IN is a WAV, FLAC, OGG, MP3 or AIFF file, or another that libsndfile reads; '-' is standard
    input. Samples are read as float32 in [-1, 1).

    The result has the shape (num_mel_bins, frames), or (channels, num_mel_bins, frames) for
    several channels. With --front it has the layout of that front end.
    """
    front = values.pop("front")
    if front is None:
        _run(run_mel, values, Job)
    else:
        _run(partial(run_front, front=front), values, Job, partial(front_end, front))


@specfast.command()
@_job_options
@_stft_options
def stft(**values: Any) -> None:
    """Write the STFT spectrogram of a recording, or of each of several.

    IN is a WAV, FLAC, OGG, MP3 or AIFF file, or another that libsndfile reads; '-' is standard
    input. Samples are read as float32 in [-1, 1).

    The result has the layout of the layer without its batch axis: by default
    (frames, channels * bins).
    """
    _run(run_stft, values, Job, partial(make_layer, STFTSpectrogram))


@specfast.command()
@click.argument("source", metavar="IN", nargs=-1, required=True, type=options.FileName())
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=options.FileName(),
    help="WAV file to write. '-' is standard output.",
)
@click.option("--force", is_flag=True, show_default=False, help="Replace OUT if it exists.")
@click.option(
    "--encoding", type=click.Choice(ENCODINGS), default="pcm16", help="Samples of the WAV file."
)
@click.option(
    "--iterations",
    type=click.IntRange(1, 1_000_000),
    default=32,
    help="How often phases are improved.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, (1 << 64) - 1),
    default=0,
    help="Decides on the phases at the beginning.",
)
@click.option(
    "--length",
    type=click.IntRange(min=0),
    help="Number of samples to write. Default: those that so many frames usually stand for.",
)
@click.option(
    "--statistics",
    metavar="FILE",
    type=options.FileName(),
    help="For a front end that normalizes: an .npz file with what it took off each row, 'mean', "
    "and what it divided by, 'deviation'.",
)
@click.option(
    "--num-threads",
    type=click.IntRange(1, MAX_THREADS),
    help="Number of threads. Default: all processors that this process may use.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print no report on standard error.")
@options.front()
@_mel_options
@click.option("--sampling-rate", type=int, help="Sampling rate in Hz; required without --front.")
def sound(**values: Any) -> None:
    """Write the recording that a mel spectrogram or other features stand for.

    IN is an .npy file as `specfast mel` writes it with the same settings: one signal, or several
    channels. Phases are lost in it, and are searched for by Griffin and Lim's algorithm.

    The report has the spectral convergence, by how much the magnitudes of the result differ from
    those wanted, relative to these; and how far its bands are from those of IN.
    """
    front = values.pop("front")
    _run(partial(run_sound, front=front), values, SoundJob)


@specfast.command()
@click.argument("source", metavar="[IN]", nargs=-1, type=options.FileName())
@click.option(
    "--raw",
    type=options.RawEncoding(),
    metavar="ENCODING",
    default="s16le",
    help="Encoding of the samples, channels interleaved; see `specfast mel --help`.",
)
@options.force_raw()
@click.option("--rate", type=options.RATE, required=True, help="Sampling rate in Hz.")
@click.option(
    "--channels", type=options.CHANNELS, default=1, help="Number of interleaved channels in IN."
)
@click.option(
    "--channel", type=options.CHANNEL, default=0, help="Channel to show, counted from 0."
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(("text", "draw")),
    help="Print numbers (text) or one character a band (draw). Default: draw on a terminal, "
    "text otherwise.",
)
@options.db_range(
    "Levels in dB of the lightest and the darkest character. Default: from 80 dB below the "
    "highest level so far to that level."
)
@click.option(
    "--max-db",
    metavar="FLOAT|running",
    type=options.OrWord(float, "running", "running"),
    default="running",
    help="Level in dB that --top-db counts from; running: the highest level so far.",
)
@options.front()
@_mel_options
def stream(**values: Any) -> None:
    """Print mel levels of a live signal, column by column.

    IN has samples without a header; by default it is standard input. Every column of the
    spectrogram becomes one line as soon as its last sample has arrived. Memory use stays
    constant.
    """
    front = values.pop("front")
    _run(run_live if front is None else partial(run_live_front, front=front), values, Live)


specfast.add_command(batch)


@specfast.command()
def fronts() -> None:
    """List the front ends that --front knows by name.

    Each line has a name, the sampling rate in Hz, and what one frame consists of.
    """
    with exit_codes(), standard_output() as output:
        output.write(_aligned(table_of_fronts()) + "\n")


@specfast.command()
@click.argument("a", metavar="A", type=options.Front())
@click.argument("b", metavar="B", type=options.Front())
@click.argument("clip", metavar="[CLIP]", required=False, type=options.FileName())
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(a: str, b: str, clip: str | None, as_json: bool) -> None:
    """Say why two front ends differ.

    A and B are names that `specfast fronts` lists, files that describe a front end, or features
    from elsewhere: a .npy, .npz or .csv file, or module:function, which is imported and called
    with the samples. At least one should be known. CLIP is a recording that both are computed
    on; features in a file require the one that they were made from.

    Exit codes: 0 the same numbers, 1 they differ, 2 something cannot be compared.
    """
    with exit_codes(failed=TROUBLE), hushed_libraries():
        diagnosis = examined(a, b, clip)
        text = diagnosis.to_json(indent=2) if as_json else str(diagnosis)
        with standard_output() as output:
            output.write(text + "\n")
    raise click.exceptions.Exit(SAME if diagnosis.same else DIFFERENT)


@specfast.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(as_json: bool) -> None:
    """Show what this build is and what it uses on this machine."""
    with exit_codes():
        table = facts()
        with standard_output() as output:
            output.write((json.dumps(table, indent=2) if as_json else _aligned(table)) + "\n")


def _aligned(table: dict[str, Any]) -> str:
    """Returns one line for each entry: the key, and the value in a column of its own."""
    width = max(len(key) for key in table)
    texts = {
        key: ", ".join(value) if isinstance(value, (list, tuple)) else value
        for key, value in table.items()
    }
    return "\n".join(f"{key:<{width}}  {text}" for key, text in texts.items())
