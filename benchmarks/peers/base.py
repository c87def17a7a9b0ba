# SPDX-License-Identifier: BSD-3-Clause
"""What every adapter provides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..workloads import Workload

Call = Callable[[], Any]


class Adapter(Protocol):
    """One peer inside its own process.

    The constructor sets the number of threads; ``forms`` prepares everything that may be
    prepared once (tables, plans, compiled functions, the input in the library's own tensor) and
    returns the ways in which the work can be done: calls without arguments, each of which
    computes completely and allocates what it returns.  The fastest of them is the one timed.
    """

    def __init__(self, threads: int) -> None: ...

    def versions(self) -> dict[str, str]:
        """Versions of the libraries that do the work."""
        ...

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        """Name of each form -> call."""
        ...

    def result(self, value: Any) -> NDArray[Any]:
        """What a call returned, as an array laid out as Keras does (a batch axis may remain)."""
        ...


def flattened(gradients: Sequence[Any]) -> NDArray[Any]:
    """Gradients of the input and the kernels as one array, all of the same weight."""
    parts = [np.asarray(gradient).ravel() for gradient in gradients]
    return np.concatenate([part / np.linalg.norm(part) for part in parts])


def versions_of(*names: str) -> dict[str, str]:
    """Installed versions of these distributions."""
    return {name: version(name) for name in names}
