# SPDX-License-Identifier: BSD-3-Clause
"""One peer in one process: ``python -m benchmarks.worker PEER THREADS CPU[,CPU...]``.

Reads one JSON request a line on standard input and answers each with one JSON line on standard
output.  Requests: ``prepare`` a workload, ``run`` it, ``save`` its result, ``release`` it, and
``memory`` (what a call costs beyond its input and output).
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from .check import compare
from .peers import PEERS
from .peers.base import Adapter, Call
from .workloads import Workload, one_signal

_TRIALS = 10
_TRIAL_SECONDS = 1.0
_LONG_TRIAL_SECONDS = 3.0
_SHORT_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1


class Worker:
    """Holds the adapter and the prepared workloads, each in a slot."""

    def __init__(self, peer: str, threads: int) -> None:
        self._info = next(p for p in PEERS if p.key == peer)
        module = importlib.import_module(f"benchmarks.peers.{self._info.module}")
        self._adapter: Adapter = module.Adapter(threads)
        self._slots: dict[str, tuple[Workload, Call]] = {}

    def hello(self) -> dict[str, Any]:
        """First answer: the libraries are loaded."""
        return {"versions": self._adapter.versions()}

    def prepare(
        self,
        slot: str,
        workload: dict[str, Any],
        clock: str = "wall",
        reference: str | None = None,
    ) -> dict[str, Any]:
        """Makes the input, tries every form, keeps the fastest, compares it with ``reference``."""
        work = Workload(**{**workload, "shape": tuple(workload["shape"])})
        forms = self._adapter.forms(work, work.make_input())
        trials: dict[str, float] = {}
        failures: dict[str, str] = {}
        for name, call in forms.items():
            try:
                trials[name] = _shortest(call, clock)
            except Exception as error:
                failures[name] = _reason(error)
        if not trials:
            raise RuntimeError("; ".join(f"{k}: {v}" for k, v in failures.items()))
        best = min(trials, key=lambda name: trials[name])
        self._slots[slot] = work, forms[best]
        answer: dict[str, Any] = {"form": best, "trials_s": trials, "failed_forms": failures}
        if reference is not None and self._info.definition != "part":
            ours = np.load(reference, mmap_mode="r")
            answer["check"] = compare(work, ours, self._result(slot), self._info.definition)
        return answer

    def run(self, slot: str, calls: int, warm: bool) -> dict[str, Any]:
        """Times calls one by one; a warm one before them brings caches and threads back.

        Answers with wall time and with processor time (of all threads) for each call.
        """
        _, call = self._slots[slot]
        if warm:
            call()
        timed = [_timed(call) for _ in range(calls)]
        return {"wall": [wall for wall, _ in timed], "processor": [cpu for _, cpu in timed]}

    def save(self, slot: str, path: str) -> dict[str, Any]:
        """Writes the result as .npy, for the other workers to compare with."""
        np.save(path, self._result(slot))
        return {}

    def release(self) -> dict[str, Any]:
        """Empties the slots and gives their memory back."""
        self._slots.clear()
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        return {}

    def memory(self, seconds: float) -> dict[str, Any]:
        """Resident high-water mark of one call beyond input and output, in bytes.

        A short signal goes first, so that libraries and thread pools are already there; what it
        needed for itself is given back.
        """
        short = one_signal(_SHORT_SECONDS)
        for call in self._adapter.forms(short, short.make_input()).values():
            call()
        self.release()
        work = one_signal(seconds)
        # The form best for long signals is not known yet: each is measured, the least counts.
        extra: dict[str, int] = {}
        output_bytes = 0
        for name, call in self._adapter.forms(work, work.make_input()).items():
            self.release()
            before = _reset_high_water_mark()
            result = self._adapter.result(call())
            output_bytes = result.nbytes
            extra[name] = _status_bytes("VmHWM") - before - output_bytes
            del result
        return {"extra_bytes": extra, "output_bytes": output_bytes}

    def _result(self, slot: str) -> NDArray[Any]:
        """What the workload in this slot computes, without a batch axis that the input lacks."""
        work, call = self._slots[slot]
        result = self._adapter.result(call())
        return result[0] if len(work.shape) == 1 and result.ndim == 3 else result


def _reason(error: Exception) -> str:
    """The exception in one short line without terminal colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    return " ".join(f"{type(error).__name__}: {text}".split())[:240]


def _timed(call: Call) -> tuple[float, float]:
    """Seconds of wall time, and of processor time of all threads."""
    cpu_start = time.process_time_ns()
    start = time.perf_counter_ns()
    result = call()
    wall = time.perf_counter_ns() - start
    cpu = time.process_time_ns() - cpu_start
    del result  # freed outside the measured time
    return wall * 1e-9, cpu * 1e-9


def _shortest(call: Call, clock: str) -> float:
    """Shortest of a few calls after a first one, which may compile (long ones run once)."""
    which = 0 if clock == "wall" else 1
    best = _timed(call)[which]
    if best > _LONG_TRIAL_SECONDS:
        return best
    deadline = time.perf_counter() + _TRIAL_SECONDS
    for trial in range(_TRIALS):
        if trial > 0 and time.perf_counter() > deadline:
            break
        best = min(best, _timed(call)[which])
    return best


def _status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def _reset_high_water_mark() -> int:
    """Sets the high-water mark to what is resident now, and returns that."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_bytes("VmHWM")


def _private_stdout() -> TextIO:
    """Keeps the pipe to the parent for answers; what libraries print goes to stderr."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


def _serve(worker: Worker, answers: TextIO) -> None:
    operations: dict[str, Callable[..., dict[str, Any]]] = {
        "prepare": worker.prepare,
        "run": worker.run,
        "save": worker.save,
        "release": worker.release,
        "memory": worker.memory,
    }
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = operations[request.pop("op")](**request)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": _reason(error)}
        print(json.dumps(answer), file=answers, flush=True)


def main(peer: str, threads: str, cpus: str) -> None:
    """Pins the process, loads the peer, answers until standard input ends."""
    answers = _private_stdout()
    # A worker is stopped between its turns and could not see its parent end.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    try:
        worker = Worker(peer, int(threads))
        hello = worker.hello()
    except Exception as error:
        traceback.print_exc()
        print(json.dumps({"error": _reason(error)}), file=answers)
        return
    gc.disable()
    print(json.dumps(hello), file=answers, flush=True)
    _serve(worker, answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
