# SPDX-License-Identifier: BSD-3-Clause
"""The blocks of the guide that need a framework, run as they stand there.

tests/house/test_docs.py runs those that show a session; these show programs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def programs(page: str) -> list[str]:
    """Returns the blocks of Python in a page that are no sessions."""
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    return [block for block in blocks if not block.startswith(">>>")]


def run(block: str) -> dict[str, Any]:
    """Returns the names that a block leaves."""
    names: dict[str, Any] = {}
    exec(compile(block, "<page>", "exec"), names)
    return names
