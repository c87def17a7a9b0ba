# SPDX-License-Identifier: BSD-3-Clause
"""The steps that `.ci/run` makes of what it is asked for, where nothing is computed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / ".ci/run").read_text("utf-8")
STUBS = """
list_isas() { printf 'avx512\\navx2\\nbaseline\\n' >"$logs/isas"; }
test_isa() { echo "ran $*"; }
export -f list_isas test_isa closing_line
isas
"""


def function(name: str) -> str:
    found = re.search(rf"^{name}\(\) \{{.*?^\}}$", SCRIPT, re.M | re.S)
    assert found is not None, name
    return found[0]


@pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")
@pytest.mark.parametrize(
    ("wanted", "ran"),
    [("", ["avx512 4", "avx2 1", "baseline 4"]), ("isas", ["avx512 4", "avx2 1", "baseline 4"]),
     ("test", [])],
)  # fmt: skip
def test_who_asks_for_instruction_sets_gets_each(
    wanted: str, ran: list[str], tmp_path: Path
) -> None:
    parts = [
        f"set -euo pipefail; SKIP=77; MAY_SKIP=76; wanted=({wanted}); export logs={tmp_path}",
        *(function(name) for name in ("step", "closing_line", "isas")),
        STUBS,
    ]
    done = subprocess.run(
        ["bash", "-c", "\n".join(parts)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert re.findall(r"^ran (.*\S)", done.stdout, re.M) == ran
