# SPDX-License-Identifier: BSD-3-Clause
"""tools/check_wheel.py, run on each wheel: it finds nothing here, and what is planted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import check_wheel
import specfast

PACKAGE = Path(specfast.__file__).parent
# What a repair has put into the wheel, if it was one that is repaired.
BUNDLED = PACKAGE.parent / "specfast.libs"
ABI = ".".join(specfast.__version__.split(".")[:2])
LIBRARY = f"lib/libspecfast.so.{ABI}"
ROOT = Path(__file__).resolve().parents[2]

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads ELF files")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of what the tool reads."""
    folder = tmp_path / "site/specfast"
    shutil.copytree(PACKAGE / "lib", folder / "lib")
    for module in PACKAGE.glob("_core*.so"):
        shutil.copyfile(module, folder / module.name)
    if BUNDLED.is_dir():
        shutil.copytree(BUNDLED, folder.parent / BUNDLED.name)
    return folder


def test_the_installed_package_is_whole() -> None:
    command = [sys.executable, str(ROOT / "tools/check_wheel.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(": 0 faults\n")


@linux
def test_a_copy_has_no_faults(package: Path) -> None:
    assert list(check_wheel.library_faults(package, ABI)) == []


@linux
@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        # As long as what they replace: ELF files have offsets.
        (LIBRARY[4:].encode(), b"libspecfost.so." + ABI.encode(), "says that its name is"),
        (b"$ORIGIN/lib", b"$ORIGIN/bil", "lies in none of ['$ORIGIN/bil'"),
        (b"libstdc++.so.6", b"libstdx++.so.6", "needs libstdx++.so.6"),
        (
            b"specfast_hertz_to_mel\0",
            b"specfost_hertz_to_mel\0",
            "exports ['specfost_hertz_to_mel']",
        ),
    ],
)
def test_planted_faults_are_found(package: Path, old: bytes, new: bytes, complaint: str) -> None:
    planted = 0
    for path in [package / LIBRARY, *package.glob("_core*.so")]:
        data = path.read_bytes()
        if old.startswith(b"libspec") and path.parent == package:
            continue
        planted += data.count(old)
        path.write_bytes(data.replace(old, new))
    assert planted
    faults = list(check_wheel.library_faults(package, ABI))
    assert any(complaint in fault for fault in faults), faults


@linux
def test_a_library_of_another_name_is_missed(package: Path) -> None:
    (package / LIBRARY).rename(package / "lib/libspecfast-1a2b3c.so")
    assert list(check_wheel.library_faults(package, ABI)) == [
        f"there is no libspecfast.so.{ABI} in specfast/lib"
    ]


def test_a_bundled_library_must_be_named(package: Path, tmp_path: Path) -> None:
    metadata = tmp_path / "metadata"
    metadata.mkdir()
    shutil.copyfile(ROOT / "THIRD_PARTY_NOTICES.md", metadata / "THIRD_PARTY_NOTICES.md")
    libraries = package.parent / BUNDLED.name
    shutil.rmtree(libraries, ignore_errors=True)
    libraries.mkdir()
    (libraries / "libgomp-24e2ab19.so.1.0.0").touch()
    (libraries / "libother-1234abcd.so.1").touch()
    assert list(check_wheel.notice_faults(package, metadata)) == [
        "the wheel has libgomp-24e2ab19.so.1.0.0 without GPL-3.0-or-later.txt",
        "the wheel has libgomp-24e2ab19.so.1.0.0 without GCC-exception-3.1.txt",
        "the wheel has libother-1234abcd.so.1, and THIRD_PARTY_NOTICES.md does not name libother",
    ]
    shutil.copytree(ROOT / "LICENSES", metadata / "LICENSES")
    assert len(list(check_wheel.notice_faults(package, metadata))) == 1


def test_what_c_programs_need_is_missed(package: Path) -> None:
    (package / "lib/pkgconfig/specfast.pc").unlink()
    assert list(check_wheel.development_faults(package)) == [
        "there is no specfast/lib/pkgconfig/specfast.pc",
        "there is no specfast/include/specfast/specfast.h",
    ]
