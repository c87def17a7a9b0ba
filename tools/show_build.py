# SPDX-License-Identifier: BSD-3-Clause
"""Shows how far a build is: prints the steps of Ninja that come in, and keeps all in a file.

usage: python -m pip wheel . --verbose 2>&1 | python tools/show_build.py LOG
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

STEP = re.compile(r"\s*(\[\d+/\d+\]) (?:Building CXX object \S+?\.dir/)?(\S.*)")


def main() -> None:
    with Path(sys.argv[1]).open("w", encoding="utf-8", errors="replace") as log:
        for line in sys.stdin:
            log.write(line)
            if step := STEP.match(line):
                print("  ", step[1], step[2], flush=True)


if __name__ == "__main__":
    main()
