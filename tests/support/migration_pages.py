# SPDX-License-Identifier: BSD-3-Clause
"""The migration pages of the guide, taken apart: what is run, and what the page claims of it.

A page has one block of Python above its first section, which makes the samples; then pairs of
blocks, the original's and ours, each of which ends with an assignment to the same name. The line
behind a pair says how near the two come:

    Largest difference: 3e-6, of values up to 42.
    Largest difference: none.
    Missed: 0.13 there, 0.12 here.

The last is for searches that begin at random: which part of the wanted magnitudes or bands the
two sounds miss.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/migration"
# The pages, and the packages of which one is imported by the blocks of the original.
ORIGINALS = {
    "kaldi-native-fbank": {"kaldi_native_fbank"},
    "librosa": {"librosa"},
    "scipy": {"scipy"},
    "torchaudio": {"torch", "torchaudio"},
    "transformers": {"transformers"},
}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_LANGUAGES = ("python", "console", "sh")  # the second are run by tests/house/test_docs.py
_NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_DIFFERENCE = re.compile(rf"Largest difference: ({_NUMBER})(?: dB)?, of values up to ({_NUMBER})")
_NONE = re.compile(r"Largest difference: none\.")
_MISSED = re.compile(rf"Missed: ({_NUMBER}) there, ({_NUMBER}) here\.")


class Difference(NamedTuple):
    """What a page says of results that are the same numbers."""

    bound: float
    peak: float


class Missed(NamedTuple):
    """What a page says of sounds that were searched for: what each misses of what was wanted."""

    there: float
    here: float


class Pair(NamedTuple):
    """Two blocks that compute the same.

    Attributes:
        name: page and place, for messages.
        setup: the first block of the page, which both need.
        theirs, ours: the blocks.
        result: the name under which each leaves its result.
        claim: what the page says of these; None: that they are equal.
    """

    name: str
    setup: str
    theirs: str
    ours: str
    result: str
    claim: Difference | Missed | None


class WrongPage(ValueError):
    """A page has a block that would not be run, or says nothing of a pair."""


def pages() -> dict[str, str]:
    """Returns the text of every page by its name."""
    return {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.md"))}


def imported(source: str) -> set[str]:
    """Returns the packages that a block imports, however deep in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def pairs(name: str, text: str) -> list[Pair]:
    """Returns the pairs of a page, which together have all its blocks of Python but the first.

    Raises:
        WrongPage: for blocks that belong to no pair, and pairs that are not what the module says.
    """
    if name not in ORIGINALS:
        raise WrongPage(f"{name}: a page of no original")
    found = [(match.start(), match.end(), match[2]) for match in _python_blocks(name, text)]
    if not found or len(found) % 2 == 0 or len(found) < 3:
        raise WrongPage(f"{name}: {len(found)} blocks of Python are not one and pairs")
    (_, end, setup), *rest = found
    if not end <= _first_section(text) < rest[0][0]:
        raise WrongPage(f"{name}: not one block of Python alone stands above the first section")
    return [
        _pair(f"{name}, pair {place + 1}", text, setup, rest[2 * place], rest[2 * place + 1])
        for place in range(len(rest) // 2)
    ]


def _python_blocks(name: str, text: str) -> list[re.Match[str]]:
    blocks = [*_BLOCK.finditer(text)]
    for block in blocks:
        if block[1] not in _LANGUAGES:
            raise WrongPage(f"{name}: a block of another language than {_LANGUAGES}: {block[1]!r}")
    return [block for block in blocks if block[1] == "python"]


def _first_section(text: str) -> int:
    # A heading, not a comment of a block.
    hidden = _BLOCK.sub(lambda match: " " * len(match[0]), text)
    found = re.search(r"^## ", hidden, re.M)
    return found.start() if found else len(text)


def _pair(
    name: str, text: str, setup: str, theirs: tuple[int, int, str], ours: tuple[int, int, str]
) -> Pair:
    if re.search(r"^##? ", text[theirs[1] : ours[0]], re.M):
        raise WrongPage(f"{name}: a heading stands between its blocks")
    results = {_result(name, block) for _, _, block in (theirs, ours)}
    if len(results) > 1:
        raise WrongPage(f"{name}: its blocks end with {sorted(results)}, not the same name")
    wanted = ORIGINALS[name.partition(",")[0]]
    if not imported(setup + theirs[2]) & wanted or "specfast" in imported(theirs[2]):
        raise WrongPage(f"{name}: the first block is not the original's")
    if "specfast" not in imported(ours[2]):
        raise WrongPage(f"{name}: the second block does not import specfast")
    return Pair(name, setup, theirs[2], ours[2], results.pop(), _claim(name, text[ours[1] :]))


def _result(name: str, block: str) -> str:
    """Returns the (last) name to which the last statement of a block assigns."""
    try:
        last = ast.parse(block).body[-1]
    except (SyntaxError, IndexError) as error:
        raise WrongPage(f"{name}: a block is no Python: {error}") from None
    target: Any = getattr(last, "targets", [getattr(last, "target", None)])[-1]
    if isinstance(target, ast.Tuple):
        target = target.elts[-1]
    if not isinstance(target, ast.Name):
        raise WrongPage(f"{name}: a block does not end with an assignment to a name")
    return target.id


def _claim(name: str, behind: str) -> Difference | Missed | None:
    line = behind.lstrip("\n")
    if found := _DIFFERENCE.match(line):
        return Difference(float(found[1]), float(found[2]))
    if found := _MISSED.match(line):
        return Missed(float(found[1]), float(found[2]))
    if _NONE.match(line):
        return None
    raise WrongPage(f"{name}: nothing behind the blocks says how near they come: {line[:60]!r}")
