# SPDX-License-Identifier: BSD-3-Clause
"""The originals of the presets, called as their users do: float32 [samples] to a NumPy array.

A program is imported when it is called first. Names are those of `front_ends.CALLS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Result = npt.NDArray[np.float32]


class Original(NamedTuple):
    """A program's call: what it is, in words, and the function itself."""

    source: str
    call: Callable[[Any], Result]


# ---- Hugging Face transformers -----------------------------------------------------------------


@cache
def _extractor(kind: str, **arguments: Any) -> Any:
    import transformers

    return getattr(transformers, f"{kind}FeatureExtractor")(**arguments)


def _transformers(
    kind: str,
    arguments: dict[str, Any] | None = None,
    call: dict[str, Any] | None = None,
    *,
    of: str | None = None,
    key: str = "input_features",
) -> Original:
    arguments, call = arguments or {}, call or {}

    def run(clip: Any) -> Result:
        extractor = _extractor(kind, **arguments)
        given = {of: clip} if of else {"raw_speech": clip}
        result = extractor(**given, sampling_rate=extractor.sampling_rate, **call)[key][0]
        return np.asarray(result, dtype=np.float32)

    source = f"{kind}FeatureExtractor({arguments}), call {call}"
    return Original(f"transformers {version('transformers')} {source}", run)


# ---- openai-whisper, kaldi-native-fbank, librosa -----------------------------------------------


def _openai_whisper(num_bands: int) -> Original:
    def run(clip: Any) -> Result:
        from whisper.audio import log_mel_spectrogram

        return np.asarray(log_mel_spectrogram(clip, n_mels=num_bands).numpy())

    source = f"log_mel_spectrogram(x, n_mels={num_bands}), no padding"
    return Original(f"openai-whisper {version('openai-whisper')} {source}", run)


def _kaldi(kind: str, said: str, **options: Any) -> Original:
    def run(clip: Any) -> Result:
        import kaldi_native_fbank

        wanted = getattr(kaldi_native_fbank, f"{kind}Options")()
        for name, value in {"frame_opts.dither": 0.0, **options}.items():
            *path, last = name.split(".")
            place = wanted
            for step in path:
                place = getattr(place, step)
            setattr(place, last, value)
        computer = getattr(kaldi_native_fbank, f"Online{kind}")(wanted)
        computer.accept_waveform(16000, (32768.0 * clip).tolist())
        computer.input_finished()
        frames = [computer.get_frame(t) for t in range(computer.num_frames_ready)]
        return np.array(frames, dtype=np.float32).reshape(len(frames), computer.dim)

    name = f"kaldi-native-fbank {version('kaldi-native-fbank')}"
    return Original(f"{name}, samples times 32768, dither 0, {said}", run)


def _librosa(said: str, run: Callable[[Any, Any], Any]) -> Original:
    def call(clip: Any) -> Result:
        import librosa

        return np.asarray(run(librosa, clip), dtype=np.float32)

    return Original(f"librosa {version('librosa')} {said}", call)


def _librosa_mel(librosa: Any, clip: Any, **arguments: Any) -> Any:
    return librosa.feature.melspectrogram(y=clip, sr=16000, **arguments)


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
def all_stored() -> dict[str, Original]:
    """Returns the originals whose results are stored, by the names of their files."""
    return {
        "hf_ast": _transformers("AST", {"max_length": 320}, key="input_values"),
        "hf_clap": _transformers(
            "Clap",
            {"sampling_rate": 16000, "max_length_s": 3},
            {"truncation": "rand_trunc", "padding": "repeatpad"},
        ),
        "hf_gemma3n": _transformers("Gemma3nAudio", call={"padding": False}),
        "hf_lasr": _transformers("Lasr"),
        "hf_parakeet": _transformers("Parakeet"),
        "hf_phi4": _transformers("Phi4Multimodal", key="audio_input_features"),
        "hf_seamless_m4t": _transformers("SeamlessM4T", call={"padding": True}),
        "hf_speecht5_target": _transformers("SpeechT5", of="audio_target", key="input_values"),
        "hf_univnet": _transformers("UnivNet", {"sampling_rate": 16000}),
        "hf_whisper_80": _transformers("Whisper", {"feature_size": 80}, {"padding": "longest"}),
        "hf_whisper_128": _transformers("Whisper", {"feature_size": 128}, {"padding": "longest"}),
        "kaldi_fbank_40_energy": _kaldi(
            "Fbank", "40 bins, use_energy True", **{"mel_opts.num_bins": 40, "use_energy": True}
        ),
        "kaldi_fbank_80": _kaldi(
            "Fbank", "FbankOptions default, 80 bins", **{"mel_opts.num_bins": 80}
        ),
        "kaldi_fbank_80_hamming_noedges": _kaldi(
            "Fbank",
            "80 bins, window hamming, snip_edges False, low 20 high -400",
            **{
                "mel_opts.num_bins": 80,
                "frame_opts.window_type": "hamming",
                "frame_opts.snip_edges": False,
                "mel_opts.high_freq": -400.0,
            },
        ),
        "kaldi_mfcc_13": _kaldi("Mfcc", "MfccOptions default, 23 bins, 13 ceps"),
        "librosa_mel": _librosa("feature.melspectrogram(sr=16000), power", _librosa_mel),
        "librosa_mel_db": _librosa(
            "power_to_db(melspectrogram(sr=16000), ref=1.0), top_db 80",
            lambda librosa, clip: librosa.power_to_db(_librosa_mel(librosa, clip), ref=1.0),
        ),
        "librosa_mel_htk": _librosa(
            f"melspectrogram(sr=16000, {', '.join(f'{k}={v}' for k, v in _HTK.items())})",
            partial(_librosa_mel, **_HTK),
        ),
        "librosa_mfcc_20": _librosa(
            "feature.mfcc(sr=16000), 20",
            lambda librosa, clip: librosa.feature.mfcc(y=clip, sr=16000),
        ),
        "librosa_pcen": _librosa(
            "pcen(melspectrogram(sr=16000) * 2**31, sr=16000)",
            lambda librosa, clip: librosa.pcen(_librosa_mel(librosa, clip) * 2**31, sr=16000),
        ),
        "openai_whisper_80": _openai_whisper(80),
        "openai_whisper_128": _openai_whisper(128),
    }
