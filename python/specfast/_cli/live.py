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
from specfast._cli.input import check_source, has_bytes, opened, read_block, source_name
from specfast._cli.jobs import make_layer
from specfast._cli.output import standard_output
from specfast._cli.target import STANDARD_OUTPUT, check_target
from specfast.layers import MelSpectrogram

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[Any]  # [bands]
    Columns = npt.NDArray[Any]  # [bands, columns]

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
        failure = None
        with opened(job.source) as source:
            # Before anything is printed if samples are there; a header of ours waits for none.
            head = _checked_head(job, source) if has_bytes(source) else None
            print_columns = _printer(job, layer)
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


def _printer(job: Live, layer: MelSpectrogram) -> Callable[[Columns], None]:
    """Prints the header, if there is one, and returns what prints columns [bands, columns]."""
    config = layer.get_config()
    with standard_output() as output:
        if (job.kind or ("draw" if output.isatty() else "text")) == "draw":
            line_of = _drawing(job, config)
        else:
            line_of = _numbers
            hertz = "\t".join(f"{f:.1f}" for f in layer.frequencies())
            output.write(f"# seconds\t{hertz} Hz\n")
    seconds_per_column = config["sequence_stride"] / job.rate
    num_printed = 0

    def print_columns(columns: Columns) -> None:
        nonlocal num_printed
        if columns.size == 0:
            return
        with standard_output() as output:
            for column in columns.T:
                output.write(f"{num_printed * seconds_per_column:.3f}{line_of(column)}\n")
                num_printed += 1

    return print_columns


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
