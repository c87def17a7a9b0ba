# SPDX-License-Identifier: BSD-3-Clause
"""Records the bits of many calls and compares two recordings: a proof that no number changed.

    python tools/record_bits.py record --all-isas old.txt   # with the package as it was
    python tools/record_bits.py record --all-isas new.txt   # with the package as it is now
    python tools/record_bits.py compare old.txt new.txt     # exits with 1 if a bit changed

A recording is a sorted text file with one line for each call of recorded_calls.py: its name, a
tab, and a digest of the dtypes, shapes and bytes of what the *installed* package returned. Without
`--all-isas` the calls run on the instruction set in use, which SPECFAST_ISA chooses; with it they
run on each one of this machine, whose name then comes first. Recordings of different commits can
be compared; those made on other machines, or with other compilers, need not be equal.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import recorded_calls
import specfast


def digest(arrays: list[np.ndarray[Any, Any]]) -> str:
    """Returns a digest of the dtypes, shapes and bytes of arrays.

    All NaNs count as one: of two that are added, the compiler chooses whose sign survives.
    """
    hashed = hashlib.sha256()
    for array in arrays:
        if array.dtype.kind in "fV":  # NumPy counts bfloat16 as V
            array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
        hashed.update(f"{array.dtype} {array.shape};".encode())
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()[:32]


def record_here() -> list[str]:
    """Returns the sorted lines of a recording on the instruction set in use.

    Raises:
        RuntimeError: if SPECFAST_ISA asks for another one.
    """
    used, requested = specfast.build_info()["isa"], os.environ.get("SPECFAST_ISA")
    if requested not in (None, "", used):
        raise RuntimeError(f"SPECFAST_ISA is {requested!r}, but {used!r} is in use")
    return sorted(f"{name}\t{digest(arrays)}" for name, arrays in recorded_calls.calls())


def record_all_isas() -> list[str]:
    """Returns the sorted lines of recordings on each instruction set, prefixed with its name."""
    lines = []
    for isa in specfast.build_info()["available_isas"]:
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder) / "recording"
            subprocess.run(
                [sys.executable, __file__, "record", recording],
                env={**os.environ, "SPECFAST_ISA": isa},
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=600,
            )
            lines += [f"{isa} {line}" for line in read(recording)]
    return sorted(lines)


def read(path: Path) -> list[str]:
    """Returns the lines of a recording."""
    return path.read_text("utf-8").splitlines()


def record(path: Path, *, all_isas: bool) -> None:
    """Writes a recording."""
    lines = record_all_isas() if all_isas else record_here()
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    print(f"{len(lines)} calls recorded")


def compare(old: Path, new: Path) -> int:
    """Prints the names that differ, are missing or are new.

    Returns:
        The exit status: 1 if a name of `old` differs or is missing, or if `old` has none.
    """
    before, after = (dict(line.split("\t") for line in read(path)) for path in (old, new))
    differing = sorted(name for name in before if before[name] != after.get(name))
    for name in differing:
        print(f"{'differs' if name in after else 'missing'}: {name}")
    for name in sorted(after.keys() - before):
        print(f"new: {name}")
    equal, added = len(before) - len(differing), len(after.keys() - before)
    print(f"{equal} of {len(before)} equal, {added} new")
    return int(bool(differing) or not before)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="writes a recording")
    recording.add_argument("file", type=Path)
    recording.add_argument("--all-isas", action="store_true", help="on each instruction set")
    both = commands.add_parser("compare", help="exits with 1 if a bit changed")
    both.add_argument("old", type=Path)
    both.add_argument("new", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "compare":
        return compare(arguments.old, arguments.new)
    record(arguments.file, all_isas=arguments.all_isas)
    return 0


if __name__ == "__main__":
    sys.exit(main())
