# SPDX-License-Identifier: BSD-3-Clause
"""Reads preprocessor_config.json and processor_config.json of Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from specfast._front_file import hugging_face_sounds as sounds
from specfast._front_file import hugging_face_speech as speech
from specfast._front_file.keys import Keys
from specfast._spec import checks as _checks
from specfast._spec.feature_spec import FeatureSpec

FILES = ("processor_config.json", "preprocessor_config.json")

# The keys of a processor under which the configuration of its feature extractor may stand.
_NESTED = ("feature_extractor", "audio_processor")

# Meanings and defaults are those of transformers 5.24.0.
_READERS: dict[str, Callable[[Keys], FeatureSpec]] = {
    "WhisperFeatureExtractor": speech.whisper,
    "SeamlessM4TFeatureExtractor": speech.seamless_m4t,
    "ParakeetFeatureExtractor": speech.parakeet,
    "Gemma3nAudioFeatureExtractor": speech.gemma3n,
    "Phi4MultimodalFeatureExtractor": speech.phi4_multimodal,
    "LasrFeatureExtractor": speech.lasr,
    "ASTFeatureExtractor": sounds.ast,
    "ClapFeatureExtractor": sounds.clap,
    "SpeechT5FeatureExtractor": sounds.speecht5_target,
    "UnivNetFeatureExtractor": sounds.univnet,
}

# Feature extractors that pad, cut or scale samples and compute no spectrogram.
_OF_SAMPLES = frozenset(
    {
        "DacFeatureExtractor",
        "DiaFeatureExtractor",
        "EncodecFeatureExtractor",
        "KyutaiSpeechToTextFeatureExtractor",
        "PeAudioFeatureExtractor",
        "VibeVoiceAcousticTokenizerFeatureExtractor",
        "Wav2Vec2FeatureExtractor",
    }
)

# Say which classes and programs belong to the file, and whether a mask is returned besides.
_HARMLESS = (
    "feature_extractor_type",
    "processor_class",
    "auto_map",
    "transformers_version",
    "return_attention_mask",
)

# Belong to the image processor of a model that has both in one file.
_OF_IMAGES = (
    "image_processor_type",
    "crop_size",
    "data_format",
    "default_to_square",
    "device",
    "disable_grouping",
    "do_center_crop",
    "do_convert_rgb",
    "do_normalize",
    "do_pad",
    "do_rescale",
    "do_resize",
    "dynamic_hd",
    "image_mean",
    "image_seq_length",
    "image_std",
    "input_data_format",
    "max_pixels",
    "merge_size",
    "min_pixels",
    "pad_size",
    "patch_size",
    "resample",
    "rescale_factor",
    "return_tensors",
    "size",
    "size_divisor",
    "temporal_patch_size",
)


def section(values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Returns the part of a file that describes a feature extractor; None if it has none.

    What stands beside it in processor_config.json belongs to text, images and tokens.
    """
    for key in _NESTED:
        if isinstance(values.get(key), Mapping):
            return dict(values[key])
    return values if "feature_extractor_type" in values else None


def read(values: Mapping[str, Any], overridden: Collection[str]) -> FeatureSpec:
    """Returns the specification of the feature extractor that a section describes.

    Raises:
        ValueError, TypeError: naming what cannot be computed exactly.
    """
    given = values.get("feature_extractor_type")
    kind = given if isinstance(given, str) else ""
    if kind in _OF_SAMPLES:
        raise ValueError(f"{kind} computes no spectrogram: its models take samples as they are")
    reader = _READERS.get(kind)
    if reader is None:
        raise ValueError(
            "`feature_extractor_type` must be one of "
            f"{', '.join(_READERS)}. {_checks.received('feature_extractor_type', given)}"
        )
    keys = Keys(values, overridden)
    keys.ignore(_HARMLESS)
    if "image_processor_type" in values:
        keys.ignore(_OF_IMAGES)
    spec = reader(keys)
    keys.finish()
    return spec
