# SPDX-License-Identifier: BSD-3-Clause
"""The engine as a whole: version, build and number of threads."""

from __future__ import annotations

from typing import Any

from specfast import _core
from specfast._engine import devices
from specfast._spec import checks
from specfast._spec.arguments import MAX_THREADS

VERSION = "0.1.0"


def build_info() -> dict[str, Any]:
    """Returns how the engine was built and what it runs on.

    Returns:
        A dictionary with "version", "isa" (the instruction set in use, chosen once, or by the
        environment variable SPECFAST_ISA), "available_isas", "lanes_float32" and "lanes_float64"
        (frames computed side by side), "num_threads", "openmp", "compiler", "pocketfft" (its
        revision) and "cuda": a dictionary about the first GPU that this process has used
        ("library", "num_devices", "name", "compute_capability", "memory_bytes", "driver",
        "runtime", "cufft"), or a sentence that says why there is none. To ask starts no driver,
        so before the first computation on a GPU it is a sentence.

    Raises:
        RuntimeError: if SPECFAST_ISA names an instruction set that is not available.
    """
    return {**_core.build_info(), "cuda": devices.facts()}


def get_num_threads() -> int:
    """Returns the number of threads for calls of layers that do not state their own.

    Always 1 in a build without OpenMP (`build_info()["openmp"]` is False).
    """
    return _core.get_num_threads()


def set_num_threads(num_threads: int) -> None:
    """Sets the number of threads for calls of layers that do not state their own.

    Args:
        num_threads: 1 or more; 0 for the default: SPECFAST_NUM_THREADS, else OMP_NUM_THREADS,
            else the processors that this process may use, by affinity and cgroup quota. A build
            without OpenMP takes every number and stays at 1.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is negative or absurd.
    """
    _core.set_num_threads(
        checks.integer("num_threads", num_threads, minimum=0, maximum=MAX_THREADS)
    )
