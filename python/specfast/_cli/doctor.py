# SPDX-License-Identifier: BSD-3-Clause
"""`specfast doctor`: two front ends are compared, and a report says why they differ."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from specfast._cli.errors import Failed, failures
from specfast._cli.input import STANDARD_INPUT, check_source, read_standard_input, source_name
from specfast._cli.jobs import reported_warnings
from specfast.audio import read_audio
from specfast.doctor import Diagnosis, diagnose

__all__ = ["DIFFERENT", "SAME", "TROUBLE", "examined"]

# The exit codes, as those of cmp and diff.
SAME, DIFFERENT, TROUBLE = 0, 1, 2


def examined(a: str, b: str, clip: str | None) -> Diagnosis:
    """Returns the diagnosis of two front ends.

    Args:
        a, b: Names, files or module:function, as `diagnose` takes them.
        clip: Path of a recording, or "-" for standard input; None: the clip made for the purpose.

    Raises:
        Failed: One of them cannot be read, is no front end, or fails.
        WrongUse: `clip` is standard input, and that is a terminal.
    """
    # What a function of the user's prints is not a part of the report.
    own_output = contextlib.redirect_stdout(sys.stderr)
    with failures(), _as_failed(), reported_warnings(), _local_modules(), own_output:
        return diagnose(a, b, **_sound(clip))


def _sound(clip: str | None) -> dict[str, Any]:
    if clip is None:
        return {}
    check_source(clip, "a recording")
    source = read_standard_input() if clip == STANDARD_INPUT else clip
    samples, rate = read_audio(source, mono=True, name=source_name(clip))
    return {"clip": samples, "rate": rate}


@contextlib.contextmanager
def _as_failed() -> Iterator[None]:
    """Turns what `diagnose` refuses into `Failed`."""
    try:
        yield
    except OSError as error:
        name = "" if error.filename is None else f" {error.filename!r}"
        raise Failed(f"cannot read{name}: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise Failed(str(error)) from error


@contextlib.contextmanager
def _local_modules() -> Iterator[None]:
    """Finds modules in the current folder too, as `python -m` does."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)
