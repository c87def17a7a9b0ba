# SPDX-License-Identifier: BSD-3-Clause
"""The installed headers: each compiles by itself, and so does the usage that it shows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADERS = sorted(path.name for path in (ROOT / "cpp/include/specfast").iterdir())
C_HEADERS = [name for name in HEADERS if name.endswith(".h")]
FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
COMPILERS = {
    "c99": ["cc", "-x", "c", "-std=c99"],
    "c11": ["cc", "-x", "c", "-std=c11"],
    "c++17": ["c++", "-x", "c++", "-std=c++17"],
}
# What the usage of a header takes for granted.
GIVEN = {
    "types.h": "",
    "plan.h": "extern specfast_config config; extern const float* samples; "
    "extern int64_t num_samples; extern float* output;",
    "stream.h": "extern specfast_plan* plan; extern const float* samples; "
    "extern int64_t num_samples, max_frames; extern float* output;",
    "gradient.h": "extern specfast_plan* plan; extern specfast_batch batch; "
    "extern const float* cotangent; extern float* signal_gradient;",
    "inverse.h": "extern specfast_config config; extern const float* rows; "
    "extern float* samples; extern int64_t num_bins, num_frames;",
    "griffin_lim.h": "extern specfast_config config; extern const float* magnitudes; "
    "extern float* samples; extern int64_t num_bins, num_frames;",
    "bands.h": "extern specfast_plan* plan; extern const float* energies; extern float* bins; "
    "extern int64_t num_mel_bins, num_bins, num_frames;",
    "tables.h": "extern specfast_config config; extern double* window;",
    "device.h": "extern specfast_config config; extern specfast_batch batch; extern void* stream;",
    "library.h": "",
}
USAGE = """#include <specfast/{header}>
#include <stdio.h>
{given}
int usage(void);
int usage(void) {{
{usage}
  return 0;
}}
"""


def compile_text(compiler: list[str], text: str, include: Path) -> None:
    done = subprocess.run(
        [*compiler, *FLAGS, "-I", str(include), "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"


def usage_of(header: str) -> str:
    """The indented lines of a header's first comment."""
    text = (ROOT / "cpp/include/specfast" / header).read_text("utf-8")
    comment = text[: text.index("*/")]
    return "\n".join(re.findall(r"^ \*     (.*)$", comment, re.M))


@pytest.mark.parametrize("standard", COMPILERS)
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_compiles_by_itself(header: str, standard: str, prefix: Path) -> None:
    if header.endswith(".hpp") and standard != "c++17":
        return
    include = f"#include <specfast/{header}>\n"
    compile_text(COMPILERS[standard], include + include, prefix / "include")


@pytest.mark.parametrize("standard", ["c99", "c11"])
@pytest.mark.parametrize("header", GIVEN)
def test_the_usage_that_a_header_shows_compiles(header: str, standard: str, prefix: Path) -> None:
    usage = usage_of(header)
    assert usage.count(";") > 1
    text = USAGE.format(header=header, given=GIVEN[header], usage=usage)
    compile_text(COMPILERS[standard], text, prefix / "include")


def test_every_header_but_the_umbrella_shows_its_usage() -> None:
    assert set(GIVEN) == set(C_HEADERS) - {"specfast.h"}
