# SPDX-License-Identifier: BSD-3-Clause
"""The repository tests itself: layers, versions, lists of sources, what may stand in its files.

Each rule is a function from a repository root to a list of complaints.  It is applied to this
repository, where it must find nothing, and to a copy with a planted violation, where it must
find that.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Rule = Callable[[Path], list[str]]

# ---- The layers of the C++ sources ------------------------------------------

RUN = {"types", "c_abi", "base", "spec", "kernel_table", "plan", "run"}
# layer -> the layers that it may include
MAY_INCLUDE = {
    "c_abi": {"c_abi"},
    "cxx_api": {"c_abi", "cxx_api"},
    "types": set(),
    "kernel_table": {"types"},
    "kernel": {"types", "kernel_table", "kernel"},
    "isa": {"kernel"},
    "base": {"types", "c_abi", "base"},
    "spec": {"types", "c_abi", "base", "spec"},
    "plan": {"types", "c_abi", "base", "spec", "kernel_table", "plan"},
    "run": RUN,
    "device": {*RUN, "backend", "device"},
    "abi": {*RUN, "backend", "device", "abi"},
    "backend": {"types"},
    "cuda_kernel": {"types", "kernel_table", "backend", "kernel", "cuda_kernel"},
    "cuda": {"types", "kernel_table", "backend", "c_abi", "kernel", "cuda_kernel", "cuda"},
    "python": {"cxx_api", "python"},
}
ENGINE_WINGS = ("base", "spec", "plan", "run", "device", "abi")
# headers from outside -> the layers that may include them
RESERVED_HEADERS = {
    r"(imm|x86|[a-z]mm)intrin\.h|arm_neon\.h|pocketfft.*": {"kernel"},
    r"pybind11/.*|Python\.h": {"python"},
    r"cuda.*": {"cuda"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
OPENMP = re.compile(r'#\s*pragma\s+omp|_Pragma\s*\(\s*"omp|#\s*include\s*<omp\.h>|\b_OPENMP\b')


def layer_of(path: str) -> str:
    """The layer of a file, by its path below cpp/."""
    for pattern, layer in [
        (
            r"include/specfast/(specfast|types|plan|stream|gradient|inverse|griffin_lim|bands|tables|device|library)\.h",
            "c_abi",
        ),
        (r"include/specfast/(specfast|views|errors|inverse|griffin_lim)\.hpp", "cxx_api"),
        (r"seam/types\.h", "types"),
        (r"seam/kernel_table\.h", "kernel_table"),
        (r"seam/backend\.h", "backend"),
        *((rf"engine/{wing}/[a-z_0-9]+\.(h|cpp)", wing) for wing in ENGINE_WINGS),
        (r"kernels/((lanes|ops|transform)/)?[a-z_]+\.inl", "kernel"),
        (r"kernels/isa/[a-z0-9]+\.cpp", "isa"),
        (r"cuda/kernels/[a-z_]+\.(h|inl)", "cuda_kernel"),
        (r"cuda/[a-z_]+\.(inl|cu)", "cuda"),
        (r"python/[a-z_]+\.(h|cpp)", "python"),
    ]:
        if re.fullmatch(pattern, path):
            return layer
    return "unknown"


def cxx_files(root: Path) -> dict[str, str]:
    """Every C and C++ source: its path below cpp/ and its text."""
    files = [
        path
        for path in sorted((root / "cpp").rglob("*"))
        if path.is_file() and path.name not in ("CMakeLists.txt", "exports.map")
    ]
    return {path.relative_to(root / "cpp").as_posix(): path.read_text("utf-8") for path in files}


def includes(root: Path, path: str, text: str) -> Iterator[tuple[str, str | None]]:
    """Each include of a file: as written, and the path below cpp/ if it is one of ours."""
    cpp = root / "cpp"
    for name in INCLUDE.findall(text):
        for folder in [(cpp / path).parent, cpp, cpp / "include"]:
            if (folder / name).is_file():
                yield name, (folder / name).resolve().relative_to(cpp.resolve()).as_posix()
                break
        else:
            yield name, None


def layers_point_one_way(root: Path) -> list[str]:
    complaints = []
    for path, text in cxx_files(root).items():
        layer = layer_of(path)
        if layer == "unknown":
            complaints.append(f"cpp/{path} belongs to no layer known here")
            continue
        for name, ours in includes(root, path, text):
            if ours is not None and layer_of(ours) not in MAY_INCLUDE[layer]:
                complaints.append(f"cpp/{path} ({layer}) includes {name} ({layer_of(ours)})")
            for pattern, layers in RESERVED_HEADERS.items():
                if ours is None and re.fullmatch(pattern, name) and layer not in layers:
                    complaints.append(f"cpp/{path} ({layer}) includes {name}")
    return complaints


def integrations_see_the_cxx_api_only(root: Path) -> list[str]:
    """Programs of others would not have the rest."""
    return [
        f"{path.relative_to(root).as_posix()} includes {name}"
        for path in sorted((root / "integrations").rglob("*"))
        if path.suffix in {".h", ".cpp"}
        for name in INCLUDE.findall(path.read_text("utf-8"))
        if (root / "cpp" / name).exists() or re.fullmatch(r"specfast/\w+\.h", name)
    ]


def c_abi_needs_two_headers_only(root: Path) -> list[str]:
    headers = sorted((root / "cpp/include/specfast").glob("*.h"))
    allowed = {"stddef.h", "stdint.h", *(path.name for path in headers)}
    return [
        f"{path.name} includes {name}"
        for path in headers
        for name in INCLUDE.findall(path.read_text("utf-8"))
        if name not in allowed
    ]


def openmp_in_one_file(root: Path) -> list[str]:
    return [
        f"cpp/{path} speaks of OpenMP: {match[0]}"
        for path, text in cxx_files(root).items()
        if path != "engine/base/parallel.cpp" and (match := OPENMP.search(text))
    ]


def threads_start_in_batch_only(root: Path) -> list[str]:
    allowed = {
        *(
            f"engine/run/{name}.cpp"
            for name in (
                "batch",
                "gradient",
                "inverse",
                "inverse_gradient",
                "griffin_lim",
                "normalization_gradient",
                "top_db_gradient",
                "unmix",
            )
        ),
        *(f"engine/base/parallel.{suffix}" for suffix in ("cpp", "h")),
    }
    starts = re.compile(r"\bparallel_for\b|\bstd::(j?thread|async)\b|\bpthread_create\b")
    return [
        f"cpp/{path}: {match[0]}"
        for path, text in cxx_files(root).items()
        if path not in allowed and (match := starts.search(text))
    ]


def arithmetic_stays_exact(root: Path) -> list[str]:
    texts = {f"cpp/{path}": text for path, text in cxx_files(root).items()}
    for path in [root / "CMakeLists.txt", *sorted((root / "cmake").glob("*"))]:
        texts[path.relative_to(root).as_posix()] = path.read_text("utf-8")
    flags = re.compile(
        r"^[^#]*(-ffast-math|-Ofast|-funsafe-math|-fassociative-math)", re.MULTILINE
    )
    return [f"{path}: {match[1]}" for path, text in texts.items() if (match := flags.search(text))]


def cmake_lists_every_source(root: Path) -> list[str]:
    cmake = (root / "CMakeLists.txt").read_text("utf-8")
    built = set(re.findall(r"\bcpp/\S+?\.cpp", cmake))
    built |= {
        f"cpp/kernels/isa/{name}.cpp" for name in re.findall(r"specfast_add_isa\((\w+)", cmake)
    }
    there = {f"cpp/{path}" for path in cxx_files(root) if path.endswith(".cpp")}
    return [f"{path}: not in CMakeLists.txt" for path in sorted(there - built)] + [
        f"{path}: in CMakeLists.txt, but not there" for path in sorted(built - there)
    ]


# ---- What may stand in a file -----------------------------------------------


def own_files(root: Path) -> list[Path]:
    """The files of the repository: tracked and new ones; without git, what no build wrote."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        paths = [root / name for name in listed.stdout.split("\0") if name]
    else:
        hidden = re.compile(r"(\.venv.*|\..*_cache|\.hypothesis|build|dist|__pycache__|PKG-INFO)")
        paths = [
            path
            for path in root.rglob("*")
            if not any(hidden.fullmatch(part) for part in path.relative_to(root).parts)
        ]
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def text_files(root: Path) -> Iterator[tuple[str, str]]:
    for path in own_files(root):
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            yield path.relative_to(root).as_posix(), data.decode("utf-8")


def no_paths_of_one_machine(root: Path) -> list[str]:
    # The brackets keep this pattern from matching itself.
    machine = re.compile(r"(?<![\w.])/([w]ork|[r]oot|[h]ome|[t]mp|[U]sers)/[\w.]")
    complaints = []
    for path, text in text_files(root):
        for number, line in enumerate(text.splitlines(), 1):
            if match := machine.search(line):
                complaints.append(f"{path}:{number}: path of one machine: {match[0]}")
    return complaints


def stands_without_its_surroundings(root: Path) -> list[str]:
    """No registry's host name anywhere, no folder beside the repository outside tests and CI."""
    hosts = re.compile(r"[p]ypi\.org|[p]ythonhosted|[d]ebian\.org|[r]egistry\.npm", re.IGNORECASE)
    beside = re.compile(r"[.][.]/shared")
    complaints = []
    for path, text in text_files(root):
        exempt = path.startswith(("tests/", ".ci/"))
        for pattern in [hosts] if exempt else [hosts, beside]:
            complaints += [f"{path}: {match[0]}" for match in pattern.finditer(text)]
    return complaints


def folders_of_pytest(root: Path) -> list[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return list(project["tool"]["pytest"]["ini_options"]["testpaths"])


def every_test_is_run(root: Path) -> list[str]:
    """A folder with tests is one of those that pytest finds, or one that the Makefile runs."""
    run = re.findall(r"tests/\w+", (root / "Makefile").read_text("utf-8"))
    folders = {f"tests/{path.parent.name}" for path in root.glob("tests/*/test_*.py")}
    return [
        f"nobody runs {folder}" for folder in sorted(folders - {*folders_of_pytest(root), *run})
    ]


def names_of_tests_differ(root: Path) -> list[str]:
    """Two test files of one name cannot be collected together."""
    files = [
        path
        for folder in folders_of_pytest(root)
        for path in sorted((root / folder).rglob("test_*.py"))
    ]
    first = {path.name: path for path in reversed(files)}
    return [
        f"{path.relative_to(root)} has the name of {first[path.name].relative_to(root)}"
        for path in files
        if path != first[path.name]
    ]


def files_are_one_room_each(root: Path) -> list[str]:
    sources = {".py", ".pyi", ".h", ".hpp", ".cpp", ".inl", ".cmake"}
    return [
        f"{path} has {lines} lines, more than 500"
        for path, text in text_files(root)
        if Path(path).suffix in sources and (lines := len(text.splitlines())) > 500
    ]


def sources_state_their_licence(root: Path) -> list[str]:
    sources = {".py", ".pyi", ".h", ".hpp", ".c", ".cpp", ".cu", ".inl", ".cmake", ".in", ".map"}
    sources |= {".sh", ".toml", ".yml", ".yaml", ".cff"}
    names = {"Makefile", "CMakeLists.txt", "release", "rules", "run", "control"}
    return [
        f"{path} has no SPDX-License-Identifier"
        for path, text in text_files(root)
        if (Path(path).suffix in sources or Path(path).name in names)
        and text
        and "SPDX-License-Identifier: BSD-3-Clause" not in text
    ]


# ---- The rules hold here, and each can fail ---------------------------------

# rule, file to change, text to append (or (old, new) to replace), what the complaint must name
PLANTED: list[tuple[Rule, str, str | tuple[str, str], str]] = [
    (
        layers_point_one_way,
        "cpp/engine/plan/plan.cpp",
        '#include "kernels/tile.inl"\n',
        "tile.inl",
    ),
    *(
        (layers_point_one_way, f"cpp/engine/{wing}/{file}", f'#include "{include}"\n', include)
        for wing, file, include in [
            ("base", "checked.cpp", "engine/spec/config.h"),
            ("base", "checked.cpp", "seam/kernel_table.h"),
            ("spec", "recipe.cpp", "engine/plan/plan.h"),
            ("spec", "recipe.cpp", "seam/kernel_table.h"),
            ("plan", "plan.cpp", "engine/run/job.h"),
            ("run", "batch.cpp", "engine/abi/handles.h"),
        ]
    ),
    (layers_point_one_way, "cpp/engine/plan/plan.cpp", "#include <immintrin.h>\n", "immintrin.h"),
    (layers_point_one_way, "cpp/kernels/tile.inl", '#include "engine/plan/plan.h"\n', "plan.h"),
    (
        layers_point_one_way,
        "cpp/kernels/isa/avx2.cpp",
        '#include "seam/types.h"\n',
        "types.h",
    ),
    (
        layers_point_one_way,
        "cpp/python/module.cpp",
        "#include <specfast/specfast.h>\n",
        "specfast.h",
    ),
    (
        layers_point_one_way,
        "cpp/python/module.cpp",
        '#include "engine/plan/plan.h"\n',
        "engine/plan/plan.h",
    ),
    (
        layers_point_one_way,
        "cpp/engine/plan/plan.cpp",
        "#include <pybind11/numpy.h>\n",
        "pybind11",
    ),
    (layers_point_one_way, "cpp/attic/old.cpp", "int x;\n", "cpp/attic/old.cpp"),
    (
        c_abi_needs_two_headers_only,
        "cpp/include/specfast/specfast.h",
        "#include <stdio.h>\n",
        "specfast.h includes stdio.h",
    ),
    (
        c_abi_needs_two_headers_only,
        "cpp/include/specfast/stream.h",
        '#include "specfast.hpp"\n',
        "stream.h includes specfast.hpp",
    ),
    (
        integrations_see_the_cxx_api_only,
        "integrations/vamp/mel.cpp",
        "#include <specfast/plan.h>\n",
        "specfast/plan.h",
    ),
    (
        integrations_see_the_cxx_api_only,
        "integrations/vamp/mel.cpp",
        '#include "engine/plan/plan.h"\n',
        "engine/plan/plan.h",
    ),
    (openmp_in_one_file, "cpp/engine/run/batch.cpp", "#pragma omp parallel for\n", "batch.cpp"),
    (openmp_in_one_file, "cpp/engine/plan/plan.cpp", "#include <omp.h>\n", "plan.cpp"),
    (threads_start_in_batch_only, "cpp/engine/plan/plan.cpp", "std::thread t;\n", "plan.cpp"),
    (
        threads_start_in_batch_only,
        "cpp/engine/abi/plan.cpp",
        "parallel_for(1, 1, 1, f);\n",
        "abi/plan.cpp",
    ),
    (
        arithmetic_stays_exact,
        "CMakeLists.txt",
        "add_compile_options(-ffast-math)\n",
        "-ffast-math",
    ),
    (cmake_lists_every_source, "cpp/engine/plan/forgotten.cpp", "int x;\n", "forgotten.cpp"),
    (
        cmake_lists_every_source,
        "CMakeLists.txt",
        ("cpp/engine/plan/plan.cpp", "cpp/engine/plan/pan.cpp"),
        "pan",
    ),
    (no_paths_of_one_machine, "README.md", "see /" + "home/me/notes\n", "README.md"),
    (stands_without_its_surroundings, "README.md", "https://py" + "pi.org\n", "README.md"),
    (stands_without_its_surroundings, "docs/design.md", "see .." + "/shared\n", "design.md"),
    (files_are_one_room_each, "cpp/engine/plan/plan.cpp", "\n" * 501, "plan.cpp"),
    (sources_state_their_licence, "cpp/engine/plan/stray.h", "int x;\n", "stray.h"),
    (sources_state_their_licence, "packages/stray/Makefile", "all:\n", "stray/Makefile"),
    (every_test_is_run, "tests/stray/test_stray.py", "\n", "tests/stray"),
    (names_of_tests_differ, "tests/layers/test_codebase.py", "\n", "test_codebase.py"),
]
RULES = list(dict.fromkeys(rule for rule, *_ in PLANTED))


@pytest.fixture(scope="module")
def pristine_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("repository")
    for path in own_files(ROOT):
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return copy


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize(
    ("rule", "file", "change", "named"),
    PLANTED,
    ids=[f"{rule.__name__}-{i}" for i, (rule, *_) in enumerate(PLANTED)],
)
def test_rule_can_fail(
    rule: Rule, file: str, change: str | tuple[str, str], named: str, pristine_copy: Path
) -> None:
    before = set(rule(pristine_copy))
    path = pristine_copy / file
    original = path.read_bytes() if path.exists() else None
    text = original.decode("utf-8") if original is not None else ""
    changed = text + "\n" + change if isinstance(change, str) else text.replace(*change, 1)
    assert changed != text, f"nothing was planted in {file}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(changed, encoding="utf-8")
    try:
        new = set(rule(pristine_copy)) - before
    finally:
        if original is None:
            path.unlink()
        else:
            path.write_bytes(original)
    assert any(named in complaint for complaint in new), new


# ---- The installed package --------------------------------------------------


def test_installed_version_is_the_project_s() -> None:
    import specfast

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert specfast.__version__ == project
    assert specfast.build_info()["version"] == project


def test_import_loads_no_optional_package() -> None:
    code = "import sys, specfast; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    optional = {"scipy", "soundfile", "matplotlib", "click", "keras", "tensorflow", "torch", "jax"}
    assert not optional & set(result.stdout.split())
