# SPDX-License-Identifier: BSD-3-Clause
"""The parent's end of a worker process.

A worker runs only while it is asked something and is stopped (SIGSTOP) at all other times: thread
pools that spin while they wait would steal time from the others.  Linux only: workers are pinned
to cores.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from .peers import PeerInfo

_START_SECONDS = 120.0
_ROOT = Path(__file__).resolve().parent.parent


class WorkerError(RuntimeError):
    """A worker answered with an error, did not answer, or ended."""


class WorkerHandle:
    """Starts a worker and asks it, one request at a time."""

    def __init__(self, peer: PeerInfo, threads: int, cpus: Sequence[int]) -> None:
        """Returns when the peer's libraries are loaded.  Raises WorkerError if they are not."""
        self.peer = peer
        # Open as long as the process lives.
        self._log: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115
            "w+", encoding="utf-8", errors="replace"
        )
        cpu_list = ",".join(str(cpu) for cpu in cpus)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", peer.key, str(threads), cpu_list],
            cwd=_ROOT,
            env={**os.environ, **environment(threads), **peer.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.versions: dict[str, str] = self._answer(_START_SECONDS)["versions"]
        self._process.send_signal(signal.SIGSTOP)

    def ask(self, timeout_s: float, op: str, **arguments: Any) -> dict[str, Any]:
        """One request, one answer.  Raises WorkerError; after a timeout the worker is gone."""
        if not self.alive():
            raise WorkerError("process has ended")
        self._process.send_signal(signal.SIGCONT)
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
            self._process.stdin.flush()
            return self._answer(timeout_s)
        except BrokenPipeError:
            raise WorkerError(f"process has ended: {self._last_words()}") from None
        finally:
            if self.alive():
                self._process.send_signal(signal.SIGSTOP)

    def alive(self) -> bool:
        """Whether the process can still be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ends the process (SIGKILL reaches stopped ones too)."""
        self._process.kill()
        self._process.wait(timeout=60)
        self._log.close()

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                self._process.kill()
                self._process.wait(timeout=60)
                raise WorkerError(f"no answer within {timeout_s:g} s")
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait(timeout=60)
            raise WorkerError(f"process ended with status {code}: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().splitlines() if line.strip()]
        return lines[-1][:240] if lines else "no message"


def cpus_for(threads: int) -> list[int]:
    """The last ``threads`` cores of those allowed (the first serves most interrupts)."""
    return sorted(os.sched_getaffinity(0))[-threads:]


def environment(threads: int) -> dict[str, str]:
    """Variables that hold every library to this many threads, to the CPU, and to few words."""
    names = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "SPECFAST_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
    )
    env = dict.fromkeys(names, str(threads))
    env["TF_NUM_INTEROP_THREADS"] = "1"
    env["TF_CPP_MIN_LOG_LEVEL"] = "3"
    env["JAX_PLATFORMS"] = "cpu"
    env["CUDA_VISIBLE_DEVICES"] = ""
    # Keras reads the user's settings from its home; it is to have its defaults here.
    env["KERAS_HOME"] = str(Path(tempfile.gettempdir(), "specfast-bench-keras"))
    env["THP_MEM_ALLOC_ENABLE"] = "1"  # torch: large pages for large results, a third faster
    if threads == 1:
        env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return env
