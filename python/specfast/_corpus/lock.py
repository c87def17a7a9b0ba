# SPDX-License-Identifier: BSD-3-Clause
"""One run at a time in a folder.

Workers that outlive a killed run do not inherit the lock, and it ends with its process, whatever
ends that.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from specfast._corpus.errors import CorpusError
from specfast._corpus.file_locks import begin_lock, open_for_lock, read_start, write_at

__all__ = ["LOCK_NAME", "only_run"]

LOCK_NAME = ".lock"

# Locks of records do not keep out other threads of their own process.
_mine: set[Path] = set()
_guard = threading.Lock()


@contextlib.contextmanager
def only_run(out: Path) -> Iterator[None]:
    """Holds the lock of a folder while the block runs.

    Raises:
        CorpusError: Another run holds it; the message says which.
        OSError: The folder cannot be written.
    """
    with _guard:
        if out in _mine:
            raise CorpusError(f"another run of this process is writing to {str(out)!r}")
        _mine.add(out)
    try:
        handle = open_for_lock(out / LOCK_NAME)
        try:
            _lock(handle, out)
            os.ftruncate(handle, 0)
            write_at(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
            yield
        finally:
            os.close(handle)
    finally:
        with _guard:
            _mine.discard(out)


def _lock(handle: int, out: Path) -> None:
    if begin_lock(handle):
        return
    holder = read_start(handle, 200).decode(errors="replace") or "another process"
    raise CorpusError(
        f"another run is writing to {str(out)!r}: {holder}. Wait for its end, or end it"
    )
