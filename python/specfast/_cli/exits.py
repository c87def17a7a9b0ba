# SPDX-License-Identifier: BSD-3-Clause
"""The exit codes of the commands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from specfast._cli.errors import Failed, SomeFailed, WrongUse

__all__ = ["PARTLY_DONE", "exit_codes"]

# Of a run over many recordings of which some failed.
PARTLY_DONE = 3
# The status that shells report for a program that Ctrl-C ended: 128 + SIGINT.
_INTERRUPTED = 130


@contextlib.contextmanager
def exit_codes(failed: int = 1) -> Iterator[None]:
    """Turns the exceptions of our work into click's, which print a message and exit."""
    try:
        yield
    except WrongUse as error:
        raise click.UsageError(str(error)) from error
    except Failed as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(failed) from error
    except SomeFailed as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(PARTLY_DONE) from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(_INTERRUPTED) from None
