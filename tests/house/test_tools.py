# SPDX-License-Identifier: BSD-3-Clause
"""The repository's own tools: that they pass what is right and refuse what is planted."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import audit_cuda
import audit_isa
import check_stubs
import floors
from compilers import cxx_command

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "python/specfast/_core.pyi"
X86_64 = platform.machine() in {"x86_64", "AMD64"}

TABLE = 'extern "C" { extern const int specfast_kernels_%s; const int specfast_kernels_%s = 1; }\n'
PLAIN = "double twice(double x) { return 2 * x; }\n"
AVX = "void twice(double* x) { for (int i = 0; i < 4; ++i) x[i] *= 2; }\n"


def run_tool(folder: Path, *command: str) -> None:
    # A sanitizer that the test runner preloads is no business of the compiler's.
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=60)


def compile_object(folder: Path, name: str, source: str, *flags: str) -> Path:
    (folder / f"{name}.cpp").write_text(source, encoding="utf-8")
    command = [
        *cxx_command(),
        "-std=c++17",
        "-O2",
        "-fPIC",
        *flags,
        "-c",
        f"{name}.cpp",
        "-o",
        f"{name}.o",
    ]
    run_tool(folder, *command)
    return folder / f"{name}.o"


def link_library(folder: Path, name: str, source: str) -> Path:
    compile_object(folder, name, source)
    run_tool(folder, *cxx_command(), "-shared", "-o", f"{name}.so", f"{name}.o")
    return folder / f"{name}.so"


def audit(folder: Path, *lines: str) -> list[str]:
    """The violations in a list of objects."""
    listing = folder / "isa_objects.txt"
    listing.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return audit_isa.audit(listing).violations


# ---- audit_isa: symbols -----------------------------------------------------

INLINE_HELPER = "__attribute__((noinline)) inline int helper(int x) { return x + x / 3; }\n"

PLANTED_SYMBOLS = {
    # an inline function outside the ISA's namespace: what the linker may merge
    "weak symbol without 'avx2'": (
        INLINE_HELPER + TABLE + "namespace specfast_avx2 { int f(int x) { return helper(x); } }\n"
    ),
    "weak symbol without 'avx2': _ZNSt": (
        "#include <vector>\n"
        + TABLE
        + "namespace specfast_avx2 { static void f(std::vector<float>& v)"
        "{ v.push_back(1); } void (*volatile keep)(std::vector<float>&) = f; }\n"
    ),
    "exports more than its table": TABLE + "int specfast_avx2_extra = 2;\n",
    "does not define specfast_kernels_avx2": "namespace specfast_avx2 { int f() { return 1; } }\n",
    "runs before main": (
        TABLE + "namespace specfast_avx2 { int f(); static int x = f(); int g() { return x; } }\n"
    ),
}


@pytest.mark.parametrize("violation", PLANTED_SYMBOLS)
def test_audit_refuses_symbol(violation: str, tmp_path: Path) -> None:
    source = PLANTED_SYMBOLS[violation].replace("%s", "avx2")
    isa = compile_object(tmp_path, "avx2", source)
    plain = compile_object(tmp_path, "plan", PLAIN)
    found = audit(tmp_path, f"isa avx2 {isa}", f"plain {plain}")
    assert any(violation in line for line in found), found


def test_audit_accepts_inline_functions_of_the_isa(tmp_path: Path) -> None:
    source = (
        f"namespace specfast_avx2 {{ {INLINE_HELPER} }}\n"
        "static int use(int x) { return specfast_avx2::helper(x); }\n"
        'extern "C" { extern int (*const specfast_kernels_avx2)(int);\n'
        "int (*const specfast_kernels_avx2)(int) = use; }\n"
    )
    isa = compile_object(tmp_path, "avx2", source)
    plain = compile_object(tmp_path, "plan", PLAIN)
    assert audit(tmp_path, f"isa avx2 {isa}", f"plain {plain}") == []


def test_audit_refuses_another_isa_s_name(tmp_path: Path) -> None:
    source = (
        TABLE.replace("%s", "avx")
        + f"namespace specfast_avx512 {{ {INLINE_HELPER} }}\n"
        + "static int (*volatile keep)(int) = specfast_avx512::helper;\n"
    )
    isa = compile_object(tmp_path, "avx", source)
    plain = compile_object(tmp_path, "plan", PLAIN)
    found = audit(tmp_path, f"isa avx {isa}", f"plain {plain}")
    assert any("weak symbol without 'avx'" in line for line in found), found


@pytest.mark.parametrize("stranger", [False, True])
def test_audit_knows_that_windows_marks_no_symbol_as_weak(stranger: bool, tmp_path: Path) -> None:
    source = TABLE.replace("%s", "avx2") + "namespace specfast_avx2 { int f() { return 1; } }\n"
    source += "int helper() { return 2; }\n" * stranger
    isa = compile_object(tmp_path, "avx2", source).rename(tmp_path / "avx2.obj")
    plain = compile_object(tmp_path, "plan", PLAIN)
    found = audit(tmp_path, f"isa avx2 {isa}", f"plain {plain}")
    assert [line.partition(": ")[2] for line in found] == [
        "weak symbol without 'avx2': _Z6helperv"
    ] * stranger


# ---- audit_isa: instructions ------------------------------------------------


@pytest.mark.skipif(not X86_64, reason="VEX and EVEX are encodings of x86-64")
@pytest.mark.parametrize("flag", ["-mavx", "-mavx512f"])
@pytest.mark.parametrize("where", ["plain", "isa baseline", "isa generic"])
def test_audit_refuses_avx_in_common_objects(where: str, flag: str, tmp_path: Path) -> None:
    name = where.split()[-1]
    table = TABLE.replace("%s", name) if where.startswith("isa") else ""
    planted = compile_object(tmp_path, name, AVX + table, "-O3", flag)
    isa = compile_object(tmp_path, "avx2", TABLE.replace("%s", "avx2"), "-mavx2")
    good = compile_object(tmp_path, "plan", PLAIN)
    found = audit(tmp_path, f"{where} {planted}", f"isa avx2 {isa}", f"plain {good}")
    assert any("AVX instruction" in line and name in line for line in found), found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("c5 fc 58 c1", True),  # vaddps
        ("c4 e2 71 b8 c2", True),  # vfmadd231ps
        ("c4 e2 78 f2 c1", True),  # andn: VEX, though its name begins with no v
        ("62 f1 7c 48 58 c1", True),  # vaddps zmm
        ("67 c5 fc 58 00", True),  # behind an address-size prefix
        ("0f 00 e0", False),  # verr: begins with v, is not VEX
        ("66 0f 58 c1", False),  # addpd
        ("48 c5", False),
    ],
)
def test_is_vex(code: str, expected: bool) -> None:
    assert audit_isa.is_vex(bytes.fromhex(code)) is expected


# ---- audit_isa: nothing to check is no success ------------------------------


def test_audit_refuses_an_empty_list(tmp_path: Path) -> None:
    assert len(audit(tmp_path)) == 2  # neither an ISA object nor a plain one


def test_audit_refuses_a_missing_object(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="gone"):
        audit(tmp_path, f"plain {tmp_path / 'gone.o'}")


def test_audit_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listing = tmp_path / "isa_objects.txt"
    assert audit_isa.main([str(listing)]) == 1
    good = compile_object(tmp_path, "plan", PLAIN)
    isa = compile_object(tmp_path, "avx2", TABLE.replace("%s", "avx2"))
    listing.write_text(f"isa avx2 {isa}\nplain {good}\n", encoding="utf-8")
    assert audit_isa.main([str(listing)]) == 0
    assert "0 violations" in capsys.readouterr().out
    listing.write_text(f"plain {good}\n", encoding="utf-8")
    assert audit_isa.main([str(listing)]) == 1
    assert "VIOLATION" in capsys.readouterr().err


# ---- check_stubs ------------------------------------------------------------


def test_stubs_agree_with_the_module() -> None:
    assert check_stubs.main([str(STUB)]) == 0


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("def get_num_threads() -> int: ...", "", "get_num_threads: in the module"),
        ("def num_frames(self, num_samples: int)", "def num_frames(self, n: int)", "num_frames"),
        ("def get_num_threads", "def get_threads", "get_threads: in the stub"),
        ("num_threads: int = 0", "threads: int = 0", "Plan.__call__"),
        ("num_threads: int = 0", "*, num_threads: int = 0", "Plan.__call__"),
        ("    epsilon: float\n", "", "Config.epsilon"),
        ("        *,\n        kernels", "        kernels", "Plan.__init__"),
        ("def window(name: str, length: int", "def window(length: int, name: str", "window"),
        ("@property\n    def num_bins", "def num_bins", "Plan.num_bins"),
    ],
)
def test_stub_drift_is_found(
    old: str, new: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STUB.read_text("utf-8")
    assert old in text
    planted = tmp_path / "_core.pyi"
    planted.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert check_stubs.main([str(planted)]) == 1
    assert named in capsys.readouterr().err


def test_an_empty_stub_is_drift(tmp_path: Path) -> None:
    (tmp_path / "_core.pyi").write_text("", encoding="utf-8")
    assert check_stubs.main([str(tmp_path / "_core.pyi")]) == 1


# ---- floors -----------------------------------------------------------------


def project_with(*requirements: str) -> dict[str, object]:
    return {
        "build-system": {"requires": ["pybind11>=2.13"]},
        "project": {"dependencies": ["numpy>=1.23"], "optional-dependencies": {"x": []}},
        "dependency-groups": {"build": ["cmake>=3.20.2"], "test": list(requirements)},
        "tool": {"scikit-build": {"overrides": [{"build": {"requires": ["unearth>=0.18.3"]}}]}},
    }


def test_floors_are_what_is_claimed() -> None:
    project = project_with("pytest>=8.0", 'tomli>=2.0; python_version < "3.11"', "specfast[x]")
    assert floors.floors(project) == [
        "cmake==3.20.2",
        "numpy==1.23",
        "pybind11==2.13",
        "pytest==8.0",
        "tomli==2.0",
        "unearth==0.18.3",
    ]


@pytest.mark.parametrize("planted", ["pytest", "pytest<9", "numpy>=1.24", "unearth>=0.15"])
def test_floors_refuses_what_has_none(planted: str) -> None:
    with pytest.raises(ValueError, match="lower bound"):
        floors.floors(project_with(planted))


# ---- soak -------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="`make soak` is for Linux")
def test_long_runs_find_what_they_call() -> None:
    """Whatever `make soak` imports of the suite is there: between its runs nothing else tells."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/soak"]
    torch_only = "--ignore=tests/soak/test_soak_data_loader.py"
    done = subprocess.run(
        [*command, torch_only], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
    assert "test_no_memory[push]" in done.stdout


# ---- show_build -------------------------------------------------------------


def test_show_build_prints_steps_and_keeps_all(tmp_path: Path) -> None:
    lines = (
        "  [2/9] Building CXX object CMakeFiles/x.dir/cpp/a.cpp.o\nother\n  [9/9] Linking lib.so\n"
    )
    log = tmp_path / "log.txt"
    result = subprocess.run(
        [sys.executable, ROOT / "tools/show_build.py", log],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stdout.split("\n") == ["   [2/9] cpp/a.cpp.o", "   [9/9] Linking lib.so", ""]
    assert log.read_text() == lines


PTXAS = """
ptxas info    : Compiling entry function 'first' for 'sm_90'
ptxas info    : Function properties for first
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Compiling entry function 'second' for 'sm_90'
ptxas info    : Function properties for second
    8 bytes stack frame, %d bytes spill stores, %d bytes spill loads
ptxas info    : Function properties for a function that it calls
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
"""


def test_the_audit_of_kernels(tmp_path: Path) -> None:
    source = 'extern "C" int %s() { return 1; }\n'
    libraries = {
        name: link_library(tmp_path, name, source % name)
        for name in ("specfast_backend", "specfast_other")
    }
    sound = libraries["specfast_backend"]
    assert audit_cuda.complaints(PTXAS % (0, 0), sound) == []
    assert audit_cuda.complaints(PTXAS % (4, 8), sound) == ["second spills 12 bytes on sm_90"]
    one_more = PTXAS % (0, 0) + "ptxas info : Compiling entry function 'first' for 'sm_80'\n"
    for log in ("", one_more):
        (complaint,) = audit_cuda.complaints(log, sound)
        assert complaint.startswith("every architecture must have all kernels")
    (complaint,) = audit_cuda.complaints(PTXAS % (0, 0), libraries["specfast_other"])
    assert "must export {'specfast_backend'}, received {'specfast_other'}" in complaint
