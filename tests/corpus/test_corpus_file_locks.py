# SPDX-License-Identifier: BSD-3-Clause
"""Locks of small files: those of Windows as far as they can be tried elsewhere.

The module is loaded once more as on Windows, with a `msvcrt` that refuses what Windows refuses: a
second lock of a byte, even by the process that has the first.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from specfast._corpus import file_locks


class Msvcrt:
    """Locks bytes from the current place of an open file on, as the C library of Windows does."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        self.locked: dict[int, int] = {}

    def locking(self, handle: int, mode: int, num_bytes: int) -> None:
        assert mode == self.LK_NBLCK
        assert num_bytes == 1
        if self.locked:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        self.locked[handle] = os.lseek(handle, 0, os.SEEK_CUR)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    msvcrt = Msvcrt()
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(sys, "platform", "win32")
    return SimpleNamespace(msvcrt=msvcrt, locks=loaded_once_more())


def loaded_once_more() -> ModuleType:
    spec = importlib.util.spec_from_file_location("file_locks_elsewhere", file_locks.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bytes_are_read_and_written_where_they_are_meant(tmp_path: Path) -> None:
    handle = file_locks.open_for_lock(tmp_path / "note")
    file_locks.write_at(handle, b"\x1a\n\r\n12345", 0)
    file_locks.write_at(handle, b"AB", 3)
    assert file_locks.read_start(handle, 100) == b"\x1a\n\rAB2345"
    assert file_locks.read_start(handle, 2) == b"\x1a\n"
    os.close(handle)


def test_windows_locks_a_byte_that_nobody_reads(windows: SimpleNamespace, tmp_path: Path) -> None:
    first = windows.locks.open_for_lock(tmp_path / "note")
    second = windows.locks.open_for_lock(tmp_path / "note")
    assert windows.locks.begin_lock(first)
    windows.locks.write_at(first, b"process 1", 0)
    assert not windows.locks.begin_lock(second)
    assert windows.locks.read_start(second, 200) == b"process 1"
    # The C library of Windows counts places in 32 bits.
    assert 1 << 20 < windows.msvcrt.locked[first] < 1 << 31
    assert (tmp_path / "note").stat().st_size == len(b"process 1")
    os.close(first)
    os.close(second)


def test_windows_waits_for_a_lock(windows: SimpleNamespace, tmp_path: Path) -> None:
    first = windows.locks.open_for_lock(tmp_path / "note")
    second = windows.locks.open_for_lock(tmp_path / "note")
    windows.locks.wait_for_lock(first)
    release = threading.Timer(0.2, windows.msvcrt.locked.clear)
    release.start()
    windows.locks.wait_for_lock(second)
    release.join(timeout=60)
    assert list(windows.msvcrt.locked) == [second]
    os.close(first)
    os.close(second)
