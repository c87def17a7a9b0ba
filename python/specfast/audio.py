# SPDX-License-Identifier: BSD-3-Clause
"""Reads recordings through soundfile (libsndfile): WAV, FLAC, OGG and what else it knows; raw PCM.

soundfile is optional: `pip install "specfast[audio]"`. It is imported on first use.
"""

from __future__ import annotations

from os import SEEK_END, PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["RAW_ENCODINGS", "AudioError", "read_audio", "read_raw"]

# Encodings of samples without a header, in ffmpeg's words: dtype, and what makes them [-1, 1).
RAW_ENCODINGS: dict[str, tuple[np.dtype[Any], float]] = {
    "s16le": (np.dtype("<i2"), 1 / 32768),
    "f32le": (np.dtype("<f4"), 1.0),
    "f64le": (np.dtype("<f8"), 1.0),
}

# Blocks keep a header that promises absurdly many samples from reserving that memory.
_BLOCK_SAMPLES = 1 << 20


class AudioError(Exception):
    """A recording could not be read. The message names the source and what is wrong."""


def read_audio(
    source: str | PathLike[str] | BinaryIO, *, name: str | None = None
) -> tuple[npt.NDArray[np.float32], int]:
    """Reads a whole recording into memory.

    Args:
        source: A path, or a seekable file object open for binary reading that holds a
            complete file (header included).
        name: What messages call the source. Default: its path.

    Returns:
        `(samples, rate)`. `samples` is float32 of shape (samples, channels), C-contiguous.
        Integer formats are scaled to [-1, 1): a 16-bit value is divided by 32768. Float
        formats are taken as they are. `rate` is in Hz.

    Raises:
        AudioError: The file is missing, unreadable, broken, cut short or holds no samples.
        ImportError: soundfile is not installed; the message says how to get it.
    """
    try:
        import soundfile
    except ImportError as error:
        raise ImportError(
            f'reading a recording needs soundfile ({error}): pip install "specfast[audio]"'
        ) from error

    if not isinstance(source, (str, PathLike)):
        return _read(soundfile, source, name or str(getattr(source, "name", "a stream")))
    name = name or fspath(source)
    # Opening it here gives the system's own reason; libsndfile only says "System error".
    try:
        with Path(source).open("rb") as stream:
            return _read(soundfile, stream, name)
    except OSError as error:
        raise AudioError(f"cannot read {name!r}: {error.strerror or error}") from error


def read_raw(
    source: str | PathLike[str] | BinaryIO,
    encoding: str,
    channels: int = 1,
    *,
    name: str | None = None,
) -> npt.NDArray[np.float32]:
    """Reads samples without a header into memory, as `ffmpeg -f s16le` writes them.

    Args:
        source: A path, or a file object open for binary reading; a pipe will do.
        encoding: "s16le" (divided by 32768), "f32le" or "f64le" (both taken as they are).
        channels: How many channels are interleaved.
        name: What messages call the source. Default: its path.

    Returns:
        float32 of shape (samples, channels).

    Raises:
        AudioError: The source is unreadable, empty, or ends within a sample of all channels.
    """
    if isinstance(source, (str, PathLike)):
        name = name or fspath(source)
        try:
            with Path(source).open("rb") as stream:
                return read_raw(stream, encoding, channels, name=name)
        except OSError as error:
            raise AudioError(f"cannot read {name!r}: {error.strerror or error}") from error
    name = name or str(getattr(source, "name", "a stream"))
    data = source.read()
    dtype, scale = RAW_ENCODINGS[encoding]
    if not data or len(data) % (dtype.itemsize * channels):
        raise AudioError(
            f"cannot read {name!r}: it has {len(data)} bytes, expected one or more samples of "
            f"{channels} * {dtype.itemsize} bytes ({channels} channel{'s' * (channels > 1)}, "
            f"{encoding})"
        )
    samples = np.frombuffer(data, dtype).astype(np.float32) * np.float32(scale)
    return samples.reshape(-1, channels)


def _read(soundfile: Any, stream: BinaryIO, name: str) -> tuple[npt.NDArray[np.float32], int]:
    head = stream.read(12)
    size_bytes = stream.seek(0, SEEK_END)
    stream.seek(0)
    if not head:
        raise AudioError(f"cannot read {name!r}: the file is empty (0 bytes)")
    # libsndfile shortens a cut WAV file without a word, so its size is checked here.
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        promised_bytes = int.from_bytes(head[4:8], "little") + 8
        # Tools that write into a pipe put 0 or a size beyond 2 GiB for "unknown".
        if size_bytes + 1 < promised_bytes < 0x7FFF0000:
            raise AudioError(
                f"cannot read {name!r}: it is cut short, its header promises "
                f"{promised_bytes} bytes and it has {size_bytes}"
            )
    try:
        with soundfile.SoundFile(stream) as file:
            promised, channels, rate = file.frames, file.channels, int(file.samplerate)
            blocks = [file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)]
            while len(blocks[-1]) == _BLOCK_SAMPLES:
                blocks.append(file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True))
    # soundfile's TypeError means that the name ends in ".raw": no header, so no rate.
    except (soundfile.SoundFileError, TypeError) as error:
        reason = str(error).rstrip(".").rpartition(": ")[2]
        raise AudioError(
            f"cannot read {name!r}: {reason}; accepted: a complete WAV, FLAC or OGG file"
        ) from error

    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    if len(samples) == 0:
        raise AudioError(f"cannot read {name!r}: it holds no samples ({channels} channels)")
    if len(samples) < promised:
        raise AudioError(
            f"cannot read {name!r}: it is cut short, its header promises {promised} samples "
            f"and {len(samples)} could be read"
        )
    return np.ascontiguousarray(samples), rate
