# SPDX-License-Identifier: BSD-3-Clause
"""The installed library: what it exports, and the programs of the guide built against it.

Run by `make embedding`, which builds and installs the library first.
"""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import specfast

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ROOT / "cpp/include/specfast"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*command: object, **settings: object) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **settings,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return str(done.stdout)


def programs() -> dict[str, tuple[str, str, str]]:
    """The programs of the guide: name -> (language, text, what the page says it prints)."""
    found = {}
    for page in ("embedding", "streams"):
        text = (ROOT / f"docs/{page}.md").read_text("utf-8")
        matches = re.finditer(r"^```(c|cpp)\n(.*?)^```\n\s*It prints `(.*?)`", text, re.M | re.S)
        for number, match in enumerate(matches, 1):
            found[f"{page}-{number}-{match[1]}"] = (match[1], match[2], match[3])
        assert len(re.findall(r"^```(?:c|cpp)$", text, re.M)) == sum(page in n for n in found)
    return found


PROGRAMS = programs()
each_program = pytest.mark.parametrize("name", PROGRAMS)


def cmake_project() -> str:
    """The CMakeLists.txt of the guide."""
    text = (ROOT / "docs/embedding.md").read_text("utf-8")
    blocks = re.findall(r"^```cmake\n(.*?)^```$", text, re.M | re.S)
    assert len(blocks) == 1
    return str(blocks[0])


def write_source(folder: Path, name: str) -> Path:
    language, text, _ = PROGRAMS[name]
    source = folder / f"example.{language}"
    source.write_text(text, encoding="utf-8")
    return source


def build_with_cmake(folder: Path, name: str, *options: str, languages: str = "") -> str:
    """Builds the project of the guide; returns what its program prints."""
    write_source(folder, name)
    project = cmake_project()
    if languages:
        project = project.replace("LANGUAGES C CXX", f"LANGUAGES {languages}")
    (folder / "CMakeLists.txt").write_text(project, encoding="utf-8")
    build = folder / "build"
    flags = " ".join(WARNINGS)
    run("cmake", "-G", "Ninja", "-S", folder, "-B", build, *options,
        f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}")  # fmt: skip
    run("cmake", "--build", build)
    return run(build / "example")


def build_with_pkg_config(folder: Path, name: str, pkgconfig: Path, *, static: bool) -> str:
    source = write_source(folder, name)
    compiler = ["cc", "-std=c99"] if source.suffix == ".c" else ["c++", "-std=c++17", "-pthread"]
    environment = {"PATH": "/usr/bin:/bin", "PKG_CONFIG_PATH": str(pkgconfig)}
    flags = run("pkg-config", "--cflags", "--libs", *["--static"] * static, "specfast",
                env=environment)  # fmt: skip
    words = shlex.split(flags)
    if static:
        words = [
            f"{word[2:]}/libspecfast.a" if word.startswith("-L") else word
            for word in words
            if word != "-lspecfast"
        ]
    run(*compiler, *WARNINGS, source, "-o", folder / "example", *words, "-lm")
    return run(folder / "example")


def prints(name: str, output: str) -> bool:
    return output == PROGRAMS[name][2] + "\n"


# ---- The programs of the guide, as they stand there ---------------------------------------------


@each_program
@pytest.mark.parametrize("kind", ["shared", "static"])
def test_cmake(name: str, kind: str, prefix: Path, tmp_path: Path) -> None:
    options = [f"-DCMAKE_PREFIX_PATH={prefix}"]
    options += ["-Dspecfast_USE_STATIC_LIBS=ON"] * (kind == "static")
    assert prints(name, build_with_cmake(tmp_path, name, *options))
    needed = run("readelf", "-d", tmp_path / "build/example")
    assert ("libspecfast.so.0.1" in needed) == (kind == "shared")


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_a_project_without_cxx(kind: str, prefix: Path, tmp_path: Path) -> None:
    name = next(name for name in PROGRAMS if name.endswith("-c"))
    options = [f"-DCMAKE_PREFIX_PATH={prefix}"]
    options += ["-Dspecfast_USE_STATIC_LIBS=ON"] * (kind == "static")
    assert prints(name, build_with_cmake(tmp_path, name, *options, languages="C"))


@each_program
@pytest.mark.parametrize("static", [False, True])
def test_pkg_config(name: str, static: bool, prefix: Path, tmp_path: Path) -> None:
    pkgconfig = next(prefix.rglob("pkgconfig"))
    assert prints(name, build_with_pkg_config(tmp_path, name, pkgconfig, static=static))


def shown_program(folder: Path) -> str:
    """Writes the first C program of the guide, on which its commands are tried."""
    name = next(name for name in PROGRAMS if name.startswith("embedding") and name.endswith("-c"))
    write_source(folder, name)
    return name


def try_commands_of_the_guide(pkgconfig: Path, folder: Path, *, static: bool) -> None:
    """Runs the lines that the guide shows for pkg-config, as they stand there."""
    text = (ROOT / "docs/embedding.md").read_text("utf-8")
    lines = re.findall(r"^cc .*pkg-config.*$", text, re.M)
    assert len(lines) == 2
    name = shown_program(folder)
    environment = {"PATH": "/usr/bin:/bin", "PKG_CONFIG_PATH": str(pkgconfig)}
    for line in lines[: 1 + static]:
        printed = run("sh", "-ec", f"{line}\n./example", cwd=folder, env=environment)
        assert prints(name, printed), line


def test_the_commands_of_the_guide(installed: Path, tmp_path: Path) -> None:
    try_commands_of_the_guide(next(installed.rglob("pkgconfig")), tmp_path, static=True)


def test_the_commands_of_the_guide_with_the_wheel(tmp_path: Path) -> None:
    pkgconfig = Path(specfast.get_include()).parent / "lib/pkgconfig"
    try_commands_of_the_guide(pkgconfig, tmp_path, static=False)


def test_a_library_that_moves_is_named_at_the_start(installed: Path, tmp_path: Path) -> None:
    text = (ROOT / "docs/embedding.md").read_text("utf-8")
    (start,) = re.findall(r"^LD_LIBRARY_PATH=.*$", text, re.M)
    shared = re.findall(r"^cc .*pkg-config.*$", text, re.M)[0]
    for prefix in ("before", "after"):
        shutil.copytree(installed, tmp_path / prefix, symlinks=True)
    before, after = (next((tmp_path / p).rglob("pkgconfig")) for p in ("before", "after"))
    name = shown_program(tmp_path)
    environment = {"PATH": "/usr/bin:/bin", "PKG_CONFIG_PATH": str(before)}
    run("sh", "-ec", shared, cwd=tmp_path, env=environment)
    shutil.rmtree(tmp_path / "before")
    with pytest.raises(AssertionError, match="error while loading shared libraries"):
        run("sh", "-ec", "./example", cwd=tmp_path, env=environment)
    environment["PKG_CONFIG_PATH"] = str(after)
    assert prints(name, run("sh", "-ec", start, cwd=tmp_path, env=environment))


@pytest.mark.parametrize(("prefix", "has"), [("/usr", False), ("/opt/specfast", True)])
def test_only_a_prefix_of_the_system_has_no_run_path(
    prefix: str, has: bool, tmp_path: Path
) -> None:
    run("cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", f"-DCMAKE_INSTALL_PREFIX={prefix}")
    assert ("-Wl,-rpath," in (tmp_path / "specfast.pc").read_text("utf-8")) == has


@each_program
def test_wheel_with_cmake(name: str, tmp_path: Path) -> None:
    option = f"-Dspecfast_DIR={specfast.get_cmake_dir()}"
    assert prints(name, build_with_cmake(tmp_path, name, option))
    linked = run("ldd", tmp_path / "build/example")
    assert str(Path(specfast.get_include()).parent / "lib") in linked


@each_program
def test_wheel_with_pkg_config(name: str, tmp_path: Path) -> None:
    pkgconfig = Path(specfast.get_include()).parent / "lib/pkgconfig"
    assert prints(name, build_with_pkg_config(tmp_path, name, pkgconfig, static=False))


def test_the_wheel_has_no_static_library(tmp_path: Path) -> None:
    name = next(iter(PROGRAMS))
    with pytest.raises(AssertionError, match="this specfast has no static library"):
        build_with_cmake(
            tmp_path,
            name,
            f"-Dspecfast_DIR={specfast.get_cmake_dir()}",
            "-Dspecfast_USE_STATIC_LIBS=ON",
        )


# ---- What is in it ------------------------------------------------------------------------------


def declared() -> set[str]:
    text = "".join(path.read_text("utf-8") for path in sorted(HEADERS.glob("*.h")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return set(re.findall(r"\b(specfast_\w+)\s*\(", text)) - {"specfast_task", "specfast_runner"}


def libraries(prefix: Path) -> list[Path]:
    wheel = Path(specfast.get_include()).parent / "lib/libspecfast.so.0.1"
    return [*prefix.rglob("libspecfast.so"), wheel]


def test_only_specfast_is_exported(prefix: Path) -> None:
    assert len(libraries(prefix)) == 2
    for library in libraries(prefix):
        lines = run("nm", "-D", "--defined-only", library).splitlines()
        exported = {line.split()[-1].partition("@")[0] for line in lines}
        assert exported - {"SPECFAST_0"} == declared(), library


def test_the_static_library_keeps_to_its_names(prefix: Path) -> None:
    archive = next(prefix.rglob("libspecfast.a"))
    lines = run("nm", "--defined-only", "-C", archive).splitlines()
    strong = [line for line in lines if re.match(r"[0-9a-f]+ [TDBR] ", line)]
    assert len(strong) > 50
    assert [line for line in strong if "specfast" not in line] == []


def test_a_library_from_source_has_no_openmp(prefix: Path) -> None:
    library = next(prefix.rglob("libspecfast.so"))
    assert "gomp" not in run("readelf", "-d", library)
    assert "GOMP_" not in run("nm", next(prefix.rglob("libspecfast.a")))


def test_the_name_has_the_version_of_the_abi(prefix: Path) -> None:
    for library in libraries(prefix):
        assert "soname: [libspecfast.so.0.1]" in run("readelf", "-d", library)


def test_nothing_says_where_it_was_installed(prefix: Path, installed: Path) -> None:
    texts = [*prefix.rglob("*.cmake"), *prefix.rglob("*.pc"), *prefix.rglob("*.h*")]
    assert len(texts) >= 7
    for path in texts:
        text = path.read_text("utf-8")
        assert str(installed) not in text, path
        assert str(ROOT) not in text, path


def test_the_wheel_s_entry_points() -> None:
    for group, value in [("cmake.root", "specfast"), ("pkg_config", "specfast.lib.pkgconfig")]:
        points = importlib.metadata.entry_points(group=group, name="specfast")
        assert [point.value for point in points] == [value]
        folder = run(sys.executable, "-c", "import importlib.resources, sys\n"
                     "print(importlib.resources.files(sys.argv[1]))", value)  # fmt: skip
        assert "specfast" in folder
    installed = Path(specfast.get_include()) / "specfast"
    assert sorted(path.name for path in installed.iterdir()) == sorted(
        path.name for path in HEADERS.iterdir()
    )
    for path in HEADERS.iterdir():
        assert (installed / path.name).read_bytes() == path.read_bytes(), path


# ---- C++: a runner that misbehaves, views -------------------------------------------------------

RUNNERS = r"""
#include <specfast/specfast.hpp>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

namespace {
void backwards(void*, int32_t n, specfast_task task, void* argument) {
  while (n-- > 0) task(argument, n);
}
void only_one(void*, int32_t n, specfast_task task, void* argument) { task(argument, n + 77); }
void too_often(void*, int32_t n, specfast_task task, void* argument) {
  std::vector<std::thread> threads;
  for (int32_t i = 0; i < 5 * n; ++i) threads.emplace_back(task, argument, 0);
  for (std::thread& thread : threads) thread.join();
}
void never(void*, int32_t, specfast_task, void*) {}
void counting(void* count, int32_t n, specfast_task task, void* argument) {
  *static_cast<int*>(count) = n;
  backwards(nullptr, n, task, argument);
}
}  // namespace

int main() {
  const specfast::Plan plan(specfast::default_config(SPECFAST_MODE_LOG));
  std::vector<int16_t> samples(1 << 20);
  for (std::size_t n = 0; n < samples.size(); ++n) samples[n] = int16_t(n * n % 65521);
  specfast::Signals signals = specfast::contiguous(samples.data(), 1, int64_t(samples.size()));
  signals.scale = 1.0 / 32768;
  std::vector<float> alone(plan.num_values(signals)), other(alone.size());
  const specfast::Frames frames = specfast::by_frame(other);
  specfast::Workspace one(plan, 1);
  plan.execute(one, signals, specfast::by_frame(alone));
  int tasks = 0;
  for (specfast_runner runner : {backwards, only_one, too_often, counting}) {
    std::memset(other.data(), 0, other.size() * sizeof(float));
    specfast::Workspace workspace(plan, 3, runner, &tasks);
    plan.execute(workspace, signals, frames);
    if (std::memcmp(alone.data(), other.data(), alone.size() * sizeof(float)) != 0) return 1;
  }
  if (tasks != 3) return 2;
  specfast_batch batch = plan.batch_of(signals, frames);
  specfast::Workspace lazy(plan, 3, never, nullptr);
  if (specfast_execute(plan.get(), lazy.get(), &batch) != SPECFAST_E_INVALID_ARGUMENT) return 3;
  std::printf("%s\n", specfast_last_error());
  specfast_workspace* none;
  for (int32_t threads : {0, -1, 4097})
    if (specfast_workspace_create_with_runner(plan.get(), threads, backwards, nullptr, &none) !=
            SPECFAST_E_INVALID_ARGUMENT || none) return 4;
  if (specfast_workspace_create_with_runner(plan.get(), 1, nullptr, nullptr, &none) == SPECFAST_OK)
    return 5;
  for (double scale : {1e-60, -1e60, 0.0 / 0.0, 1.0 / 0.0}) {
    batch.in_scale = scale;
    if (specfast_execute(plan.get(), one.get(), &batch) != SPECFAST_E_INVALID_ARGUMENT) return 6;
  }
  std::printf("%s\n", specfast_last_error());
}
"""


def test_runners(prefix: Path, tmp_path: Path) -> None:
    """Any order and number of calls gives the bits of one thread; work left undone is an error."""
    source = tmp_path / "runners.cpp"
    source.write_text(RUNNERS, encoding="utf-8")
    archive = next(prefix.rglob("libspecfast.a"))
    include = prefix / "include"
    run("c++", "-std=c++17", "-g", *WARNINGS, "-pthread", "-I", include, source, archive,
        "-o", tmp_path / "runners")  # fmt: skip
    first, second = run(tmp_path / "runners").splitlines()
    assert first.startswith("runner must return when every task has returned, received a runner")
    assert "received in_scale=inf" in second


def test_views(prefix: Path, tmp_path: Path) -> None:
    archive = next(prefix.rglob("libspecfast.a"))
    run("c++", "-std=c++17", "-g", *WARNINGS, "-pthread", "-I", prefix / "include",
        ROOT / "tests/embedding/views.cpp", archive, "-o", tmp_path / "views")  # fmt: skip
    assert run(tmp_path / "views") == "ok\n"
