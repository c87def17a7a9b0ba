# SPDX-License-Identifier: BSD-3-Clause
"""The feature extractors of transformers for sounds and for synthesis, a function each.

Each takes its keys, starts from the preset of the same name and returns a specification.
"""

from __future__ import annotations

import math
from typing import Any

from specfast._front_file.keys import Keys
from specfast._front_file.limits import specification
from specfast._spec import checks as _checks
from specfast._spec import preset_models as models
from specfast._spec.feature_checks import next_power_of_two
from specfast._spec.feature_spec import FeatureSpec

# `window_function` of transformers by its names, as fields of a specification.
_WINDOWS: dict[str, dict[str, Any]] = {
    "hann_window": {"window": "hann"},
    "hann": {"window": "hann"},
    "hamming_window": {"window": "hamming"},
    "hamming": {"window": "hamming"},
    "boxcar": {"window": None},
}

# With what, and on which side, the shorter clips of a batch are filled up; a mask hides it.
_PADDING_OF_BATCHES = ("padding_side", "padding_value")


def ast(keys: Keys) -> FeatureSpec:
    """Reads ASTFeatureExtractor, which pads with zeros or cuts to `max_length` frames."""
    reason = "with torchaudio and without it the original computes differently at other rates"
    keys.only("sampling_rate", 16000, reason)
    # AST itself adds frames of zeros behind a clip, so that nothing is left to fill up.
    keys.ignore(("feature_size", *_PADDING_OF_BATCHES))
    gain, offset = 1.0, 0.0
    mean = keys.number("mean", -4.2677393)
    deviation = keys.number("std", 4.5689974, above=0)
    if keys.flag("do_normalize", True):
        gain, offset = 1 / (2 * deviation), -mean / (2 * deviation)
    return specification(
        models.ast(),
        num_mel_bins=keys.integer("num_mel_bins", 128),
        num_frames=keys.integer("max_length", 1024),
        gain=gain,
        offset=offset,
        pad_value=offset,
    )


def clap(keys: Keys) -> FeatureSpec:
    """Reads ClapFeatureExtractor, whose `truncation` decides between two filterbanks.

    With "fusion" the original returns a clip of up to `max_length_s` four times, and parts that
    it chooses at random of a longer one; the specification gives one, of the first seconds.
    """
    fusion = keys.word("truncation", "fusion", {"fusion": True, "rand_trunc": False})
    filling = keys.word("padding", "repeatpad", {"repeatpad": "repeat", "pad": "zeros"})
    rate = keys.integer("sampling_rate", 48000)
    fft_length = keys.integer("fft_window_size", 1024)
    hop = keys.integer("hop_length", 480)
    seconds = keys.integer("max_length_s", 10)
    keys.follows("n_fft", fft_length, "`fft_window_size`")
    keys.follows("nb_frequency_bins", fft_length // 2 + 1, "`fft_window_size`")
    keys.follows("chunk_length_s", seconds, "`max_length_s`")
    keys.follows("nb_max_samples", seconds * rate, "`max_length_s` and `sampling_rate`")
    keys.follows("nb_max_frames", seconds * rate // hop, "`max_length_s` and `hop_length`")
    # Clips all have the same length in the end; the original never reads `top_db`.
    keys.ignore(("top_db", *_PADDING_OF_BATCHES))
    return specification(
        models.clap_fusion() if fusion else models.clap(),
        sampling_rate=rate,
        num_samples=seconds * rate,
        sample_padding=filling,
        frame_length=fft_length,
        fft_length=fft_length,
        hop_length=hop,
        num_mel_bins=keys.integer("feature_size", 64),
        min_freq=keys.number("frequency_min", 0.0),
        max_freq=keys.number("frequency_max", 14000.0),
    )


def speecht5_target(keys: Keys) -> FeatureSpec:
    """Reads SpeechT5FeatureExtractor: the spectrogram of `audio_target`, not the input of speech.

    `win_length` and `hop_length` are milliseconds.
    """
    rate = keys.integer("sampling_rate", 16000)
    frame = keys.integer("win_length", 64) * rate // 1000
    hop = keys.integer("hop_length", 16) * rate // 1000
    fft_length = next_power_of_two(frame)
    if frame % 2:
        raise ValueError(
            "`win_length` must be an even number of samples, as the original centres an odd one "
            f"differently. {_checks.received('win_length', frame)}"
        )
    keys.follows("sample_size", frame, "`win_length` and `sampling_rate`")
    keys.follows("sample_stride", hop, "`hop_length` and `sampling_rate`")
    keys.follows("n_fft", fft_length, "`win_length` and `sampling_rate`")
    keys.follows("n_freqs", fft_length // 2 + 1, "`win_length` and `sampling_rate`")
    keys.only("frame_signal_scale", 1.0, "the original no longer scales frames")
    # Of samples as an input of the model (`feature_size`, `do_normalize`), and of what the model
    # makes of frames.
    keys.ignore(("feature_size", "do_normalize", "reduction_factor", *_PADDING_OF_BATCHES))
    return specification(
        models.speecht5_target(),
        sampling_rate=rate,
        frame_length=frame,
        hop_length=hop,
        fft_length=fft_length,
        **keys.word("win_function", "hann_window", _WINDOWS),
        num_mel_bins=keys.integer("num_mel_bins", 80),
        min_freq=keys.number("fmin", 80.0),
        max_freq=keys.number("fmax", 7600.0),
        floor=keys.number("mel_floor", 1e-10, above=0),
    )


def univnet(keys: Keys) -> FeatureSpec:
    """Reads UnivNetFeatureExtractor."""
    rate = keys.integer("sampling_rate", 24000)
    frame = keys.integer("win_length", 1024)
    fft_length = next_power_of_two(frame)
    if keys.take("filter_length", 1024) is not None:
        fft_length = keys.integer("filter_length", 1024)
    if frame != fft_length:
        raise ValueError(
            "`win_length` must be the length of the transform, as the original fails otherwise. "
            f"Received: win_length={frame}, filter_length={fft_length}"
        )
    hop = keys.integer("hop_length", 256, maximum=fft_length)
    top = rate / 2 if keys.take("fmax") is None else keys.number("fmax", None)
    keys.only("center", False, "specfast pads either to the centre or on the sides")
    # A bound on the length of clips, of which the original cuts off the rest; the noise that the
    # vocoder starts from; samples that only `pad_end` adds; shape of inputs that are samples.
    keys.ignore(("max_length_s", "model_in_channels", "pad_end_length", "feature_size"))
    keys.ignore(_PADDING_OF_BATCHES)
    return specification(
        models.univnet(),
        sampling_rate=rate,
        frame_length=frame,
        fft_length=fft_length,
        hop_length=hop,
        **keys.word("win_function", "hann_window", _WINDOWS),
        power_offset=keys.number("mel_floor", 1e-9),
        num_mel_bins=keys.integer("num_mel_bins", 100),
        min_freq=keys.number("fmin", 0.0),
        max_freq=top,
        floor=keys.number("compression_clip_val", 1e-5, above=0),
        **_compression(keys),
    )


def _compression(keys: Keys) -> dict[str, float]:
    """Returns what UnivNet does to the logarithm, as gain and offset."""
    added = math.log(keys.number("compression_factor", 1.0, above=0))
    lowest = keys.number("normalize_min", -11.512925148010254)
    highest = keys.number("normalize_max", 2.3143386840820312)
    if not keys.flag("do_normalize", False):
        return {"offset": added}
    if highest <= lowest:
        raise ValueError(
            "`normalize_max` must be above `normalize_min`. "
            f"Received: normalize_max={highest}, normalize_min={lowest}"
        )
    gain = 2 / (highest - lowest)
    return {"gain": gain, "offset": gain * (added - lowest) - 1}
