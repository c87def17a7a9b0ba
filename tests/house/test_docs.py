# SPDX-License-Identifier: BSD-3-Clause
"""What the README and the guide show is what happens; what they point to is there."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread

from specfast._cli.commands import specfast as command

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
GUIDE = sorted((ROOT / "docs").rglob("*.md"))
OTHERS = ["CONTRIBUTING.md", "CHANGELOG.md", "THIRD_PARTY_NOTICES.md", "benchmarks/README.md"]
PAGES = [README, *(ROOT / name for name in OTHERS), *GUIDE]

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def blocks(page: Path, language: str) -> list[str]:
    """Returns the fenced blocks of one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


@each_page
def test_examples_do_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs the commands of a page in a fresh folder, then its Python in one session."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "console"):
        for shown in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, wanted = shown.partition("\n")
            program, *arguments = shlex.split(line)
            assert program == "specfast", line
            result = CliRunner().invoke(command, arguments, prog_name="specfast")
            assert result.output == wanted, line

    source = "\n".join(blocks(page, "python"))
    test = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)
    for picture in sorted(tmp_path.glob("*-*.png")):
        assert_shown(picture, page)


def assert_shown(written: Path, page: Path) -> None:
    """The page shows the picture that it writes; fonts and stored colours may differ a little."""
    shown = {path.name: path for path, _ in links(page)}[written.name]
    first, second = (np.asarray(imread(path))[..., :3] for path in (written, shown))
    assert first.shape == second.shape
    assert np.abs(first - second).mean() < 0.02


def prose(page: Path) -> str:
    """Returns a page without its fenced blocks, in which brackets are no links."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)


def links(page: Path) -> list[tuple[Path, str]]:
    """Returns the file and the heading, if any, of each link into the repository."""
    targets = re.findall(r"\]\(([^)]+)\)", prose(page))
    parts = [target.partition("#") for target in targets if not target.startswith("https://")]
    return [((page.parent / path if path else page).resolve(), name) for path, _, name in parts]


def headings(page: Path) -> set[str]:
    """Returns the names under which the headings of a page can be linked to."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for path, heading in links(page):
        assert path.exists(), path
        assert not heading or heading in headings(path), (path, heading)


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [README]
    while ahead:
        page = ahead.pop()
        if page.suffix == ".md" and page not in reached:
            reached.add(page)
            ahead += [path for path, _ in links(page)]
    assert reached >= set(PAGES)


def test_every_picture_is_shown() -> None:
    shown = {path for page in PAGES for path, _ in links(page)}
    assert shown >= set((ROOT / "docs/images").iterdir())


def test_the_readme_has_examples() -> None:
    assert len(blocks(README, "python")) >= 2
    assert len(blocks(README, "console")) >= 1


def test_every_function_of_the_c_abi_is_listed() -> None:
    headers = sorted((ROOT / "cpp/include/specfast").glob("*.h"))
    text = "".join(path.read_text("utf-8") for path in headers)
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    declared = re.findall(r"\bSPECFAST_API\b[^;]*?\b(specfast_\w+)\s*\(", code)
    listed = re.findall(
        r"^\| `(specfast_\w+)` \| \w", (ROOT / "docs/c-api.md").read_text("utf-8"), re.M
    )
    assert len(declared) > 30
    assert sorted(listed) == sorted(declared)
