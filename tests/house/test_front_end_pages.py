# SPDX-License-Identifier: BSD-3-Clause
"""The tables of the guide to front ends are what tools/front_end_tables.py prints."""

from __future__ import annotations

import pytest

import front_end_limits
import front_end_tables as tool
from specfast import presets

# Instruction sets round differently, and single values are a matter of luck: measured, up to 3.
LUCK = 5.0

PAGES = (tool.OVERVIEW, *tool.PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_pages_hold_what_the_tool_prints(page: str) -> None:
    held = tool.between_markers(tool.path_of(page).read_text("utf-8"))
    assert tool.alike(held, tool.tables(page), LUCK), "python tools/front_end_tables.py --write"


def test_every_preset_has_a_page() -> None:
    listed = [name for names in tool.PAGES.values() for name in names]
    assert sorted(listed) == sorted(presets.names()) == sorted(front_end_limits.TOLERANCES)
    written = {path.stem for path in tool.path_of("whisper").parent.glob("*.md")}
    assert written == set(tool.PAGES)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (0.0, "< 1e-7"),
        (9.9e-8, "< 1e-7"),
        (1e-7, "1e-7"),
        (2.01e-5, "3e-5"),
        (3e-5, "3e-5"),
        (0.00999, "1e-2"),
        (0.16, "2e-1"),
    ],
)
def test_errors_are_rounded_up(error: float, text: str) -> None:
    assert tool.rounded_up(error) == text


ROW = "| librosa: `mfcc(1e-3)` | 0.11.0 | speech | 3e-5 | < 1e-7 |\n"


@pytest.mark.parametrize(
    ("right", "other", "alike"),
    [
        ("3e-5", "9e-5", True),
        ("< 1e-7", "3e-7", True),
        ("3e-5", "2e-4", False),
        ("< 1e-7", "6e-7", False),
        ("0.11.0", "0.12.0", False),
        ("speech", "synth", False),
        ("mfcc(1e-3)", "mfcc(2e-3)", False),
        ("| 3e-5 ", "", False),
    ],
)
def test_what_counts_as_another_table(right: str, other: str, alike: bool) -> None:
    assert right in ROW
    assert tool.alike(ROW, ROW.replace(right, other), LUCK) is alike


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="once"):
        tool.between_markers("no table")
