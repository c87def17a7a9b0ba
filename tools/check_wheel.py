# SPDX-License-Identifier: BSD-3-Clause
"""Checks the installed package: that it computes, and that the library for C programs is whole.

usage: python tools/check_wheel.py

Tools that make a wheel independent of its machine (auditwheel, delocate) copy libraries into it,
and change names and run paths.  Afterwards the library must still have its name, find what it
needs, and be found by CMake and pkg-config; and what came in must be named in the notices.  On
Linux this requires pyelftools.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import re
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What every Linux has; OpenMP, which a repair bundles; sanitizers, in builds that ask for them.
SYSTEM = re.compile(
    r"lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|gomp|omp|asan|ubsan)\.so\.[\d.]+|(lib|ld-)[\w-]*(musl|linux)[\w-]*\.so\.\d"
)
LICENCES = {"libgomp": ("GPL-3.0-or-later.txt", "GCC-exception-3.1.txt")}
SPEECH = Path(__file__).resolve().parents[1] / "examples/speech.wav"


class Elf:
    """A library: its name, what it needs, where it looks for that, what it exports."""

    def __init__(self, path: Path) -> None:
        from elftools.elf.elffile import ELFFile

        self.path = path
        with path.open("rb") as stream:
            file: Any = ELFFile(stream)
            tags = list(file.get_section_by_name(".dynamic").iter_tags())
            symbols = list(file.get_section_by_name(".dynsym").iter_symbols())
        self.needed = [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]
        self.name = next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), "")
        paths = [self._path(tag) for tag in tags if tag.entry.d_tag in ("DT_RUNPATH", "DT_RPATH")]
        self.run_paths = [part for path in paths for part in path.split(":")]
        self.exports = {
            symbol.name
            for symbol in symbols
            if symbol["st_shndx"] not in ("SHN_UNDEF", "SHN_ABS") and symbol.name
        }

    @staticmethod
    def _path(tag: Any) -> str:
        return str(getattr(tag, "runpath", None) or getattr(tag, "rpath", ""))

    def finds(self, library: str) -> Path | None:
        """Returns the file of a needed library in one of the run paths."""
        for part in self.run_paths:
            file = Path(part.replace("$ORIGIN", str(self.path.parent))) / library
            if file.is_file():
                return file.resolve()
        return None


def library_faults(package: Path, abi: str) -> Iterator[str]:
    """Yields what is wrong with the library of an installed package on Linux."""
    name = f"libspecfast.so.{abi}"
    path = package / "lib" / name
    if not path.is_file():
        yield f"there is no {name} in {package.name}/lib"
        return
    library = Elf(path)
    if library.name != name:
        yield f"{name} says that its name is {library.name!r}"
    if strangers := {export for export in library.exports if not export.startswith("specfast_")}:
        yield f"{name} exports {sorted(strangers)[:5]}"
    if len(library.exports) < 50:
        yield f"{name} exports {len(library.exports)} functions"
    (module,) = package.glob("_core*.so")
    for elf in (library, Elf(module)):
        for needed in elf.needed:
            if not elf.finds(needed) and not SYSTEM.fullmatch(needed):
                yield f"{elf.path.name} needs {needed}, which lies in none of {elf.run_paths}"
    if Elf(module).finds(name) != path.resolve():
        yield f"{module.name} does not find the {name} beside it"


def windows_library_faults(package: Path, abi: str) -> Iterator[str]:
    """Yields what of the library is missing in an installed package on Windows."""
    # Python looks beside a module for what that needs.
    for file in (f"specfast-{abi}.dll", "lib/specfast.lib"):
        if not (package / file).is_file():
            yield f"there is no {file} in {package.name}"


def notice_faults(package: Path, metadata: Path) -> Iterator[str]:
    """Yields the bundled libraries that the notices do not name, and licences that are missing."""
    notices = next(metadata.rglob("THIRD_PARTY_NOTICES.md")).read_text("utf-8")
    there = {path.name for path in metadata.rglob("*.txt")}
    for path in sorted((package.parent / "specfast.libs").glob("*")):
        name = path.name.partition("-")[0].partition(".so")[0]
        if f"({name})" not in notices:
            yield f"the wheel has {path.name}, and THIRD_PARTY_NOTICES.md does not name {name}"
        for licence in LICENCES.get(name, ()):
            if licence not in there:
                yield f"the wheel has {path.name} without {licence}"


def development_faults(package: Path) -> Iterator[str]:
    """Yields what C and C++ programs would miss: headers, what CMake and pkg-config look for."""
    for group, value, file in [
        ("cmake.root", "specfast", "lib/cmake/specfast/specfastConfig.cmake"),
        ("pkg_config", "specfast.lib.pkgconfig", "lib/pkgconfig/specfast.pc"),
    ]:
        points = importlib.metadata.entry_points(group=group, name="specfast")
        if {point.value for point in points} != {value}:
            yield f"the entry point {group} is {[point.value for point in points]}, not {value}"
        if not (package / file).is_file():
            yield f"there is no specfast/{file}"
    if not (package / "include/specfast/specfast.h").is_file():
        yield "there is no specfast/include/specfast/specfast.h"


def result_faults() -> Iterator[str]:
    """Yields whether the levels of the recording are those that the README shows."""
    import numpy as np

    import specfast

    with wave.open(str(SPEECH)) as recording:
        rate = recording.getframerate()
        samples = np.frombuffer(recording.readframes(recording.getnframes()), np.int16)
    levels = specfast.MelSpectrogram(sampling_rate=rate)(samples / np.float32(32768))
    shown = f"{levels.shape}, {levels.min():.2f} to {levels.max():.2f} dB"
    if shown != "(128, 171), -41.38 to 38.62 dB":
        yield f"the levels of {SPEECH.name} are {shown}"
    maps = Path("/proc/self/maps")
    if maps.exists():
        used = {line.split()[-1] for line in maps.read_text("utf-8").splitlines() if "/" in line}
        loaded = {path for path in used if Path(path).name.startswith("libspecfast.so")}
        if len(loaded) != 1:
            yield f"the process has loaded {sorted(loaded)}, not one library"


def main() -> None:
    import specfast

    package = Path(str(importlib.resources.files("specfast")))
    version = specfast.__version__
    metadata = package.parent / f"specfast-{version}.dist-info"
    faults = [*result_faults(), *development_faults(package), *notice_faults(package, metadata)]
    abi = ".".join(version.split(".")[:2])
    if sys.platform == "linux":
        faults += library_faults(package, abi)
    if sys.platform == "win32":
        faults += windows_library_faults(package, abi)
    for fault in faults:
        print(f"{package}: {fault}")
    print(f"specfast {version} in {package.parent}: {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
