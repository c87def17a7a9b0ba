# SPDX-License-Identifier: BSD-3-Clause
"""Every page of docs/ stands in the contents of the site, once, and the contents name real pages.

The site itself is built by `make docs`; this needs no Sphinx.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

import build_site
import specfast

ROOT = Path(__file__).resolve().parents[2]
CONTENTS = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs/site").glob("*.rst")}
PAGES = {
    path.relative_to(ROOT).with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")
}
# Made by sphinx-gallery.
GALLERY = "gallery/index"


def listed(contents: str) -> list[str]:
    """Returns the entries of the tables of contents in a page."""
    trees = re.findall(r"^\.\. toctree::\n((?:(?: +.*)?\n)*)", contents, re.M)
    lines = [line.strip() for tree in trees for line in tree.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def complaints(contents: Mapping[str, str]) -> list[str]:
    """Returns what is wrong with the contents of the site."""
    counts = Counter(entry for text in contents.values() for entry in listed(text))
    real = {*PAGES, *contents, *(name.removesuffix(".md") for name in build_site.BESIDE_DOCS)}
    return [
        *(f"docs/site does not list {page}" for page in sorted(PAGES - {*counts})),
        *(f"docs/site does not list {page}" for page in sorted({*contents} - {*counts, "index"})),
        *(f"listed twice: {entry}" for entry, count in sorted(counts.items()) if count > 1),
        *(f"there is no page {entry}" for entry in sorted({*counts} - {*real, GALLERY})),
    ]


def test_every_page_is_in_the_contents() -> None:
    assert complaints(CONTENTS) == []


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("   docs/tour\n", "", "does not list docs/tour"),
        ("   docs/tour\n", "   docs/tour\n   docs/tours\n", "no page docs/tours"),
        ("   docs/tour\n", "   docs/tour\n   docs/streams\n", "listed twice: docs/streams"),
    ],
)
def test_a_planted_violation_is_found(right: str, wrong: str, complaint: str) -> None:
    assert right in CONTENTS["start"]
    planted = {**CONTENTS, "start": CONTENTS["start"].replace(right, wrong)}
    found = complaints(planted)
    assert any(complaint in each for each in found)


def test_a_page_of_contents_that_nothing_leads_to_is_found() -> None:
    assert "docs/site does not list more" in complaints({**CONTENTS, "more": "More\n====\n"})


@pytest.mark.parametrize("script", sorted((ROOT / "docs/gallery").glob("*.py")), ids=str)
def test_scripts_of_the_gallery_are_short_and_have_titles(script: Path) -> None:
    text = script.read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    title, line = docstring.splitlines()[:2]
    assert line == "=" * len(title)
    assert len(text.splitlines()) <= 80
    assert "plt.show()" in text


def test_every_public_name_is_in_the_reference() -> None:
    reference = "".join(text for name, text in CONTENTS.items() if name.startswith("reference"))
    shown = set(re.findall(r"^\.\. auto\w+:: (?:specfast\.)?(\w+)$", reference, re.M))
    modules = {path.stem for path in (ROOT / "python/specfast").glob("[a-z]*.py")} - {"cli"}
    # Functions that lie in one of the modules, and the version.
    elsewhere = {"from_keras", "load_front", "load_keras", "__version__"}
    assert shown >= modules | ({*specfast.__all__} - elsewhere)


def test_every_header_is_in_the_reference() -> None:
    headers = {path.name for path in (ROOT / "cpp/include/specfast").glob("*.h")}
    shown = re.findall(r"^\.\. doxygenfile:: (\S+)$", CONTENTS["reference-c"], re.M)
    assert sorted(shown) == sorted(headers - {"specfast.h"})


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<h1 id="top">A page</h1><a href="https://x.org">', "utf-8"
    )
    links = ["page.html", "page.html#top", "#here", "page.html#end", "other.html", "../page.html"]
    anchors = "".join(f'<a href="{link}"></a>' for link in links)
    (tmp_path / "index.html").write_text(f'<p id="here">{anchors}<img src="no.png"></p>', "utf-8")
    assert build_site.broken_links(tmp_path) == [
        f"index.html: {link}" for link in ("../page.html", "no.png", "other.html", "page.html#end")
    ]
