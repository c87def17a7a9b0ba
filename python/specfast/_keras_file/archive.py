# SPDX-License-Identifier: BSD-3-Clause
"""Reads the zip archive around a Keras model as an untrusted file: bounded, nothing unpacked.

Only two members are ever read, by their exact names. Their checksums are compared before
anything looks at their content.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from specfast._keras_file import hdf5 as _hdf5
from specfast._spec import checks as _checks

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"

MAX_DIRECTORY_BYTES = 1 << 20
MAX_CONFIG_BYTES = 16 << 20
# Packed data may become this many times larger, as in Keras; below 1 MiB it does not matter.
MAX_EXPANSION = 100
HARMLESS_BYTES = 1 << 20

_IN_MEMORY_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 18
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class KerasFileError(ValueError):
    """Raised for a file that is no Keras model, or is not read because it is broken or hostile."""


@contextmanager
def as_keras_file_error(what: str) -> Iterator[None]:
    """Turns whatever a reader of damaged data raises into a KerasFileError that begins so.

    Such readers raise a dozen types, none of them documented; only a lack of memory is not the
    file's own fault.
    """
    try:
        yield
    except (KerasFileError, MemoryError):
        raise
    except Exception as error:
        reason = _checks.clipped(str(error)) or type(error).__name__
        raise KerasFileError(f"{what}: {reason}") from error


class Archive:
    """The two members of a .keras file that are read.

    Args:
        stream: the file, open for binary reading, seekable. It is not closed.

    Raises:
        KerasFileError: if it is no zip archive, or has members of the same name.
    """

    def __init__(self, stream: BinaryIO) -> None:
        with as_keras_file_error("not a .keras file, which is a zip archive"):
            stream.seek(0)
            if stream.read(len(_hdf5.SIGNATURE)) == _hdf5.SIGNATURE:
                raise KerasFileError(
                    "not a .keras file but HDF5, a model's weights alone or the format before "
                    "Keras 3; save the model with model.save('name.keras')"
                )
            self._zip = zipfile.ZipFile(_ShortReads(stream))
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
        """Returns the content of model.weights.h5: in memory or, if large, in an unnamed file."""
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
        if info.file_size > max(HARMLESS_BYTES, MAX_EXPANSION * info.compress_size):
            raise KerasFileError(
                f"{name}: {info.compress_size} bytes would become {info.file_size}, "
                f"more than {MAX_EXPANSION} times as many"
            )
        return info

    def _copy(self, info: zipfile.ZipInfo, target: IO[bytes]) -> None:
        # At the last byte zipfile compares the checksum.
        with as_keras_file_error(info.filename), self._zip.open(info) as member:
            while chunk := member.read(_CHUNK_BYTES):
                target.write(chunk)
            if target.tell() != info.file_size:
                raise KerasFileError(
                    f"{info.filename}: it ends after {target.tell()} of {info.file_size} bytes"
                )


def _has_npz(names: list[str]) -> bool:
    return "model.weights.npz" in names


class _ShortReads:
    """A file of which no single read is large: zipfile reads a whole directory in one."""

    def __init__(self, stream: BinaryIO) -> None:
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
        return data
