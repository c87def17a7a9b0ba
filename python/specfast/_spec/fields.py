# SPDX-License-Identifier: BSD-3-Clause
"""The fields of a layer: one per argument, with its check and its place outside of Python.

`StftArguments` and `MelArguments` declare them. Configurations, pipelines, adapters, readers of
Keras' files and the command line derive their lists from them, so an argument is declared once.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Check = Callable[[str, Any], Any]

_KEY = "field"


@dataclass(frozen=True)
class Option:
    """How the command line offers an argument; its flag is the name with dashes.

    Attributes:
        kind: int, float or bool; a tuple of accepted words; or "window": a name or a .npy file.
        help: the help text, one short phrase with its full stop.
        takes_none: whether the word "none" stands for None.
        off: the flag for False where it is not "--no-" and the name.
    """

    kind: type | tuple[str, ...] | str
    help: str
    takes_none: bool = False
    off: str | None = None


@dataclass(frozen=True)
class Field:
    """One argument of a layer.

    Attributes:
        name: its keyword, also in a configuration.
        default: the default in the layer's signature.
        check: `check(name, value)` returns the value to keep, or raises TypeError or ValueError.
        in_keras: whether Keras' layer has it too. An argument that Keras does not have is written
            into a configuration only when it differs from its default.
        derived: the value that stands for the default, computed from the checked arguments;
            None where the checked default itself does.
        sizes_tables: whether tables grow with it, so that untrusted files need a bound on it.
        setting: the setting of the engine's `Config` that takes the checked value as it is; None:
            a pipeline translates it, or the engine does not see it.
        aliases: its names in other libraries, which errors for unknown keywords recognise.
        option: its option on the command line; None: none of its own.
    """

    name: str
    default: Any
    check: Check
    in_keras: bool
    derived: Callable[[Any], Any] | None
    sizes_tables: bool
    setting: str | None
    aliases: tuple[str, ...]
    option: Option | None

    @property
    def flag(self) -> str:
        """The option's name on the command line: "--fft-length"."""
        return "--" + self.name.replace("_", "-")

    @property
    def checked_default(self) -> Any:
        """The default as a layer keeps it, without what derives from other arguments."""
        return self.check(self.name, self.default)

    def default_of(self, arguments: Any) -> Any:
        """Returns the value that these arguments have where the caller did not pass this one."""
        return self.checked_default if self.derived is None else self.derived(arguments)


def argument(
    default: Any,
    check: Check,
    *,
    in_keras: bool = True,
    derived: Callable[[Any], Any] | None = None,
    sizes_tables: bool = False,
    setting: str | None = None,
    aliases: tuple[str, ...] = (),
    option: Option | None = None,
) -> Any:
    """Declares an argument in a class of arguments; see `Field` for the parameters."""
    parts = {
        "default": default,
        "check": check,
        "in_keras": in_keras,
        "derived": derived,
        "sizes_tables": sizes_tables,
        "setting": setting,
        "aliases": aliases,
        "option": option,
    }
    return dataclasses.field(metadata={_KEY: parts})


@functools.cache
def fields_of(arguments_class: Any) -> tuple[Field, ...]:
    """Returns the arguments that a class declares, in the order of a Keras configuration."""
    return tuple(
        Field(name=declared.name, **declared.metadata[_KEY])
        for declared in dataclasses.fields(arguments_class)
        if _KEY in declared.metadata
    )


def optional(check: Check) -> Check:
    """Returns the same check for an argument that may be None as well."""

    def check_unless_none(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return check_unless_none


def with_others(name: str, value: Any) -> Any:
    """Passes a value on that is checked later, together with other arguments."""
    del name
    return value
