# SPDX-License-Identifier: BSD-3-Clause
"""The front ends of programs and libraries as specifications, a function each.

The comment says which version was read or run, and whose defaults these are.
"""

from __future__ import annotations

import math

from specfast._spec.feature_spec import FeatureSpec

# Samples from [-1, 1) as the 16-bit integers that Kaldi expects.
INT16 = 32768.0


def kaldi_fbank() -> FeatureSpec:
    # Kaldi's compute-fbank-feats, kaldi-native-fbank 1.23.0, torchaudio.compliance.kaldi. They
    # have 23 bands unless told otherwise; the recipes of today tell them 80. No dither.
    return FeatureSpec(
        input_scale=INT16,
        frame_length=400,
        hop_length=160,
        fft_length=512,
        remove_dc=True,
        preemphasis=0.97,
        window="povey",
        min_freq=20.0,
        mel_triangles="mel",
        level="ln",
        floor=2.0**-23,
        layout="frames_first",
    )


def kaldi_mfcc() -> FeatureSpec:
    # Kaldi's compute-mfcc-feats, kaldi-native-fbank 1.23.0: the first coefficient is the energy.
    return kaldi_fbank().replace(num_mel_bins=23, num_cepstra=13, lifter=22.0, energy="raw")


def librosa_mel() -> FeatureSpec:
    # librosa 0.11.0, feature.melspectrogram, which pads with zeros since 0.10; it computes in
    # float64 and rounds between the steps.
    return FeatureSpec(
        precision="float64",
        sampling_rate=22050.0,
        frame_length=2048,
        hop_length=512,
        fft_length=2048,
        padding="center",
        pad_mode="constant",
        num_mel_bins=128,
        mel_scale="slaney",
        mel_norm="slaney",
    )


def librosa_mel_db() -> FeatureSpec:
    # librosa 0.11.0, power_to_db of that with ref=1.0: one maximum for all that it is given.
    return librosa_mel().replace(level="decibel", dynamic_range=80.0, dynamic_range_scope="batch")


def librosa_mfcc() -> FeatureSpec:
    # librosa 0.11.0, feature.mfcc.
    return librosa_mel_db().replace(num_cepstra=20)


def librosa_pcen() -> FeatureSpec:
    # librosa 0.11.0, pcen of melspectrogram() * 2**31, as its documentation recommends for
    # samples in [-1, 1): energies are multiplied, so samples by the root of that.
    return librosa_mel().replace(pcen=True, input_scale=math.sqrt(2.0**31))


def torchaudio_mel() -> FeatureSpec:
    # torchaudio 2.11.0, transforms.MelSpectrogram.
    return FeatureSpec(
        frame_length=400,
        hop_length=200,
        fft_length=400,
        padding="center",
        num_mel_bins=128,
    )


def torchaudio_mfcc() -> FeatureSpec:
    # torchaudio 2.11.0, transforms.MFCC: decibels, of which each clip has its own maximum.
    return torchaudio_mel().replace(level="decibel", dynamic_range=80.0, num_cepstra=40)


def tf_signal() -> FeatureSpec:
    # TensorFlow 2.21, tf.signal.stft and linear_to_mel_weight_matrix, put together as in the
    # example of tf.signal.mfccs_from_log_mel_spectrograms.
    return FeatureSpec(
        frame_length=1024,
        hop_length=256,
        fft_length=1024,
        magnitude_exponent=1.0,
        min_freq=80.0,
        max_freq=7600.0,
        mel_triangles="mel",
        level="ln",
        floor=1e-6,
        floor_rule="add",
        layout="frames_first",
    )
