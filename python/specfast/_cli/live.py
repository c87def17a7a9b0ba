# SPDX-License-Identifier: BSD-3-Clause
"""What `specfast stream` does: raw samples in, a line for each column out, as long as they come.

As in `_jobs`, exceptions carry what went wrong. Nothing here grows with the length of the signal.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from specfast._cli.jobs import Failed, WrongUse, failures, make_layer
from specfast._spec import axes as _axes
from specfast.audio import RAW_ENCODINGS
from specfast.layers import MelSpectrogram

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[Any]  # [bands]

__all__ = ["Live", "run_live"]

# From quiet to loud.
_SHADES = np.frombuffer(b" .:-=+*#%@", np.uint8)
_SHOWN_DB = 80.0
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class Live:
    """Where samples come from and how columns are shown.

    Attributes:
        source: A path, or "-" for standard input.
        raw: The encoding of the samples, a key of RAW_ENCODINGS.
        rate: In Hz.
        channels: How many channels are interleaved.
        channel: The one to show, from 0.
        kind: "text" or "draw"; None: draw on a terminal, else text.
        db_range: Levels of the lightest and the darkest character; None: the highest level so far
            and 80 dB below.
        max_db: What the layer's `top_db` is counted from: a level, or "running".
    """

    source: str
    raw: str
    rate: int
    channels: int
    channel: int
    kind: str | None
    db_range: tuple[float, float] | None
    max_db: float | str


def run_live(job: Live, settings: dict[str, Any]) -> None:
    """Prints a line for each column until the samples end, or until it is interrupted.

    Args:
        job: See `Live`.
        settings: Arguments of MelSpectrogram without the rate.

    Raises:
        WrongUse: The request itself is wrong.
        Failed: The source cannot be read, or ends within a sample.
    """
    _check(job)
    with failures(), contextlib.suppress(KeyboardInterrupt):
        layer = make_layer(MelSpectrogram, {**settings, "sampling_rate": job.rate})
        config = layer.get_config()
        clamped = config["power_to_db"] and config["top_db"] is not None
        try:
            stream = layer.stream(max_db=job.max_db if clamped else None)
        except (ValueError, TypeError) as error:
            raise WrongUse(str(error)) from error
        write = _writer(job, config)
        scale = RAW_ENCODINGS[job.raw][1]
        with _opened(job) as source:
            for block in _blocks(job, source):
                _write_columns(write, stream.push(block[:, job.channel], scale=scale))
        _write_columns(write, stream.flush())


def _check(job: Live) -> None:
    if job.channel >= job.channels:
        raise WrongUse(f"--channel {job.channel} must be less than --channels {job.channels}")
    if job.source == "-" and sys.stdin.isatty():
        raise WrongUse("IN '-': standard input is a terminal; samples are to be piped in")
    if job.db_range is not None and not (
        np.isfinite(job.db_range).all() and job.db_range[0] < job.db_range[1]
    ):
        low, high = job.db_range
        raise WrongUse(
            f"--db-range {low:g} {high:g}: both are to be finite and the first the lower"
        )


@contextlib.contextmanager
def _opened(job: Live) -> Iterator[BinaryIO]:
    if job.source == "-":
        yield sys.stdin.buffer
        return
    try:
        file = open(job.source, "rb")  # noqa: PTH123, SIM115
    except OSError as error:
        raise Failed(f"cannot read {job.source!r}: {error.strerror or error}") from error
    with file:
        yield file


def _blocks(job: Live, source: BinaryIO) -> Iterator[npt.NDArray[Any]]:
    """Samples [samples, channels] as they arrive."""
    dtype, _ = RAW_ENCODINGS[job.raw]
    frame_bytes = dtype.itemsize * job.channels
    rest = b""
    while data := source.read1(_BLOCK_BYTES):  # type: ignore[attr-defined]
        data = rest + data
        whole = len(data) // frame_bytes * frame_bytes
        rest = data[whole:]
        yield np.frombuffer(data, dtype, whole // dtype.itemsize).reshape(-1, job.channels)
    if rest:
        raise Failed(
            f"{job.source!r} ends within a sample: {len(rest)} bytes are left over, and a sample "
            f"of all channels has {frame_bytes}"
        )


def _write_columns(write: Callable[[Column], None], columns: npt.NDArray[Any]) -> None:
    for column in columns.T:
        write(column)
    if columns.size:
        sys.stdout.flush()


def _writer(job: Live, config: dict[str, Any]) -> Callable[[Column], None]:
    """What writes one column, and counts them."""
    seconds_per_column = config["sequence_stride"] / job.rate
    num_columns = 0

    def write(line: Callable[[Column], str], column: Column) -> None:
        nonlocal num_columns
        sys.stdout.write(f"{num_columns * seconds_per_column:.3f}{line(column)}\n")
        num_columns += 1

    if (job.kind or ("draw" if sys.stdout.isatty() else "text")) == "draw":
        line = _drawing(job, config)
    else:
        hertz = "\t".join(f"{f:.1f}" for f in _axes.mel_frequencies(config))
        sys.stdout.write(f"# seconds\t{hertz} Hz\n")
        line = _numbers
    return lambda column: write(line, column)


def _numbers(column: Column) -> str:
    return "\t" + "\t".join(f"{level:.6g}" for level in column)


def _drawing(job: Live, config: dict[str, Any]) -> Callable[[Column], str]:
    """A character for each band, or for neighbours where the terminal is too narrow."""
    bands = int(config["num_mel_bins"])
    width = min(bands, max(shutil.get_terminal_size().columns - 12, 10))
    begins = np.arange(width) * bands // width
    highest = -np.inf

    def line(column: Column) -> str:
        nonlocal highest
        levels = column if config["power_to_db"] else 10 * np.log10(np.maximum(column, 1e-30))
        levels = np.where(np.isfinite(levels), levels, -1e9)
        highest = max(highest, float(levels.max()))
        low, high = job.db_range or (highest - _SHOWN_DB, highest)
        shade = (np.maximum.reduceat(levels, begins) - low) / (high - low) * len(_SHADES)
        shades = _SHADES[np.clip(shade, 0, len(_SHADES) - 1).astype(np.intp)]
        return " |" + shades.tobytes().decode() + "|"

    return line
