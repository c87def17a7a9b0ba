# SPDX-License-Identifier: BSD-3-Clause
"""Entry point of the command `specfast`; the commands themselves are in `_commands`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits: 0 done, 1 failed, 2 wrong use."""
    try:
        import click  # noqa: F401  (optional, so its absence gets an answer of its own)
    except ImportError as error:
        sys.exit(f'Error: the command line needs click ({error}): pip install "specfast[cli]"')
    from specfast._cli.commands import specfast

    try:
        specfast(prog_name="specfast")
    # What click leaves: standard output on a full disk. (It handles a closed pipe.)
    except OSError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
