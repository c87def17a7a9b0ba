# SPDX-License-Identifier: BSD-3-Clause
"""A call reads one file and writes one: what is said to several, to folders and to patterns."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from specfast._cli.errors import Failed

__all__ = ["check_input_is_one_file", "check_output_is_one_file", "refusal_of_several"]

_SHOWN_NAMES = 3


def check_input_is_one_file(source: str) -> None:
    """Refuses a folder and a pattern as the input.

    Raises:
        Failed: The source is a folder, or it is no file and has the characters of a pattern.
    """
    if _is_folder(source):
        reason, pattern = "it is a folder", f"{shlex.quote(str(Path(source)))}/*.wav"
    elif any(character in source for character in "*?[") and not _exists(source):
        reason, pattern = "there is no such file, and the shell alone expands a pattern", source
    else:
        return
    loop = _loop(pattern, '... "$f" ...')
    raise Failed(
        f"cannot read {source!r}: {reason}; a loop of the shell calls the command for each file: "
        f"{loop}"
    )


def check_output_is_one_file(output: str, source: str, kind: str) -> None:
    """Refuses a folder, or what can only be the name of one, as the output.

    Raises:
        Failed: The message has the name that a file in it could have.
    """
    if output.endswith(("/", os.sep)) or _is_folder(output):
        stem = "out" if source == "-" else Path(source).stem
        raise Failed(
            f"cannot write {output!r}: it is a folder; name a file in it, such as "
            f"{str(Path(output) / f'{stem}.{kind}')!r}"
        )


def refusal_of_several(command: str, names: Sequence[str]) -> str:
    """Returns what is said to several inputs: the loop that calls the command for each.

    Args:
        command: sound or stream.
        names: The inputs.
    """
    if command == "stream":
        pattern, action = "*.wav", 'stream "$f" --rate ...'
    else:
        pattern, action = "*.npy", f'{command} "$f" -o "$f.wav"'
    shown = ", ".join(repr(name) for name in names[:_SHOWN_NAMES])
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return (
        f"IN must be one file. Received {len(names)}: {shown}{more}. A loop of the shell calls "
        f"the command for each: {_loop(pattern, action)}"
    )


def _loop(pattern: str, action: str) -> str:
    return f"for f in {pattern}; do specfast {action}; done"


# Path raises for names that no file can have, before Python 3.14, and takes an empty one for ".".
def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def _exists(path: str) -> bool:
    return os.path.lexists(path)
