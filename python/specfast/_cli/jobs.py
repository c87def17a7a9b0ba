# SPDX-License-Identifier: BSD-3-Clause
"""One recording in, one file out: what `specfast mel` and `specfast stft` do.

Nothing here knows click: `WrongUse` and `Failed` carry what went wrong.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from specfast import plot
from specfast._cli.errors import Failed, WrongUse, failures
from specfast._cli.input import STANDARD_INPUT, check_source, read_standard_input, source_name
from specfast._cli.output import check_target, report, standard_output, write_whole
from specfast._engine.build import build_info, set_num_threads
from specfast._spec import axes as _axes
from specfast.audio import read_audio, read_raw
from specfast.layers import MelSpectrogram, STFTSpectrogram

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "FORMATS",
    "Job",
    "facts",
    "make_layer",
    "run_mel",
    "run_stft",
]

FORMATS = ("npy", "npz", "png")


@dataclass(frozen=True)
class Job:
    """What the commands share: where from, where to, which channels, how it looks.

    Attributes:
        source: Path of a recording, or "-" for standard input.
        output: Path to write, or "-" for standard output.
        kind: "npy", "npz" or "png"; None: by the suffix of `output`, npy for "-".
        force: Whether `output` may be replaced.
        channel: The one channel to use, from 0; None: all.
        mix: Whether to use the mean of all channels.
        size: Width and height of a picture in pixels; None: see `plot`.
        db_range: Levels in dB of the darkest and the brightest colour; None: automatic.
        raw: The encoding of samples without a header, a key of RAW_ENCODINGS; None: a header says.
        rate: With `raw`: the rate in Hz.
        channels: With `raw`: how many channels are interleaved; None: one.
        num_threads: None: the default of the package.
        quiet: Whether to leave out the report on standard error.
    """

    source: str
    output: str
    kind: str | None = None
    force: bool = False
    channel: int | None = None
    mix: bool = False
    size: tuple[int, int] | None = None
    db_range: tuple[float, float] | None = None
    raw: str | None = None
    rate: int | None = None
    channels: int | None = None
    num_threads: int | None = None
    quiet: bool = False


@dataclass(frozen=True)
class _Result:
    """One spectrogram and what its axes stand for."""

    name: str
    values: npt.NDArray[Any]
    unit: str
    class_name: str
    config: dict[str, Any]
    times: npt.NDArray[np.float64]
    frequencies: npt.NDArray[np.float64]


def run_mel(job: Job, settings: dict[str, Any]) -> None:
    """Writes the mel spectrogram of a recording.

    Args:
        job: See `Job`.
        settings: Arguments of MelSpectrogram; sampling_rate defaults to the recording's.

    Raises:
        WrongUse, Failed: See there.
    """
    kind = _checked_kind(job)
    with failures():
        samples, rate = _read(job)
        wanted = settings.get("sampling_rate", rate)
        if wanted != rate:
            raise Failed(
                f"--sampling-rate {wanted} is not the rate of {job.source!r}, {rate} Hz; leave "
                "the option out, or resample the recording first"
            )
        layer = make_layer(MelSpectrogram, {**settings, "sampling_rate": rate})
        # One channel is one signal; several are a batch of signals, read in place.
        signal = samples[:, 0] if samples.shape[1] == 1 else samples.T
        values = _called(layer, signal, job.num_threads)
        config = layer.get_config()
        result = _Result(
            name="mel",
            values=values,
            unit="dB" if config["power_to_db"] else "power",
            class_name="MelSpectrogram",
            config=config,
            times=_axes.mel_times(config, values.shape[-1]),
            frequencies=_axes.mel_frequencies(config),
        )

        def draw(stream: BinaryIO) -> None:
            figure = plot.mel_figure(
                values,
                config,
                size=job.size,
                db_range=job.db_range,
                title=f"{_title(job)}: mel, {config['num_mel_bins']} bands",
            )
            plot.write_png(figure, stream)

        _write(job, kind, result, rate, draw)
        _report(job, result, samples, rate)


def run_stft(job: Job, settings: dict[str, Any]) -> None:
    """Writes the STFT spectrogram of a recording.

    Args:
        job: See `Job`.
        settings: Arguments of STFTSpectrogram.

    Raises:
        WrongUse, Failed: See there.
    """
    kind = _checked_kind(job)
    with failures():
        layer = make_layer(STFTSpectrogram, settings)
        config = layer.get_config()
        samples, rate = _read(job)
        num_samples, num_channels = samples.shape
        if config["padding"] == "valid" and num_samples < config["frame_length"]:
            raise Failed(
                f"{job.source!r} is too short: {num_samples} samples, and with --padding valid "
                f"a frame takes --frame-length {config['frame_length']} of them"
            )
        channels_first = config["data_format"] == "channels_first"
        batch = (samples.T if channels_first else samples)[np.newaxis]
        values = _called(layer, batch, job.num_threads)[0]
        # The time axis is second only where channels stand first.
        num_frames = values.shape[1 if channels_first else 0]
        rows = values.size // (num_frames * num_channels)
        num_bins = rows // 2 if config["mode"] == "stft" else rows
        result = _Result(
            name="stft",
            values=values,
            unit=f"mode {config['mode']}",
            class_name="STFTSpectrogram",
            config=config,
            times=_axes.stft_times(config, num_frames, num_samples, rate),
            frequencies=_axes.stft_frequencies(num_bins, rate),
        )

        def draw(stream: BinaryIO) -> None:
            figure = plot.stft_figure(
                values,
                config,
                num_channels=num_channels,
                num_samples=num_samples,
                sampling_rate=rate,
                size=job.size,
                db_range=job.db_range,
                title=f"{_title(job)}: STFT, mode {config['mode']}",
            )
            plot.write_png(figure, stream)

        _write(job, kind, result, rate, draw)
        _report(job, result, samples, rate)


def facts() -> dict[str, Any]:
    """Returns what this build is and which packages it finds, for `specfast info`."""
    with failures():
        table = dict(build_info())
    table["python"] = ".".join(str(part) for part in sys.version_info[:3])
    for package in ("numpy", "scipy", "soundfile", "matplotlib"):
        table[package] = _installed_version(package)
    return table


def _installed_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _checked_kind(job: Job) -> str:
    """Returns the format to write, after every check that needs no file."""
    kind = job.kind
    if kind is None:
        suffix = Path(job.output).suffix
        kind = "npy" if job.output == "-" else suffix[1:].lower()
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
        raise WrongUse(f"--raw {job.raw} has no header: --rate is missing, the rate in Hz")
    for option, number in (("--rate", job.rate), ("--channels", job.channels)):
        if number is not None and not job.raw:
            raise WrongUse(f"{option} {number} is for --raw; here the header says it")
    if job.mix and job.channel is not None:
        raise WrongUse(f"--mix and --channel {job.channel} exclude each other")
    if kind != "png":
        for option, value in (("--size", job.size), ("--db-range", job.db_range)):
            if value is not None:
                raise WrongUse(
                    f"{option} {value[0]:g} {value[1]:g} is for pictures; this writes {kind}"
                )
    if job.db_range is not None:
        low, high = job.db_range
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise WrongUse(
                f"--db-range {low:g} {high:g}: both are to be finite and the first the lower"
            )
    return kind


def make_layer(layer_class: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """Makes a layer; what it refuses is wrong use, what it warns of goes to standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            layer = layer_class(**settings)
        except (ValueError, TypeError) as error:
            raise WrongUse(str(error)) from error
    for warning in caught:
        report(f"Warning: {warning.message}")
    return layer


def _read(job: Job) -> tuple[npt.NDArray[np.float32], int]:
    """Returns the chosen channels as float32 (samples, channels), and the rate in Hz."""
    # Nobody likes to wait for a result that then cannot be written.
    if job.output != "-":
        check_target(job.output, force=job.force)
    piped = job.source == STANDARD_INPUT
    recording = read_standard_input() if piped else job.source
    name = source_name(job.source)
    chosen: dict[str, Any] = {"mono": job.mix, "channel": job.channel, "name": name}
    if job.raw and job.rate:
        samples, rate = read_raw(recording, job.raw, job.channels or 1, **chosen), job.rate
    else:
        samples, rate = read_audio(recording, **chosen)
    samples = samples.reshape(len(samples), -1)
    if not np.isfinite(samples).all():
        report(f"Warning: {job.source!r} holds NaN or infinite samples; so does the result")
    return samples, rate


def _called(
    layer: Callable[..., Any], signal: npt.NDArray[np.float32], num_threads: int | None
) -> npt.NDArray[Any]:
    """Returns what the layer makes of the signal."""
    try:
        # Not an argument of the layer: there it would become a part of the configuration.
        if num_threads is not None:
            set_num_threads(num_threads)
        values: npt.NDArray[Any] = layer(signal)
    # The signal is sound, so it is a setting that shows only now.
    except (ValueError, TypeError) as error:
        raise WrongUse(str(error)) from error
    return values


def _write(
    job: Job, kind: str, result: _Result, rate: int, draw: Callable[[BinaryIO], None]
) -> None:
    def write(stream: BinaryIO) -> None:
        if kind == "npy":
            np.save(stream, result.values, allow_pickle=False)
        elif kind == "png":
            try:
                draw(stream)
            except ValueError as error:
                raise Failed(f"cannot draw {job.source!r}: {error}") from error
        else:
            arrays: dict[str, Any] = {
                result.name: result.values,
                "times": result.times,
                "frequencies": result.frequencies,
                "sampling_rate": rate,
                "layer": result.class_name,
                "config": json.dumps(result.config),
            }
            np.savez(stream, **arrays)

    if job.output != "-":
        write_whole(job.output, write, force=job.force)
        return
    # Built first: a failure while drawing must not leave half a file in the pipe.
    whole = io.BytesIO()
    write(whole)
    with standard_output() as stream:
        stream.buffer.write(whole.getbuffer())


def _report(job: Job, result: _Result, samples: npt.NDArray[np.float32], rate: int) -> None:
    if job.quiet:
        return
    num_samples, num_channels = samples.shape
    values = result.values
    shape = " x ".join(str(length) for length in values.shape)
    plural = "" if num_channels == 1 else "s"
    report(
        f"{'standard output' if job.output == '-' else job.output}: {result.name} {shape} "
        f"{values.dtype}, {values.min():.4g} to {values.max():.4g} ({result.unit}); "
        f"{num_samples / rate:.2f} s, {rate} Hz, {num_channels} channel{plural}"
    )


def _title(job: Job) -> str:
    return "standard input" if job.source == "-" else Path(job.source).name
