# SPDX-License-Identifier: BSD-3-Clause
"""Chooses a layer's dtype policy where Keras keeps a map of them, a DTypePolicyMap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specfast._keras_file.config import is_object
from specfast._spec import checks as _checks
from specfast._spec import policy as _policy

_PLAIN = frozenset("/_- ")  # and letters and digits; all else may be a pattern


def is_map(dtype: Any) -> bool:
    """Tells whether the `dtype` of a configuration is a map of policies."""
    return is_object(dtype) and dtype["class_name"] == "DTypePolicyMap"


def of_layer(dtype: Mapping[str, Any], name: Any) -> str:
    """Returns the name of the policy that `keras.models.load_model` gives a layer.

    Keras asks a map for the layer's path. That is the layer's name alone in a model that is
    loaded, but in one that was built anew it may have the names of the models around it in front.
    Keys are regular expressions besides, which are not run here: those of a file are untrusted.

    Args:
        dtype: the serialised map.
        name: the layer's name.

    Raises:
        ValueError: if the map is broken, or if another key may be meant, and gives other dtypes.
    """
    config = dtype["config"]
    entries = config.get("policy_map", {})
    if not isinstance(entries, Mapping):
        raise ValueError(
            "`dtype` given as a DTypePolicyMap must have a dictionary as policy_map. "
            f"{_checks.received('policy_map', entries)}"
        )
    chosen = _name(entries[name] if name in entries else config.get("default_policy"))
    for key, value in entries.items():
        if key != name and _may_match(key, name) and _name(value) != chosen:
            raise ValueError(
                f"`dtype` is a DTypePolicyMap that gives a layer named {_checks.short(name)} "
                f"{chosen!r}, or {_name(value)!r} by its key {_checks.short(key)}: which of them "
                "depends on how the model was built. Save the layer with one policy as its dtype"
            )
    return chosen


def of_live_layer(layer: Any) -> str | None:
    """Returns the name of the policy that a map gives a built layer of Keras.

    None: the layer has no map, or no path yet by which it would ask one. The dtypes are asked for
    rather than the policy, since Keras' `get_config` takes the names from a map without a default.
    """
    is_mapped = type(getattr(layer, "dtype_policy", None)).__name__ == "DTypePolicyMap"
    if not is_mapped or not getattr(layer, "path", None):
        return None
    computed, kept = str(layer.compute_dtype), str(layer.variable_dtype)
    return computed if computed == kept else f"mixed_{computed}"


def _may_match(key: str, name: Any) -> bool:
    """Tells whether a key may be the path of a layer of this name, or a pattern that fits it."""
    is_plain = all(character.isalnum() or character in _PLAIN for character in key)
    return name is None or not is_plain or key.rpartition("/")[2] == name


def _name(policy: Any) -> str:
    """Returns the name of one policy of a map; None and a name of None stand for the default."""
    if is_object(policy) and policy["config"].get("name", "") is None:
        policy = None
    return _policy.policy(policy).name
