# SPDX-License-Identifier: BSD-3-Clause
"""The feature extractors of transformers for speech recognition, a function each.

Each takes its keys, starts from the preset of the same name and returns a specification.
"""

from __future__ import annotations

from typing import Any

from specfast._front_file.keys import Keys
from specfast._front_file.limits import specification
from specfast._spec import checks as _checks
from specfast._spec import preset_models as models
from specfast._spec.feature_checks import next_power_of_two
from specfast._spec.feature_spec import FeatureSpec

_NO_NOISE = "specfast adds no noise to samples"

# With what, and on which side, the shorter clips of a batch are filled up; a mask hides it.
_PADDING_OF_BATCHES = ("padding_side", "padding_value")


def whisper(keys: Keys) -> FeatureSpec:
    """Reads WhisperFeatureExtractor, which pads or cuts each clip to `chunk_length` seconds."""
    rate = keys.integer("sampling_rate", 16000)
    bands = keys.integer("feature_size", 80)
    n_fft = keys.integer("n_fft", 400)
    hop = keys.integer("hop_length", 160)
    num_samples = keys.integer("chunk_length", 30) * rate
    keys.follows("n_samples", num_samples, "`chunk_length` and `sampling_rate`")
    keys.follows("nb_max_frames", num_samples // hop, "`n_samples` and `hop_length`")
    keys.follows("num_mel_bins", bands, "`feature_size`")
    keys.only("dither", 0.0, _NO_NOISE)
    _check_matrix(keys, n_fft // 2 + 1, bands)
    if "num_samples" in keys.overridden:
        keys.ignore(_PADDING_OF_BATCHES)
    else:
        remedy = "; num_samples=None leaves clips as they are"
        keys.only("padding_side", "right", f"specfast pads behind a clip{remedy}")
        keys.only("padding_value", 0.0, f"specfast pads with zeros{remedy}")
    return specification(
        models.whisper(),
        sampling_rate=rate,
        num_samples=num_samples,
        frame_length=n_fft,
        fft_length=n_fft,
        hop_length=hop,
        num_mel_bins=bands,
        max_freq=8000.0,  # whatever the sampling rate
    )


def _check_matrix(keys: Keys, bins: int, bands: int) -> None:
    """Checks the shape of `mel_filters`, which old files hold and the original computes anew."""
    matrix = keys.take("mel_filters")
    if matrix is None:
        return
    shape = None
    if isinstance(matrix, list) and matrix and all(isinstance(row, list) for row in matrix):
        widths = {len(row) for row in matrix}
        shape = (len(matrix), *widths)
    if shape not in ((bins, bands), (bands, bins)):
        raise ValueError(
            f"`mel_filters` must be a matrix of {bins} by {bands}, which follows from `n_fft` and "
            f"`feature_size`. {_checks.received('mel_filters', shape or type(matrix).__name__)}"
        )


def seamless_m4t(keys: Keys) -> FeatureSpec:
    """Reads SeamlessM4TFeatureExtractor, also that of w2v-BERT."""
    rate = keys.integer("sampling_rate", 16000)
    bands = keys.integer("num_mel_bins", 80)
    keys.follows("feature_size", bands, "`num_mel_bins`")
    keys.only("padding_side", "right", "specfast pads behind the frames of a clip")
    keys.ignore(("language_code",))  # the languages that a tokenizer knows
    return specification(
        models.seamless_m4t(),
        sampling_rate=rate,
        num_mel_bins=bands,
        max_freq=float(rate // 2),
        pad_value=keys.number("padding_value", 0.0),
        join_frames=keys.integer("stride", 2),
    )


def parakeet(keys: Keys) -> FeatureSpec:
    """Reads ParakeetFeatureExtractor."""
    preemphasis = keys.take("preemphasis", 0.97)
    preemphasis = 0.0 if preemphasis is None else keys.number("preemphasis", 0.97)
    keys.ignore(_PADDING_OF_BATCHES)
    return specification(
        models.parakeet(),
        **_common_keys(keys, bands=80),
        preemphasis=preemphasis,
        preemphasis_rule="signal" if preemphasis else "frame",
    )


def phi4_multimodal(keys: Keys) -> FeatureSpec:
    """Reads Phi4MultimodalFeatureExtractor."""
    keys.ignore(_PADDING_OF_BATCHES)
    # How many tokens of text a clip becomes.
    keys.ignore(("audio_compression_rate", "audio_downsample_rate", "audio_feat_stride"))
    return specification(
        models.phi4_multimodal(),
        **_common_keys(keys, bands=80),
        preemphasis=keys.number("preemphasis", 0.97),
        min_freq=keys.number("mel_min_frequency", 0.0),
        max_freq=keys.number("mel_max_frequency", 7690.0),
    )


def lasr(keys: Keys) -> FeatureSpec:
    """Reads LasrFeatureExtractor, whose bands lie from 125 to 7500 Hz at every rate."""
    keys.ignore(_PADDING_OF_BATCHES)
    return specification(models.lasr(), **_common_keys(keys, bands=128))


def _common_keys(keys: Keys, bands: int) -> dict[str, Any]:
    """Takes the keys that Parakeet, Phi-4 and LASR have in common."""
    return {
        "sampling_rate": keys.integer("sampling_rate", 16000),
        "num_mel_bins": keys.integer("feature_size", bands),
        "frame_length": keys.integer("win_length", 400),
        "hop_length": keys.integer("hop_length", 160),
        "fft_length": keys.integer("n_fft", 512),
    }


def gemma3n(keys: Keys) -> FeatureSpec:
    """Reads Gemma3nAudioFeatureExtractor."""
    rate = keys.integer("sampling_rate", 16000)
    frame = round(rate * keys.number("frame_length_ms", 32.0, above=0) / 1000)
    hop = round(rate * keys.number("hop_length_ms", 10.0, above=0) / 1000)
    fft_length = next_power_of_two(frame) * (2 if keys.flag("fft_overdrive", True) else 1)
    keys.follows("frame_length", frame, "`frame_length_ms` (or its default, 32)")
    keys.follows("hop_length", hop, "`hop_length_ms` (or its default, 10)")
    keys.follows("fft_length", fft_length, "`frame_length_ms` and `fft_overdrive`")
    keys.only("dither", 0.0, _NO_NOISE)
    preemphasis = keys.number("preemphasis", 0.97)
    if preemphasis:
        reason = "specfast knows the first sample of a frame only as HTK treats it"
        keys.only("preemphasis_htk_flavor", True, reason)
    keys.ignore(("preemphasis_htk_flavor", *_PADDING_OF_BATCHES))
    bands = keys.integer("feature_size", 128)
    return specification(
        models.gemma3n(),
        sampling_rate=rate,
        input_scale=keys.number("input_scale_factor", 1.0),
        frame_length=frame,
        frame_span=frame + 1,
        hop_length=hop,
        fft_length=fft_length,
        preemphasis=preemphasis,
        num_mel_bins=bands,
        min_freq=keys.number("min_frequency", 125.0),
        max_freq=keys.number("max_frequency", 7600.0),
        floor=keys.number("mel_floor", 1e-5),
        **_gain_and_offset(keys, bands),
    )


def _gain_and_offset(keys: Keys, bands: int) -> dict[str, tuple[float, ...]]:
    """Returns (v - mean) / deviation of each band as gain and offset; empty without either."""
    if keys.take("per_bin_mean") is None and keys.take("per_bin_stddev") is None:
        return {}
    means = _row(keys, "per_bin_mean", bands, 0.0)
    deviations = _row(keys, "per_bin_stddev", bands, 1.0)
    if min(deviations) <= 0:
        raise ValueError(
            "`per_bin_stddev` must be above 0. "
            f"{_checks.received('per_bin_stddev', min(deviations))}"
        )
    return {
        "gain": tuple(1 / deviation for deviation in deviations),
        "offset": tuple(-mean / deviations[i] for i, mean in enumerate(means)),
    }


def _row(keys: Keys, key: str, bands: int, default: float) -> list[float]:
    values = keys.take(key)
    if values is None:
        return [default] * bands
    if not isinstance(values, list) or len(values) != bands:
        raise ValueError(
            f"`{key}` must be a list of {bands} numbers, one for each of `feature_size` bands. "
            f"{_checks.received(key, values)}"
        )
    return [float(_checks.real(key, value)) for value in values]
