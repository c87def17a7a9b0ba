# SPDX-License-Identifier: BSD-3-Clause
"""Reads recordings into arrays: WAV, FLAC, OGG, MP3, AIFF and whatever libsndfile reads; raw PCM.

soundfile, which brings libsndfile, is optional: `pip install "specfast[audio]"`. It is imported on
first use. One recording for both layers:

    samples, rate = read_audio("talk.wav", mono=True)
    levels = MelSpectrogram(sampling_rate=rate)(samples)
    spectrum = STFTSpectrogram()(samples[np.newaxis, :, np.newaxis])
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from os import SEEK_END, PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from specfast._spec import checks as _checks

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

__all__ = ["RAW_ENCODINGS", "AudioError", "read_audio", "read_raw"]

# Encodings of samples without a header, in ffmpeg's words: dtype, and what makes them [-1, 1).
RAW_ENCODINGS: dict[str, tuple[np.dtype[Any], float]] = {
    "s16le": (np.dtype("<i2"), 1 / 32768),
    "f32le": (np.dtype("<f4"), 1.0),
    "f64le": (np.dtype("<f8"), 1.0),
}

_MAX_CHANNELS = 65536
# The tag that may stand behind the sound of an MP3 file, and the largest frame of one.
_ID3V1_BYTES = 128
_MP3_FRAME_BYTES = 1441

# Blocks keep a header that promises absurdly many samples from reserving that memory.
_BLOCK_SAMPLES = 1 << 20


class AudioError(Exception):
    """A recording could not be read. The message names the source and what is wrong."""


def read_audio(
    source: str | PathLike[str] | BinaryIO,
    *,
    mono: bool = False,
    channel: int | None = None,
    name: str | None = None,
) -> tuple[Samples, int]:
    """Reads a whole recording into memory.

    Args:
        source: A path, or a seekable file object open for binary reading that holds a
            complete file (header included).
        mono: Whether to return the mean of all channels.
        channel: The one channel to return, counted from 0. None: every channel.
        name: What messages call the source. Default: its path.

    Returns:
        `(samples, rate)`. `samples` is float32 and C-contiguous, of shape (samples,) with `mono`
        or `channel`, and (samples, channels) otherwise, also for one channel. Integer formats are
        scaled to [-1, 1): a 16-bit value is divided by 32768. Float formats are taken as they
        are. `rate` is in Hz; nothing is resampled.

    Raises:
        AudioError: The file is missing, unreadable, broken, cut short or holds no samples, or it
            has no such channel.
        ImportError: soundfile is not installed; the message says how to get it.
        TypeError, ValueError: An argument is not what is accepted.
    """
    mono, channel = _checked_choice(mono, channel)
    try:
        import soundfile
    except ImportError as error:
        raise ImportError(
            f'reading a recording needs soundfile ({error}): pip install "specfast[audio]"'
        ) from error

    # Opening it here gives the system's own reason; libsndfile only says "System error".
    with _opened(source, name) as (stream, name):
        samples, rate = _decoded(soundfile, stream, name)
    return _chosen(samples, mono, channel, name), rate


def read_raw(
    source: str | PathLike[str] | BinaryIO,
    encoding: str,
    channels: int = 1,
    *,
    mono: bool = False,
    channel: int | None = None,
    name: str | None = None,
) -> Samples:
    """Reads samples without a header into memory, as `ffmpeg -f s16le` writes them.

    Args:
        source: A path, or a file object open for binary reading, such as a pipe.
        encoding: "s16le" (divided by 32768), "f32le" or "f64le" (both taken as they are).
        channels: How many channels are interleaved.
        mono, channel, name: As in `read_audio`.

    Returns:
        float32 of shape (samples,) with `mono` or `channel`, else (samples, channels).

    Raises:
        AudioError: The source is unreadable, empty, or ends within a sample of all channels, or
            it has no such channel.
        TypeError, ValueError: An argument is not what is accepted.
    """
    mono, channel = _checked_choice(mono, channel)
    encoding = _checks.choice("encoding", encoding, tuple(RAW_ENCODINGS))
    channels = _checks.integer("channels", channels, minimum=1, maximum=_MAX_CHANNELS)
    with _opened(source, name) as (stream, name):
        data = stream.read()
    dtype, scale = RAW_ENCODINGS[encoding]
    if not data or len(data) % (dtype.itemsize * channels):
        raise AudioError(
            f"cannot read {name!r}: it has {len(data)} bytes, expected one or more samples of "
            f"{channels} * {dtype.itemsize} bytes ({channels} channel{'s' * (channels > 1)}, "
            f"{encoding})"
        )
    samples = np.frombuffer(data, dtype).astype(np.float32) * np.float32(scale)
    return _chosen(samples.reshape(-1, channels), mono, channel, name)


def _checked_choice(mono: Any, channel: Any) -> tuple[bool, int | None]:
    mono = _checks.flag("mono", mono)
    if channel is not None:
        channel = _checks.integer("channel", channel, minimum=0, maximum=_MAX_CHANNELS - 1)
        if mono:
            raise ValueError(
                "`mono` and `channel` exclude each other. "
                f"Received: mono={mono}, channel={channel}"
            )
    return mono, channel


def _chosen(samples: Samples, mono: bool, channel: int | None, name: str) -> Samples:
    """Returns the mean of the channels, one of them, or all."""
    num_channels = samples.shape[1]
    if channel is not None and channel >= num_channels:
        raise AudioError(
            f"cannot read channel {channel} of {name!r}: its last channel is {num_channels - 1}, "
            "counted from 0"
        )
    if mono:
        return samples.mean(axis=1) if num_channels > 1 else samples[:, 0]
    return samples if channel is None else np.ascontiguousarray(samples[:, channel])


@contextlib.contextmanager
def _opened(
    source: str | PathLike[str] | BinaryIO, name: str | None
) -> Iterator[tuple[BinaryIO, str]]:
    """Yields a stream of bytes and what messages call it; turns errors of reading into ours."""
    try:
        if isinstance(source, (str, PathLike)):
            name = name or fspath(source)
            with Path(source).open("rb") as stream:
                yield stream, name
        else:
            name = name or str(getattr(source, "name", "a stream"))
            yield source, name
    except OSError as error:
        raise AudioError(f"cannot read {name!r}: {error.strerror or error}") from error


def _decoded(soundfile: Any, stream: BinaryIO, name: str) -> tuple[Samples, int]:
    """Returns float32 [samples, channels] and the rate in Hz of a file with a header."""
    size_bytes = _checked_size(stream, name)
    try:
        with soundfile.SoundFile(stream) as file:
            promised, channels, rate = file.frames, file.channels, int(file.samplerate)
            is_mp3 = file.format == "MP3"
            blocks = [file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)]
            while len(blocks[-1]) == _BLOCK_SAMPLES:
                blocks.append(file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True))
            unread_bytes = size_bytes - stream.tell()
    # soundfile's TypeError means that the name ends in ".raw": no header, so no rate.
    except (soundfile.SoundFileError, TypeError) as error:
        reason = str(error).rstrip(".").rpartition(": ")[2]
        raise AudioError(
            f"cannot read {name!r}: {reason}; accepted: {_accepted(soundfile)}"
        ) from error

    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    if len(samples) == 0:
        raise AudioError(f"cannot read {name!r}: it holds no samples ({channels} channels)")
    if is_mp3 and not _states_length(stream):
        # `promised` is a guess from the first bit rate, and libsndfile stops there.
        if unread_bytes > _ID3V1_BYTES:
            raise AudioError(
                f"cannot read {name!r}: this MP3 file does not state its length (it has no Xing "
                "header); `ffmpeg -i IN.mp3 -c copy OUT.mp3` adds it"
            )
    elif len(samples) < promised:
        raise AudioError(
            f"cannot read {name!r}: it is cut short, its header promises {promised} samples "
            f"and {len(samples)} could be read"
        )
    return np.ascontiguousarray(samples), rate


def _accepted(soundfile: Any) -> str:
    """Names the usual formats that this libsndfile reads; MP3 came with version 1.1."""
    available = soundfile.available_formats()
    names = [name for name in ("WAV", "FLAC", "OGG", "MP3", "AIFF") if name in available]
    return f"a complete {', '.join(names[:-1])} or {names[-1]} file (ffmpeg converts others)"


def _states_length(stream: BinaryIO) -> bool:
    """Returns whether an MP3 file begins with a frame that holds the number of all frames."""
    stream.seek(0)
    head = stream.read(10)
    begin = 0
    if head[:3] == b"ID3":
        # A tag of that length comes first; its size has seven bits in each byte.
        begin = 10 + sum((byte & 127) << 7 * (3 - place) for place, byte in enumerate(head[6:]))
    stream.seek(begin)
    frame = stream.read(_MP3_FRAME_BYTES)
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark)
        if at >= 0:
            # The lowest of 32 flags: the number of frames follows.
            return bool(frame[at + 7 : at + 8] and frame[at + 7] & 1)
    return b"VBRI" in frame


def _checked_size(stream: BinaryIO, name: str) -> int:
    """Returns the size of a file in bytes, and refuses one that is empty or a cut WAV file."""
    head = stream.read(12)
    size_bytes = stream.seek(0, SEEK_END)
    stream.seek(0)
    if not head:
        raise AudioError(f"cannot read {name!r}: the file is empty (0 bytes)")
    # libsndfile silently shortens a cut WAV file, so its size is checked here.
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        promised_bytes = int.from_bytes(head[4:8], "little") + 8
        # Tools that write into a pipe put 0 or a size beyond 2 GiB for "unknown".
        if size_bytes + 1 < promised_bytes < 0x7FFF0000:
            raise AudioError(
                f"cannot read {name!r}: it is cut short, its header promises "
                f"{promised_bytes} bytes and it has {size_bytes}"
            )
    return size_bytes
