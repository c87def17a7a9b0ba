# SPDX-License-Identifier: BSD-3-Clause
"""Takes the keys of a file one by one, each with a check; what nobody has taken is an error."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from specfast._front_file.limits import MAX_LENGTH
from specfast._spec import checks as _checks

MAX_NUMBER = 1e18  # products of two such numbers are far from infinity


class Keys:
    """The keys of one section of a file.

    Args:
        values: keys and values as they were parsed.
        overridden: names of FeatureSpec's fields that the caller sets, whatever the file says.

    The methods raise ValueError or TypeError naming the key and its value.
    """

    def __init__(self, values: Mapping[str, Any], overridden: Collection[str] = ()) -> None:
        self._values = values
        self._known: set[str] = set()
        self.overridden = frozenset(overridden)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, default: Any = None) -> Any:
        """Returns a value as it is, or the default where the key is missing."""
        self._known.add(key)
        return self._values.get(key, default)

    def required(self, key: str) -> Any:
        """Returns a value as it is; the key must be there."""
        if key not in self._values:
            raise ValueError(f"`{key}` is missing, and the original has no default for it")
        return self.take(key)

    def integer(
        self, key: str, default: Any, *, minimum: int = 1, maximum: int = MAX_LENGTH
    ) -> int:
        """Returns an integer; 80.0 is one, as programs that write JSON or YAML may add the .0."""
        value = self.take(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return _checks.integer(key, value, minimum=minimum, maximum=maximum)

    def number(
        self, key: str, default: Any, *, minimum: float = -math.inf, above: float = -math.inf
    ) -> float:
        """Returns a finite number, at least `minimum` and above `above`."""
        value = self.take(key, default)
        number = float(_checks.real(key, value))
        if abs(number) > MAX_NUMBER:
            raise ValueError(
                f"`{key}` must be at most {MAX_NUMBER:g} in size. {_checks.received(key, value)}"
            )
        if number < minimum or number <= above:
            bound = f"at least {minimum:g}" if number < minimum else f"above {above:g}"
            raise ValueError(f"`{key}` must be {bound}. {_checks.received(key, value)}")
        return number

    def flag(self, key: str, default: bool) -> bool:
        """Returns true or false, and nothing that stands for them."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise TypeError(f"`{key}` must be true or false. {_checks.received(key, value)}")
        return value

    def word(self, key: str, default: str, meanings: Mapping[str, Any]) -> Any:
        """Returns what a word means."""
        return meanings[_checks.choice(key, self.take(key, default), tuple(meanings))]

    def only(self, key: str, accepted: Any, reason: str) -> None:
        """Refuses every value but one: `reason` says what specfast does not do."""
        value = self.take(key, accepted)
        if not _equal(value, accepted):
            raise ValueError(
                f"`{key}` must be {accepted!r}, as {reason}. {_checks.received(key, value)}"
            )

    def follows(self, key: str, expected: Any, source: str) -> None:
        """Refuses a value that contradicts the other keys, from which the original derives it."""
        value = self.take(key, expected)
        if not _equal(value, expected):
            raise ValueError(
                f"`{key}` must be {expected!r}, which follows from {source}. "
                f"{_checks.received(key, value)}"
            )

    def ignore(self, keys: Iterable[str]) -> None:
        """Knows keys that change no feature, whatever their values."""
        self._known.update(keys)

    def finish(self) -> None:
        """Refuses keys that nobody has taken."""
        for key in self._values:
            if key in self._known:
                continue
            near = difflib.get_close_matches(str(key)[:200], self._known, 1)
            raise ValueError(
                f"`{_checks.clipped(str(key))}` is a key that specfast does not know, so it may "
                "change the features"
                + (f"; did you mean {near[0]!r}?" if near else "")
                + f". {_checks.received('value', self._values[key])}"
            )


def _equal(value: Any, expected: Any) -> bool:
    """Compares as JSON does: 1 is 1.0, but neither is true."""
    return isinstance(value, bool) == isinstance(expected, bool) and bool(value == expected)
