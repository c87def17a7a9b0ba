# SPDX-License-Identifier: BSD-3-Clause
"""Reads the zip archive around a Keras model as an untrusted file: bounded, nothing unpacked.

Only two members are ever read, by their exact names. Their checksums are compared before
anything looks at their content. What the directory promises is compared with the file's size, and
what is unpacked is counted: no promise raises a limit.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections import Counter
from typing import IO, BinaryIO

from specfast._keras_file import formats as _formats
from specfast._keras_file.errors import CONFIG, WEIGHTS, KerasFileError, as_keras_file_error
from specfast._spec import checks as _checks

MAX_DIRECTORY_BYTES = 1 << 20
MAX_CONFIG_BYTES = 16 << 20
# Packed data may become this many times larger, as in Keras; below 1 MiB it does not matter.
MAX_EXPANSION = 100
HARMLESS_BYTES = 1 << 20

_IN_MEMORY_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 18
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Archive:
    """The two members of a .keras file that are read.

    Args:
        stream: the file, open for binary reading, seekable. It is not closed.

    Raises:
        KerasFileError: if it is no zip archive, or has members of the same name.
    """

    def __init__(self, stream: BinaryIO) -> None:
        with as_keras_file_error("not a .keras file, which is a zip archive"):
            if kind := _formats.kind_of(stream):
                raise KerasFileError(kind)
            self._num_bytes = stream.seek(0, io.SEEK_END)
            self._reads = _ShortReads(stream)
            self._zip = zipfile.ZipFile(self._reads)
        counts = Counter(info.filename for info in self._zip.infolist())
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise KerasFileError(f"more than one member is named {_checks.short(twice[0])}")

    def config(self) -> bytes:
        """Returns the content of config.json."""
        target = io.BytesIO()
        self._copy(self._member(CONFIG, MAX_CONFIG_BYTES), target)
        return target.getvalue()

    def weights(self, max_bytes: int) -> BinaryIO:
        """Returns the content of model.weights.h5: in memory or, if large, in an unnamed file.

        It is the caller who closes it.
        """
        info = self._member(WEIGHTS, max_bytes)
        target: IO[bytes] = io.BytesIO()
        if info.file_size > _IN_MEMORY_BYTES:
            target = tempfile.TemporaryFile()  # noqa: SIM115  closed by the caller
        try:
            self._copy(info, target)
        except BaseException:
            target.close()
            raise
        target.seek(0)
        return target  # type: ignore[return-value]

    def _member(self, name: str, max_bytes: int) -> zipfile.ZipInfo:
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            names = self._zip.namelist()
            hint = "; weights in NumPy's format are not read" if _has_npz(names) else ""
            raise KerasFileError(
                f"the archive has no {name}{hint}. Received: members {_checks.short(names)}"
            ) from None
        if info.flag_bits & _ENCRYPTED:
            raise KerasFileError(f"{name}: it is encrypted, which is not read")
        if info.compress_type not in _METHODS:
            raise KerasFileError(
                f"{name}: compression method {info.compress_type} is not read, "
                "only stored (0) and deflated (8)"
            )
        if info.file_size > max_bytes:
            raise KerasFileError(
                f"{name}: it has {info.file_size} bytes, at most {max_bytes} are read"
            )
        if info.header_offset + info.compress_size > self._num_bytes:
            raise KerasFileError(
                f"{name}: {info.compress_size} bytes from {info.header_offset} on are promised, "
                f"in an archive of {self._num_bytes}"
            )
        _check_expansion(name, info.compress_size, info.file_size)
        return info

    def _copy(self, info: zipfile.ZipInfo, target: IO[bytes]) -> None:
        # At the last byte zipfile compares the checksum.
        with as_keras_file_error(info.filename), self._zip.open(info) as member:
            start = self._reads.num_bytes
            while chunk := member.read(_CHUNK_BYTES):
                target.write(chunk)
                _check_expansion(info.filename, self._reads.num_bytes - start, target.tell())
            if target.tell() != info.file_size:
                raise KerasFileError(
                    f"{info.filename}: it ends after {target.tell()} of {info.file_size} bytes"
                )


def _check_expansion(name: str, packed_bytes: int, unpacked_bytes: int) -> None:
    if unpacked_bytes > max(HARMLESS_BYTES, MAX_EXPANSION * packed_bytes):
        raise KerasFileError(
            f"{name}: {packed_bytes} bytes would become {unpacked_bytes}, "
            f"more than {MAX_EXPANSION} times as many"
        )


def _has_npz(names: list[str]) -> bool:
    return "model.weights.npz" in names


class _ShortReads:
    """A file of which no single read is large: zipfile reads a whole directory in one.

    Attributes:
        num_bytes: how many bytes have been read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.num_bytes = 0
        self._stream = stream
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1) -> bytes:
        bound = MAX_DIRECTORY_BYTES + 1
        data = self._stream.read(bound if size < 0 else min(size, bound))
        if len(data) == bound:
            raise KerasFileError(
                f"the directory of the archive has more than {MAX_DIRECTORY_BYTES} bytes"
            )
        self.num_bytes += len(data)
        return data
