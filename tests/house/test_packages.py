# SPDX-License-Identifier: BSD-3-Clause
"""What packagers and workflows read agrees: versions, pins of tools, steps, hashes of actions.

Each rule is a function from a repository root to a list of complaints, as in test_codebase.py.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Rule = Callable[[Path], list[str]]
VERSION = r"(\d[^\s\"',]*)"
# Where the version stands; files that read it from another one are not here.
STATED = {
    "CMakeLists.txt": rf"project\(specfast VERSION {VERSION}",
    "CHANGELOG.md": rf"^## \[?v?{VERSION}\]",
    "CITATION.cff": rf"^version: {VERSION}",
    "python/specfast/_engine/build.py": rf"^VERSION = \"{VERSION}\"",
    "packages/conda/recipe.yaml": rf"^  version: \"{VERSION}\"",
    "packages/cuda12/pyproject.toml": rf"^version = \"{VERSION}\"",
    "packages/cuda13/pyproject.toml": rf"^version = \"{VERSION}\"",
    "packages/debian/changelog": r"^specfast \(([\d.]+)-\d+\)",
    "packages/vcpkg/vcpkg.json": rf"\"version-semver\": \"{VERSION}\"",
}
# The library for GPUs and the package are of one version.
NEEDED = {
    "packages/cuda12/pyproject.toml": rf"\"specfast=={VERSION}\"",
    "packages/cuda13/pyproject.toml": rf"\"specfast=={VERSION}\"",
}
DEBIAN = "packages/debian"
WORKFLOWS = ".github/workflows"


def project_version(root: Path) -> str:
    text = (root / "pyproject.toml").read_text("utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def versions_agree(root: Path) -> list[str]:
    version, complaints = project_version(root), []
    for path, pattern in [*STATED.items(), *NEEDED.items()]:
        match = re.search(pattern, (root / path).read_text("utf-8"), re.MULTILINE)
        found = match[1] if match else "nothing"
        if found != version:
            complaints.append(f"{path} says version {found}, pyproject.toml {version}")
    return complaints


def debian_names_the_abi(root: Path) -> list[str]:
    """Before 1.0 each minor version has an ABI of its own, and Debian a package for each."""
    abi = ".".join(project_version(root).split(".")[:2])
    text = (root / DEBIAN / "control").read_text("utf-8")
    names = {*re.findall(r"\blibspecfast[\d.]*\d\b", text)}
    names |= {path.stem for path in (root / DEBIAN).glob("libspecfast[0-9]*.install")}
    return [f"{DEBIAN} has {name}" for name in sorted(names) if name != f"libspecfast{abi}"]


def no_version_stands_elsewhere(root: Path) -> list[str]:
    """A version that nobody compares would be forgotten."""
    version = re.compile(rf"(?<![\d.=]){re.escape(project_version(root))}(?![\d.])")
    sources = [*root.glob("packages/**/*"), *root.glob("cmake/*"), *root.glob(f"{WORKFLOWS}/*")]
    return [
        f"{path.relative_to(root).as_posix()} has the version, and no rule compares it"
        for path in sources
        if path.is_file()
        and path.suffix != ".pyc"
        and path.relative_to(root).as_posix() not in STATED
        and version.search(path.read_text("utf-8"))
    ]


def tools_are_pinned_alike(root: Path) -> list[str]:
    """The hooks of pre-commit have the versions that `make lint` and `make review` install."""
    groups = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    pins = {
        re.sub(r"\[.*\]", "", pin.split(";")[0].split("==")[0]): pin.split(";")[0].split("==")[1]
        for pin in (*groups["lint"], *groups["review"])
    }
    hooks = (root / ".pre-commit-config.yaml").read_text("utf-8")
    repositories = re.findall(r"- repo: \S+/(\S+)\n\s+rev: v(\S+)\n", hooks)
    complaints = []
    for name, revision in repositories:
        tool = re.sub(r"^mirrors-|-pre-commit$", "", name)
        if tool != "pre-commit-hooks" and pins.get(tool) != revision:
            complaints.append(f"pre-commit has {tool} {revision}, pyproject.toml {pins.get(tool)}")
    return complaints if len(repositories) > 4 else ["no hooks were found"]


def actions_are_pinned_by_hash(root: Path) -> list[str]:
    """With the version in a comment, which dependabot renews too."""
    pinned = re.compile(r"uses: (\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\S+)\s*")
    return [
        f"{path.name}:{number}: {line.strip()}"
        for path in sorted((root / WORKFLOWS).glob("*.yml"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if "uses:" in line and not pinned.fullmatch(line.strip().removeprefix("- "))
    ]


def workflows_run_every_step(root: Path) -> list[str]:
    """The matrix of the workflow `tests` has the steps of .ci/run, each once."""
    script = (root / ".ci/run").read_text("utf-8")
    real = sorted(set(re.findall(r"^ *(?:[a-z]+\(\) \{ )?step ([a-z0-9-]+) ", script, re.M)))
    text = (root / WORKFLOWS / "tests.yml").read_text("utf-8")
    run = sorted(
        name for steps in re.findall(r"steps: ([a-z0-9 -]+) \}", text) for name in steps.split()
    )
    return [
        f"{name}: {run.count(name)} times in tests.yml" for name in real if run.count(name) != 1
    ] + [f"{name}: no step of .ci/run" for name in run if name not in real]


PLANTED: list[tuple[Rule, str, tuple[str, str], str]] = [
    (versions_agree, "pyproject.toml", ('\nversion = "', '\nversion = "9'), "CMakeLists.txt"),
    *(
        (versions_agree, path, (found, f"9{found}"), f"{path} says version 9")
        for path, pattern in [*STATED.items(), *NEEDED.items()]
        for found in re.findall(pattern, (ROOT / path).read_text("utf-8"), re.M)[:1]
    ),
    (debian_names_the_abi, "pyproject.toml", ('\nversion = "', '\nversion = "9'), "libspecfast"),
    (debian_names_the_abi, f"{DEBIAN}/control", ("libspecfast0", "libspecfast7"), "libspecfast7"),
    (
        no_version_stands_elsewhere,
        "cmake/isa.cmake",
        ("\n", f"\nset(x {project_version(ROOT)})\n"),
        "cmake/isa.cmake",
    ),
    (tools_are_pinned_alike, "pyproject.toml", ("ruff==", "ruff==9."), "ruff"),
    (tools_are_pinned_alike, "pyproject.toml", ("zizmor==", "zizmor==9."), "zizmor"),
    (actions_are_pinned_by_hash, f"{WORKFLOWS}/tests.yml", (" # v6", " # version 6"), "tests.yml"),
    (
        actions_are_pinned_by_hash,
        f"{WORKFLOWS}/docs.yml",
        ("checkout@de", "checkout@"),
        "docs.yml",
    ),
    (workflows_run_every_step, ".ci/run", ("step fuzz ", "step fuzzes "), "fuzzes: 0 times"),
    (workflows_run_every_step, ".ci/run", ("step fuzz ", "step fuzzes "), "fuzz: no step"),
    (
        workflows_run_every_step,
        f"{WORKFLOWS}/tests.yml",
        (" fuzz ", " fuzz lint "),
        "lint: 2 times",
    ),
]
RULES = list(dict.fromkeys(rule for rule, *_ in PLANTED))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_of_packages_holds(rule: Rule) -> None:
    assert rule(ROOT) == []


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the rules read."""
    folder = tmp_path_factory.mktemp("packages")
    skip = shutil.ignore_patterns("__pycache__")
    for name in (".ci", ".github", "cmake", "packages"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    for name in (*STATED, "pyproject.toml", ".pre-commit-config.yaml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("rule", "file", "change", "named"),
    PLANTED,
    ids=[f"{rule.__name__}-{i}" for i, (rule, *_) in enumerate(PLANTED)],
)
def test_rule_of_packages_can_fail(
    rule: Rule, file: str, change: tuple[str, str], named: str, copy: Path
) -> None:
    path = copy / file
    original = path.read_text("utf-8")
    changed = original.replace(*change, 1)
    assert changed != original, f"nothing was planted in {file}"
    path.write_text(changed, encoding="utf-8")
    try:
        assert any(named in complaint for complaint in rule(copy)), rule(copy)
    finally:
        path.write_text(original, encoding="utf-8")
