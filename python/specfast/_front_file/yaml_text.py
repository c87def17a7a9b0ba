# SPDX-License-Identifier: BSD-3-Clause
"""Parses YAML as untrusted: scalars, lists and dictionaries, without tags, within bounds.

PyYAML gives the events; what they make is decided here, as OmegaConf reads scalars. No object is
constructed by a tag, and an alias stands for a scalar only, so that nothing grows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from specfast._front_file.documents import MAX_DIGITS
from specfast._spec import checks as _checks

MAX_BYTES = 2 << 20
MAX_EVENTS = 1 << 17
MAX_DEPTH = 100

_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
# With an exponent but no point too: 1e-5, which PyYAML alone takes for a string.
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9_]*)\.?[0-9_]*)([eE][-+]?[0-9]+)?")


def parse(text: str) -> Any:
    """Returns what one document of YAML holds.

    Raises:
        ValueError: if it is no YAML, has tags, aliases of lists, keys that come twice or are no
            strings, is nested too deeply or too large.
        ImportError: if PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise ImportError(
            "configurations of NeMo are YAML, for which PyYAML is needed: "
            "pip install specfast[nemo]"
        ) from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(yaml).document(iter(yaml.parse(text, Loader=loader)))
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {_checks.clipped(str(error))}") from None


class _Builder:
    """Makes Python values of events, keeping the containers that are open on a list of its own."""

    def __init__(self, yaml: Any) -> None:
        self._yaml = yaml
        self._anchors: dict[str, Any] = {}
        self._open: list[tuple[Any, list[Any]]] = []  # container; for dictionaries its pending key

    def document(self, events: Iterator[Any]) -> Any:
        """Returns the value of the only document."""
        yaml, documents = self._yaml, []
        for count, event in enumerate(events):
            if count > MAX_EVENTS:
                raise ValueError(f"YAML of more than {MAX_EVENTS} values")
            if isinstance(event, yaml.ScalarEvent):
                documents += self._put(self._scalar(event))
            elif isinstance(event, yaml.AliasEvent):
                documents += self._put(self._alias(event))
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._start(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                documents += self._put(self._open.pop()[0])
        if len(documents) != 1:
            raise ValueError(f"YAML of {len(documents)} documents, where one is expected")
        return documents[0]

    def _start(self, event: Any, container: Any) -> None:
        if event.tag is not None:
            raise ValueError(f"YAML with a tag, {_checks.clipped(event.tag)}")
        if len(self._open) >= MAX_DEPTH:
            raise ValueError("YAML that is nested too deeply")
        self._open.append((container, []))

    def _scalar(self, event: Any) -> Any:
        if event.tag is not None:
            raise ValueError(f"YAML with a tag, {_checks.clipped(event.tag)}")
        value = _plain(event.value) if event.style in (None, "") else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise ValueError(
                f"YAML with *{_checks.clipped(event.anchor)}, which is no single value"
            )
        return self._anchors[event.anchor]

    def _put(self, value: Any) -> list[Any]:
        """Puts a value into the innermost open container, or returns it where there is none."""
        if not self._open:
            return [value]
        container, pending = self._open[-1]
        if isinstance(container, list):
            container.append(value)
        elif not pending:
            pending.append(self._key(container, value))
        else:
            container[pending.pop()] = value
        return []

    def _key(self, container: dict[str, Any], key: Any) -> str:
        if isinstance(key, dict | list):
            raise ValueError("YAML with a list or a dictionary as a key")
        name = str(key)
        if name in container:
            raise ValueError(f"`{_checks.clipped(name)}` is there twice")
        return name


def _plain(text: str) -> str | int | float | bool | None:
    """Returns what a scalar without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_DIGITS or not re.search("[0-9]", text):
        return text
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text
