# SPDX-License-Identifier: BSD-3-Clause
"""The migration pages without the originals: that all their blocks belong to pairs, and ours run.

`tests/originals/test_side_by_side.py` runs both blocks of each pair.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import migration_pages
from migration_pages import Pair, WrongPage
from specfast._spec.feature_names import ALIASES

PAGES = migration_pages.pages()
PAIRS = [pair for name, text in PAGES.items() for pair in migration_pages.pairs(name, text)]
# What the test suite has of what our blocks import.
INSTALLED = {"numpy", "scipy", "specfast"}
RUNNABLE = [
    pair
    for pair in PAIRS
    if migration_pages.imported(pair.setup + pair.ours) <= INSTALLED
    and not {"specfast.huggingface", "whisper-tiny"} & {*re.split(r"[\s\"]", pair.ours)}
]


def test_each_original_has_its_page() -> None:
    assert set(PAGES) == set(migration_pages.ORIGINALS)
    assert len(PAIRS) == sum(text.count("```python\n") // 2 for text in PAGES.values())


@pytest.mark.parametrize("pair", RUNNABLE, ids=lambda pair: pair.name)
def test_our_blocks_run(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(migration_pages.ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    session: dict[str, Any] = {}
    for source in (pair.setup, pair.ours):
        exec(compile(source, pair.name, "exec"), session)
    result = session[pair.result]
    assert result.size > 1000
    assert np.isfinite(result).all()


@pytest.mark.parametrize("name", PAGES)
def test_speeds_are_quoted_from_a_table(name: str) -> None:
    """A page says how much faster only with a figure that a page which it links to has."""
    text = PAGES[name].partition("## Speed\n")[2].partition("\n## ")[0]
    targets = re.findall(r"\]\(([^)#]+)", text)
    measured = "".join((migration_pages.FOLDER / path).read_text("utf-8") for path in targets)
    figures = re.findall(r"\d+\.\d+|\d+(?=\s+times)", text)
    assert figures
    assert "times as fast" not in PAGES[name].replace(text, "")
    for figure in figures:
        assert re.search(rf"\| {re.escape(figure)}(?: \w+)? \|", measured), figure


@pytest.mark.parametrize("name", PAGES)
def test_tables_of_arguments_say_what_errors_say(name: str) -> None:
    """A name that an error recognises stands beside the field which the error names."""
    fields = {alias: field for field, names in ALIASES.items() for alias in names}
    seen = 0
    for left, right in re.findall(r"^\| (.+) \| (.+) \|$", PAGES[name], re.M):
        meant = {fields.get(word) for word in re.findall(r"\w+", left)} - {None}
        seen += bool(meant)
        assert not meant or meant & {*re.findall(r"\w+", right)}, (left, right, meant)
    assert seen >= 5


BLOCK = "```python\nimport librosa\n\nmfcc = librosa.feature.mfcc"


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        (BLOCK, "```python\nunseen = 1\n```\n\n" + BLOCK, "not one and pairs"),
        ("## STFT\n", "```python\nx = 1\n```\n\n```python\nx = 1\n```\n\n## STFT\n", "above"),
        (BLOCK, BLOCK.replace("python", "py"), "another language"),
        (BLOCK, BLOCK.replace("python", ""), "another language"),
        (BLOCK, BLOCK.replace("mfcc =", "levels ="), "not the same name"),
        (BLOCK, BLOCK.replace("mfcc = ", ""), "assignment"),
        (BLOCK, BLOCK.replace("mfcc = ", "mfcc = = "), "no Python"),
        (BLOCK, BLOCK.replace("import librosa", "import numpy"), "not the original's"),
        ("from specfast import presets\n\nmfcc", "mfcc", "does not import specfast"),
        ("Largest difference: 2e-4, of values up to 622.", "About the same.", "how near"),
        ("```python\nfrom specfast import presets\n\nmfcc", "## Ours\n\n\\g<0>", "heading"),
    ],
)
def test_a_planted_violation_is_found(right: str, wrong: str, complaint: str) -> None:
    text = PAGES["librosa"]
    assert text.count(right) == 1
    planted = text.replace(right, wrong.replace("\\g<0>", right))
    with pytest.raises(WrongPage, match=complaint):
        migration_pages.pairs("librosa", planted)


def test_a_page_of_no_original_is_found() -> None:
    with pytest.raises(WrongPage, match="essentia: a page of no original"):
        migration_pages.pairs("essentia", PAGES["librosa"])
