# SPDX-License-Identifier: BSD-3-Clause
"""What users give as a front end, as a specification."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

from specfast._spec import checks, preset_specs
from specfast._spec.feature_spec import FeatureSpec
from specfast.front_files import read_front
from specfast.layers import FeatureExtractor, MelSpectrogram
from specfast.layers.specs import spec_of_layer

__all__ = ["spec_of"]


def spec_of(front: Any) -> FeatureSpec:
    """Returns the specification of a front end.

    Args:
        front: The name of a preset, a file that describes a front end, a FeatureSpec, a
            FeatureExtractor or a MelSpectrogram.

    Raises:
        TypeError, ValueError: It is none of these.
        OSError, FrontFileError: The file cannot be read, or describes no front end.
    """
    if isinstance(front, FeatureSpec):
        return front
    if isinstance(front, FeatureExtractor):
        return front.spec
    if isinstance(front, MelSpectrogram):
        return spec_of_layer(front)
    if isinstance(front, os.PathLike):
        return read_front(front)
    if not isinstance(front, str):
        raise TypeError(
            "`front` must be the name of a preset, a file, a FeatureSpec, a FeatureExtractor or a "
            f"MelSpectrogram. {checks.received('front', front)}"
        )
    names = (*preset_specs.names(), *preset_specs.ALIASES)
    if front in names:
        return preset_specs.spec(front)
    if os.path.lexists(front) or os.sep in front or Path(front).suffix:
        return read_front(front)
    near = difflib.get_close_matches(front, names, 1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"`front` is no file and no front end with a name. {checks.received('front', front)}."
        + meant
    )
