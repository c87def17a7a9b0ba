# SPDX-License-Identifier: BSD-3-Clause
"""CONTRIBUTING.md tells the truth: its map, its lists of files, its tables of commands and tests.

Each rule is a function from the page to a list of complaints. It finds nothing in the page as it
is, and what is wrong in a page with a planted violation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

Rule = Callable[[str], list[str]]

HOW_TO = (
    "Add a mode",
    "Add an argument",
    "Add a field of front ends",
    "Add a level operation",
    "Add a scope operation",
    "Add an instruction set",
)
# "1. `path`: `identifier`, text" or "1. New, like `path`: `identifier`, text"
ITEM = re.compile(r"^\d+\. (?:New, like )?`([^`]+)`: `([^`]+)`, \w", re.M)


def section(page: str, title: str) -> str:
    """Returns the text below a heading, up to the next heading of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,3}} |\Z)", page, re.M | re.S)
    return found.group(2) if found else ""


def names(text: str, identifier: str) -> bool:
    """Tells whether the identifier stands in a text as a word of its own."""
    return bool(re.search(rf"(?<!\w){re.escape(identifier)}(?!\w)", text))


def folders_with_files(room: str) -> Iterator[str]:
    files = [path for path in (ROOT / room).rglob("*") if path.is_file()]
    for folder in sorted({path.parent for path in files}):
        if folder.name != "__pycache__":
            yield folder.relative_to(ROOT).as_posix()


def wrong_lists(page: str) -> list[str]:
    """Each list of files says where to begin, and how many files it has."""
    complaints = []
    for title in HOW_TO:
        text = section(page, title)
        numbered = re.findall(r"^\d+\. ", text, re.M)
        items = ITEM.findall(text)
        counts = [int(count) for count in re.findall(r"\*\*(\d+) files:\*\*", text)]
        if len(items) != len(numbered):
            complaints.append(f"{title}: an entry without a file and an identifier")
        if counts != [len(numbered)]:
            complaints.append(f"{title}: {len(numbered)} files, the page says {counts}")
        if len({path for path, _ in items}) != len(items):
            complaints.append(f"{title}: a file stands twice")
        for path, identifier in items:
            if not (ROOT / path).is_file():
                complaints.append(f"{title}: there is no file {path}")
            elif not names((ROOT / path).read_text("utf-8"), identifier):
                complaints.append(f"{title}: {path} does not have {identifier}")
    return complaints


def wrong_paths(page: str) -> list[str]:
    """Each path between backticks, here with a slash and an ending, leads to a file."""
    paths = re.findall(r"`((?:[\w.]+/)+\w+\.\w+)`", page)
    return [f"there is no file {path}" for path in paths if not (ROOT / path).is_file()]


def wrong_map(page: str) -> list[str]:
    """The folders of the map exist, with a phrase each, and no room of the sources is missing."""
    blocks = re.findall(r"^```\n(.*?)^```$", section(page, "Map of the house"), re.M | re.S)
    lines = [line for block in blocks[:1] for line in block.splitlines()]
    rooms = {line.split("/ ")[0] for line in lines}
    wanted = {*folders_with_files("cpp"), *folders_with_files("python/specfast")}
    return [
        *(
            f"not a folder and a phrase: {line}"
            for line in lines
            if not re.match(r"\S+/ +\w", line)
        ),
        *(f"there is no folder {room}" for room in sorted(rooms) if not (ROOT / room).is_dir()),
        *(f"the map lacks {room}" for room in sorted(wanted - rooms)),
    ]


def wrong_tests(page: str) -> list[str]:
    """The table of tests has the folders of tests/, no others."""
    listed = set(re.findall(r"^\| `(tests/\w+)` \| \w", section(page, "Tests"), re.M))
    real = {path for path in folders_with_files("tests") if path.count("/") == 1}
    return [f"only in one of page and repository: {path}" for path in sorted(listed ^ real)]


def wrong_commands(page: str) -> list[str]:
    """The table of commands has the targets of the Makefile, no others."""
    listed = set(re.findall(r"^\| `make ([a-z-]+)` \| \w", section(page, "Commands"), re.M))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    real = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    return [f"only in one of page and Makefile: {name}" for name in sorted(listed ^ real)]


RULES: list[Rule] = [wrong_lists, wrong_paths, wrong_map, wrong_tests, wrong_commands]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_page_is_right(rule: Rule) -> None:
    assert rule(PAGE) == []


def test_every_list_is_found() -> None:
    for title in HOW_TO:
        assert len(ITEM.findall(section(PAGE, title))) >= 3, title


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "complaint"),
    [
        (
            wrong_lists,
            "1. `cpp/include/specfast/types.h`: `specfast_mode`",
            "1. The header",
            "entry",
        ),
        (wrong_lists, "**4 files:**", "**5 files:**", "4 files, the page says [5]"),
        (wrong_lists, "**3 files:**", "", "3 files, the page says []"),
        (wrong_lists, "2. `cpp/seam/types.h`", "2. `cpp/seam/kinds.h`", "cpp/seam/kinds.h"),
        (wrong_lists, "2. `cpp/seam/types.h`", "2. `cpp/include/specfast/types.h`", "twice"),
        (wrong_lists, "`make_recipe`", "`make_recip`", "recipe.cpp does not have make_recip"),
        (
            wrong_lists,
            "3. `cpp/engine/run/scope.cpp`",
            "3. `cpp/engine/run/job.cpp`",
            "kOperations",
        ),
        (wrong_lists, "### Add a mode", "### Add modes", "Add a mode: 0 files"),
        (
            wrong_paths,
            "`tools/record_bits.py` calls",
            "`tools/record.py` calls",
            "tools/record.py",
        ),
        (wrong_map, "cpp/engine/run/  ", "cpp/engine/job/  ", "no folder cpp/engine/job"),
        (wrong_map, "cpp/engine/run/  ", "cpp/engine/job/  ", "lacks cpp/engine/run"),
        (wrong_map, "python/specfast/_cli/  ", "tools/  ", "lacks python/specfast/_cli"),
        (wrong_map, "ground: errors", "", "not a folder and a phrase: cpp/engine/base/"),
        (wrong_tests, "| `tests/vamp` |", "| `tests/plugin` |", "tests/plugin"),
        (wrong_tests, "| `tests/vamp` |", "| `tests/plugin` |", "tests/vamp"),
        (wrong_commands, "| `make audit` |", "| `make check` |", "audit"),
        (wrong_commands, "| `make audit` |", "| `make check` |", "check"),
    ],
    ids=str,
)
def test_a_planted_violation_is_found(rule: Rule, right: str, wrong: str, complaint: str) -> None:
    assert right in PAGE
    planted = PAGE.replace(right, wrong, 1)
    assert any(complaint in found for found in rule(planted)), rule(planted)
