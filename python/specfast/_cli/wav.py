# SPDX-License-Identifier: BSD-3-Clause
"""Writes WAV files, for which nothing but NumPy is needed."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from specfast._cli.errors import Failed

__all__ = ["ENCODINGS", "write"]

# The format tag of each encoding, and its samples.
ENCODINGS: dict[str, tuple[int, np.dtype[Any]]] = {
    "pcm16": (1, np.dtype("<i2")),
    "float32": (3, np.dtype("<f4")),
}
_MAX_BYTES = (1 << 32) - 64  # a size is a 32-bit number


def write(stream: BinaryIO, samples: npt.NDArray[Any], rate: int, encoding: str) -> None:
    """Writes a recording.

    Args:
        stream: Where to.
        samples: [samples, channels], full scale at 1; what lies beyond is clipped with "pcm16".
        rate: Samples per second.
        encoding: A key of ENCODINGS.

    Raises:
        Failed: There are more samples than a WAV file can hold.
    """
    tag, dtype = ENCODINGS[encoding]
    num_samples, num_channels = samples.shape
    num_bytes = samples.size * dtype.itemsize
    if num_bytes > _MAX_BYTES:
        raise Failed(f"a WAV file holds at most 4 GiB, not {num_bytes} bytes of samples")
    frame_bytes = num_channels * dtype.itemsize
    settings = struct.pack(
        "<HHIIHH", tag, num_channels, rate, rate * frame_bytes, frame_bytes, 8 * dtype.itemsize
    )
    chunks = [(b"fmt ", settings if tag == 1 else settings + b"\0\0")]
    if tag != 1:
        chunks.append((b"fact", struct.pack("<I", num_samples)))
    header = b"".join(name + struct.pack("<I", len(body)) + body for name, body in chunks)
    padding = num_bytes % 2
    size = 4 + len(header) + 8 + num_bytes + padding
    stream.write(b"RIFF" + struct.pack("<I", size) + b"WAVE" + header)
    stream.write(b"data" + struct.pack("<I", num_bytes))
    stream.write(_encoded(samples, dtype).tobytes() + b"\0" * padding)


def _encoded(samples: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if dtype.kind == "f":
        return samples.astype(dtype)
    scaled = np.rint(samples.astype(np.float64) * 32768)
    return np.clip(scaled, -32768, 32767).astype(dtype)
