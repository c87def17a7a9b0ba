# SPDX-License-Identifier: BSD-3-Clause
"""What users give as a front end, as a specification."""

from __future__ import annotations

import os
from typing import Any

from specfast._spec import preset_specs
from specfast._spec.feature_spec import FeatureSpec
from specfast.front_files import read_front
from specfast.layers.specs import spec_of_front

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
    is_file = isinstance(front, str) and preset_specs.means_file(front)
    if is_file or isinstance(front, os.PathLike):
        return read_front(front)
    return spec_of_front(front, also="a file, ")
