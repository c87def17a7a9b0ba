# SPDX-License-Identifier: BSD-3-Clause
"""What `specfast stream` does: raw samples in, a line for each column out, as long as they come.

Nothing here grows with the length of the signal.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from specfast._audio.containers import bytes_to_judge
from specfast._audio.raw import RAW_ENCODINGS, header_refusal
from specfast._cli.errors import Failed, WrongUse, failures, refusals
from specfast._cli.fronts import frequencies_of, front_end
from specfast._cli.input import check_source, has_bytes, opened, read_block, source_name
from specfast._cli.jobs import make_layer
from specfast._cli.output import standard_output
from specfast._cli.target import STANDARD_OUTPUT, check_target
from specfast._engine.stream import Stream
from specfast._spec import description
from specfast.layers import MelSpectrogram

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[Any]  # [rows]

__all__ = ["Live", "run_live", "run_live_front"]

# From quiet to loud.
_SHADES = np.frombuffer(b" .:-=+*#%@", np.uint8)
_SHOWN_DB = 80.0
_SMALLEST_RANGE = 1e-6
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class Live:
    """Where samples come from and how columns are shown.

    Attributes:
        source: A path, or "-" for standard input.
        raw: The encoding of the samples, a key of RAW_ENCODINGS.
        force_raw: Whether samples may begin like a file with a header.
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
    force_raw: bool
    rate: int
    channels: int
    channel: int
    kind: str | None
    db_range: tuple[float, float] | None
    max_db: float | str


@dataclass(frozen=True)
class _Columns:
    """What columns are, for whoever reads them.

    Attributes:
        names: Of the rows; the last one ends with their unit.
        first: The time of the first column in seconds.
        step: Seconds from one column to the next.
        is_power: Whether values are powers.
        depth: How far below the highest value so far the lightest character stands; None: it
            stands for the lowest value so far.
        by_row: Whether a stream returns [rows, columns] rather than [columns, rows].
    """

    names: list[str]
    first: float
    step: float
    is_power: bool
    depth: float | None = _SHOWN_DB
    by_row: bool = True


def run_live(job: Live, settings: dict[str, Any]) -> None:
    """Prints a line for each column until the samples end.

    Args:
        job: See `Live`.
        settings: Arguments of MelSpectrogram without the rate.

    Raises:
        WrongUse: The request itself is wrong.
        Failed: The source cannot be read, or ends within a sample. All columns of the samples
            before that are printed first.
    """
    _check(job)
    with failures():
        layer = make_layer(MelSpectrogram, {**settings, "sampling_rate": job.rate})
        config = layer.get_config()
        clamped = config["power_to_db"] and config["top_db"] is not None
        with refusals():
            stream = layer.stream(max_db=job.max_db if clamped else None)
        step = config["sequence_stride"] / job.rate
        names = _names_of(layer.frequencies())
        _print_all(job, stream, _Columns(names, 0.0, step, not config["power_to_db"]))


def run_live_front(job: Live, settings: dict[str, Any], *, front: str) -> None:
    """Prints a line for each frame of a front end until the samples end.

    Args:
        job: See `Live`.
        settings: Must be empty.
        front: What --front says.

    Raises:
        WrongUse: Also if the front end has another rate, or needs the whole recording.
        Failed: As `run_live`.
    """
    _check(job)
    with failures():
        extractor = front_end(front, settings)
        spec = extractor.spec
        if job.rate != spec.sampling_rate:
            raise WrongUse(
                f"--front {front} is for {spec.sampling_rate:g} Hz, and --rate {job.rate} is not"
            )
        max_level = None if spec.dynamic_range is None else job.max_db
        try:
            stream = extractor.stream(max_level=max_level)
        except ValueError as error:
            raise WrongUse(f"--front {front}: {error}") from error
        first, second = extractor.times(2)
        hertz, unit = frequencies_of(extractor), description.unit(spec)
        columns = _Columns(
            [*map(str, range(spec.num_rows))] if hertz is None else _names_of(hertz),
            float(first),
            float(second - first),
            is_power=unit == "power",
            depth=_SHOWN_DB if unit in ("power", "dB") else None,
            by_row=spec.layout == "bands_first",
        )
        _print_all(job, stream, columns)


def _names_of(hertz: npt.NDArray[np.float64]) -> list[str]:
    *names, last = (f"{f:.1f}" for f in hertz)
    return [*names, f"{last} Hz"]


def _print_all(job: Live, stream: Stream, columns: _Columns) -> None:
    """Prints what a stream makes of the source, and its columns before a failure."""
    failure = None
    with opened(job.source) as source:
        # Before anything is printed if samples are there; a header of ours waits for none.
        head = _checked_head(job, source) if has_bytes(source) else None
        print_columns = _printer(job, columns)
        if head is None:
            head = _checked_head(job, source)
        try:
            for block in _blocks(job, head, source):
                print_columns(stream.push(block[:, job.channel]))
        except Failed as error:
            failure = error
    print_columns(stream.flush())
    if failure is not None:
        raise failure


def _check(job: Live) -> None:
    if job.channel >= job.channels:
        raise WrongUse(f"--channel {job.channel} must be less than --channels {job.channels}")
    check_source(job.source, "samples")
    check_target(STANDARD_OUTPUT, force=False, source=job.source)


def _checked_head(job: Live, source: BinaryIO) -> bytes:
    """Returns the first bytes, as many as tell samples from a file with a header.

    Raises:
        Failed: They are those of such a file, or cannot be read.
    """
    head = b""
    while len(head) < bytes_to_judge(head):
        block = read_block(source, job.source, _BLOCK_BYTES)
        if not block:
            break
        head += block
    refusal = None if job.force_raw else header_refusal(head)
    if refusal:
        name = source_name(job.source)
        raise Failed(
            f"cannot read {name!r} as raw samples: {refusal}; decode it (ffmpeg -i IN -f "
            f"{job.raw} - | specfast stream ...), or force it (--force-raw)"
        )
    return head


def _blocks(job: Live, head: bytes, source: BinaryIO) -> Iterator[npt.NDArray[Any]]:
    """Yields samples [samples, channels] as they arrive.

    Raises:
        Failed: After the last whole sample: the source broke off, or has bytes left over.
    """
    code = RAW_ENCODINGS[job.raw]
    sample_bytes = code.sample_bytes * job.channels
    rest, data = b"", head
    while data:
        data = rest + data
        whole = len(data) // sample_bytes * sample_bytes
        rest = data[whole:]
        yield code.decode(data[:whole]).reshape(-1, job.channels)
        data = read_block(source, job.source, _BLOCK_BYTES)
    if rest:
        raise Failed(
            f"{source_name(job.source)!r} ends within a sample: {len(rest)} bytes are left over, "
            f"and a sample of all channels has {sample_bytes}"
        )


def _printer(job: Live, columns: _Columns) -> Callable[[npt.NDArray[Any]], None]:
    """Prints the header, if there is one, and returns what prints values of a stream."""
    with standard_output() as output:
        if (job.kind or ("draw" if output.isatty() else "text")) == "draw":
            line_of = _drawing(job, columns)
        else:
            line_of = _numbers
            names = "\t".join(columns.names)
            output.write(f"# seconds\t{names}\n")
    num_printed = 0

    def print_columns(values: npt.NDArray[Any]) -> None:
        nonlocal num_printed
        if values.size == 0:
            return
        with standard_output() as output:
            for column in values.T if columns.by_row else values:
                seconds = columns.first + num_printed * columns.step
                output.write(f"{seconds:.3f}{line_of(column)}\n")
                num_printed += 1

    return print_columns


def _numbers(column: Column) -> str:
    return "\t" + "\t".join(f"{level:.6g}" for level in column)


def _drawing(job: Live, columns: _Columns) -> Callable[[Column], str]:
    """A character for each row, or for neighbours where the terminal is too narrow."""
    rows = len(columns.names)
    width = min(rows, max(shutil.get_terminal_size().columns - 12, 10))
    begins = np.arange(width) * rows // width
    lowest, highest = np.inf, -np.inf

    def line(column: Column) -> str:
        nonlocal lowest, highest
        levels = 10 * np.log10(np.maximum(column, 1e-30)) if columns.is_power else column
        is_finite = np.isfinite(levels)
        lowest = min(lowest, float(np.min(levels, initial=np.inf, where=is_finite)))
        levels = np.where(is_finite, levels, -1e9)
        highest = max(highest, float(levels.max()))
        low = lowest if columns.depth is None else highest - columns.depth
        low, high = job.db_range or (min(low, highest - _SMALLEST_RANGE), highest)
        shade = (np.maximum.reduceat(levels, begins) - low) / (high - low) * len(_SHADES)
        shades = _SHADES[np.clip(shade, 0, len(_SHADES) - 1).astype(np.intp)]
        return " |" + shades.tobytes().decode() + "|"

    return line
