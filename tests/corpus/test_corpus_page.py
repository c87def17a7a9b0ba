# SPDX-License-Identifier: BSD-3-Clause
"""The sessions that docs/corpus.md shows, run as they stand there: what they print, and the bytes.

All compute in this process, also what has a `--scheduler`: test_corpus_batch.py has a cluster.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from specfast._cli.commands import specfast as command

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/corpus.md").read_text("utf-8")
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.M | re.S)
BLOCKS = [text for language, text in FENCED if not language]
MANIFEST = next(block for block in BLOCKS if block.startswith("{"))
# The last one shows a scheduler that does not answer, for which a command waits.
SESSIONS = [block for block in BLOCKS if block.startswith("$ ") and "no scheduler" not in block]
NOT_RUN = ("dask scheduler ", "dask worker ")


def shown(session: str) -> list[tuple[str, str]]:
    """Returns each command of a session, and what it prints."""
    parts = re.split(r"^\$ ", session, flags=re.M)[1:]
    return [(line, printed) for line, _, printed in (part.partition("\n") for part in parts)]


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d s$", "... s", text, flags=re.M)


@pytest.mark.usefixtures("own_threads")
def test_the_sessions_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (ROOT / "examples/parts.jsonl").read_text("utf-8") == MANIFEST
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    commands = [pair for session in SESSIONS for pair in shown(session)]
    exit_code = 0
    for line, wanted in commands:
        if line.startswith(NOT_RUN):
            continue
        if line == "echo $?":
            assert int(wanted) == exit_code
            continue
        words = shlex.split(re.sub(r" --scheduler \S+", "", line))
        if words[0] == "specfast":
            result = CliRunner().invoke(command, words[1:], prog_name="specfast")
            exit_code, printed = result.exit_code, result.output
        else:
            ran = subprocess.run(
                ["bash", "-c", line], capture_output=True, text=True, check=True, timeout=60
            )
            printed = ran.stdout
        printed = printed.replace(str(tmp_path), "/data")
        assert without_times(printed) == without_times(wanted), line
    assert sum(line.startswith("specfast batch") for line, _ in commands) >= 5
