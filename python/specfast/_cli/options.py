# SPDX-License-Identifier: BSD-3-Clause
"""Options of the commands: those for the arguments of a layer derive from the layer's fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import numpy as np
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from specfast._audio.raw import RAW_ENCODINGS, encoding_meant
from specfast._spec import preset_specs
from specfast._spec.fields import Field, Option

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
    _Choice = click.Choice[str]
else:
    # Not generic before click 8.3.
    _ParamType = click.ParamType
    _Choice = click.Choice

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]

RATE = click.IntRange(min=1)
CHANNEL = click.IntRange(min=0)
CHANNELS = click.IntRange(1, 65536)


class RawEncoding(_Choice):
    """The encoding of samples without a header; a message names the one that was meant."""

    def __init__(self) -> None:
        super().__init__(tuple(RAW_ENCODINGS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        meant = encoding_meant(value)
        if meant is not None and meant != value:
            self.fail(f"{value!r} is not an encoding; did you mean {meant!r}?", param, ctx)
        return super().convert(value, param, ctx)


class FileName(_ParamType):
    """A name of a file, which shells complete. What is wrong with one, the commands say."""

    name = "file"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, "file")]


class OrWord(_ParamType):
    """A value of another type, or a word that stands for a value of its own."""

    def __init__(self, inner: Any, word: str, meaning: Any) -> None:
        self.inner = click.types.convert_type(inner)
        self.word = word
        self.meaning = meaning
        self.name = f"{self.inner.name} or {word}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.meaning if value == self.word else self.inner.convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        words = [self.word] if self.word.startswith(incomplete) else []
        return [
            *self.inner.shell_complete(ctx, param, incomplete),
            *(CompletionItem(word) for word in words),
        ]


class Window(_ParamType):
    """The name of a window, or a .npy file with the window's values."""

    name = "window"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str) or not value.lower().endswith(".npy"):
            return value
        try:
            with Path(value).open("rb") as stream:
                return np.lib.format.read_array(stream, allow_pickle=False)
        except OSError as error:
            self.fail(f"{value!r} cannot be read: {error.strerror or error}", param, ctx)
        # NumPy's own words are about pickles and magic strings.
        except (ValueError, EOFError, MemoryError):
            self.fail(f"{value!r} is no .npy file with an array of numbers", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        names = [name for name in ("hann", "hamming") if name.startswith(incomplete)]
        return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, "file")]


class Front(_ParamType):
    """The name of a front end, or a file that describes one. Which of them, the commands find."""

    name = "front end"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        names = [name for name in preset_specs.names() if name.startswith(incomplete)]
        return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, "file")]


def front() -> Decorator:
    """--front, which takes the place of all settings."""
    return click.option(
        "--front",
        type=Front(),
        metavar="NAME|FILE",
        help="Front end of a model in place of all settings below: a name that `specfast fronts` "
        "lists, or a file that describes one. The rate of IN must be its own.",
    )


def force_raw() -> Decorator:
    """Returns the option --force-raw."""
    return click.option(
        "--force-raw",
        is_flag=True,
        show_default=False,
        help="Take the bytes of IN for samples even if they begin like a file with a header.",
    )


def apply(decorators: Iterable[Decorator], command: Command) -> Command:
    """Adds options to a command, in the order in which its help lists them."""
    for decorator in reversed(list(decorators)):
        command = decorator(command)
    return command


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the options of the current command that were given.

    Others are not passed on: a layer has defaults of its own.  With click 8.1.0, an argument of
    any number of values counts as given even if it got none.
    """
    context = click.get_current_context()
    return {
        name: value
        for name, value in values.items()
        if not (isinstance(value, tuple) and not value)
        and context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }


def db_range(help_text: str) -> Decorator:
    """Returns the option --db-range, two levels of which the first is the lower."""
    return click.option(
        "--db-range",
        type=(float, float),
        metavar="LOW HIGH",
        callback=_increasing,
        help=help_text,
    )


def _increasing(
    context: click.Context, parameter: click.Parameter, value: tuple[float, float] | None
) -> tuple[float, float] | None:
    if value is not None and not (all(map(math.isfinite, value)) and value[0] < value[1]):
        raise click.UsageError(
            f"{parameter.opts[0]} {value[0]:g} {value[1]:g}: both must be finite, and LOW less "
            "than HIGH",
            context,
        )
    return value


def layer_options(fields: Iterable[Field]) -> list[Decorator]:
    """Returns an option for each argument of a layer that has one, and --dtype."""
    return [
        *(_layer_option(field, field.option) for field in fields if field.option is not None),
        # An argument of every layer. NumPy's files know no bfloat16.
        click.option(
            "--dtype",
            type=click.Choice(("float16", "float32", "float64")),
            default="float32",
            help="Data type of the result.",
        ),
    ]


def _layer_option(field: Field, option: Option) -> Decorator:
    default = field.checked_default
    if option.kind is bool:
        off = option.off or field.flag.replace("--", "--no-", 1)
        return click.option(f"{field.flag}/{off}", default=default, help=option.help)
    value_type, shown = _value_type(option.kind)
    if option.takes_none:
        value_type, shown = OrWord(value_type, "none", None), f"{shown}|none"
        default = "none" if default is None else default
    return click.option(
        field.flag,
        type=value_type,
        # Stated here, because asking a type for it differs between versions of click.
        metavar=f"[{shown}]" if isinstance(option.kind, tuple) else shown,
        default=default,
        help=option.help,
    )


def _value_type(kind: type | tuple[str, ...] | str) -> tuple[Any, str]:
    """Returns click's type for a kind of `Option`, and how help shows it."""
    if isinstance(kind, tuple):
        return click.Choice(kind), "|".join(kind)
    return {
        int: (click.INT, "INTEGER"),
        float: (click.FLOAT, "FLOAT"),
        "window": (Window(), "NAME|FILE.npy"),
    }[kind]
