# SPDX-License-Identifier: BSD-3-Clause
"""The presets by name: specifications of the front ends of well-known models and programs."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from specfast._spec import checks
from specfast._spec import preset_models as models
from specfast._spec import preset_programs as programs
from specfast._spec.feature_spec import FeatureSpec

# Functions, as nobody needs all of these specifications, and making one takes a while.
_PRESETS: dict[str, Callable[[], FeatureSpec]] = {
    "whisper": models.whisper,
    "whisper_large_v3": models.whisper_large_v3,
    "nemo": models.nemo,
    "parakeet": models.parakeet,
    "seamless_m4t": models.seamless_m4t,
    "phi4_multimodal": models.phi4_multimodal,
    "gemma3n": models.gemma3n,
    "lasr": models.lasr,
    "ast": models.ast,
    "beats": models.beats,
    "yamnet": models.yamnet,
    "vggish": models.vggish,
    "clap": models.clap,
    "clap_fusion": models.clap_fusion,
    "panns": models.panns,
    "speecht5_target": models.speecht5_target,
    "hifigan": models.hifigan,
    "bigvgan": models.bigvgan,
    "univnet": models.univnet,
    "vocos": models.vocos,
    "kaldi_fbank": programs.kaldi_fbank,
    "kaldi_mfcc": programs.kaldi_mfcc,
    "librosa_mel": programs.librosa_mel,
    "librosa_mel_db": programs.librosa_mel_db,
    "librosa_mfcc": programs.librosa_mfcc,
    "librosa_pcen": programs.librosa_pcen,
    "torchaudio_mel": programs.torchaudio_mel,
    "torchaudio_mfcc": programs.torchaudio_mfcc,
    "tf_signal": programs.tf_signal,
}
# Other names of the same front ends.
ALIASES = {
    "whisper_large_v3_turbo": "whisper_large_v3",
    "w2v_bert": "seamless_m4t",
}


def names() -> tuple[str, ...]:
    """Returns the names of all presets, without the aliases."""
    return tuple(_PRESETS)


def is_known(name: str) -> bool:
    """Tells whether there is a preset, or an alias of one, of this name."""
    return name in _PRESETS or name in ALIASES


def means_file(text: str) -> bool:
    """Tells whether a text that is no preset's name is a file's, or looks like the name of one."""
    return not is_known(text) and bool(
        os.path.lexists(text) or os.sep in text or Path(text).suffix
    )


def nearest(name: str) -> str | None:
    """Returns the preset or alias that was probably meant by a name that is unknown."""
    import difflib  # for errors only

    return next(iter(difflib.get_close_matches(name, [*_PRESETS, *ALIASES], 1)), None)


def spec(name: str, *, argument: str = "name") -> FeatureSpec:
    """Returns the specification of a preset, by its name or an alias.

    Args:
        name: the name.
        argument: what messages call it.

    Raises:
        TypeError: if `name` is no string.
        ValueError: if there is no such preset.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"`{argument}` must be the name of a preset. {checks.received(argument, name)}"
        )
    name = ALIASES.get(name, name)
    if name not in _PRESETS:
        near = nearest(name)
        raise ValueError(
            f"`{argument}` must be the name of a preset. {checks.received(argument, name)}. "
            + (f"Did you mean {near!r}? " if near else "")
            + f"There are {', '.join(names())}"
        )
    return _made(name)


@cache
def _made(name: str) -> FeatureSpec:
    return _PRESETS[name]()
