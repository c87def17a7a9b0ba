# SPDX-License-Identifier: BSD-3-Clause
"""The command line of `specfast`: options, help and exit codes. The work is in `_jobs`.

soundfile and matplotlib are imported where they are used, so that help and completion are quick.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import numpy as np
from click.core import ParameterSource

from specfast._cli.errors import Failed, WrongUse
from specfast._cli.jobs import FORMATS, Job, facts, run_mel, run_stft
from specfast._cli.live import Live, run_live
from specfast._cli.output import standard_output
from specfast._engine.build import VERSION
from specfast._spec import arguments as _arguments
from specfast._spec import mel_arguments as _mel_arguments
from specfast._spec import stft_arguments as _stft_arguments
from specfast.audio import RAW_ENCODINGS

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    # Not generic before click 8.3.
    _ParamType = click.ParamType

_Command = TypeVar("_Command", bound=Callable[..., Any])

# What shells report for a program that Ctrl-C ended: 128 + SIGINT.
_INTERRUPTED = 130

_DTYPES = click.Choice(("float16", "float32", "float64"))


class OrNone(_ParamType):
    """A value of another type, or the word "none" for Python's None."""

    def __init__(self, inner: Any) -> None:
        self.inner = click.types.convert_type(inner)
        self.name = f"{self.inner.name} or none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value == "none" else self.inner.convert(value, param, ctx)


# How such options are declared and shown. (Asking a type for its metavar differs between
# versions of click.)
_INTEGER_OR_NONE: dict[str, Any] = {"type": OrNone(int), "metavar": "INTEGER|none"}
_FLOAT_OR_NONE: dict[str, Any] = {"type": OrNone(float), "metavar": "FLOAT|none"}


class OrRunning(_ParamType):
    """A number, or the word "running"."""

    name = "level"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "running" else click.FLOAT.convert(value, param, ctx)


class Window(_ParamType):
    """The name of a window, "none", or a .npy file with the window's values."""

    name = "window"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "none":
            return None
        if not isinstance(value, str) or not value.lower().endswith(".npy"):
            return value
        try:
            with Path(value).open("rb") as stream:
                return np.lib.format.read_array(stream, allow_pickle=False)
        except OSError as error:
            self.fail(f"{value!r} cannot be read: {error.strerror or error}", param, ctx)
        # NumPy's own words are about pickles and magic strings.
        except (ValueError, EOFError, MemoryError):
            self.fail(f"{value!r} is no .npy file with an array of numbers", param, ctx)


# What `mel` and `stft` have in common; the names are the fields of Job.
_JOB_PARAMETERS = (
    click.argument("source", metavar="IN"),
    click.option(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="File to write: .npy, .npz (with times, frequencies and settings) or .png. "
        "'-' is standard output.",
    ),
    click.option(
        "--format",
        "kind",
        type=click.Choice(FORMATS),
        help="What to write. Default: by the suffix of OUT; npy for '-'.",
    ),
    click.option("--force", is_flag=True, show_default=False, help="Replace OUT if it exists."),
    click.option(
        "--channel",
        type=click.IntRange(min=0),
        help="Use only this channel, counted from 0. Default: every channel.",
    ),
    click.option("--mix", is_flag=True, help="Use the mean of all channels."),
    click.option(
        "--size",
        type=(click.IntRange(300, 20000), click.IntRange(200, 20000)),
        metavar="WIDTH HEIGHT",
        help="Size of the picture in pixels (png only). Default: 1200 500, more if there are "
        "more than two channels.",
    ),
    click.option(
        "--db-range",
        type=(float, float),
        metavar="LOW HIGH",
        help="Levels in dB of the darkest and the brightest colour (png only). Default: the "
        "80 dB below the highest level.",
    ),
    click.option(
        "--raw",
        type=click.Choice(tuple(RAW_ENCODINGS)),
        help="IN has no header: samples in this encoding, channels interleaved. Wants --rate.",
    ),
    click.option("--rate", type=click.IntRange(min=1), help="Of raw samples, in Hz."),
    click.option("--channels", type=click.IntRange(1, 65536), help="Of raw samples. Default: 1."),
    click.option(
        "--num-threads",
        type=click.IntRange(1, _arguments.MAX_THREADS),
        help="Threads to use. Default: the processors that this process may use.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Do not report on standard error."),
)


# The arguments of MelSpectrogram but the rate, which a recording has.
_MEL_SETTINGS = (
    click.option("--fft-length", type=int, default=2048, help="Points of the transform."),
    click.option("--sequence-stride", type=int, default=512, help="Samples between frames."),
    click.option(
        "--sequence-length", **_INTEGER_OR_NONE, default="none", help="Window; none: fft-length."
    ),
    click.option(
        "--window",
        metavar="NAME|none|FILE.npy",
        type=Window(),
        default="hann",
        help="hann, hamming or values.",
    ),
    click.option("--num-mel-bins", type=int, default=128, help="Number of bands."),
    click.option("--min-freq", type=float, default=20.0, help="Lowest edge in Hz."),
    click.option(
        "--max-freq", **_FLOAT_OR_NONE, default="none", help="Highest edge in Hz; none: rate/2."
    ),
    click.option(
        "--power-to-db/--no-power-to-db",
        default=True,
        help="Levels in dB, or powers.",
    ),
    click.option(
        "--top-db",
        **_FLOAT_OR_NONE,
        default=80.0,
        help="Raise lower levels to this far below the highest one; none: leave them.",
    ),
    click.option(
        "--top-db-scope",
        type=click.Choice(_mel_arguments.TOP_DB_SCOPES),
        default="batch",
        help="Highest level of all channels (batch), or of each by itself (clip).",
    ),
    click.option("--mag-exp", type=float, default=2.0, help="Exponent of the magnitude."),
    click.option("--min-power", type=float, default=1e-10, help="Floor under the logarithm."),
    click.option("--ref-power", type=float, default=1.0, help="Power of 0 dB."),
    click.option("--dtype", type=_DTYPES, default="float32", help="Of the result."),
)


def _with(decorators: tuple[Callable[[_Command], _Command], ...], command: _Command) -> _Command:
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def _job_parameters(command: _Command) -> _Command:
    return _with(_JOB_PARAMETERS, command)


def _mel_settings(command: _Command) -> _Command:
    return _with(_MEL_SETTINGS, command)


def _run(work: Callable[[Any, dict[str, Any]], None], values: dict[str, Any], kind: Any) -> None:
    """Runs `work` on a job of a kind and turns its exceptions into messages and exit codes."""
    context = click.get_current_context()
    job = kind(**{field.name: values.pop(field.name) for field in dataclasses.fields(kind)})
    # An option that was not given is not passed on: the layer's own default rules.
    settings = {
        name: value
        for name, value in values.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    with _exit_codes():
        work(job, settings)


@contextlib.contextmanager
def _exit_codes() -> Iterator[None]:
    """Turns the exceptions of our work into click's, which print a message and exit."""
    try:
        yield
    except WrongUse as error:
        raise click.UsageError(str(error)) from error
    except Failed as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(_INTERRUPTED) from None


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

    Exit codes: 0 done, 1 failed (a file, a missing package), 2 wrong use.
    """


@specfast.command()
@_job_parameters
@_mel_settings
@click.option(
    "--sampling-rate",
    type=int,
    help="Rate in Hz that the settings are meant for. Default: the rate of IN. If IN has "
    "another rate, that is an error: nothing is resampled here.",
)
def mel(**values: Any) -> None:
    """Write the mel spectrogram of a recording.

    IN is a WAV, FLAC, OGG, MP3 or AIFF file, or another that libsndfile reads; '-' is standard
    input. Samples are read as float32 in [-1, 1).

    The result has the shape (num_mel_bins, frames), or (channels, num_mel_bins, frames) for
    several channels.
    """
    _run(run_mel, values, Job)


@specfast.command()
@_job_parameters
@click.option(
    "--mode",
    type=click.Choice(_stft_arguments.MODES),
    default="log",
    help="What to write of each bin.",
)
@click.option("--frame-length", type=int, default=256, help="Samples in a frame.")
@click.option(
    "--frame-step",
    **_INTEGER_OR_NONE,
    default="none",
    help="Samples between frames; none: half a frame.",
)
@click.option(
    "--fft-length",
    **_INTEGER_OR_NONE,
    default="none",
    help="Points of the transform; none: the next power of two.",
)
@click.option(
    "--window",
    metavar="NAME|none|FILE.npy",
    type=Window(),
    default="hann",
    help="A SciPy name, or values.",
)
@click.option("--periodic/--symmetric", default=False, help="Kind of named window.")
@click.option(
    "--scaling",
    type=OrNone(click.Choice(_stft_arguments.SCALINGS)),
    metavar=f"[{'|'.join(_stft_arguments.SCALINGS)}|none]",
    default="density",
    help="What the window is divided by.",
)
@click.option(
    "--padding",
    type=click.Choice(_stft_arguments.PADDINGS),
    default="valid",
    help="Only whole frames, or zeros at both ends.",
)
@click.option(
    "--expand-dims/--no-expand-dims",
    default=False,
    help="Give channels an axis of their own.",
)
@click.option(
    "--data-format",
    type=click.Choice(_stft_arguments.DATA_FORMATS),
    default="channels_last",
    help="Layout of the result.",
)
@click.option("--epsilon", type=float, default=1e-07, help="Floor of the modes magnitude and log.")
@click.option("--dtype", type=_DTYPES, default="float32", help="Of the result.")
def stft(**values: Any) -> None:
    """Write the STFT spectrogram of a recording.

    IN is a WAV, FLAC, OGG, MP3 or AIFF file, or another that libsndfile reads; '-' is standard
    input. Samples are read as float32 in [-1, 1).

    The result has the layout of the layer without its batch axis: by default
    (frames, channels * bins).
    """
    _run(run_stft, values, Job)


@specfast.command()
@click.argument("source", metavar="[IN]", default="-")
@click.option(
    "--raw",
    type=click.Choice(tuple(RAW_ENCODINGS)),
    default="s16le",
    help="Encoding of the samples, channels interleaved.",
)
@click.option("--rate", type=click.IntRange(min=1), required=True, help="Rate in Hz.")
@click.option("--channels", type=click.IntRange(1, 65536), default=1, help="Channels of IN.")
@click.option("--channel", type=click.IntRange(min=0), default=0, help="The one to show, from 0.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(("text", "draw")),
    help="Lines of numbers, or of characters. Default: draw on a terminal, else text.",
)
@click.option(
    "--db-range",
    type=(float, float),
    metavar="LOW HIGH",
    help="Levels of the lightest and the darkest character. Default: the 80 dB below the highest "
    "level so far.",
)
@click.option(
    "--max-db",
    metavar="FLOAT|running",
    type=OrRunning(),
    default="running",
    help="What --top-db is counted from: a level in dB, or the highest one so far.",
)
@_mel_settings
def stream(**values: Any) -> None:
    """Print mel levels while the signal arrives, without an end.

    IN has samples without a header; by default it is standard input. Every column of the
    spectrogram becomes one line as soon as its last sample is there. Memory does not grow.
    """
    _run(run_live, values, Live)


@specfast.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(as_json: bool) -> None:
    """Tell what this build is and what it uses on this machine."""
    with _exit_codes():
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
