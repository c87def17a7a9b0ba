# SPDX-License-Identifier: BSD-3-Clause
"""Nothing here can wait for ever: each test and each child process has a time limit."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "examples", "tests", "tools")

RUNS = {"run", "call", "check_call", "check_output"}
WAITS = {"communicate", "wait"}


def calls(source: str) -> Iterator[tuple[ast.Call, str, str]]:
    """Yields each call of an attribute: the call, what it is an attribute of, and its name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, ast.unparse(node.func.value), node.func.attr


def unlimited_waits(source: str) -> list[str]:
    """Returns the places where `source` waits for a child process without a time limit."""
    found = list(calls(source))
    makes_children = any((owner, name) == ("subprocess", "Popen") for _, owner, name in found)
    complaints = []
    for call, owner, name in found:
        runs = owner == "subprocess" and name in RUNS
        waits = makes_children and name in WAITS
        if (runs or waits) and "timeout" not in {keyword.arg for keyword in call.keywords}:
            complaints.append(f"line {call.lineno}: {owner}.{name} without timeout=")
    return complaints + [
        f"line {node.lineno}: subprocess must be used by its full name"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "subprocess"
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_child_processes_have_time_limits(folder: str) -> None:
    sources = sorted((ROOT / folder).rglob("*.py"))
    assert sources
    complaints = [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in sources
        for complaint in unlimited_waits(path.read_text("utf-8"))
    ]
    assert complaints == []


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        ("subprocess.run(['true'], check=True)", "subprocess.run"),
        ("subprocess.check_output(command)", "subprocess.check_output"),
        ("child = subprocess.Popen(command)\nchild.communicate(b'x')", "child.communicate"),
        ("with subprocess.Popen(command) as child:\n    child.wait()", "child.wait"),
        ("from subprocess import run\nrun(['true'])", "full name"),
    ],
)
def test_unlimited_waits_are_found(planted: str, named: str) -> None:
    assert any(named in complaint for complaint in unlimited_waits(planted))


def test_limited_waits_are_not_complained_of() -> None:
    source = """
        subprocess.run(command, timeout=60)
        with subprocess.Popen(command) as child:
            child.communicate(timeout=60)
            child.wait(timeout=60)
    """
    assert unlimited_waits(textwrap.dedent(source)) == []


# What hangs, and what pytest must then print. A read of a pipe can be interrupted, and the other
# tests go on; a loop in C that never looks at signals ends the run.
HANGING = {
    "pipe": ("import os\nreading, _ = os.pipe()\nos.read(reading, 1)", "1 failed, 1 passed"),
    "c": (
        (
            "import ctypes, signal\n"
            "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
            "ctypes.CDLL(None).sleep(100)"
        ),
        "Timeout (",
    ),
}


@pytest.mark.parametrize("kind", HANGING)
def test_a_test_that_hangs_is_ended(kind: str, tmp_path: Path) -> None:
    body, printed = HANGING[kind]
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text("utf-8"))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_hanging.py").write_text(
        f"def test_hanging():\n{textwrap.indent(body, '    ')}\n\ndef test_next():\n    pass\n"
    )
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-o", "timeout=1", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode not in (0, 5)
    assert printed in result.stdout + result.stderr
    assert "test_hanging" in result.stdout + result.stderr
