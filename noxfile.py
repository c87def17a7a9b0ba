#!/usr/bin/env -S uv run --script
# SPDX-License-Identifier: BSD-3-Clause
# /// script
# dependencies = ["nox>=2025.10.14"]
# ///
"""Sessions for those who are used to nox: targets of the Makefile, which has the recipes."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.10.14"
# The Makefile makes and keeps its own environments.
nox.options.default_venv_backend = "none"

TARGETS = {
    "lint": "ruff, clang-format, mypy, drift of the stubs",
    "test": "the test suite; `nox -s test -- -k mel` runs a part of it",
    "demo": "a recording becomes numbers and pictures",
    "review": "what reviewers' tools say of the repository and its wheel",
    "embedding": "the installed C and C++ library, and the guide's programs",
    "bench": "the workloads beside the peers",
    "test-release": "the whole suite on wheels made from the source release; an hour",
    "wheel": "the source release and the wheel in dist/",
}


def add_session(target: str, purpose: str) -> None:
    """Adds the session of one target; words after -- are pytest's, or those of `make bench`."""

    def session(session: nox.Session) -> None:
        name = "BENCH_ARGS" if target == "bench" else "PYTEST_ARGS"
        session.run("make", target, f"{name}={' '.join(session.posargs)}", external=True)

    session.__doc__ = purpose
    nox.session(session, name=target, python=False, default=target in ("lint", "test"))


for _target, _purpose in TARGETS.items():
    add_session(_target, _purpose)

if __name__ == "__main__":
    nox.main()
