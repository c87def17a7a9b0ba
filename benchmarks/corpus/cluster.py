# SPDX-License-Identifier: BSD-3-Clause
"""A scheduler of Dask and its workers as processes of their own, on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

__all__ = ["Cluster", "children_of", "workers_of"]

_SECONDS = 120.0


class Cluster:
    """A scheduler and workers that nannies start again; a context, or `start` and `stop`.

    Attributes:
        address: Where the scheduler listens.
        scheduler: Its process.
    """

    def __init__(self, num_workers: int, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._num_workers, self._folder = num_workers, folder
        self._port = port
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def scheduler(self) -> subprocess.Popen[bytes]:
        """The process of the scheduler."""
        return self._children[0]

    def start(self) -> None:
        """Starts all processes and waits for the workers."""
        from distributed import Client

        address = ["--host", "127.0.0.1", "--port", str(self._port)]
        self._spawn("distributed.cli.dask_scheduler", *address, "--no-dashboard")
        for _ in range(self._num_workers):
            self._spawn(
                "distributed.cli.dask_worker",
                self.address,
                *("--nthreads", "1", "--no-dashboard", "--local-directory", str(self._folder)),
            )
        with Client(self.address, timeout=_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(self._num_workers, timeout=_SECONDS)

    def _spawn(self, module: str, *arguments: str) -> None:
        self._children.append(
            subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    def workers(self) -> list[int]:
        """Returns the processes that compute, which nannies have started."""
        return [pid for nanny in self._children[1:] for pid in workers_of(nanny.pid)]

    def stop(self) -> None:
        """Ends all processes, those that workers have started included."""
        for child in self._children:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                child.kill()
        for child in self._children:
            child.wait(timeout=_SECONDS)
        self._children.clear()


def children_of(parent: int) -> list[int]:
    """Returns the processes that a process has started, as Linux tells them."""
    pids: list[int] = []
    # Each of its threads has children of its own.
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            pids += map(int, path.read_text().split())
    return pids


def workers_of(parent: int) -> list[int]:
    """Returns the workers among these processes; one that tracks resources is another."""
    return [pid for pid in children_of(parent) if b"spawn_main" in _command_line(pid)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
