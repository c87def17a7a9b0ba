# SPDX-License-Identifier: BSD-3-Clause
"""Packages that a corpus needs and the rest of specfast does not."""

from __future__ import annotations

from typing import Any

__all__ = ["import_dask", "import_distributed", "import_pyarrow", "import_soxr"]

_HOW = 'pip install "specfast[corpus]"'


def import_pyarrow() -> tuple[Any, Any]:
    """Returns pyarrow and pyarrow.parquet.

    Raises:
        ImportError: It is not installed; the message says how to get it.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(f"a corpus needs pyarrow ({error}): {_HOW}") from error
    return pa, pq


def import_soxr() -> Any:
    """Returns the module soxr, or raises as `import_pyarrow`."""
    try:
        import soxr
    except ImportError as error:
        raise ImportError(f"resampling needs soxr ({error}): {_HOW}") from error
    return soxr


def import_dask() -> Any:
    """Returns the package dask, which `import_distributed` has found."""
    import dask

    return dask


def import_distributed() -> Any:
    """Returns the package of Dask for clusters, or raises as `import_pyarrow`."""
    try:
        import distributed
    except ImportError as error:
        raise ImportError(
            f"a cluster needs dask and distributed ({error}): {_HOW}; or pass an executor of "
            "concurrent.futures as `client`"
        ) from error
    return distributed
