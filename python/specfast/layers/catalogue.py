# SPDX-License-Identifier: BSD-3-Clause
"""The list of the layers, by the name of their class, which is that of Keras' class too."""

from __future__ import annotations

from specfast._spec.fields import Field
from specfast.layers.mel import MelSpectrogram
from specfast.layers.stft import STFTSpectrogram

FrontEndLayer = STFTSpectrogram | MelSpectrogram

LAYERS: dict[str, type[STFTSpectrogram] | type[MelSpectrogram]] = {
    "STFTSpectrogram": STFTSpectrogram,
    "MelSpectrogram": MelSpectrogram,
}


def fields_of(class_name: str) -> tuple[Field, ...]:
    """Returns the arguments of a layer, in the order of a Keras configuration."""
    return LAYERS[class_name].pipeline_class.arguments_class.fields()


def names_in_keras(class_name: str) -> tuple[str, ...]:
    """Returns the names of the arguments that Keras' layer has too."""
    return tuple(field.name for field in fields_of(class_name) if field.in_keras)


def names_of_one_layer(class_name: str) -> frozenset[str]:
    """Returns the names of Keras' arguments that this layer alone has."""
    others = {name for other in LAYERS if other != class_name for name in names_in_keras(other)}
    return frozenset(names_in_keras(class_name)) - others
