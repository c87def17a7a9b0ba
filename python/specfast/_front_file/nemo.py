# SPDX-License-Identifier: BSD-3-Clause
"""Reads the preprocessor of a NeMo model: `model_config.yaml`, alone or in a .nemo file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from specfast._front_file.keys import Keys
from specfast._front_file.limits import specification
from specfast._spec import checks as _checks
from specfast._spec.feature_checks import next_power_of_two
from specfast._spec.feature_spec import FeatureSpec

FILE = "model_config.yaml"

_MAX_HOPS = 10  # of an interpolation to another
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")

_WINDOWS = {word: word for word in ("hann", "hamming", "blackman", "bartlett")}
_GUARDS = {"tiny": float(np.finfo(np.float32).tiny), "eps": float(np.finfo(np.float32).eps)}
# Words for no normalisation; to NeMo every word is one that it does not know.
_NO_NORMALIZATION = ("NA", "None", "none")

# Noise, narrow bands and their random numbers are for training; the other three have been without
# effect since torch.stft took over.
_HARMLESS = (
    "_target_",
    "dither",
    "nb_augmentation_prob",
    "nb_max_freq",
    "rng",
    "max_duration",
    "stft_conv",
    "stft_exact_pad",
)


def read(root: Any, overridden: Collection[str]) -> FeatureSpec:
    """Returns the specification of the section `preprocessor`, of the file or of its `model`.

    Meanings and defaults are those of NeMo 3.0.0.

    Raises:
        ValueError, TypeError: naming what cannot be computed exactly.
    """
    holder = root
    if isinstance(root, Mapping) and "preprocessor" not in root:
        holder = root.get("model")
    section = holder.get("preprocessor") if isinstance(holder, Mapping) else None
    if not isinstance(section, Mapping):
        raise ValueError("YAML without a section `preprocessor`, so no configuration of NeMo")
    target = section.get("_target_")
    reader = _READERS.get(str(target).rpartition(".")[2])
    if reader is None:
        raise ValueError(
            f"`preprocessor._target_` must be one of {', '.join(_READERS)}. "
            f"{_checks.received('_target_', target)}"
        )
    keys = Keys(
        {key: _resolved(root, key, section[key]) for key in section if key not in _HARMLESS},
        overridden,
    )
    spec = reader(keys)
    keys.finish()
    return spec


def _resolved(root: Any, key: str, value: Any) -> Any:
    """Returns a value, or the one that it refers to from the root of the file, as ${model.x}."""
    given = value
    for _ in range(_MAX_HOPS):
        if not isinstance(value, str) or ("${" not in value and value != "???"):
            return value
        reference = _REFERENCE.fullmatch(value)
        value = root
        for name in reference[1].split(".") if reference else ("",):
            value = value.get(name, "???") if isinstance(value, Mapping) else "???"
        if value == "???":
            break
    raise ValueError(
        f"`{key}` refers to what this file does not hold: write its value in its place. "
        f"{_checks.received(key, given)}"
    )


# ---- Filterbanks -------------------------------------------------------------------------------


def _of_model(keys: Keys) -> FeatureSpec:
    return _filterbank(keys, "features", 0.02, 0.01)


def _of_vocoder(keys: Keys) -> FeatureSpec:
    return _filterbank(keys, "nfilt", None, None)


def _filterbank(
    keys: Keys, bands: str, seconds: float | None, stride: float | None
) -> FeatureSpec:
    """Reads AudioToMelSpectrogramPreprocessor, or FilterbankFeatures which it is made of."""
    rate = keys.integer("sample_rate", 16000)
    frame = _samples(keys, "window_size", seconds, "n_window_size", 320, rate)
    hop = _samples(keys, "window_stride", stride, "n_window_stride", 160, rate)
    fft_length = keys.integer("n_fft", None) if keys.take("n_fft") else next_power_of_two(frame)
    highest = keys.number("highfreq", None) if keys.take("highfreq") else rate / 2
    keys.only("frame_splicing", 1, "NeMo repeats rows when it splices frames")
    keys.only("use_torchaudio", False, "versions of NeMo disagree about it")
    guarded = bands == "nfilt" and keys.flag("use_grads", False)  # against the slope of a root
    return specification(
        FeatureSpec(sampling_rate=rate, window_periodic=False, mel_scale="slaney"),
        frame_length=frame,
        hop_length=hop,
        fft_length=fft_length,
        masked_frames=1,
        **_frames(keys, hop),
        window=keys.word("window", "hann", _WINDOWS),
        magnitude_exponent=keys.number("mag_power", 2.0, above=0),
        power_offset=1e-5 if guarded else 0.0,
        num_mel_bins=keys.integer(bands, 64),
        min_freq=keys.number("lowfreq", 0.0),
        max_freq=highest,
        mel_norm=_mel_norm(keys),
        **_logarithm(keys),
        **_normalization(keys),
    )


def _samples(
    keys: Keys, in_seconds: str, seconds: float | None, in_samples: str, samples: int, rate: int
) -> int:
    """Returns a length in samples, given in either unit; 0, false and null mean: not given."""
    if seconds is None:
        return keys.integer(in_samples, samples)
    duration, count = keys.take(in_seconds, seconds), keys.take(in_samples)
    if duration and count:
        raise ValueError(
            f"`{in_samples}` and `{in_seconds}` contradict each other, NeMo takes one. Received: "
            f"{in_seconds}={_checks.short(duration)}, {in_samples}={_checks.short(count)}"
        )
    if duration:
        return int(keys.number(in_seconds, seconds, above=0) * rate)
    return keys.integer(in_samples, None)


def _frames(keys: Keys, hop: int) -> dict[str, Any]:
    """Returns preemphasis and padding."""
    coefficient = 0.0 if keys.take("preemph", 0.97) is None else keys.number("preemph", 0.97)
    fields: dict[str, Any] = {
        "preemphasis": coefficient,
        "preemphasis_rule": "signal" if coefficient else "frame",
        "padding": "center",
        "pad_mode": "constant",
        "frames_multiple": max(1, keys.integer("pad_to", 16, minimum=-1)),
        "pad_value": keys.number("pad_value", 0.0),
    }
    if keys.flag("exact_pad", False):
        fields["padding"] = "sides"
        if keys.take("preemph", 0.97) is not None:
            raise ValueError(
                "`preemph` must be null with exact_pad, as NeMo cuts off samples at the end of a "
                f"clip otherwise. {_checks.received('preemph', coefficient)}"
            )
        if hop % 2:
            raise ValueError(
                "`n_window_stride` must be even with exact_pad, as in NeMo. "
                f"{_checks.received('n_window_stride', hop)}"
            )
    return fields


def _mel_norm(keys: Keys) -> str | None:
    if keys.take("mel_norm", "slaney") is None:
        return None
    return str(keys.word("mel_norm", "slaney", {"slaney": "slaney"}))


def _logarithm(keys: Keys) -> dict[str, Any]:
    guard = keys.take("log_zero_guard_value", 2**-24)
    if isinstance(guard, str):
        guard = keys.word("log_zero_guard_value", "", _GUARDS)
    else:
        guard = keys.number("log_zero_guard_value", 2**-24, minimum=0)
    rule = keys.word("log_zero_guard_type", "add", {"add": "add", "clamp": "clamp"})
    if not keys.flag("log", True):
        return {"level": "energy"}
    return {"level": "ln", "floor": guard, "floor_rule": rule}


def _normalization(keys: Keys) -> dict[str, Any]:
    kind = keys.take("normalize", "per_feature")
    if not kind or kind in _NO_NORMALIZATION:
        return {}
    if kind != "per_feature":
        raise ValueError(
            '`normalize` must be "per_feature", or null or "NA" for none. '
            f"{_checks.received('normalize', kind)}"
        )
    return {
        "normalization": "per_band",
        "normalization_ddof": 1,
        "normalization_epsilon": 1e-5,
        "normalization_epsilon_in": "std",
    }


# ---- Cepstra -----------------------------------------------------------------------------------


def _cepstra(keys: Keys) -> FeatureSpec:
    """Reads AudioToMFCCPreprocessor, which is torchaudio's MFCC."""
    rate = keys.integer("sample_rate", 16000)
    frame = _samples(keys, "window_size", 0.02, "n_window_size", 0, rate)
    hop = _samples(keys, "window_stride", 0.01, "n_window_stride", 0, rate)
    level: dict[str, Any] = {"level": "ln", "floor": 1e-6, "floor_rule": "add"}
    if not keys.flag("log", True):
        level = {"level": "decibel", "dynamic_range": 80.0, "dynamic_range_scope": "batch"}
    window = keys.take("window", "hann")
    if window is not None:
        window = keys.word("window", "hann", {**_WINDOWS, "ones": None})
    norm = keys.take("norm", "ortho")
    if norm is not None:
        norm = keys.word("norm", "ortho", {"ortho": "ortho"})
    keys.only("dct_type", 2, "torchaudio knows no other")
    highest = keys.take("highfreq")
    return specification(
        FeatureSpec(sampling_rate=rate, padding="center"),
        frame_length=frame,
        hop_length=hop,
        fft_length=keys.integer("n_fft", None) if keys.take("n_fft") else next_power_of_two(frame),
        window=window,
        num_mel_bins=keys.integer("n_mels", 64),
        min_freq=keys.number("lowfreq", 0.0),
        max_freq=float(rate // 2) if highest is None else keys.number("highfreq", None),
        **level,
        num_cepstra=keys.integer("n_mfcc", 64),
        dct_norm=norm,
    )


_READERS: dict[str, Callable[[Keys], FeatureSpec]] = {
    "AudioToMelSpectrogramPreprocessor": _of_model,
    "FilterbankFeatures": _of_vocoder,
    "AudioToMFCCPreprocessor": _cepstra,
}
