# SPDX-License-Identifier: BSD-3-Clause
"""Calls of transformers, openai-whisper, kaldi-native-fbank and librosa, as their users make them.

Each function here returns an Original, from float32 [samples] to a float32 array. Its program is
imported when it is called first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
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

    made = getattr(transformers, f"{kind}FeatureExtractor")
    if kind == "AST":  # its NumPy way, whether or not torchaudio is installed
        sys.modules[made.__module__].is_speech_available = lambda: False  # type: ignore[attr-defined]
    return made(**arguments)


def of_transformers(
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


def of_openai_whisper(num_bands: int) -> Original:
    def run(clip: Any) -> Result:
        from whisper.audio import log_mel_spectrogram

        return np.asarray(log_mel_spectrogram(clip, n_mels=num_bands).numpy())

    source = f"log_mel_spectrogram(x, n_mels={num_bands}), no padding"
    return Original(f"openai-whisper {version('openai-whisper')} {source}", run)


def of_kaldi(kind: str, said: str, **options: Any) -> Original:
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


def of_librosa(said: str, run: Callable[[Any, Any], Any]) -> Original:
    def call(clip: Any) -> Result:
        import librosa

        return np.asarray(run(librosa, clip), dtype=np.float32)

    return Original(f"librosa {version('librosa')} {said}", call)


def librosa_mel(librosa: Any, clip: Any, **arguments: Any) -> Any:
    return librosa.feature.melspectrogram(y=clip, sr=16000, **arguments)
