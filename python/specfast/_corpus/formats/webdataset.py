# SPDX-License-Identifier: BSD-3-Clause
"""Shards as tar files that WebDataset reads: KEY.json and KEY.npy for each clip.

WebDataset takes what precedes the first full stop of a file's name for the key of its sample:
the key of a clip is its id with "%2E" for a full stop, and "%25" for "%". The headers say
nothing of the day and the machine. https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from specfast._corpus.formats.interface import Clip
from specfast._corpus.formats.mapped import MappedFile
from specfast._corpus.item import Item

__all__ = ["WebDataset"]


class WebDataset:
    """See `Format`."""

    name = "webdataset"
    suffix = ".tar"

    def write(
        self,
        target: Path,
        clips: Iterable[Clip],
        items: Sequence[Item],
        metadata: Mapping[str, str],
    ) -> list[int]:
        places = []
        with (
            target.open("xb") as stream,
            tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for clip in clips:
                key = _key_of(clip.item.id)
                _add(archive, f"{key}.json", _facts(clip))
                array = io.BytesIO()
                np.lib.format.write_array(array, clip.values, version=(1, 0), allow_pickle=False)
                _add(archive, f"{key}.npy", array.getvalue())
                # A member is followed by zeros up to a multiple of the size of a block.
                num_bytes = len(array.getbuffer())
                padding = -num_bytes % tarfile.BLOCKSIZE
                places.append(stream.tell() - padding - clip.values.nbytes)
        return places

    def head_bytes(self, target: Path) -> int | None:
        return None

    def open(self, target: Path) -> MappedFile:
        return MappedFile(target)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Appends a file; what `TarInfo` says by default is the same everywhere."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _facts(clip: Clip) -> bytes:
    facts = {
        "frames": clip.frames,
        "id": clip.item.id,
        "path": clip.item.path,
        "rate": clip.rate,
        "seconds": clip.seconds,
    }
    return json.dumps(facts).encode("ascii")


def _key_of(name: str) -> str:
    """Returns an id without full stops in its last part, which another id never becomes."""
    folder, slash, last = name.replace("%", "%25").rpartition("/")
    return folder + slash + last.replace(".", "%2E")
