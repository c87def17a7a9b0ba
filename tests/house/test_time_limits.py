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

RUNS = {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output")}
WAITS = {"communicate", "wait"}  # of a process, or of threads for each other
# They take no time limit.
UNLIMITED = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}


def is_limited(call: ast.Call) -> bool:
    limits = [keyword.value for keyword in call.keywords if keyword.arg == "timeout"]
    return any(not (isinstance(limit, ast.Constant) and limit.value is None) for limit in limits)


def called_name(function: ast.Attribute) -> str:
    """Returns what is called, as it is written: quickly for the names of modules."""
    if isinstance(function.value, ast.Name):
        return f"{function.value.id}.{function.attr}"
    return ast.unparse(function) if function.attr in WAITS else function.attr


def hides_subprocess(node: ast.AST) -> bool:
    """Tells whether a statement imports subprocess under names that are not looked for here."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "subprocess"
    return isinstance(node, ast.Import) and any(
        alias.name == "subprocess" and alias.asname for alias in node.names
    )


def unlimited_waits(source: str) -> list[str]:
    """Returns the places where `source` waits for another process without a time limit."""
    nodes = sorted(
        (node for node in ast.walk(ast.parse(source)) if hasattr(node, "lineno")),
        key=lambda node: node.lineno,
    )
    children, ends, complaints = [], 0, []
    for node in nodes:
        if hides_subprocess(node):
            complaints.append(f"line {node.lineno}: subprocess must be used by its full name")
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, called = node.func.attr, called_name(node.func)
        if called in UNLIMITED or ((called in RUNS or name in WAITS) and not is_limited(node)):
            complaints.append(f"line {node.lineno}: {called} without timeout=")
        if called == "subprocess.Popen":
            children.append(node.lineno)
        ends += name == "kill" or name in WAITS
    if not ends:
        complaints += [f"line {line}: nothing ends this subprocess.Popen" for line in children]
    return complaints


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
        ("subprocess.run(['true'], timeout=None)", "subprocess.run"),
        ("os.system('true')", "os.system"),
        ("child = subprocess.Popen(command)\nchild.stdout.read()", "nothing ends"),
        ("from helpers import start\nstart().wait()", "wait without"),
        ("from subprocess import run\nrun(['true'])", "full name"),
        ("import subprocess as sp\nsp.run(['true'])", "full name"),
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
        with subprocess.Popen(command) as other:
            threading.Timer(60, other.kill).start()
    """
    assert unlimited_waits(textwrap.dedent(source)) == []


# Tests that hang, and what pytest must then print. A read of a pipe can be interrupted, and the
# other tests go on; all else ends the run and says where it stood.
READ_A_PIPE = "os.read(os.pipe()[0], 1)"
HANGING = {
    "call": (f"def test_hanging():\n    {READ_A_PIPE}", "1 failed, 1 passed"),
    "c": (
        """
        def test_hanging():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            ctypes.CDLL(None).sleep(100)
        """,
        "Timeout (",
    ),
    "teardown": (
        f"""
        @pytest.fixture
        def hanging():
            yield
            {READ_A_PIPE}

        def test_hanging(hanging):
            assert False
        """,
        "Timeout (",
    ),
    "thread": (
        f"""
        def test_hanging():
            threading.Thread(target=lambda: {READ_A_PIPE}).start()
        """,
        "Timeout (",
    ),
    "collection": (READ_A_PIPE, "Timeout ("),
}


def start(source: str, folder: Path) -> subprocess.Popen[str]:
    """Starts a pytest that is to run a test which hangs, and the next one."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text("utf-8"))
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_hanging.py").write_text(
        "import ctypes, os, signal, threading\nimport pytest\n"
        f"{textwrap.dedent(source)}\ndef test_next():\n    pass\n"
    )
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-o", "timeout=1", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def hanging(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All of them at once, as they do little but wait for their limits."""
    children = {
        kind: start(source, tmp_path_factory.mktemp(kind)) for kind, (source, _) in HANGING.items()
    }
    yield children
    for child in children.values():
        child.kill()
        child.communicate(timeout=60)


@pytest.mark.parametrize("kind", HANGING)
def test_a_test_that_hangs_is_ended(kind: str, hanging: dict[str, subprocess.Popen[str]]) -> None:
    printed = hanging[kind].communicate(timeout=60)[0]
    assert hanging[kind].returncode not in (0, 5)
    assert HANGING[kind][1] in printed
    assert "test_hanging" in printed
