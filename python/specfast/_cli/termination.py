# SPDX-License-Identifier: BSD-3-Clause
"""A command that is told to end removes its temporary file first."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

__all__ = ["ends_cleanly"]

# What ends a program that does not ask for it: kill, a closed terminal.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGXCPU") if hasattr(signal, name)
]


class _Ended(BaseException):
    """Unwinds the command; only `ends_cleanly` catches it."""


@contextlib.contextmanager
def ends_cleanly() -> Iterator[None]:
    """Lets these signals unwind the block, then has them end the process as they would have.

    A signal that is ignored, as SIGHUP is under nohup, stays ignored.
    """
    received: list[int] = []

    def unwind(number: int, _: FrameType | None) -> None:
        received.append(number)
        raise _Ended

    caught = [number for number in _SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    for number in caught:
        signal.signal(number, unwind)
    try:
        yield
    except _Ended:
        pass
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)
        if received:
            # So that who waits for this process sees what ended it.
            os.kill(os.getpid(), received[0])
