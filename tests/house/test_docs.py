# SPDX-License-Identifier: BSD-3-Clause
"""What the README and the guide show is what happens; what they point to is there."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from specfast._cli.commands import specfast as command

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in their order."""
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


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_the_readme_has_examples() -> None:
    readme = ROOT / "README.md"
    assert len(blocks(readme, "python")) >= 2
    assert len(blocks(readme, "console")) >= 1


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
