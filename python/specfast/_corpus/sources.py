# SPDX-License-Identifier: BSD-3-Clause
"""From what the user names to clips: files, folders, manifests, a list on standard input."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from specfast._corpus.folders import AUDIO_SUFFIXES, Search
from specfast._corpus.ids import default_id
from specfast._corpus.item import Item
from specfast._corpus.manifests import (
    MANIFEST_SUFFIXES,
    lines_of,
    read_jsonl,
    read_manifest,
    text_of,
)
from specfast._spec import checks

__all__ = ["STANDARD_INPUT", "find_items"]

STANDARD_INPUT = "-"

# Lists and archives that are taken for recordings by nobody.
_NO_RECORDINGS = (
    *(".json", ".json.gz", ".jsonl.zst", ".yaml", ".yml", ".tsv", ".txt", ".lst", ".scp"),
    *(".tar", ".tar.gz", ".tgz", ".zip"),
)
# White space, and the mark that a text in UTF-8 may begin with.
_BLANKS = b" \t\r\n\xef\xbb\xbf"


def find_items(
    sources: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    suffixes: Sequence[str] | None = None,
) -> Iterator[Item]:
    """Yields the clips that the sources stand for, in their order, with absolute paths.

    Args:
        sources: Files, folders, manifests (`MANIFEST_SUFFIXES`), or "-" for a list on standard
            input: one path a line, or the lines of a JSONL manifest.
        stdin: What "-" reads.
        suffixes: What recordings in folders end in, such as ".wav". Default: `AUDIO_SUFFIXES`.

    Raises:
        TypeError, ValueError: A source is not what is accepted, has a broken line, or gives no
            clip. Names and kinds of all sources are checked before the first is read.
        OSError: A file or a folder cannot be read.
    """
    if isinstance(sources, str | bytes) or not all(isinstance(name, str) for name in sources):
        raise TypeError(
            f"`sources` must be a list of paths. {checks.received('sources', sources)}"
        )
    if not sources:
        raise ValueError("`sources` must name a file, a folder or a manifest. Received: nothing")
    if sources.count(STANDARD_INPUT) > 1:
        raise ValueError("`sources` must have '-' once: standard input can be read once")
    wanted = _checked_suffixes(suffixes)
    readers = [_reader(source, stdin, wanted) for source in sources]
    return chain.from_iterable(read() for read in readers)


def _checked_suffixes(suffixes: Sequence[str] | None) -> tuple[str, ...]:
    if suffixes is None:
        return AUDIO_SUFFIXES
    if isinstance(suffixes, str) or not suffixes:
        raise ValueError(
            f"`suffixes` must be a list such as ['.wav']. {checks.received('suffixes', suffixes)}"
        )
    for suffix in suffixes:
        if not str(suffix).startswith("."):
            raise ValueError(
                "`suffixes` must begin with a full stop, such as '.wav'. "
                f"{checks.received('suffix', suffix)}"
            )
    return tuple(suffix.lower() for suffix in suffixes)


def _reader(
    source: str, stdin: BinaryIO | None, suffixes: tuple[str, ...]
) -> Callable[[], Iterator[Item]]:
    """Returns what yields the clips of a source, after a check of what it is."""
    if source == STANDARD_INPUT:
        if stdin is None:
            raise ValueError("the source '-' is standard input, which is closed")
        if stdin.isatty():
            raise ValueError("the source '-' is standard input, a terminal; pipe a list in")
        return lambda: _of_list(stdin)
    kind = _kind_of(source)
    if kind == "folder":
        return lambda: _of_folder(source, suffixes)
    if source.lower().endswith(MANIFEST_SUFFIXES):
        return lambda: _of_manifest(source)
    if source.lower().endswith(_NO_RECORDINGS):
        raise ValueError(
            f"the source {source!r} is no recording, and no manifest: these end in "
            f"{', '.join(MANIFEST_SUFFIXES)}; a list with a path a line is read from standard "
            "input, '-'"
        )
    return lambda: _of_file(source)


def _kind_of(source: str) -> str:
    try:
        mode = os.stat(source).st_mode  # noqa: PTH116
    except ValueError as error:  # a null character in it
        raise ValueError(f"the source {source!r} cannot be read: {error}") from error
    except OSError as error:
        raise OSError(
            error.errno, f"the source cannot be read: {error.strerror}", source
        ) from error
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return "file"
    raise ValueError(
        f"the source {source!r} is neither a file nor a folder; a list on standard input is '-'"
    )


# ---- Each kind of source -----------------------------------------------------------------------


def _of_file(source: str) -> Iterator[Item]:
    yield _item_of(_absolute(source), os.getcwd())  # noqa: PTH109


def _of_folder(source: str, suffixes: tuple[str, ...]) -> Iterator[Item]:
    folder = _absolute(source)
    search = Search(folder, suffixes)
    path = None
    for path in search.paths():
        yield _item_of(path, folder)
    if path is None:
        raise ValueError(f"the source {source!r} gives no clip: {search.why_empty()}")


def _of_manifest(source: str) -> Iterator[Item]:
    item = None
    for item in read_manifest(source):
        yield item
    if item is None:
        raise ValueError(f"the source {source!r} gives no clip: the manifest is empty")


def _of_list(stream: BinaryIO) -> Iterator[Item]:
    """Yields the clips of a list: of lines of JSON, if the first begins with a brace."""
    folder = os.getcwd()  # noqa: PTH109
    lines = enumerate(lines_of(stream), 1)
    first = next(((number, line) for number, line in lines if line.strip(_BLANKS)), None)
    if first is None:
        raise ValueError("the source '-' gives no clip: standard input is empty")
    if first[1].lstrip(_BLANKS).startswith(b"{"):
        rest = (line for _, line in lines)
        yield from read_jsonl(chain([first[1]], rest), "standard input", folder, first[0])
        return
    for number, line in chain([first], lines):
        try:
            path = text_of(line, number).rstrip("\r\n")
            if path.strip():
                yield _item_of(os.path.join(folder, path), folder)  # noqa: PTH118
        except UnicodeDecodeError:
            raise ValueError(
                f"standard input, line {number}: a path must be UTF-8. Received: {line[:200]!r}"
            ) from None
        except ValueError as error:
            raise ValueError(f"standard input, line {number}: {error}") from error


def _item_of(path: str, folder: str) -> Item:
    try:
        return Item(default_id(path, folder), path)
    except ValueError as error:
        raise ValueError(f"{path!a}: {error}; a manifest can give it an `id`") from error


def _absolute(path: str) -> str:
    """Returns the path below the working folder; its parts '..' stay, for links may be before."""
    return os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118
