# SPDX-License-Identifier: BSD-3-Clause
"""The front ends of well-known models and programs, by name."""

from __future__ import annotations

from typing import Any

from specfast._spec import preset_specs
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers.features import FeatureExtractor

__all__ = ["get", "names", "spec"]


def names() -> tuple[str, ...]:
    """Returns the names of all presets."""
    return preset_specs.names()


def spec(name: str, **overrides: Any) -> FeatureSpec:
    """Returns the specification of a preset.

    Args:
        name: the name of a preset.
        overrides: fields of a FeatureSpec that take other values. What the preset derives from a
            changed field is derived again.

    Raises:
        TypeError: for a name that is no string, and an override that is no field.
        ValueError: for an unknown name, with the nearest one, and values that a FeatureSpec
            refuses.
    """
    preset = preset_specs.spec(name)
    return preset.replace(**overrides) if overrides else preset


def get(name: str, *, num_threads: int | None = None, **overrides: Any) -> FeatureExtractor:
    """Returns the front end of a preset, which gives the numbers of its original.

    Args:
        name: the name of a preset.
        num_threads: threads for a call; None: the global setting.
        overrides: fields of a FeatureSpec that take other values, such as num_mel_bins=128.

    Raises:
        TypeError, ValueError: as `spec`.

    Example:
        >>> import numpy as np
        >>> from specfast import presets
        >>> presets.get("whisper")(np.zeros(16000, np.float32)).shape
        (80, 100)
    """
    return FeatureExtractor(spec(name, **overrides), num_threads=num_threads)
