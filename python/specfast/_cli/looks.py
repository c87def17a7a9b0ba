# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of the commands look the same for everybody."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

__all__ = ["default_looks"]


@contextlib.contextmanager
def default_looks() -> Iterator[None]:
    """Draws by matplotlib's defaults, whatever the user has set for figures of their own.

    A missing TeX, font or backend, which no picture of ours needs, ends no job. Nothing happens
    where matplotlib is missing: who draws says so.
    """
    # An unknown one makes the import fail; notebooks set theirs for the commands that they run.
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib as mpl
    except ImportError:
        yield
        return
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    with mpl.rc_context():
        mpl.rcdefaults()
        yield
