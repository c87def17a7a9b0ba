# SPDX-License-Identifier: BSD-3-Clause
"""Reads config.json of HiFi-GAN, BigVGAN and vocoders that took it over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from specfast._front_file.keys import Keys
from specfast._front_file.limits import specification
from specfast._spec import preset_models as models
from specfast._spec.feature_spec import FeatureSpec

FILE = "config.json"

# By which such a file is known.
SIGNS = ("num_mels", "hop_size", "win_size", "sampling_rate")

# Names from Tacotron 2 that some files repeat, and the keys that say the same.
_SYNONYMS = {
    "n_mel_channels": "num_mels",
    "filter_length": "n_fft",
    "hop_length": "hop_size",
    "win_length": "win_size",
    "mel_fmin": "fmin",
    "mel_fmax": "fmax",
}

# Layers of generator and discriminators, from spectrogram to sound.
_OF_THE_NETWORK = (
    "activation",
    "cqtd_dilations",
    "cqtd_filters",
    "cqtd_filters_scale",
    "cqtd_hop_lengths",
    "cqtd_bins_per_octaves",
    "cqtd_in_channels",
    "cqtd_max_filters",
    "cqtd_n_octaves",
    "cqtd_out_channels",
    "discriminator_channel_mult",
    "gen_istft_hop_size",
    "gen_istft_n_fft",
    "mpd_reshapes",
    "resblock",
    "resblock_dilation_sizes",
    "resblock_kernel_sizes",
    "resolutions",
    "snake_logscale",
    "upsample_initial_channel",
    "upsample_kernel_sizes",
    "upsample_rates",
    "use_bias_at_final",
    "use_cqtd_instead_of_mrd",
    "use_spectral_norm",
    "use_tanh_at_final",
)

# Training: losses, steps, the data and machines for it. `fmax_for_loss` bounds a spectrogram that
# only the loss sees; nothing reads `num_freq`.
_OF_TRAINING = (
    "adam_b1",
    "adam_b2",
    "batch_size",
    "clip_grad_norm",
    "dist_config",
    "fmax_for_loss",
    "freeze_step",
    "lambda_melloss",
    "learning_rate",
    "lr_decay",
    "normalize_volume",
    "num_freq",
    "num_gpus",
    "num_workers",
    "seed",
    "segment_size",
    "use_multiscale_melloss",
)


def read(values: Mapping[str, Any], overridden: Collection[str]) -> FeatureSpec:
    """Returns the specification of the spectrogram from which a vocoder makes sound.

    Raises:
        ValueError, TypeError: naming what cannot be computed exactly.
    """
    keys = Keys(values, overridden)
    for key in (*SIGNS, "n_fft", "fmin", "fmax"):
        keys.required(key)
    rate = keys.integer("sampling_rate", None)
    n_fft = keys.integer("n_fft", None)
    top = rate / 2 if keys.take("fmax") is None else keys.number("fmax", None)
    for synonym, key in _SYNONYMS.items():
        if synonym in keys:
            keys.follows(synonym, keys.take(key), f"`{key}`")
    keys.only("mel_type", "pytorch", "that is the one of HiFi-GAN")
    keys.ignore(_OF_THE_NETWORK + _OF_TRAINING)
    keys.finish()
    return specification(
        models.hifigan(),
        sampling_rate=rate,
        frame_length=keys.integer("win_size", None),
        hop_length=keys.integer("hop_size", None, maximum=n_fft),
        fft_length=n_fft,
        num_mel_bins=keys.integer("num_mels", None),
        min_freq=keys.number("fmin", None),
        max_freq=top,
    )
