# SPDX-License-Identifier: BSD-3-Clause
"""Checks the compiled objects for the two ways in which one instruction set leaks into another.

An object compiled for, say, AVX2 may hold its own copy of an inline function.  The linker keeps
one copy of each such function for the whole program, perhaps that one, and an older CPU then meets
an illegal instruction.  So:

1. every global or weak symbol that an ISA object defines must name its ISA (``specfast_avx2``,
   ``pocketfft_avx2``), its kernel table ``specfast_kernels_<isa>`` must be there, be the only
   strong one, and nothing may run before ``main``;
2. no instruction in VEX or EVEX encoding (AVX and later) may stand in an object that must run on
   any x86-64 CPU: the engine, the Python binding, the kernels ``baseline`` and ``generic``.

usage: audit_isa.py [--nm NM] [--objdump OBJDUMP] BUILD/isa_objects.txt

The list is written by CMake (cmake/isa.cmake).  Exit status: 0 if all is well, 1 if there is a
violation or nothing to check, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

# Kernels that are compiled without machine flags, so that any CPU of the architecture runs them.
PLAIN_ISAS = ("baseline", "generic")

# Pointers whose copies all hold the same address: to the unwinder routine of the C++ runtime and,
# on Windows, to symbols of other libraries. Data that tell exceptions of the standard library.
HARMLESS_SYMBOLS = re.compile(r"DW\.ref\.__gxx_personality_v0|\.refptr\..+|_ZT[IS]St\d+\w+")

# Segment and address-size prefixes, the only ones that may stand before a VEX or EVEX prefix.
LEGACY_PREFIXES = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x67}
VEX_EVEX_PREFIXES = {0xC4, 0xC5, 0x62}  # in 64-bit code these bytes mean nothing else

INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")


@dataclass
class Report:
    """Holds what was examined and what was found."""

    violations: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)


def run(*command: str | Path) -> str:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120
    )
    if result.returncode != 0:
        raise SystemExit(f"{command[0]} failed on {command[-1]}: {result.stderr.strip()}")
    return result.stdout


def audit_symbols(isa: str, obj: Path, nm: str, report: Report) -> None:
    """Rule 1 for one object of one ISA."""
    table = f"specfast_kernels_{isa}"
    # Mangled names state the length of each part, which tells specfast_avx from specfast_avx512.
    spaces = [f"specfast_{isa}", f"pocketfft_{isa}"]
    mine = re.compile("|".join(rf"(?<!\d){len(space)}{space}" for space in spaces))
    strong: list[str] = []
    weak = 0
    for line in run(nm, "--defined-only", "--format=posix", obj).splitlines():
        name, kind = line.split()[:2]
        if name.startswith(("_GLOBAL__sub_I", "__cxx_global_var_init")):
            report.violations.append(f"{obj.name} ({isa}): runs before main: {name}")
        if not (kind.isupper() or kind in "uvw"):
            continue  # a local symbol
        if HARMLESS_SYMBOLS.fullmatch(name):
            continue
        # The objects of Windows do not tell of which symbols the linker keeps one.
        if kind in "VWuvw" or (obj.suffix == ".obj" and name != table):
            weak += 1
            if not mine.search(name):
                report.violations.append(
                    f"{obj.name} ({isa}): weak symbol without '{isa}': {name}"
                )
        else:
            strong.append(name)
    if table not in strong:
        report.violations.append(f"{obj.name} ({isa}): does not define {table}")
    report.violations += [
        f"{obj.name} ({isa}): exports more than its table: {name}"
        for name in strong
        if name != table
    ]
    report.checks.append(f"symbols  {isa:9} {len(strong):6} strong, {weak} weak   {obj.name}")


def is_vex(code: bytes) -> bool:
    """Tells whether the bytes of one instruction are in VEX or EVEX encoding (64-bit mode)."""
    for byte in code:
        if byte not in LEGACY_PREFIXES:
            return byte in VEX_EVEX_PREFIXES
    return False


def audit_instructions(label: str, obj: Path, objdump: str, report: Report) -> None:
    """Rule 2 for one object."""
    function, total, bad = "?", 0, 0
    wide = [] if "llvm" in Path(objdump).name else ["--insn-width=16"]
    for line in run(objdump, "-d", *wide, obj).splitlines():
        if match := FUNCTION.match(line):
            function = match[1]
        elif match := INSTRUCTION.match(line):
            total += 1
            if is_vex(bytes.fromhex(match[1])):
                bad += 1
                if bad <= 3:
                    what = " ".join(match[2].split())
                    report.violations.append(
                        f"{obj.name} ({label}): AVX instruction '{what}' in {function}"
                    )
    if bad > 3:
        report.violations.append(f"{obj.name} ({label}): {bad} AVX instructions in all")
    report.checks.append(f"encoding {label:9} {total:6} instructions      {obj.name}")


def read_list(path: Path) -> list[tuple[str, str, Path]]:
    """The lines ``isa NAME OBJECT`` and ``plain OBJECT`` as (kind, name, object)."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "isa":
            name, _, obj = rest.partition(" ")
            entries.append(("isa", name, Path(obj)))
        elif kind == "plain":
            entries.append(("plain", "plain", Path(rest)))
        elif line.strip():
            raise SystemExit(f"{path}: cannot read the line {line!r}")
    return entries


def audit(listing: Path, nm: str = "nm", objdump: str = "objdump") -> Report:
    """Examines every object of a list."""
    report = Report()
    entries = read_list(listing)
    for _, _, obj in entries:
        if not obj.is_file():
            raise SystemExit(f"{listing} names {obj}, which is not there: build first")
    for kind in ("isa", "plain"):
        if not any(entry[0] == kind for entry in entries):
            report.violations.append(f"{listing} names no '{kind}' object: nothing to check")
    for kind, name, obj in entries:
        if kind == "isa":
            audit_symbols(name, obj, nm, report)
    plain = [entry for entry in entries if entry[0] == "plain" or entry[1] in PLAIN_ISAS]
    if plain and "x86-64" in run(objdump, "-f", plain[0][2]):
        for _, name, obj in plain:
            audit_instructions(name, obj, objdump, report)
        empty = [check for check in report.checks if re.search(r"encoding \S+ +0 instr", check)]
        report.violations += [f"no instruction was read: {check}" for check in empty]
    else:
        report.checks.append("encoding: not x86-64, there is no VEX or EVEX to look for")
    return report


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Audit of the objects of a specfast build.")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--objdump", default="objdump")
    parser.add_argument("list", type=Path, help="isa_objects.txt in the build folder")
    args = parser.parse_args(argv)
    if not args.list.is_file():
        print(f"isa audit: {args.list} is not there: configure and build first", file=sys.stderr)
        return 1
    report = audit(args.list, args.nm, args.objdump)
    print("\n".join(report.checks))
    for violation in report.violations:
        print(f"VIOLATION: {violation}", file=sys.stderr)
    print(f"isa audit: {len(report.checks)} checks, {len(report.violations)} violations")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
