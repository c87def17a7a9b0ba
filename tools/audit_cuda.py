#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Audits a wheel of the library for NVIDIA GPUs and the log of its build.

No kernel may spill registers, on any architecture, and the library exports one function. Prints
the kernels, architectures and the size.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

COMPILED = re.compile(r"Compiling entry function '(\w+)' for '(sm_\d+\w*)'")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
EXPORTED = {"specfast_backend"}


def kernels_of(log: str) -> dict[tuple[str, str], int]:
    """Returns the bytes that each kernel spills, by its symbol and architecture."""
    spilled: dict[tuple[str, str], int] = {}
    kernel = None
    for line in log.splitlines():
        if compiled := COMPILED.search(line):
            kernel = compiled.group(1), compiled.group(2)
            spilled[kernel] = 0
        elif kernel and (spills := SPILLS.search(line)):
            # Functions that a kernel calls are listed behind it.
            spilled[kernel] += int(spills.group(2)) + int(spills.group(3))
    return spilled


def exported_by(library: Path) -> set[str]:
    """Returns the functions and variables that a shared library exports."""
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", str(library)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = [line.split() for line in listed.stdout.splitlines()]
    return {line[-1].split("@")[0] for line in lines if line[1] != "A"}


def complaints(log: str, library: Path) -> list[str]:
    """Returns what is wrong."""
    found = kernels_of(log)
    wrong = [
        f"{kernel} spills {spilled} bytes on {architecture}"
        for (kernel, architecture), spilled in found.items()
        if spilled
    ]
    counts = {
        architecture: sum(1 for _, other in found if other == architecture)
        for _, architecture in found
    }
    if not counts or len(set(counts.values())) != 1:
        wrong.append(f"every architecture must have all kernels, received {counts}")
    if (exported := exported_by(library)) != EXPORTED:
        wrong.append(f"{library.name} must export {EXPORTED}, received {exported}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("log", type=Path, help="what the build printed, with SPECFAST_PTXAS_INFO")
    parser.add_argument("wheel", type=Path)
    arguments = parser.parse_args()
    log = arguments.log.read_text("utf-8", "replace")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(arguments.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if ".so" in name)
        library = Path(wheel.extract(name, folder))
        wrong = complaints(log, library)
        size = library.stat().st_size
    found = kernels_of(log)
    architectures = sorted({architecture for _, architecture in found})
    print(
        f"{len(found)} kernels on {len(architectures)} architectures "
        f"({', '.join(architectures)}); "
        f"library {size / 1e6:.1f} MB, wheel {arguments.wheel.stat().st_size / 1e6:.1f} MB"
    )
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
