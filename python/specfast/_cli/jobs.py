# SPDX-License-Identifier: BSD-3-Clause
"""One recording in, one file out: what `specfast mel` and `specfast stft` do.

Nothing here knows click: `WrongUse` and `Failed` carry what went wrong.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np

from specfast._cli.errors import Failed, WrongUse, failures, refusals
from specfast._cli.input import STANDARD_INPUT, check_source, read_standard_input, source_name
from specfast._cli.looks import default_looks
from specfast._cli.one_file import check_output_is_one_file
from specfast._cli.output import report, standard_output
from specfast._cli.target import check_target, is_device, is_standard_output, write_whole
from specfast._engine.build import set_num_threads
from specfast._plot.charts import Chart, chart_of
from specfast._plot.drawing import Look, draw
from specfast.audio import read_audio, read_raw
from specfast.layers import MelSpectrogram, STFTSpectrogram

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "FORMATS",
    "Job",
    "Recording",
    "Result",
    "deliver",
    "make_layer",
    "output_of",
    "prepared",
    "read_recording",
    "reported_warnings",
    "run_mel",
    "run_stft",
]

FORMATS = ("npy", "npz", "png")

_Layer = TypeVar("_Layer")


@dataclass(frozen=True)
class Job:
    """The request that all commands share: source, output, channels and looks.

    Attributes:
        source: Path of a recording, or "-" for standard input.
        output: Path to write, or "-" for standard output.
        kind: "npy", "npz" or "png"; None: by the suffix of `output`, npy for "-".
        force: Whether `output` may be replaced.
        channel: The one channel to use, from 0; None: all.
        mono: Whether to use the mean of all channels.
        size: Width and height of a picture in pixels; None: see `plot`.
        db_range: Levels in dB of the darkest and the brightest colour; None: automatic.
        raw: The encoding of samples without a header, a key of RAW_ENCODINGS; None: there is one.
        force_raw: With `raw`: whether samples may begin like a file with a header.
        rate: With `raw`: the sampling rate in Hz.
        channels: With `raw`: how many channels are interleaved; None: one.
        num_threads: None: the default of the package.
        quiet: Whether to leave out the report on standard error.
    """

    source: str
    output: str
    kind: str | None = None
    force: bool = False
    channel: int | None = None
    mono: bool = False
    size: tuple[int, int] | None = None
    db_range: tuple[float, float] | None = None
    raw: str | None = None
    force_raw: bool = False
    rate: int | None = None
    channels: int | None = None
    num_threads: int | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Recording:
    """The chosen channels of a recording.

    Attributes:
        samples: float32 [samples, channels].
        rate: Sampling rate in Hz.
    """

    samples: npt.NDArray[np.float32]
    rate: int


@dataclass(frozen=True)
class Result:
    """One spectrogram, its coordinates, and how it is shown.

    Attributes:
        name: "mel", "stft" or "features"; the name of the array in an .npz file.
        values: What the layer returned for the recording, without a batch axis.
        layer: The name of the layer's class.
        config: Its configuration, as JSON.
        times, frequencies: float64, in seconds and Hz; rows may have no frequencies.
        chart: What the values are, and how they are drawn.
    """

    name: str
    values: npt.NDArray[Any]
    layer: str
    config: str
    times: npt.NDArray[np.float64]
    frequencies: npt.NDArray[np.float64] | None
    chart: Chart


def run_mel(job: Job, settings: dict[str, Any]) -> None:
    """Writes the mel spectrogram of a recording.

    Args:
        job: See `Job`.
        settings: Arguments of MelSpectrogram; sampling_rate defaults to the recording's.

    Raises:
        WrongUse, Failed: See there.
    """
    job, kind = prepared(job)
    with failures():
        recording = read_recording(job)
        rate = recording.rate
        wanted = settings.get("sampling_rate", rate)
        if wanted != rate:
            raise Failed(
                f"--sampling-rate {wanted} is not the rate of {job.source!r}, {rate} Hz; leave "
                "the option out, or resample the recording first"
            )
        layer = make_layer(MelSpectrogram, {**settings, "sampling_rate": rate})
        # One channel is one signal; several are a batch of signals, read in place.
        signals = recording.samples.T
        values = output_of(layer, signals[0] if len(signals) == 1 else signals, job.num_threads)
        result = Result(
            name="mel",
            values=values,
            layer=type(layer).__name__,
            config=json.dumps(layer.get_config()),
            times=layer.times(values.shape[-1]),
            frequencies=layer.frequencies(),
            chart=chart_of(layer, rate, "channel"),
        )
        deliver(job, kind, recording, result)


def run_stft(job: Job, settings: dict[str, Any]) -> None:
    """Writes the STFT spectrogram of a recording.

    Args:
        job: See `Job`.
        settings: Arguments of STFTSpectrogram.

    Raises:
        WrongUse, Failed: See there.
    """
    job, kind = prepared(job)
    with failures():
        layer = make_layer(STFTSpectrogram, settings)
        config = layer.get_config()
        recording = read_recording(job)
        samples, rate = recording.samples, recording.rate
        num_samples = len(samples)
        if config["padding"] == "valid" and num_samples < config["frame_length"]:
            raise Failed(
                f"{job.source!r} is too short: it has {num_samples} samples, and --padding valid "
                f"needs at least one frame of --frame-length {config['frame_length']}"
            )
        channels_first = config["data_format"] == "channels_first"
        batch = (samples.T if channels_first else samples)[np.newaxis]
        values = output_of(layer, batch, job.num_threads)[0]
        # The time axis is second only where channels stand first.
        num_frames = values.shape[1 if channels_first else 0]
        result = Result(
            name="stft",
            values=values,
            layer=type(layer).__name__,
            config=json.dumps(config),
            times=layer.times(num_frames, rate, num_samples=num_samples),
            frequencies=layer.frequencies(rate),
            chart=chart_of(layer, rate),
        )
        deliver(job, kind, recording, result)


def prepared(job: Job) -> tuple[Job, str]:
    """Returns the job and the format to write, after every check that opens no file.

    Raises:
        WrongUse, Failed: See there.
    """
    if is_standard_output(job.output):
        job = replace(job, output="-")
    return job, _checked_kind(job)


def _checked_kind(job: Job) -> str:
    check_output_is_one_file(job.output, job.source, job.kind or "npy")
    kind = job.kind
    if kind is None:
        suffix = Path(job.output).suffix
        kind = suffix[1:].lower()
        if kind not in FORMATS and (job.output == "-" or is_device(job.output)):
            kind = "npy"
        if kind not in FORMATS:
            raise WrongUse(
                f"-o {job.output!r}: unknown suffix {suffix!r}; accepted: .npy, .npz and .png, "
                "or any name with --format"
            )
    if job.output == "-" and sys.stdout is not None and sys.stdout.isatty():
        raise WrongUse(
            f"-o '-': standard output is a terminal and {kind} is not text; redirect it"
        )
    check_source(job.source, "a recording")
    if job.raw and job.rate is None:
        raise WrongUse(f"--raw {job.raw} requires --rate, the sampling rate in Hz")
    for option, number in (("--rate", job.rate), ("--channels", job.channels)):
        if number is not None and not job.raw:
            raise WrongUse(
                f"{option} {number} only applies to --raw; this file's header gives the value"
            )
    if job.force_raw and not job.raw:
        raise WrongUse("--force-raw only applies to --raw")
    if job.mono and job.channel is not None:
        raise WrongUse(f"--mono and --channel {job.channel} exclude each other")
    if kind != "png":
        for option, value in (("--size", job.size), ("--db-range", job.db_range)):
            if value is not None:
                raise WrongUse(
                    f"{option} {value[0]:g} {value[1]:g} only applies to pictures; this writes "
                    f"{kind}"
                )
    return kind


def make_layer(layer_class: Callable[..., _Layer], settings: dict[str, Any]) -> _Layer:
    """Makes a layer; what it refuses is wrong use, its warnings go to standard error."""
    with refusals(), reported_warnings():
        return layer_class(**settings)


@contextlib.contextmanager
def reported_warnings() -> Iterator[None]:
    """Puts warnings on standard error, a line each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        report(f"Warning: {warning.message}")


def read_recording(job: Job) -> Recording:
    """Returns the chosen channels of the source.

    Raises:
        Failed: The output cannot be written, or the source cannot be read.
    """
    # A result that cannot be written is not worth waiting for.
    check_target(job.output, force=job.force, source=job.source)
    piped = job.source == STANDARD_INPUT
    recording = read_standard_input() if piped else job.source
    name = source_name(job.source)
    chosen: dict[str, Any] = {"mono": job.mono, "channel": job.channel, "name": name}
    if job.raw and job.rate:
        rate = job.rate
        samples = read_raw(
            recording, job.raw, job.channels or 1, force_raw=job.force_raw, **chosen
        )
    else:
        with reported_warnings():
            samples, rate = read_audio(recording, **chosen)
    samples = samples.reshape(len(samples), -1)
    if not np.isfinite(samples).all():
        report(f"Warning: {job.source!r} holds NaN or infinite samples; so does the result")
    return Recording(samples, rate)


def output_of(
    layer: Callable[..., Any], signals: npt.NDArray[np.float32], num_threads: int | None
) -> npt.NDArray[Any]:
    """Returns what the layer makes of the signals."""
    # The signals are sound, so what is refused now is a setting.
    with refusals(), reported_warnings():
        # Not an argument of the layer: there it would become a part of the configuration.
        if num_threads is not None:
            set_num_threads(num_threads)
        values: npt.NDArray[Any] = layer(signals)
    return values


def deliver(job: Job, kind: str, recording: Recording, result: Result) -> None:
    """Writes the result as npy, npz or png, and reports it."""

    def write(stream: BinaryIO) -> None:
        if kind == "npy":
            np.save(stream, result.values, allow_pickle=False)
        elif kind == "npz":
            np.savez(stream, **_arrays(result, recording.rate))
        else:
            _draw(job, result, len(recording.samples), stream)

    if job.output != "-":
        write_whole(job.output, write, force=job.force)
    else:
        # Built first: a failure while drawing must not leave half a file in the pipe.
        whole = io.BytesIO()
        write(whole)
        with standard_output() as stream:
            stream.buffer.write(whole.getbuffer())
    if not job.quiet:
        report(_summary(job, recording, result))


def _arrays(result: Result, rate: int) -> dict[str, Any]:
    """Returns the contents of an .npz file."""
    return {
        result.name: result.values,
        "times": result.times,
        "sampling_rate": rate,
        "layer": result.layer,
        "config": result.config,
        **({} if result.frequencies is None else {"frequencies": result.frequencies}),
    }


def _draw(job: Job, result: Result, num_samples: int, stream: BinaryIO) -> None:
    source = "standard input" if job.source == STANDARD_INPUT else Path(job.source).name
    title = f"{source}: {result.chart.title}"
    is_level = result.chart.mode not in ("angle", "real", "imag")
    low, high = (job.db_range if is_level else None) or (None, None)
    try:
        with default_looks():
            look = Look(vmin=low, vmax=high, title=title, size=job.size)
            panels = draw(result.values, result.chart, num_samples, look)
            from specfast._plot.figures import write_png

            write_png(np.ravel(panels)[0].figure, stream)
    except ValueError as error:
        raise Failed(f"cannot draw {job.source!r}: {error}") from error


def _summary(job: Job, recording: Recording, result: Result) -> str:
    num_samples, num_channels = recording.samples.shape
    values, rate = result.values, recording.rate
    shape = " x ".join(str(length) for length in values.shape)
    plural = "" if num_channels == 1 else "s"
    return (
        f"{'standard output' if job.output == '-' else job.output}: {result.name} {shape} "
        f"{values.dtype}, {values.min():.4g} to {values.max():.4g} ({result.chart.unit}); "
        f"{num_samples / rate:.2f} s, {rate} Hz, {num_channels} channel{plural}"
    )
