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
import os
import warnings
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from specfast._audio.containers import mended
from specfast._audio.errors import AudioError, Damaged, cut_short
from specfast._audio.files import File, Piece, Spliced
from specfast._audio.raw import RAW_ENCODINGS, encoding_meant, header_refusal
from specfast._audio.sources import Source, opened, read_to_end, seekable
from specfast._audio.tags import begin_of_sound
from specfast._spec import checks as _checks

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

__all__ = ["RAW_ENCODINGS", "AudioError", "read_audio", "read_raw"]

_MAX_CHANNELS = 65536

# Blocks keep a header that promises absurdly many samples from reserving that memory.
_BLOCK_SAMPLES = 1 << 20


def read_audio(
    source: Source,
    *,
    mono: bool = False,
    channel: int | None = None,
    name: str | None = None,
) -> tuple[Samples, int]:
    """Reads a whole recording into memory.

    Args:
        source: A path, bytes, or a file object open for binary reading: a complete file, header
            included. What cannot be sought (a pipe, an HTTP body) is read into memory first.
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
            has no such channel. A header that states no length, or a wrong size around the
            samples, is none of these.
        ImportError: soundfile is not installed; the message says how to get it.
        TypeError, ValueError: An argument is not what is accepted.
    """
    samples, rate, remark = read_with_remark(source, mono=mono, channel=channel, name=name)
    if remark:
        warnings.warn(remark, stacklevel=2)
    return samples, rate


def read_with_remark(
    source: Source,
    *,
    mono: bool = False,
    channel: int | None = None,
    name: str | None = None,
) -> tuple[Samples, int, str | None]:
    """Does what `read_audio` does, and returns as a text what that warns of, or None."""
    mono, channel = _checked_choice(mono, channel)
    soundfile = _import_soundfile()
    # Opening it here gives the system's own reason; libsndfile only says "System error".
    with opened(source, name) as (stream, name):
        file = _file_of(stream, is_own=isinstance(source, str | PathLike))
        samples, rate, remark = _decoded(soundfile, file, name)
    said = f"{name!r}: {remark}" if remark else None
    return _chosen(samples, mono, channel, name), rate, said


def _import_soundfile() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise ImportError(
            f'reading a recording needs soundfile ({error}): pip install "specfast[audio]"'
        ) from error
    except UnicodeEncodeError as error:
        # It hands the path of its library to the system in the locale's encoding.
        folder = error.object.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        raise ImportError(
            f"soundfile cannot be loaded from {folder!a}: this locale's encoding "
            f"({error.encoding}) has no such letters. Set PYTHONUTF8=1 or LC_ALL=C.UTF-8"
        ) from error
    return soundfile


def read_raw(
    source: Source,
    encoding: str,
    channels: int = 1,
    *,
    mono: bool = False,
    channel: int | None = None,
    name: str | None = None,
    force_raw: bool = False,
) -> Samples:
    """Reads samples without a header into memory, as `ffmpeg -f s16le` writes them.

    Args:
        source: As in `read_audio`.
        encoding: ffmpeg's name for it. "u8", "u16le", "u16be", ... "u32be" and "s8", "s16le",
            ... "s32be" are integers, divided by their full scale (the middle of unsigned ones is
            0); "f32le", "f32be", "f64le" and "f64be" are taken as they are; "mulaw" and "alaw"
            are those of G.711, expanded to 16 bits.
        channels: How many channels are interleaved.
        mono, channel, name: As in `read_audio`.
        force_raw: Whether to take for samples what begins like a file with a header.

    Returns:
        float32 of shape (samples,) with `mono` or `channel`, else (samples, channels).

    Raises:
        AudioError: The source is unreadable, empty, begins like a file with a header, or ends
            within a sample of all channels, or it has no such channel.
        TypeError, ValueError: An argument is not what is accepted.
    """
    mono, channel = _checked_choice(mono, channel)
    force_raw = _checks.flag("force_raw", force_raw)
    code = RAW_ENCODINGS[_checked_encoding(encoding)]
    channels = _checks.integer("channels", channels, minimum=1, maximum=_MAX_CHANNELS)
    with opened(source, name) as (stream, name):
        data = read_to_end(stream)
    refusal = None if force_raw else header_refusal(data)
    if refusal:
        raise AudioError(
            f"cannot read {name!r} as raw samples: {refusal}; read it as one (read_audio, or "
            "without --raw), or force it (force_raw=True, --force-raw)"
        )
    if not data or len(data) % (code.sample_bytes * channels):
        raise AudioError(
            f"cannot read {name!r}: it has {len(data)} bytes, expected one or more samples of "
            f"{channels} * {code.sample_bytes} bytes ({channels} channel{'s' * (channels > 1)}, "
            f"{encoding})"
        )
    # What float32 cannot hold becomes infinite, as in any conversion.
    with np.errstate(over="ignore"):
        samples = code.decode(data).astype(np.float32, copy=False)
    return _chosen(samples.reshape(-1, channels), mono, channel, name)


def _checked_encoding(encoding: Any) -> str:
    meant = encoding_meant(encoding) if isinstance(encoding, str) else None
    if meant is not None and meant != encoding:
        raise ValueError(
            f"`encoding` is invalid, did you mean {meant!r}? "
            f"{_checks.received('encoding', encoding)}"
        )
    return _checks.choice("encoding", encoding, tuple(RAW_ENCODINGS))


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


def _file_of(stream: BinaryIO, *, is_own: bool) -> File:
    """Returns the bytes of a stream; of one that is opened here, the descriptor may be lent."""
    sought = seekable(stream)
    # On Windows, libsndfile has a C library of its own, to which our descriptors mean nothing.
    can_be_lent = is_own and sought is stream and os.name == "posix"
    return File(sought, handle=stream.fileno() if can_be_lent else None)


def _decoded(soundfile: Any, file: File, name: str) -> tuple[Samples, int, str | None]:
    """Returns float32 [samples, channels], the rate in Hz and a remark on a file with a header."""
    try:
        file = file.without(begin_of_sound(file))
        sound = mended(file)
        read = [
            _decoded_part(soundfile, file, pieces, sound.num_samples) for pieces in sound.parts
        ]
    except Damaged as error:
        raise AudioError(f"cannot read {name!r}: {error}") from None
    except soundfile.SoundFileError as error:
        reason = str(error).rstrip(".").rpartition(": ")[2]
        raise AudioError(
            f"cannot read {name!r}: {reason}; accepted: {_accepted(soundfile)}"
        ) from error
    kinds = {(samples.shape[1], rate) for samples, rate in read}
    if len(kinds) > 1:
        raise AudioError(
            f"cannot read {name!r}: it is a chain of {len(read)} recordings, and their rates or "
            "numbers of channels differ"
        )
    channels, rate = kinds.pop()
    samples = read[0][0] if len(read) == 1 else np.concatenate([samples for samples, _ in read])
    if len(samples) == 0:
        raise AudioError(f"cannot read {name!r}: it holds no samples ({channels} channels)")
    return np.ascontiguousarray(samples), rate, sound.remark


def _decoded_part(
    soundfile: Any, file: File, pieces: Sequence[Piece], num_samples: int | None
) -> tuple[Samples, int]:
    """Returns float32 [samples, channels] and the rate in Hz.

    Args:
        soundfile: The module.
        file: What the pieces are of.
        pieces: What to decode.
        num_samples: How many of the samples are sound. None: as many as the header promises.

    Raises:
        Damaged: The decoder got fewer samples than the header promises.
    """
    # libsndfile calls back for every 8 KiB that it does not read itself. If that fails, the file
    # is decoded again through Python, which knows why bytes could not be read.
    with file.lent(pieces) as handle, contextlib.suppress(Damaged, soundfile.SoundFileError):
        if handle is not None:
            # A duplicate, which it may close: where opening fails, libsndfile 1.2.0 closes what is
            # not its own.
            with soundfile.SoundFile(os.dup(handle), closefd=True) as sound:
                return _samples_of(sound, num_samples)
    part = Spliced(file, pieces)
    try:
        with soundfile.SoundFile(part.buffered()) as sound:
            return _samples_of(sound, num_samples)
    finally:
        # The decoder only saw the end of the file.
        if part.failure is not None:
            raise part.failure


def _samples_of(sound: Any, num_samples: int | None) -> tuple[Samples, int]:
    """Returns what `_decoded_part` does, of an open SoundFile."""
    promised, rate = num_samples or sound.frames, int(sound.samplerate)
    # soundfile seeks between two reads, and mpg123 then complains of missing bits on standard
    # error. The frames of an MP3 file have been counted, so one read is safe.
    block = max(_BLOCK_SAMPLES, promised) if sound.format == "MP3" else _BLOCK_SAMPLES
    blocks = [sound.read(block, dtype="float32", always_2d=True)]
    while len(blocks[-1]) == block:
        blocks.append(sound.read(block, dtype="float32", always_2d=True))
    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    if len(samples) < promised:
        raise cut_short(promised, len(samples), "samples")
    return samples[:promised], rate


def _accepted(soundfile: Any) -> str:
    """Names the usual formats that this libsndfile reads; MP3 came with version 1.1."""
    available = soundfile.available_formats()
    names = [name for name in ("WAV", "FLAC", "OGG", "MP3", "AIFF") if name in available]
    return f"a complete {', '.join(names[:-1])} or {names[-1]} file (ffmpeg converts others)"
