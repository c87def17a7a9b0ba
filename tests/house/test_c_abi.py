# SPDX-License-Identifier: BSD-3-Clause
"""The fuzzer of the C ABI leaves out no function and no pointer.

`make fuzz` calls functions that tests/capi names; these rules compare the names with the headers.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPAQUE = {
    "specfast_plan",
    "specfast_workspace",
    "specfast_stream",
    "specfast_inverse",
    "specfast_griffin_lim",
    "specfast_inverse_stream",
}
ANY_ADDRESS = {"char", "uint8_t", "void"}


def headers() -> str:
    """The C headers without their comments."""
    paths = sorted((ROOT / "cpp/include/specfast").glob("*.h"))
    text = "".join(path.read_text("utf-8") for path in paths)
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def functions(text: str) -> dict[str, str]:
    """Name -> parameters of every function that the headers declare."""
    return dict(re.findall(r"SPECFAST_API\s[^;(]*?\b(specfast_\w+)\s*\(([^;]*)\);", text))


def takes_aligned_pointer(parameters: str) -> bool:
    """Whether a parameter points to numbers, structures or handles, not to bytes or an object."""
    return any(
        stars == "**" or kind not in OPAQUE | ANY_ADDRESS
        for kind, stars in re.findall(r"(\w+)(\*+) \w+", parameters)
    )


def pointer_members(text: str) -> set[str]:
    """The members of structures that point to numbers."""
    structures = re.findall(r"typedef struct \w+ \{(.*?)\}", text, re.S)
    members = re.findall(r"(\w+)\* (\w+);", "".join(structures))
    return {name for kind, name in members if kind != "char"}


def missing(wanted: set[str], source: str) -> set[str]:
    text = (ROOT / "tests/capi" / source).read_text("utf-8")
    return wanted - set(re.findall(r"\w+", text))


def test_headers_are_understood() -> None:
    found = functions(headers())
    assert len(found) == headers().count("SPECFAST_API ") - headers().count(
        "#define SPECFAST_API "
    )
    assert "specfast_window" in found
    assert takes_aligned_pointer(found["specfast_window"])
    assert takes_aligned_pointer(found["specfast_plan_create"])
    assert takes_aligned_pointer(found["specfast_stream_push"])
    assert not takes_aligned_pointer(found["specfast_plan_num_rows"])
    assert not takes_aligned_pointer(found["specfast_stream_load"])
    assert pointer_members(headers()) == {
        "window", "row_gain", "row_offset", "mel_weights", "real_kernel", "imag_kernel", "input",
        "lengths", "starts", "output", "energies", "bins", "cotangent", "kept", "signal", "real",
        "imag", "magnitudes"
    }  # fmt: skip


def test_every_function_is_called_without_memory() -> None:
    text = (ROOT / "tests/capi/starved.cpp").read_text("utf-8")
    assert set(re.findall(r'\{"(specfast_\w+)"', text)) == set(functions(headers()))


def test_every_pointer_is_misaligned() -> None:
    takers = {
        name
        for name, parameters in functions(headers()).items()
        if takes_aligned_pointer(parameters)
    }
    assert len(takers) > 15
    # A pointer to bytes that are numbers of the plan's dtype.
    takers.add("specfast_execute_keep")
    assert missing(takers | pointer_members(headers()), "pointers.cpp") == set()


def test_a_function_that_is_left_out_is_seen() -> None:
    assert missing({"specfast_execute", "specfast_new"}, "pointers.cpp") == {"specfast_new"}
