# SPDX-License-Identifier: BSD-3-Clause
"""Prints the oldest versions that pyproject.toml claims to work with, as constraints for pip.

    python tools/floors.py > floors.txt
    PIP_CONSTRAINT=floors.txt make test

`numpy>=1.23` becomes `numpy==1.23`. What builds the package counts as well; linters and the
frameworks of the adapters have environments of their own and do not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?\s*>=\s*([\d.]+)\s*(?:;.*)?")


def requirements(project: dict[str, Any]) -> Iterator[str]:
    """Yields what the package, its extras, its build and its tests require."""
    yield from project["build-system"]["requires"]
    for override in project["tool"]["scikit-build"]["overrides"]:
        yield from override.get("build", {}).get("requires", [])
    yield from project["project"]["dependencies"]
    for extra in project["project"]["optional-dependencies"].values():
        yield from extra
    for group in ("build", "test"):
        yield from project["dependency-groups"][group]


def floors(project: dict[str, Any]) -> list[str]:
    """Returns a constraint for each requirement.

    Raises:
        ValueError: for a requirement without a lower bound, or two of one package that differ.
    """
    found: dict[str, str] = {}
    for requirement in requirements(project):
        if requirement.startswith("specfast["):
            continue
        match = REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise ValueError(f"no lower bound: {requirement!r}")
        constraint = f"{match[1]}=={match[2]}"
        if found.setdefault(match[1], constraint) != constraint:
            raise ValueError(f"two lower bounds: {found[match[1]]} and {constraint}")
    return sorted(found.values())


if __name__ == "__main__":
    print("\n".join(floors(tomllib.loads(PYPROJECT.read_text("utf-8")))))
