# SPDX-License-Identifier: BSD-3-Clause
"""Entry point of the command `specfast`; the commands themselves are in `_cli/commands.py`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits, with the codes that its help lists."""
    try:
        import click  # noqa: F401  (optional, so its absence gets an answer of its own)
    except ImportError as error:
        sys.exit(f'Error: the command line needs click ({error}): pip install "specfast[cli]"')
    from specfast._cli.commands import specfast
    from specfast._cli.output import discard_output
    from specfast._cli.termination import ends_cleanly

    try:
        with ends_cleanly():
            specfast(prog_name="specfast")
    # Click prints help itself, and handles a closed pipe, but not a full disk.
    except OSError as error:
        discard_output()
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
