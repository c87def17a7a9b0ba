# SPDX-License-Identifier: BSD-3-Clause
"""The originals whose results are stored, by the names of `front_ends.CALLS`."""

from __future__ import annotations

from functools import cache, partial

import programs

_HTK = {
    "n_fft": 400,
    "win_length": 400,
    "hop_length": 160,
    "n_mels": 64,
    "htk": True,
    "norm": None,
    "power": 1.0,
    "center": False,
}


@cache
def all_stored() -> dict[str, programs.Original]:
    """Returns the originals whose results are stored, by the names of their files."""
    return {
        "hf_ast": programs.of_transformers("AST", {"max_length": 320}, key="input_values"),
        "hf_clap": programs.of_transformers(
            "Clap",
            {"sampling_rate": 16000, "max_length_s": 3},
            {"truncation": "rand_trunc", "padding": "repeatpad"},
        ),
        "hf_gemma3n": programs.of_transformers("Gemma3nAudio", call={"padding": False}),
        "hf_lasr": programs.of_transformers("Lasr"),
        "hf_parakeet": programs.of_transformers("Parakeet"),
        "hf_phi4": programs.of_transformers("Phi4Multimodal", key="audio_input_features"),
        "hf_seamless_m4t": programs.of_transformers("SeamlessM4T", call={"padding": True}),
        "hf_speecht5_target": programs.of_transformers(
            "SpeechT5", of="audio_target", key="input_values"
        ),
        "hf_univnet": programs.of_transformers("UnivNet", {"sampling_rate": 16000}),
        "hf_whisper_80": programs.of_transformers(
            "Whisper", {"feature_size": 80}, {"padding": "longest"}
        ),
        "hf_whisper_128": programs.of_transformers(
            "Whisper", {"feature_size": 128}, {"padding": "longest"}
        ),
        "kaldi_fbank_40_energy": programs.of_kaldi(
            "Fbank", "40 bins, use_energy True", **{"mel_opts.num_bins": 40, "use_energy": True}
        ),
        "kaldi_fbank_80": programs.of_kaldi(
            "Fbank", "FbankOptions default, 80 bins", **{"mel_opts.num_bins": 80}
        ),
        "kaldi_fbank_80_hamming_noedges": programs.of_kaldi(
            "Fbank",
            "80 bins, window hamming, snip_edges False, low 20 high -400",
            **{
                "mel_opts.num_bins": 80,
                "frame_opts.window_type": "hamming",
                "frame_opts.snip_edges": False,
                "mel_opts.high_freq": -400.0,
            },
        ),
        "kaldi_mfcc_13": programs.of_kaldi("Mfcc", "MfccOptions default, 23 bins, 13 ceps"),
        "librosa_mel": programs.of_librosa(
            "feature.melspectrogram(sr=16000), power", programs.librosa_mel
        ),
        "librosa_mel_db": programs.of_librosa(
            "power_to_db(melspectrogram(sr=16000), ref=1.0), top_db 80",
            lambda librosa, clip: librosa.power_to_db(
                programs.librosa_mel(librosa, clip), ref=1.0
            ),
        ),
        "librosa_mel_htk": programs.of_librosa(
            f"melspectrogram(sr=16000, {', '.join(f'{k}={v}' for k, v in _HTK.items())})",
            partial(programs.librosa_mel, **_HTK),
        ),
        "librosa_mfcc_20": programs.of_librosa(
            "feature.mfcc(sr=16000), 20",
            lambda librosa, clip: librosa.feature.mfcc(y=clip, sr=16000),
        ),
        "librosa_pcen": programs.of_librosa(
            "pcen(melspectrogram(sr=16000) * 2**31, sr=16000)",
            lambda librosa, clip: librosa.pcen(
                programs.librosa_mel(librosa, clip) * 2**31, sr=16000
            ),
        ),
        "openai_whisper_80": programs.of_openai_whisper(80),
        "openai_whisper_128": programs.of_openai_whisper(128),
    }
